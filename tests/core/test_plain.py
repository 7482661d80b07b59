"""What is written as JSON holds no number that JSON does not have."""

from __future__ import annotations

import json
import re

import numpy as np

from restock.core.plain import plain
from tests.shared_material import REPOSITORY


def test_numbers_that_json_does_not_have_are_null() -> None:
    data = {"a": float("nan"), "b": (np.inf, 1.5), "c": {"seconds": 2.0, "d": np.array([1.0, np.nan])}, 3: None}
    assert plain(data) == {"a": None, "b": [None, 1.5], "c": {"seconds": 2.0, "d": [1.0, None]}, "3": None}
    assert json.loads(json.dumps(plain(data, without=("seconds",)), allow_nan=False))["c"] == {"d": [1.0, None]}


def test_it_is_written_in_one_place() -> None:
    """A function that walks through data and puts null for what is not finite."""
    walks = re.compile(r"return None if isinstance\(value, float\) and not math\.isfinite\(value\)")
    sources = (REPOSITORY / "src").rglob("*.py")
    assert [path.name for path in sources if walks.search(path.read_text(encoding="utf-8"))] == []
