"""What finds unsteady tests does: leaks are errors, orders are random and can be had again, failures are told."""

from __future__ import annotations

import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.house import shuffled, steady
from tests.shared_material import REPOSITORY

LEAKS = {
    "a file": "open(__file__)",
    "a socket": "__import__('socket').socket()",
    "a pipe": "subprocess.Popen([sys.executable, '-c', ''], stdout=subprocess.PIPE).wait()",
}


@pytest.mark.parametrize("leak", LEAKS)
def test_what_a_test_leaves_open_is_an_error(leak: str, tmp_path: Path) -> None:
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    test = tmp_path / "test_leak.py"
    test.write_text(f"import gc, subprocess, sys\ndef test_leak():\n    {LEAKS[leak]}\n    gc.collect()\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "ResourceWarning" in done.stdout


def items() -> list[Any]:
    """Some tests of some modules, in the order in which they stand there."""
    return [SimpleNamespace(nodeid=f"tests/test_{module}.py::test_{k}") for module in "abcdef" for k in range(6)]


def ordered(seed: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Their names in the order of a seed."""
    monkeypatch.setenv("RESTOCK_TEST_ORDER", str(seed))
    found = items()
    shuffled.pytest_collection_modifyitems(found)
    return [item.nodeid for item in found]


def test_an_order_is_random_can_be_had_again_and_keeps_modules_together(monkeypatch: pytest.MonkeyPatch) -> None:
    usual, one, other = [item.nodeid for item in items()], ordered(1, monkeypatch), ordered(2, monkeypatch)
    assert sorted(one) == sorted(other) == usual
    assert one != other and one != usual and one == ordered(1, monkeypatch)
    modules = [name.partition("::")[0] for name in one]
    assert len(set(modules)) == 1 + sum(a != b for a, b in pairwise(modules))


def test_the_orders_that_failed_are_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(steady, "once", lambda order, jobs, tests: int(order == 4 and (jobs, tests) == (3, ["a", "b"])))
    monkeypatch.setattr(sys, "argv", ["steady", "--runs", "3", "--first", "3", "--jobs", "3", "--loops", "1", "a", "b"])
    assert steady.main() == 1
    said = capsys.readouterr().out
    assert "failed: RESTOCK_TEST_ORDER=4 python -m pytest -n 3 -p tests.house.shuffled a b\n2 of 3 runs passed" in said
    monkeypatch.setattr(sys, "argv", ["steady", "--runs", "1", "--loops", "0"])
    assert steady.main() == 0


def test_busy_loops_end_with_what_they_stand_beside() -> None:
    with steady.busy(2) as running:
        assert [process.poll() for process in running] == [None, None]
    assert all(process.poll() is not None for process in running)
