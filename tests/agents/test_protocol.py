from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restock.agents.protocol import COMMA, FENCE, QUOTES, REASONING, WORDS, parse
from restock.core.errors import InvalidInput


@pytest.mark.parametrize(
    ("reply", "data", "repairs"),
    [
        ('{"a": 1}', {"a": 1}, ()),
        ('Ten more today.\n{"a": {"b": 2.5}} That is all.', {"a": {"b": 2.5}}, ()),
        ('```json\n{"a": 1}\n```', {"a": 1}, (FENCE,)),
        ('<think>maybe {"a": 9} or {}</think>{"a": 1}', {"a": 1}, (REASONING,)),
        ('{"a": [1, 2,], }', {"a": [1, 2]}, (COMMA,)),
        ("{'a': 'it\\'s', \"b\": \"'\"}", {"a": "it's", "b": "'"}, (QUOTES,)),
        ("{'a': None, 'b': [True, False], 'c': 'None, }'}", {"a": None, "b": [True, False], "c": "None, }"},
         (QUOTES, WORDS)),
        ('{"a": ",}", }', {"a": ",}"}, (COMMA,)),
    ],
)  # fmt: skip
def test_an_object_is_found_and_repaired(reply, data, repairs):
    assert parse(reply) == (data, repairs)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("I would wait.", "no JSON object"),
        ("", "no JSON object"),
        ("}{", "no JSON object"),
        ('{"a": 1', "no JSON object"),
        ('<think>{"a": 1}', "no JSON object"),
        ('{"a": NaN}', "no number of JSON"),
        ('{"a": -Infinity}', "no number of JSON"),
        ('{"a": 1, "a": 2}', "given twice"),
        ('{"a": 1} or {"a": 2}', "not valid JSON"),
        ('{"a": ' + "[" * 100_000 + "}", "nested too deeply"),
        ('{"a": ' + "9" * 10_000 + "}", "too long"),
        ("{" + " " * 300_000 + "}", "longer than"),
    ],
)
def test_what_is_no_object_is_refused(reply, why):
    with pytest.raises(InvalidInput, match=why):
        parse(reply)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(data=st.dictionaries(st.text(), JSON, max_size=4), before=st.text("abc .\n"))
def test_every_object_comes_back_as_it_is(data, before):
    assert parse(before + json.dumps(data)) == (data, ())


@given(reply=st.text("{}[]\",:\\'0123 NaNTrue`<think>/\n", max_size=80))
def test_whatever_is_said_is_an_object_or_refused(reply):
    try:
        data, _ = parse(reply)
    except InvalidInput:
        return
    assert isinstance(data, dict)
    json.dumps(data, allow_nan=False)
