"""Every number of a problem is declared once, and found by its name."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

import restock
from restock.core.schema import SEGMENTS
from restock.problems.load import families

SOURCE = Path(restock.__file__).parent
BY_PLACE = re.compile(r"\bworld\[\d|\.world\([\w.]*\)\[|\.fixed\[|\bunpack\([^\n]*arange|\.plain\.fresh\)\[")


def test_nothing_of_a_world_is_taken_by_its_place() -> None:
    found = {
        path.relative_to(SOURCE).as_posix(): BY_PLACE.findall(path.read_text(encoding="utf-8"))
        for path in SOURCE.rglob("*.py")
    }
    assert not {path: uses for path, uses in found.items() if uses}


@pytest.mark.parametrize("family", families())
def test_fields_say_what_they_are(family: str) -> None:
    schema = import_module(f"restock.problems.{family}.dynamics").SCHEMA
    for field in schema.fields:
        assert field.kind in SEGMENTS
        assert field.unit and field.meaning and field.axis, field.key
    assert schema.symbols().count("\n") == len(schema.fields) + 1
