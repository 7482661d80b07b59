"""Layers import downwards only, and modules stay short."""

from __future__ import annotations

import os
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
