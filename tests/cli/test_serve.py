"""`restock serve`: how it begins, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from restock.cli.main import app
from tests.shared_material import REPOSITORY

PATIENCE = 120.0


def invoked(*words: str) -> Any:
    return CliRunner().invoke(app, ["serve", *words])


def begun(*words: str) -> tuple[subprocess.Popen[str], Any]:
    """A server in a process of its own, and the document that it prints."""
    where = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "RESTOCK_TOKEN": ""}
    del where["RESTOCK_TOKEN"]
    process = subprocess.Popen(
        [sys.executable, "-m", "restock.cli", "serve", *words, "--port", "0", "--json"],
        env=where, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    lines = ""
    while not lines.endswith("}\n"):
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        lines += line
    return process, json.loads(lines)


def test_it_serves_until_it_is_interrupted() -> None:
    process, told = begun("divergent", "--token", "sesame")
    assert told == {"url": told["url"], "host": "127.0.0.1", "port": told["port"], "task": "divergent", "token": True}
    headers = {"Authorization": "Bearer sesame"}
    for _ in range(200):
        try:
            reply = httpx.get(f"{told['url']}/problems/divergent", headers=headers, timeout=PATIENCE, trust_env=False)
            break
        except httpx.ConnectError:
            continue
    assert reply.json()["default"] is True
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and out == "" and "Traceback" not in err
    assert "Serving divergent at http://127.0.0.1" in err and err.rstrip().endswith("The server has ended.")


def test_a_port_in_use_is_one_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = invoked("--port", str(port), "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["problem"].startswith(f"cannot listen at 127.0.0.1 port {port}")
    assert done.stderr.startswith("error: ") and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "code", "field"),
    [
        (["esay"], 2, "instance"),
        (["no/such/file.yaml"], 2, None),
        (["--port", "70000"], 2, "port"),
        (["--port", "-1"], 2, "port"),
        (["--idle", "0"], 2, "idle"),
        (["--max-sessions", "0"], 2, "max_sessions"),
        (["--max-body", "1"], 2, "max_body"),
        (["--reward", "money"], 2, "reward"),
        (["--token", " "], 2, "token"),
        (["--host", "no such host"], 1, None),
        (["--host", "192.0.2.1"], 1, None),
    ],
    ids=str,
)
def test_bad_arguments(words: list[str], code: int, field: str | None) -> None:
    done = invoked(*words, "--json")
    assert done.exit_code == code, done.output
    told = json.loads(done.stdout)["error"]
    assert told["problem"] and (field is None or told["field"] == field)
    assert "Traceback" not in done.output
