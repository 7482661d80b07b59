"""Runs that are stopped: by SIGKILL at random moments, by Ctrl-C, by a full disk, by a second start."""

from __future__ import annotations

import os
import random
import resource
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars
import pytest

from restock.benchmark.runner import bench
from tests.benchmark.runs import POLICIES, results
from tests.cli.running import COMMAND, environment, process

TASKS = 4 * 3 + 4 + 4  # one for each scenario and seed of the slow policy; base-stock and the bound by scenario


@pytest.fixture
def words(tmp_path):
    """The command of a run that takes some seconds, in a folder of its own."""
    (tmp_path / "policies.py").write_text(POLICIES, encoding="utf-8")
    listed = "policies:\n  - base-stock\n  - {name: slow, policy: 'policies.py:Slow', chunk: 1}\n"
    (tmp_path / "mine.yaml").write_text(listed, encoding="utf-8")
    return ["bench", "--suite", "smoke", "--policies", "mine.yaml", "--trust", "--out", "run"]


def started(words: list[str], cwd: Path) -> subprocess.Popen[str]:
    """The command as the leader of a group of processes."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*COMMAND, *words], cwd=cwd, env=environment(), stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )


def hold(tasks: int, cwd: Path) -> None:
    """Let a run go no further than about so many tasks: what is under way on other processes is finished."""
    (cwd / "gate.new").write_text(str(tasks))
    (cwd / "gate.new").replace(cwd / "gate")


def finished_tasks(cwd: Path) -> int:
    return len(list((cwd / "run" / "episodes").glob("*.json")))


def wait_for(tasks: int, running: subprocess.Popen[str], cwd: Path) -> None:
    """Wait until so many tasks are there."""
    until = time.monotonic() + 120.0
    while finished_tasks(cwd) < tasks:
        assert running.poll() is None and time.monotonic() < until, running.communicate()
        time.sleep(0.01)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_again_and_again_it_ends_as_if_it_had_not_been(tmp_path, words, jobs, monkeypatch):
    dice = random.Random(jobs)
    kept = 0
    for _ in range(4):
        hold(kept + 2, tmp_path)
        running = started([*words, "--jobs", str(jobs)], tmp_path)
        wait_for(kept + 1, running, tmp_path)
        time.sleep(dice.uniform(0.0, 0.3))
        workers = children(running.pid)
        running.kill()
        running.communicate()
        now = finished_tasks(tmp_path)
        assert kept < now < TASKS
        kept = now
        until = time.monotonic() + 30.0
        while any(alive(worker) for worker in workers):
            assert time.monotonic() < until, "a worker outlived its run"
            time.sleep(0.01)
        assert len(workers) == (jobs if jobs > 1 else 0)
    (tmp_path / "gate").unlink()
    last = process(*words, "--jobs", str(jobs), "--json", cwd=tmp_path)
    assert last.code == 0, last.err
    assert last.document["kept"] == kept and last.document["done"] == TASKS - kept
    monkeypatch.chdir(tmp_path)
    whole = bench("smoke", "mine.yaml", out=tmp_path / "whole", trust=True)
    assert results(tmp_path / "run") == results(whole.path)
    tables = [tmp_path / run / "episodes.parquet" for run in ("run", "whole")]
    frames = [polars.read_parquet(table).drop("decision_seconds") for table in tables]
    assert frames[0].equals(frames[1])


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_says_how_to_go_on(tmp_path, words, jobs):
    hold(5, tmp_path)
    running = started([*words, "--jobs", str(jobs)], tmp_path)
    wait_for(5, running, tmp_path)
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=60)
    (tmp_path / "gate").unlink()
    assert running.returncode == 130
    assert out == ""
    line = err.strip().splitlines()[-1]
    assert line.startswith("error: stopped; what is finished is kept in run. Go on with: restock bench --suite smoke")
    assert "Traceback" not in err
    kept = finished_tasks(tmp_path)
    again = process(*shlex.split(line.partition("Go on with: restock ")[2]), "--json", cwd=tmp_path)
    assert again.code == 0, again.err
    assert (again.document["kept"], again.document["done"]) == (kept, TASKS - kept)


def test_a_second_start_in_the_same_folder_is_refused(tmp_path, words):
    hold(5, tmp_path)
    running = started(words, tmp_path)
    try:
        wait_for(5, running, tmp_path)
        second = process(*words, cwd=tmp_path)
        assert second.code == 2
        assert f"process {running.pid} is at work in this folder. Wait for it, or name another folder." in second.err
    finally:
        running.kill()
        running.communicate()
        (tmp_path / "gate").unlink()
    # The lock of a process that is gone holds nobody.
    assert process(*words, cwd=tmp_path).code == 0


@pytest.mark.parametrize("what", ["a result could not be kept", "the table of episodes could not be written"])
def test_a_full_disk_loses_nothing(tmp_path, words, what):
    """The system refuses files above the size of the run's description, or above that of any result."""
    whole = process("bench", "--suite", "smoke", "--policies", "constant-order", "--out", "run", cwd=tmp_path)
    assert whole.code == 0
    before = results(tmp_path / "run")
    sizes = [path.stat().st_size for path in (tmp_path / "run" / "episodes").glob("*.json")]
    description = (tmp_path / "run" / "run.json").stat().st_size
    table = (tmp_path / "run" / "episodes.parquet").stat().st_size
    assert description + 400 < min(sizes) and max(sizes) + 1000 < table
    limit = min(sizes) - 100 if what.startswith("a result") else max(sizes) + 500

    def narrow() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    full = subprocess.run(
        [*COMMAND, *words[:3], "--policies", "base-stock", "--out", "run", "--jobs", "1"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, preexec_fn=narrow, timeout=240, check=False,
    )  # fmt: skip
    assert full.returncode == 1, full.stderr
    assert f"error: {what}: it cannot be written (File too large)" in full.stderr
    assert "What was finished before is kept: make room, and start the same command again." in full.stderr
    now = results(tmp_path / "run")
    assert {name: now[name] for name in before} == before
    assert len(now) == (8 if limit < min(sizes) else 12)
    assert not list((tmp_path / "run").rglob(".*"))
    again = process(*words[:3], "--policies", "base-stock", "--out", "run", "--json", cwd=tmp_path)
    assert again.code == 0 and again.document["done"] == 12 - len(now)


def test_a_script_without_a_guard_may_run_on_two_processes(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import restock.benchmark.runner as runner\n"
        "found = runner.bench('smoke', ['constant-order'], out='run', jobs=2)\n"
        "print(found.done)\n",
        encoding="utf-8",
    )
    command, pipe = [sys.executable, "script.py"], subprocess.PIPE
    done = subprocess.run(command, cwd=tmp_path, env=environment(), stdout=pipe, stderr=pipe, text=True, check=False)
    assert (done.stdout, done.returncode) == ("8\n", 0), done.stderr
