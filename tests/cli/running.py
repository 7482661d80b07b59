"""Running the command line in the tests: in this process, or as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from restock.cli.main import app

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "restock.cli"]


class Ran:
    """What a command wrote, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def document(self) -> Any:
        """The one JSON document on stdout; NaN and infinity are refused."""

        def refuse(name: str) -> None:
            raise AssertionError(f"{name} is not JSON")

        return json.loads(self.out, parse_constant=refuse)


def run(*arguments: str, width: int = 80) -> Ran:
    """A command in this process, on a terminal of that width."""
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": str(width)})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


def environment(**changes: str) -> dict[str, str]:
    """The environment of a process that runs this working copy."""
    path = os.pathsep.join(filter(None, [str(REPOSITORY / "src"), os.environ.get("PYTHONPATH")]))
    inherited = {name: value for name, value in os.environ.items() if name not in ("RESTOCK_QUIET", "NO_COLOR")}
    return {**inherited, "PYTHONPATH": path, "COLUMNS": "80", **changes}


def process(*arguments: str, cwd: Path | None = None, **changes: str) -> Ran:
    """A command as a process of its own."""
    done = subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, env=environment(**changes), cwd=cwd, timeout=240
    )
    return Ran(done.returncode, done.stdout, done.stderr)


STOPPING_ITSELF = """
import importlib, os, signal, sys

where, command = sys.argv[1], sys.argv[2:]
module, _, place = where.partition(":")
holder, _, name = place.rpartition(".")
owner = importlib.import_module(module)
owner = getattr(owner, holder) if holder else owner
done = getattr(owner, name)

def stopping(*given, **named):
    result = done(*given, **named)
    setattr(owner, name, done)
    os.kill(os.getpid(), signal.SIGSTOP)
    return result

setattr(owner, name, stopping)
sys.argv = ["restock", *command]
from restock.cli.main import main

main()
"""


def stopped(where: str, *arguments: str) -> subprocess.Popen[str]:
    """A command that has stopped itself after its first call of a function, `module:Class.method`.

    So a test finds it in the middle of its work however busy the machine is; SIGCONT lets it go on.
    """
    running = subprocess.Popen(
        [sys.executable, "-c", STOPPING_ITSELF, where, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    found = os.waitid(os.P_PID, running.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    assert found is not None and found.si_code == os.CLD_STOPPED, running.communicate()[1]
    return running
