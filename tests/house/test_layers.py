"""Layers import downwards only, and modules stay short."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.shared_material import REPOSITORY

MOST_LINES = 400
SOURCES = sorted((REPOSITORY / "src").rglob("*.py"))


def lint_imports(folder: Path, source: Path) -> subprocess.CompletedProcess[str]:
    """The layer check, as `make test` runs it, on the package under `source`."""
    return subprocess.run(
        [sys.executable, "-c", "import importlinter.cli as cli; cli.lint_imports_command(['--no-cache'])"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_layers_hold():
    done = lint_imports(REPOSITORY, REPOSITORY / "src")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 kept, 0 broken" in done.stdout


def test_an_import_upwards_is_noticed(tmp_path):
    """The contract can fail: a small package with the same layers, in which core imports problems."""
    rules = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(rules[rules.index("[tool.importlinter]") :], encoding="utf-8")
    contract = tomllib.loads(rules)["tool"]["importlinter"]["contracts"][0]
    package = tmp_path / "src" / "restock"
    for layer in contract["layers"]:
        for name in layer.split(" | "):
            (package / name).mkdir(parents=True)
            (package / name / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "core" / "__init__.py").write_text("import restock.problems\n", encoding="utf-8")
    done = lint_imports(tmp_path, tmp_path / "src")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "restock.core -> restock.problems" in done.stdout


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY / "src")))
def test_modules_stay_short(source):
    assert len(source.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


LAYERS = [
    set(layer.split(" | "))
    for layer in tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ][0]["layers"]
]
# What a layer names of a higher one, because it alone knows when that is wanted. Manifests stand for themselves: their
# references are imported by the layers that ask for them, see `test_families`.
UPWARDS = {
    ("restock.policies.registry", "restock.learning.trained"),
    ("restock.core.trust", "restock.policies."),  # it compares names with these two, and imports neither
    ("restock.core.trust", "restock.problems."),
}


def named(source: str) -> set[str]:
    """Return the modules of restock that a source names in strings, as lazy imports do."""
    tree = ast.parse(source)
    words = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and isinstance(node.body[0] if node.body else None, ast.Expr)
    }
    strings = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in words
    ]
    return {found[1] for text in strings if (found := re.fullmatch(r"(restock(\.\w*)+)(:\w+)?", text))}


def level(module: str) -> int:
    """Return the place of a module's layer, the highest first."""
    return next((k for k, layer in enumerate(LAYERS) if module.split(".")[1] in layer), len(LAYERS))


def test_an_import_upwards_in_a_string_is_noticed():
    assert named('"""restock.server.app"""\nimport_module("restock.cli.main")') == {"restock.cli.main"}
    assert named('import_module(f"restock.solvers.{name}")') == {"restock.solvers."}
    assert named('A = {"x": "restock.policies.nothing:Nothing"}') == {"restock.policies.nothing"}
    assert level("restock.cli.main") < level("restock.policies.nothing") < level("restock.core.errors")


def test_no_string_names_a_higher_layer():
    found = set()
    for path in SOURCES:
        module = ".".join(path.relative_to(REPOSITORY / "src").with_suffix("").parts)
        if not re.fullmatch(r"restock\.problems\.(\w+\.family|manifest)", module) and level(module) < len(LAYERS):
            names = named(path.read_text(encoding="utf-8"))
            found |= {(module, name) for name in names if level(name) < level(module)}
    assert found == UPWARDS
