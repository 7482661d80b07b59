"""Files are data: whatever code they name is not run unless they are trusted."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import restock
from restock.agents.judge import judge
from restock.agents.run import resume_agent, run_agent
from restock.benchmark.runner import bench
from restock.core.errors import InvalidInput
from restock.core.trust import trusting
from restock.learning.evaluation import evaluate
from restock.learning.train import resume, train
from restock.learning.tuning.outcome import read_tuning
from tests.cli.running import process, run
from tests.hostile import Sent, change_first, put

SENT = {"place": "dl/evil.py:Prob", "arguments": {}}
PLACES: dict[str, dict[str, Any]] = {
    "file": {"described": SENT},
    "up and down": {"described": {"place": "dl/../dl/evil.py:Prob", "arguments": {}}},
    "named like one of restock": {"described": {"place": "restock.policies./../dl/evil.py:Prob", "arguments": {}}},
    "module here": {"described": {"place": "evil_module:Prob", "arguments": {}}},
    "package here": {"described": {"place": "evil_package.inner:Prob", "arguments": {}}},
    "module of Python": {"described": {"place": "os:system", "arguments": {}}},
    "folder": {"described": {"place": "dl/shop", "arguments": {}}},
    "text": {"described": "dl/evil.py:Prob"},
    "environment": {"described": {"place": "restock/Problem-v0", "arguments": {"problem": "dl/evil.py:Prob"}}},
    "instance in a folder": {"described": {"place": "dl/shop/instances/one.yaml", "arguments": {}}},
    "fallback": {"settings__fallback": "dl/evil.py:Mine"},
    "policy of the mode": {
        "settings__mode": {"kind": "tool", "policies": ["base-stock", "dl/evil.py:Mine"], "every": 0, "calls": 3}
    },
    "policy that reads pickles": {
        "settings__mode": {
            "kind": "parameters", "policies": ["restock.learning.adapted:Adapted"], "every": 0, "calls": 3
        }
    },
    "stand-in": {"request__model": "stand-in:dl/evil.py:Mine"},
}  # fmt: skip
CONFIG: dict[str, Any] = {
    "problem": SENT,
    "problem.place": "dl/evil.py:Prob",
    "problem.arguments": {"instance": "dl/shop"},
    "architecture.residual": "dl/evil.py:Mine",
    "architecture.start": "dl/evil.py:Mine",
    "training.teacher": "dl/evil.py:Mine",
    "preparation.residual": "dl/evil.py:Mine",
}
TINY: dict[str, Any] = {"steps": 4, "batch": 4, "restarts": 1, "evaluate_every": 2, "held_out": 4}


@pytest.fixture
def sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What somebody sent, in the working folder."""
    monkeypatch.chdir(tmp_path)
    found = Sent(tmp_path)
    found.code(tmp_path / "evil_module.py")
    found.code(tmp_path / "evil_package" / "__init__.py")
    found.code(tmp_path / "evil_package" / "inner.py")
    found.code(tmp_path / "dl" / "shop" / "load.py")
    (tmp_path / "restock.policies.").mkdir()
    (tmp_path / "dl" / "shop" / "instances").mkdir()
    (tmp_path / "dl" / "shop" / "instances" / "one.yaml").write_text("problem: shop\n", encoding="utf-8")
    return found


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished transcript."""
    path = tmp_path_factory.mktemp("played") / "whole.jsonl"
    run_agent("serial", "stand-in:base-stock", changes={"horizon": 3}, out=path)
    return path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("trained") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("restock.learning.held_out.MOST_SOLVED", 2)
        train("serial", folder, architecture={"hidden": [4], "start": None}, **TINY)
    return folder


def forged(trained: Path, sent: Sent, field: str, value: Any) -> Path:
    """The run with a field of its configuration changed, and a hash that fits."""
    folder = sent.folder / "run"
    shutil.copytree(trained, folder)
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    put(config, field, value)
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    hashes = json.loads((folder / "checkpoints.json").read_text(encoding="utf-8"))
    del hashes["config.yaml"]
    (folder / "checkpoints.json").write_text(json.dumps(hashes), encoding="utf-8")
    return folder


# transcripts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("finished", [True, False], ids=["finished", "stopped"])
@pytest.mark.parametrize("how", PLACES)
def test_no_transcript_runs_code(sent: Sent, played: Path, how: str, finished: bool) -> None:
    path = sent.folder / "sent.jsonl"
    lines = played.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines if finished else lines[:-3]), encoding="utf-8")
    change_first(path, **PLACES[how])
    before = path.read_bytes()
    ran = run("agent", "--resume", str(path))
    assert ran.code == 2 and "error: " in ran.err
    with pytest.raises(InvalidInput):
        resume_agent(path)
    with pytest.raises(InvalidInput):
        judge([path])
    assert run("agent", "--env", "serial", "--model", "stand-in:base-stock", "--with", str(path)).code == 2
    assert not sent.ran and path.read_bytes() == before
    assert not {"evil_module", "evil_package"} & set(sys.modules)


def test_a_symbolic_link_to_code_is_code(sent: Sent, played: Path) -> None:
    (sent.folder / "harmless.py").symlink_to("evil.py")
    (sent.folder / "harmless").symlink_to("shop")
    for place in ("dl/harmless.py:Prob", "dl/harmless"):
        path = Path(shutil.copy(played, sent.folder / "sent.jsonl"))
        change_first(path, described={"place": place, "arguments": {}})
        assert run("agent", "--resume", str(path)).code == 2 and not sent.ran


def test_the_error_says_what_would_have_run(sent: Sent, played: Path) -> None:
    path = Path(shutil.copy(played, sent.folder / "sent.jsonl"))
    change_first(path, described=SENT)
    told = run("agent", "--resume", str(path)).err
    for words in (f"{path}: described.place = 'dl/evil.py:Prob'", "this would run dl/evil.py", "--trust"):
        assert words in told
    change_first(path, described=None, settings__fallback="evil_module:Mine")
    told = run("agent", "--resume", str(path)).err
    assert "settings.fallback = 'evil_module:Mine'" in told and "this would run the module evil_module" in told


def test_a_model_may_be_called_anything(sent: Sent, played: Path) -> None:
    path = Path(shutil.copy(played, sent.folder / "sent.jsonl"))
    change_first(path, request__model="json:tool", model="json:tool")
    assert run("agent", "--resume", str(path), "--beside", "none").code == 0


def test_a_trusted_transcript_goes_on(sent: Sent) -> None:
    path = sent.folder / "own.jsonl"
    play = ("agent", "--model", "stand-in:malformed", "--beside", "none")
    assert process(*play, "--env", "dl/evil.py:Prob", "--out", str(path)).code == 0
    sent.mark.unlink()
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-3]), encoding="utf-8")
    resumed = ("agent", "--resume", str(path), "--beside", "none")
    assert process(*resumed).code == 2 and not sent.ran
    assert process(*resumed, "--trust").code == 0 and sent.ran
    assert judge([path], beside=[], trust=True).agents
    assert process(*play, "--env", "dl/evil.py:Prob", "--out", "two.jsonl", "--with", str(path)).code == 0


# run folders ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", CONFIG)
def test_no_run_folder_runs_code(sent: Sent, trained: Path, field: str) -> None:
    folder = str(forged(trained, sent, field, CONFIG[field]))
    commands = (
        ("compare", "serial", folder, "-n", "2"),
        ("simulate", "serial", folder, "-n", "2"),
        ("evaluate", folder),
        ("evaluate", folder, "--explain"),
        ("train", "--resume", folder),
        ("agent", "--env", "serial", "--model", "stand-in:base-stock", "--fallback", folder),
        ("bench", "--suite", "smoke", "-p", folder),
    )
    for command in commands:
        ran = run(*command)
        assert ran.code == 2 and "--trust" in ran.err, command
    for call in (
        lambda: restock.make_policy(folder, "serial"),
        lambda: restock.as_policy(folder, "serial"),
        lambda: evaluate(folder),
        lambda: resume(folder),
    ):
        with pytest.raises(InvalidInput, match="would run"):
            call()
    assert not sent.ran


def test_a_run_on_a_problem_of_ones_own(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("stable_baselines3")
    ppo = ("steps=40", "n_envs=2", "evaluate_every=20", "held_out=4", "n_steps=10", "batch_size=10", "n_epochs=1")
    numbers = [word for one in ppo for word in ("--set", one)]
    assert process("train", "dl/evil.py:Prob", "--out", "runs/own", *numbers).code == 0
    sent.mark.unlink()
    for command in (("evaluate", "runs/own"), ("train", "--resume", "runs/own")):
        assert process(*command).code == 2 and not sent.ran
    # Whoever names the problem has its code run, and then the folder may name it too.
    assert process("compare", "dl/evil.py:Prob", "runs/own", "nothing", "-n", "2").code == 0
    assert process("evaluate", "runs/own", "--trust").code == 0
    with trusting():
        assert resume("runs/own")["algo"] == "ppo"
    assert resume("runs/own", trust=True)["algo"] == "ppo"


TYPED = ("--steps", "4", "--set", "batch=4", "--set", "held_out=4", "--set", "network.start=dl/evil.py:Mine")
COMMANDS = {
    "train": ("train", "serial", "--out", "runs/own", "--set", "restarts=1", "--set", "evaluate_every=2", *TYPED),
    "tune": ("tune", "serial", "--out", "runs/own", "--trials", "1", "--search", "peak_rate=0.001..0.002", *TYPED),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_user_types_needs_no_trust_when_it_is_read_back(sent: Sent, command: str) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("optuna")
    for _ in range(2):  # the second finds it finished
        ran = process(*COMMANDS[command])
        assert ran.code == 0, ran.err
    assert sent.ran


def test_a_search_is_read_as_data(sent: Sent) -> None:
    plan = {"format": 1, "startup": 1, "pruning": True, "space": {}, "base": {"problem": SENT, "algo": "ppo"}}
    (sent.folder / "tuning.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"tuning\.yaml: base\.problem\.place"):
        read_tuning(sent.folder)
    assert run("tune", "serial", "--out", str(sent.folder), "--trials", "1").code == 2
    assert not sent.ran


# lists, suites, presets, instances ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("policies: [{policy: 'evil.py:Mine'}]", ("bench", "--suite", "smoke", "-p")),
        ("policies: [random, 'evil_module:Mine']", ("bench", "--suite", "smoke", "-p")),
        ("{name: a, seeds: [1], scenarios: [{name: a, instance: 'dl/evil.py:Prob'}]}", ("bench", "--suite")),
        ("{name: a, seeds: [1], scenarios: [{name: a, instance: shop}]}", ("bench", "--suite")),
        ("{name: a, seeds: [1], scenarios: [{name: a, instance: shop/instances/one.yaml}]}", ("bench", "--suite")),
        (
            "{name: a, seeds: [1], policies: ['dl/evil.py:Mine'], scenarios: [{name: a, instance: minimal}]}",
            ("bench", "--suite"),
        ),
        (
            "{name: a, seeds: [1], policies: [{policy: 'dl/evil.py:Mine'}], scenarios: [{name: a, instance: minimal}]}",
            ("bench", "--suite"),
        ),
        ("default: {policy_kwargs: {residual: 'dl/evil.py:Mine'}}", ("train", "serial", "--preset")),
        ("default: {teacher: 'dl/evil.py:Mine'}", ("train", "serial", "--algo", "bc", "--preset")),
        ("default: {residual: 'dl/evil.py:Mine'}", ("tune", "serial", "--algo", "ppo", "--preset")),
    ],
)
def test_no_list_suite_or_preset_runs_code(sent: Sent, text: str, command: tuple[str, ...]) -> None:
    if command[0] == "tune":
        pytest.importorskip("torch")  # which it asks for before it reads a file
    path = sent.folder / "sent.yaml"
    path.write_text(text, encoding="utf-8")
    ran = run(*command, str(path))
    assert ran.code == 2 and "--trust" in ran.err and not sent.ran


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("network.residual: ['dl/evil.py:Mine']", ("tune", "serial", "--search", "@dl/sent.yaml")),
        ("levels: 'dl/evil.py:Mine'", ("simulate", "serial", "base-stock:@dl/sent.yaml")),
    ],
)
def test_no_space_or_parameters_run_code(sent: Sent, text: str, command: tuple[str, ...]) -> None:
    if command[0] == "tune":
        pytest.importorskip("torch")
    (sent.folder / "sent.yaml").write_text(text, encoding="utf-8")
    ran = run(*command)
    assert ran.code == 2 and "--trust" in ran.err and not sent.ran


def test_no_run_of_a_benchmark_runs_code(sent: Sent) -> None:
    bench("smoke", ["random"], out="dl/board")
    path = sent.folder / "board" / "run.json"
    data = json.loads(path.read_text(encoding="utf-8"))["data"]
    data["suite"]["scenarios"][0]["instance"] = "dl/evil.py:Prob"
    body = json.dumps(data, sort_keys=True)
    mark = hashlib.sha256(body.encode()).hexdigest()[:32]
    path.write_text(f'{{"format": 1, "sha256": "{mark}", "data": {body}}}\n', encoding="utf-8")
    for command in (("leaderboard", "dl/board"), ("bench", "--suite", "smoke", "-p", "random", "--out", "dl/board")):
        ran = run(*command)
        assert ran.code == 2 and "run.json: suite.scenarios[0].instance" in ran.err
    assert not sent.ran


def test_a_trusted_list_is_played(sent: Sent) -> None:
    (sent.folder / "list.yaml").write_text("policies: [{name: m, policy: 'evil.py:Mine'}]", encoding="utf-8")
    played = process("bench", "--suite", "smoke", "-p", "dl/list.yaml", "--out", "board", "--trust", "--jobs", "2")
    assert played.code == 0 and sent.ran
    assert run("leaderboard", "board").code == 0  # nothing is run for that


def test_the_code_beside_an_instance_is_not_run_for_it(sent: Sent) -> None:
    ran = run("show", "dl/shop/instances/one.yaml")
    assert ran.code == 2 and "this would run" in ran.err and "load.py" in ran.err and not sent.ran
    with pytest.raises(InvalidInput, match="would run"):
        restock.load_problem("dl/shop/instances/one.yaml")
    assert not sent.ran


def test_an_instance_of_ones_own_folder_is_loaded(sent: Sent) -> None:
    assert run("new", "corner-shop").code == 0
    Path("corner-shop/instances/slow.yaml").write_text("problem: corner-shop\nlead_time: 5\n", encoding="utf-8")
    assert process("show", "corner-shop/instances/slow.yaml").code == 2
    assert process("show", "corner-shop/instances/slow.yaml", "--trust").code == 0
    assert process("show", "corner-shop", "--with", "instance=slow").code == 0
    with trusting():
        assert restock.load_problem("corner-shop/instances/slow.yaml", horizon=3).horizon == 3


def test_a_network_that_names_a_demand_of_ones_own_runs_nothing(sent: Sent) -> None:
    text = run("show", "serial", "--yaml").out
    Path("net.yaml").write_text(f"{text}\ndemand: {{distribution: 'dl/evil.py:Mine'}}\n", encoding="utf-8")
    for more in ((), ("--trust",)):
        ran = run("simulate", "net.yaml", "base-stock", *more)
        assert ran.code == 2 and "there is no such distribution" in ran.err
    assert not sent.ran


def test_trust_is_not_data(sent: Sent, trained: Path) -> None:
    folder = forged(trained, sent, "problem", SENT)
    entry = {"name": "m", "policy": str(folder), "params": {"trust": True}}
    with pytest.raises(InvalidInput, match="trust = True"):
        restock.make_policy("base-stock", "serial", trust=True)
    with pytest.raises(InvalidInput):
        bench("smoke", [entry], out="board")
    assert not sent.ran
