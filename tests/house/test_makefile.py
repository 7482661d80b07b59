"""The set-up: what `make` does on a fresh machine, on the second run, and where Python is too old."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.shared_material import REPOSITORY

STEPS = ["made.done", "demo.done", "test.done", "package.done"]


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run make as a fresh shell would: not as a part of the make that runs the tests."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(["make", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What make looks at, without the rest of the repository."""
    shutil.copy(REPOSITORY / "Makefile", tmp_path)
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    shutil.copytree(REPOSITORY / "requirements", tmp_path / "requirements")
    return tmp_path


@pytest.fixture
def installed(folder: Path) -> Path:
    """The same after every step of the set-up is done."""
    (folder / ".venv").mkdir()
    for step in STEPS:
        (folder / ".venv" / step).touch()
    return folder


@pytest.mark.parametrize("target", ["demo", "test", "bench"])
def test_a_fresh_machine_gets_an_environment_first(folder, target):
    planned = make(folder, "-n", target).stdout
    assert planned.index("-m venv .venv") < planned.index("--require-hashes --no-deps -r requirements/demo.txt")
    assert ("-r requirements/test.txt" in planned) == ("-r requirements/torch.txt" in planned) == (target != "demo")


@pytest.mark.parametrize("target", ["demo", "test", "bench"])
def test_the_second_run_installs_nothing(installed, target):
    planned = make(installed, "-n", target)
    assert planned.returncode == 0, planned.stderr
    assert "pip" not in planned.stdout and "venv .venv" not in planned.stdout


def test_new_metadata_are_installed_without_the_network(installed):
    newer = (installed / ".venv" / "package.done").stat().st_mtime + 10
    os.utime(installed / "pyproject.toml", (newer, newer))
    steps = [line for line in make(installed, "-n", "test").stdout.splitlines() if " install " in line]
    assert len(steps) == 1 and "--no-deps --no-build-isolation --no-index -e ." in steps[0]


def test_the_demo_writes_its_report_and_the_tests_check_everything(installed):
    assert "restock demo --out report.html" in make(installed, "-n", "demo").stdout
    planned = make(installed, "-n", "test").stdout
    for check in ("ruff check", "ruff format --check", "mypy", "lint-imports", "pytest"):
        assert check in planned


def test_the_oldest_and_the_newest_versions_get_environments_of_their_own(installed):
    planned = make(installed, "-n", "test-deps").stdout
    assert "--resolution lowest-direct" in planned and "install --quiet --editable '.[viz" in planned
    for place in ("build/deps/oldest", "build/deps/newest"):
        assert f"{place}/bin/python -m pytest" in planned
    assert "index-url" not in planned.replace("--no-emit-index-url", "")
    some = make(installed, "-n", "test-newest", "DEPS_TESTS=tests/core").stdout
    assert some.rstrip().endswith(" tests/core") and "deps/oldest" not in some


def test_steadiness_is_tried_as_often_as_asked_for(installed):
    assert "tests.house.steady --runs 10 " in make(installed, "-n", "test-steady").stdout
    assert (
        make(installed, "-n", "test-steady", "RUNS=3", "STEADY_TESTS=tests/core")
        .stdout.rstrip()
        .endswith("--runs 3 --jobs 2 tests/core")
    )


@pytest.mark.parametrize("python", ["old-python", "no-such-python"])
def test_a_python_that_is_too_old_or_missing_is_named(folder, python):
    (folder / "old-python").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (folder / "old-python").chmod(0o755)
    done = make(folder, "demo", f"PYTHON=./{python}")
    assert done.returncode == 2
    assert f"restock needs Python 3.11 or newer, and './{python}' is not" in done.stderr
    assert "make PYTHON=python3.11 demo" in done.stderr
    assert not (folder / ".venv").exists()


def test_ci_runs_the_tests_and_some_with_the_newest_versions():
    run = REPOSITORY / ".ci" / "run"
    lines = [line for line in run.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert lines[0] == "set -euo pipefail" and len(lines) == 5
    assert lines[2:4] == ["make browser", "make test"] and lines[4].startswith("make test-newest DEPS_TESTS=")
    assert os.access(run, os.X_OK)
