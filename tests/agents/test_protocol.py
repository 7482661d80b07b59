from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restock.agents.protocol import BRACES, COMMA, FENCE, QUOTES, REASONING, TWICE, WORDS, apart, parse
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
        ('Maybe {"a": 9}.</think>\n{"a": 1}', {"a": 1}, (REASONING,)),
        ('<think>a <think>b</think> c</think>{"a": 1}', {"a": 1}, (REASONING,)),
        ('[THINK]{"a": 9}[/THINK]{"a": 1}', {"a": 1}, (REASONING,)),
        ('<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>{"a": 1}', {"a": 1},
         (REASONING,)),
        ('Of {toys, shoes} I buy:\n```json\n{"a": 1}\n```', {"a": 1}, (FENCE, BRACES)),
        ('A brace { in words\n```json\n{"a": 1}\n```\nand } again', {"a": 1}, (FENCE, BRACES)),
        ('First {"a": 9}, but then\n```\n{\'a\': 1}\n```', {"a": 1}, (FENCE, BRACES, QUOTES)),
        ('{toys, shoes}: {"a": 1}', {"a": 1}, (BRACES,)),
        ("{toys, shoes}: {'a': 1,}", {"a": 1}, (BRACES, COMMA, QUOTES)),
        ('{"a": 1}\n\n{"a": 1}', {"a": 1}, (TWICE,)),
        ('```json\n{"a": 1}\n```\nAs JSON:\n```json\n{"a": 1.0}\n```', {"a": 1}, (FENCE, TWICE)),
        ('{"a": "}{"}\n{"a": "}{"}', {"a": "}{"}, (TWICE,)),
        ('{"a": "```"}', {"a": "```"}, ()),
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
        ('{"a": 1} or {"a": 2}', "several objects in it, which differ"),
        ('```\n{"a": 1}\n```\n```\n{"a": 2}\n```', "several objects in it, which differ"),
        ('{orders: {"a": 10}}', "not valid JSON"),  # what is inside is not what was meant
        ('{"orders": {"a": 10}, "b": }', "not valid JSON"),
        ('I set { here: {"a": 1}', "not valid JSON"),
        ('<think>{"a": 1}</think>', "no JSON object"),
        ('{"a": 1}</think>', "no JSON object"),
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


@given(reply=st.text("{}[]\",:\\'01 `<think>/\n", max_size=80))
def test_nothing_is_lost_between_text_and_reasoning(reply):
    text, reasoning = apart(reply)
    assert len(text) + len(reasoning) <= len(reply)


@pytest.mark.parametrize("piece", ["{}", '{"', '\\"', "```{", "<think>", "</think>", "'", "{'a':", '{"a": ['])
def test_no_reply_takes_the_square_of_its_length_to_read(piece):
    with contextlib.suppress(InvalidInput):
        parse("{" + piece * (190_000 // len(piece)) + "}")  # would take minutes
