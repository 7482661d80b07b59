"""How bad input is told: the value shown, the nearest name, the path, and that telling never fails itself."""

from __future__ import annotations

import pickle
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import restock
from restock import InvalidInput
from restock.core.errors import inside, nearest, require_extra, shown
from restock.core.validation import MOST_VALUES, Spec, plain, validated


def test_the_message_has_all_four_parts():
    error = InvalidInput("links[3].lead_time", -1, "must be at least 0", "Write an integer.")
    assert str(error) == "links[3].lead_time = -1: must be at least 0. Write an integer."
    assert (error.field, error.value, error.problem, error.mend) == (
        "links[3].lead_time",
        -1,
        "must be at least 0",
        "Write an integer.",
    )
    assert isinstance(error, ValueError) and InvalidInput is restock.InvalidInput


def test_it_survives_being_sent_to_another_process():
    error = InvalidInput("a", [1, 2], "b", "C.")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is InvalidInput
    assert str(again) == str(error) and again.value == [1, 2]


@pytest.mark.parametrize(
    ("where", "field", "path"),
    [
        ("", "", ""),
        ("", ".a", "a"),
        ("", "a", "a"),
        ("a", "", "a"),
        ("a", "b", "a.b"),
        ("a", ".b", "a.b"),
        ("a", "[0].b", "a[0].b"),
        ("f.yaml:", "nodes[0]", "f.yaml: nodes[0]"),
        ("f.yaml:", ".nodes", "f.yaml: nodes"),
        ("f.yaml:", "", "f.yaml"),
    ],
)
def test_paths(where, field, path):
    assert inside(where, field) == path
    assert InvalidInput(field, 1, "a", "B.").within(where).field == path


class Loud:
    def __repr__(self) -> str:
        raise RuntimeError("not now")


class Silent(metaclass=type("Meta", (type,), {"__repr__": lambda _: 1 / 0})):
    def __repr__(self) -> Any:
        return 7


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        ("a", "'a'"),
        (float("nan"), "nan"),
        ([1, [2]], "[1, [2]]"),
        (np.float64(2.5), "np.float64(2.5)"),
        ("x" * 500, "'xxx"),
        (10**6000, "<int>"),
        (list(range(10**6)), "[0, 1, 2"),
        (np.arange(10**6), "array([ 0, 1, 2"),
        ({"a": {"b": {"c": {"d": {"e": 1}}}}}, "{'a': {'b': {'c': {'d': {...}}}}}"),
        ("two\nlines", r"'two\nlines'"),
        (Loud(), "<Loud instance"),
        (Silent(), "<Silent"),
    ],
    ids=range(13),
)
def test_values_are_shown_in_short(value, text):
    told = shown(value)
    assert told.startswith(text) or "..." in told
    assert len(told) <= 80 and "\n" not in told


def test_a_value_that_grows_without_end_is_shown_at_once():
    bomb: Any = [1] * 10
    for _ in range(50):
        bomb = [bomb] * 10
    loop: list[Any] = []
    loop.append(loop)
    assert len(shown(bomb)) <= 80 and shown(loop) == "[[[[[...]]]]]"


@given(
    st.recursive(st.one_of(st.floats(), st.text(), st.binary(), st.integers()), lambda s: st.lists(s) | st.tuples(s))
)
def test_anything_can_be_shown(value):
    assert len(shown(value)) <= 80


def test_the_nearest_name_or_all_of_them():
    known = ["horizon", "discount"]
    assert nearest("horizn", known) == "Did you mean 'horizon'?"
    assert nearest("xyz", known) == "Known: horizon, discount."
    assert nearest(3, [3, 4]) == "Did you mean '3'?"
    assert nearest(Loud(), known) == nearest(10**6000, known) == "Known: horizon, discount."


def test_a_missing_package_says_how_to_get_it():
    assert require_extra("json", "data", "this") is __import__("json")
    with pytest.raises(InvalidInput) as caught:
        require_extra("no_such_package", "viz", "drawing")
    assert caught.value.mend == "Run: pip install 'restock[viz]'."
    assert "drawing needs" in caught.value.problem


# specs ----------------------------------------------------------------------------------------------


class Part(Spec):
    size: float
    kinds: list[int] | None = None
    table: dict[str, int] | None = None


class Whole(Spec):
    parts: list[Part] | None = None
    either: int | Part | None = None


def test_plain_python_of_numpy_and_tuples():
    part = Part(size=1.0)
    given = {"a": np.float32(0.5), "b": (np.int64(1), np.bool_(True)), "c": np.arange(3), "d": part}
    assert plain(given) == {"a": 0.5, "b": [1, True], "c": [0, 1, 2], "d": part}
    assert [type(v) for v in plain(given)["b"]] == [int, bool]


def test_data_without_end():
    loop: dict[str, Any] = {}
    loop["again"] = loop
    with pytest.raises(InvalidInput, match=r"here = .*contains itself"):
        plain(loop, "here")
    with pytest.raises(InvalidInput, match=f"more than {MOST_VALUES} values"):
        plain([[0] * 1000] * 1001)
    assert len(plain([0] * 1000)) == 1000


@pytest.mark.parametrize(
    ("data", "field", "problem", "mend"),
    [
        (3, "spec", "a mapping", "Its names: parts, either."),
        ({"parts": [{}]}, "spec.parts[0].size", "required", "Add `size: ...`."),
        ({"parts": [{"size": 1, "Size": 2}]}, "spec.parts[0].Size", "no such field", "Did you mean 'size'?"),
        ({"parts": [{"size": 1, "kinds": ["a"]}]}, "spec.parts[0].kinds[0]", "an integer", "Write an integer."),
        ({"parts": [{"size": 1, "table": {"x": "a"}}]}, "spec.parts[0].table.x", "an integer", None),
        ({"parts": [{"size": 1, "table": {"int": 0.5}}]}, "spec.parts[0].table.int", "an integer", None),
        ({"either": {"size": "x"}}, "spec.either.size", "a number", "Write a number."),
        ({"either": {"sise": 1}}, "spec.either.sise", "no such field", "Did you mean 'size'?"),
        ({"either": "x"}, "spec.either", "an integer or a mapping", None),
        ({"parts": 3, "wrong": 1}, "spec.wrong", "no such field", None),
        ({"parts": {"size": 1}}, "spec.parts", "a list", "Write a list."),
        ({7: 1}, "spec.7", "must be text, as every name of a field", "Its names: parts, either."),
    ],
)
def test_findings(data, field, problem, mend):
    with pytest.raises(InvalidInput) as caught:
        validated(Whole, data, "spec")
    assert caught.value.field == field
    assert problem in caught.value.problem
    assert mend is None or caught.value.mend == mend


def test_a_spec_that_is_one_already_is_taken_as_it_is():
    spec = Whole(parts=[Part(size=1.0)])
    assert validated(Whole, spec, "spec") is spec
    assert validated(Whole, {"parts": [Part(size=1.0), {"size": np.float32(2)}]}, "spec").parts[1].size == 2.0
