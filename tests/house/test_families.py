"""A family says itself once: no other module lists families, and whatever a manifest names is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import restock
from restock.core.errors import InvalidInput
from restock.policies import Policy
from restock.problems.manifest import Manifest, own, resolved
from tests.house.test_layers import SOURCES
from tests.shared_material import REPOSITORY

PACKAGE = REPOSITORY / "src" / "restock"
FOLDERS = {path.parent.name: path.parent for path in PACKAGE.glob("problems/*/family.py")}
ELSEWHERE = [path for path in SOURCES if not any(path.is_relative_to(folder) for folder in FOLDERS.values())]


def listed(source: str) -> Iterator[tuple[int, set[str]]]:
    """Return the lists, sets, tuples and mappings of a source that name two families or more, and their lines."""
    ids = {id: name for name, one in own().items() for id in (one.id, *one.also)}
    for node in ast.walk(ast.parse(source)):
        entries = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", [])
        said = {entry.value for entry in entries if isinstance(entry, ast.Constant) and isinstance(entry.value, str)}
        if len(found := {ids.get(name, name) for name in said} & FOLDERS.keys()) > 1:
            yield node.lineno, found


def imported(source: str) -> set[str]:
    """Return the families whose modules a source imports."""
    names = [
        name
        for node in ast.walk(ast.parse(source))
        for name in (
            [f"{node.module}.{one.name}" for one in node.names]
            if isinstance(node, ast.ImportFrom)
            else [one.name for one in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    ]
    return {family for family in FOLDERS for name in names if f"{name}.".startswith(f"restock.problems.{family}.")}


def compared(source: str) -> list[int]:
    """Return the lines on which a source compares something with the name of a family."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Compare)
        for side in (node.left, *node.comparators)
        if isinstance(side, ast.Constant) and side.value in FOLDERS
    ]


def test_lists_of_families_are_noticed():
    assert list(listed('A = {"network": 1, "retail": 2}')) == [(1, {"network", "retail"})]
    assert list(listed('\nfor one in ("restock/Serial-v0", "minimal"): pass')) == [(2, {"network", "minimal"})]
    assert not list(listed('A = ["network", "base-stock"]'))
    assert imported("from restock.problems import retail\nimport restock.problems.sharing.spec") == {
        "retail",
        "sharing",
    }
    assert compared('if problem.family != "retail": pass') == [1]


@pytest.mark.parametrize("path", ELSEWHERE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_other_module_lists_families(path: Path):
    source = path.read_text(encoding="utf-8")
    assert not list(listed(source))
    assert len(imported(source)) < 2
    assert not compared(source)


def test_every_folder_has_a_manifest_and_its_name():
    folders = {path.parent.name: path.parent for path in PACKAGE.glob("problems/*/problem.py")}
    assert folders.pop("_template") and folders == FOLDERS
    assert list(own()) == ["network", "sharing", "production", "retail", "minimal"]  # in this order everywhere
    for name, one in own().items():
        assert one.name == name and one.package == f"restock.problems.{name}"
        assert one.id == f"restock/{name.capitalize()}-v0"
        assert one.title and one.words.endswith(".")


@pytest.mark.parametrize("family", FOLDERS)
def test_what_a_manifest_names_is_there(family: str):
    said = own()[family]
    for name, reference in said.policies.items():
        kind = resolved(reference)
        assert issubclass(kind, Policy) and kind.name == name
        assert reference.startswith("restock.policies.")  # the layer that asks for it, or a lower one
    if said.exact is not None:
        assert said.exact.startswith("restock.solvers.")
        assert callable(resolved(said.exact).solve) and callable(resolved(said.exact).states)
    problem: Any = said.loader.load()
    assert problem.family == family == type(problem).family
    assert {"load", "KEYWORDS", "SHELF"} <= set(dir(said.loader)) and said.loader.SHELF.names()
    for reference in (said.reader, said.grade):
        assert reference is None or callable(resolved(reference))
    assert said.money is None or said.money in problem.layout.columns
    for policy in (*said.usual, said.to_beat, said.rule, said.bound):
        assert policy is None or restock.make_policy(policy, problem).name == policy


@pytest.mark.parametrize(
    ("field", "value"), [("name", "Two Words"), ("usual", ("random", "base-stok")), ("to_beat", "best"), ("rule", "s")]
)
def test_a_manifest_that_contradicts_itself_is_refused(field: str, value: Any):
    with pytest.raises(InvalidInput, match=field):
        Manifest(**{"name": "corner-shop", "package": "corner", field: value})


def test_capabilities_are_asked_for_and_not_classes():
    for path in SOURCES:
        if not any(path.is_relative_to(folder) for folder in FOLDERS.values()):
            assert not re.search(r"isinstance\(.*(Network|Retail)Problem\)", path.read_text(encoding="utf-8")), path
