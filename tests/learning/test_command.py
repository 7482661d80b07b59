"""`restock train`: lines, documents, interruption."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import environment, run, stopped

pytest.importorskip("torch")
FEW = ("--set", "steps=10", "--set", "batch=8", "--set", "held_out=8", "--set", "evaluate_every=5")
SMALL = (*FEW, "--set", "network.hidden=[8]", "--set", "restarts=1")


def test_one_line_an_evaluation_and_a_document(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    done = run("train", "serial", "--out", str(folder), *SMALL, "--json")
    assert done.code == 0
    assert done.document["run"] == str(folder)
    assert done.document["cpu_seconds"] > 0.0 and done.document["threads"] == 1
    lines = [line for line in done.err.splitlines() if line.startswith("restart")]
    assert len(lines) == 2
    for words in ("steps/s", "% (above|below) base-stock", "% below hindsight", "profit"):
        assert all(re.search(words, line) for line in lines)
    assert "left" in lines[0]
    used = run("simulate", "serial", str(folder), "-n", "5", "--json")
    assert used.document["policy"] == "run" and used.document["information"] == "informed"


def test_quiet_says_nothing_on_the_way(tmp_path: Path) -> None:
    done = run("train", "serial", "--out", str(tmp_path / "run"), *SMALL, "--quiet")
    assert done.code == 0
    assert not [line for line in done.err.splitlines() if line.startswith("restart")]


def test_a_finished_run_is_left_as_it_is(tmp_path: Path) -> None:
    first = run("train", "serial", "--out", str(tmp_path / "run"), *SMALL, "--json")
    again = run("train", "--resume", str(tmp_path / "run"), "--json")
    assert again.code == 0
    assert again.document == first.document


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train",), "nothing was named to train for"),
        (("train", "serial", "--set", "steps"), "this is not KEY=VALUE"),
        (("train", "serial", "--set", "network.hiden=[8]"), "Did you mean 'hidden'?"),
        (("train", "serial", "--algo", "pathwis"), "Did you mean 'pathwise'?"),
        (("train", "serial", "--generalist", "all"), "regimes.kind"),
        (("train", "--resume", "nowhere"), "there is no training run in this folder"),
        (("train", "serial", "--resume", "nowhere"), "the run in the folder says already what it is"),
        (("train", "--resume", "nowhere", "--with", "horizon=3"), "the run in the folder says already what it is"),
    ],
)
def test_bad_input_is_told_in_one_line(arguments: tuple[str, ...], words: str) -> None:
    done = run(*arguments)
    assert done.code == 2
    errors = [line for line in done.err.splitlines() if line.startswith("error:")]
    assert len(errors) == 1 and words in errors[0]


def test_ctrl_c_keeps_what_was_learnt_and_the_command_goes_on(tmp_path: Path) -> None:
    import json

    folder = tmp_path / "run"
    arguments = ["train", "serial", "--out", str(folder), *SMALL[2:], "--set", "steps=40"]
    started = stopped("restock.learning.run_folder:RunFolder.save", *arguments)
    started.send_signal(signal.SIGINT)
    started.send_signal(signal.SIGCONT)
    _, told = started.communicate(timeout=200)
    assert started.returncode == 130
    assert f"Go on with: restock train --resume {folder}" in told
    assert not (folder / "result.json").exists()
    whole = tmp_path / "whole"
    assert run("train", "serial", "--out", str(whole), *SMALL[2:], "--set", "steps=40", "-q").code == 0
    assert run("train", "--resume", str(folder), "-q").code == 0
    one, other = (json.loads((path / "result.json").read_text()) for path in (folder, whole))
    assert {k: v for k, v in one.items() if k != "cpu_seconds"} == {
        k: v for k, v in other.items() if k != "cpu_seconds"
    }


def test_without_torch_the_command_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('no torch here')\n")
    path = os.pathsep.join([str(tmp_path), environment()["PYTHONPATH"]])
    done = subprocess.run(
        [sys.executable, "-m", "restock.cli", "train", "serial", "--out", str(tmp_path / "run")],
        capture_output=True, text=True, env=environment(PYTHONPATH=path), timeout=240,
    )  # fmt: skip
    assert done.returncode == 2
    assert "torch" in done.stderr and "pip install" in done.stderr
    assert not (tmp_path / "run").exists()
