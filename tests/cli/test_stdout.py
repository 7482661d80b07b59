"""With --json there is one document on stdout, whatever libraries, policies and processes print."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from restock.cli import stdout
from restock.solvers import highs
from tests.cli.running import COMMAND, environment, process, run

NOISY = """
import atexit, ctypes, os
import numpy as np
from restock.policies._base import Policy

atexit.register(lambda: os.write(1, b"at the end\\n"))

class Noisy(Policy):
    name = "noisy"

    def act(self, view):
        os.write(1, b"from C\\n")
        ctypes.CDLL(None).puts(b"held back by C")
        print("from Python")
        os.system("echo from a process")
        return np.full((len(view["on_hand"]), len(self.problem.links)), 10.0)
"""
LINES = ("from C", "held back by C", "from Python", "from a process", "at the end")
BANNER = b"Running HiGHS 1.16.0: Copyright\nIncludes third-party software components\n"


@pytest.fixture
def noisy(tmp_path: Path) -> str:
    """A policy that prints in every way there is."""
    path = tmp_path / "noisy.py"
    path.write_text(NOISY, encoding="utf-8")
    return f"{path}:Noisy"


def test_the_document_is_alone_on_stdout(noisy: str) -> None:
    ran = process("simulate", "serial", noisy, "-n", "2", "--json")
    assert ran.code == 0 and ran.document["policy"] == "noisy"
    for line in LINES:
        assert line in ran.err.splitlines()


def test_so_it_is_when_the_command_fails(noisy: str, tmp_path: Path) -> None:
    lines = NOISY.replace("return np.full", "return np.nan * np.full")
    (tmp_path / "noisy.py").write_text(lines, encoding="utf-8")
    ran = process("simulate", "serial", noisy, "-n", "2", "--json")
    assert ran.code == 2 and ran.document["error"]["field"] == "policy noisy"
    assert "from C" in ran.err


def test_without_json_the_output_stays_on_stdout(noisy: str) -> None:
    ran = process("simulate", "serial", noisy, "-n", "2")
    assert ran.code == 0 and "from C" in ran.out and "at the end" in ran.out and "noisy (blind)" in ran.out


def test_help_stays_on_stdout() -> None:
    assert "--json" in run("simulate", "--help", "--json").out


def test_in_a_stream_of_pythons_own_print_is_kept_away(
    noisy: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "noisy.py").write_text(NOISY.replace("atexit.register(lambda", "print(lambda"), encoding="utf-8")
    ran = run("simulate", "serial", noisy, "-n", "2", "--json")
    assert ran.document["policy"] == "noisy" and "from Python" in ran.err


@pytest.mark.parametrize("closed", ["1", "2"])
def test_a_stream_that_the_caller_closed_ends_no_command(closed: str) -> None:
    command = " ".join([*COMMAND, "simulate serial base-stock -n 2 -q --json", f"{closed}>&-"])
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=environment(), timeout=240)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout == "" if closed == "1" else json.loads(done.stdout)["policy"] == "base-stock"


def test_a_reservation_ends_and_leaves_stdout_as_it_was() -> None:
    code = (
        "import os, sys; from restock.cli import stdout\n"
        "before = sys.stdout; print('one', flush=True)\n"
        "with stdout.reserved():\n"
        "    print('two'); os.write(1, b'three\\n')\n"
        "    with stdout.reserved(): os.write(1, b'four\\n')\n"
        "    os.write(1, b'five\\n')\n"
        "    print('document', file=stdout.document_stream(), flush=True)\n"
        "assert sys.stdout is before is stdout.document_stream()\n"
        "print('six', flush=True); os.write(1, b'seven\\n')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())
    assert done.stdout.split() == ["one", "document", "six", "seven"]
    assert sorted(done.stderr.split()) == sorted(["two", "three", "four", "five"])


def test_nothing_is_reserved_here() -> None:
    assert stdout.document_stream() is sys.stdout


# the banner of HiGHS ----------------------------------------------------------------------------------


def test_no_banner_precedes_a_table() -> None:
    ran = process("simulate", "serial", "hindsight", "-n", "2", "-q")
    assert ran.code == 0 and ran.out.startswith("hindsight (clairvoyant) on serial") and ran.err == ""


def test_a_banner_at_the_first_model_is_dropped_and_nothing_else(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    highspy = pytest.importorskip("highspy")
    made: list[Any] = []

    class Printing(highspy.Highs):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            os.write(1, b"said by another thread\n" if made else BANNER + b"said by another thread\n")
            made.append(self)

    monkeypatch.setattr(highspy, "Highs", Printing)
    monkeypatch.setattr(highs, "_banner_to_come", True)
    for count in (1, 2):
        model = highs.new_highs()
        assert model is made[-1] and model.getOptionValue("output_flag")[1] is False
        assert capfd.readouterr() == ("said by another thread\n", "") and len(made) == count
    os.write(1, b"as before\n")
    assert capfd.readouterr().out == "as before\n"
