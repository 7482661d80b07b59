"""Training with the algorithms of stable-baselines3 and sb3-contrib, in run folders."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")
pytest.importorskip("sb3_contrib")

import restock
from restock.core.errors import InvalidInput
from restock.learning import presets
from restock.learning.metrics import CLOCKS
from restock.learning.run_folder import BEST, LAST, RunFolder
from restock.learning.train import resume, train
from tests.cli.running import environment, run

FRAME: dict[str, Any] = {"steps": 240, "n_envs": 4, "evaluate_every": 120, "held_out": 4}
STORED = {"learning_starts": 40, "batch_size": 16, "train_freq": 1, "gradient_steps": 1}
OF: dict[str, dict[str, Any]] = {
    "a2c": {"n_steps": 15},
    **{algo: {"n_steps": 15, "batch_size": 60, "n_epochs": 1} for algo in ("ppo", "recurrent-ppo", "maskable-ppo")},
    **dict.fromkeys(("sac", "td3", "dqn", "tqc"), STORED),
}
SMALL: dict[str, dict[str, Any]] = {algo: FRAME | numbers for algo, numbers in OF.items()}


@pytest.mark.parametrize("algo", presets.ALGORITHMS)
def test_it_trains_loads_and_goes_on_where_it_stopped(algo: str, tmp_path: Path) -> None:
    """Interrupted after its first evaluation and resumed, a run is what it would have been."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    expected = train("serial", whole, algo, seed=3, **SMALL[algo])

    def stop(report: Any, gaps: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train("serial", cut, algo, seed=3, tell=stop, **SMALL[algo])
    assert RunFolder(cut).result() is None
    assert RunFolder(cut).metrics()[-1]["step"] == 120
    found = resume(cut)
    assert found | {"cpu_seconds": 0} == expected | {"cpu_seconds": 0}
    one, other = (RunFolder(path).load(LAST)["model"]["policy"] for path in (whole, cut))
    assert all(np.array_equal(one[name].numpy(), other[name].numpy()) for name in one)
    lines = [
        [{k: v for k, v in line.items() if k not in CLOCKS} for line in RunFolder(path).metrics()]
        for path in (whole, cut)
    ]
    assert lines[0] == lines[1] and len(lines[0]) == 2

    moved = tmp_path / "elsewhere"
    shutil.move(whole, moved)
    profit = restock.simulate("serial", str(moved), episodes=5, seed=1).profit
    assert np.array_equal(profit, restock.simulate("serial", str(cut), episodes=5, seed=1).profit)


def test_a_trained_agent_decides_as_its_environment_is_stepped(tmp_path: Path) -> None:
    """What a policy earns in a simulation is what the network earns in the environment it was trained in."""
    from restock.learning.agents import agent_of
    from restock.learning.paths import trainable
    from restock.learning.sb3 import stable_environment

    for name, algo, forms in (
        ("divergent", "ppo", {"residual": "holt-base-stock", "recent": 3, "frame_stack": 2}),
        ("serial", "ppo", {"residual": None, "action": "order-up-to"}),
        ("serial", "ppo", {"residual": None, "recent": 2}),
        ("serial", "dqn", {"residual": None}),
        ("serial", "maskable-ppo", {}),
    ):
        folder = tmp_path / f"{algo}-{len(list(tmp_path.iterdir()))}"
        train(name, folder, algo, **(SMALL[algo] | forms))
        config = RunFolder(folder).config()
        problem = trainable(restock.load_problem(name))
        network = agent_of(config, RunFolder(folder).load(BEST), problem).network
        rows = stable_environment(problem, 6, config["preparation"])
        rows.seed(7)
        seen, infos = rows.reset(), [{}]
        masked = {"action_masks": None} if algo == "maskable-ppo" else {}
        while not infos[0]:
            if masked:
                masked["action_masks"] = rows.action_masks()
            seen, _, _, infos = rows.step(network.predict(seen, deterministic=True, **masked)[0])
        policy = restock.make_policy(str(folder), problem, integer=False)
        profit = restock.simulate(problem, policy, seeds=range(7, 13)).profit
        assert [info["episode"]["r"] for info in infos] == pytest.approx(profit.tolist(), rel=1e-5)


def test_training_improves(tmp_path: Path) -> None:
    numbers = {"residual": None, "action": "order-up-to", "steps": 30_000, "n_envs": 32, "evaluate_every": 3_840}
    train("serial", tmp_path / "run", "ppo", **numbers, n_steps=30, batch_size=240, held_out=32)
    profits = [line["profit"] for line in RunFolder(tmp_path / "run").metrics()]
    earlier, error = profits[0], RunFolder(tmp_path / "run").metrics()[0]["standard_error"]
    assert max(profits[1:]) > earlier + 4.0 * error


def test_a_generalist_is_blind_and_sees_past_demand(tmp_path: Path) -> None:
    train("serial", tmp_path / "run", "a2c", regimes={"kind": "effects"}, **(SMALL["a2c"] | {"recent": 0}))
    config = RunFolder(tmp_path / "run").config()
    assert config["information"] == "blind" and config["preparation"]["recent"] == 8
    assert restock.make_policy(str(tmp_path / "run"), "serial").information == "blind"


def test_what_a_run_leaves_behind(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from stable_baselines3 import PPO

    train("serial", tmp_path / "run", "ppo", **SMALL["ppo"])
    assert list((tmp_path / "run" / "tensorboard").rglob("events*"))
    line = RunFolder(tmp_path / "run").metrics()[-1]
    assert {"profit", "best", "training", "standard_error", "below_bound", "train/value_loss"} <= set(line)
    assert "stable-baselines3" in json.loads((tmp_path / "run" / "versions.json").read_text())
    assert PPO.load(tmp_path / "run" / "model.zip").num_timesteps == 240


def test_presets_are_in_the_format_of_rl_zoo() -> None:
    """The keys are those that RL-Zoo takes out, the wrapper's arguments, and arguments of the algorithm."""
    from restock.learning.algorithms import check_numbers
    from restock.learning.preparation import Preparation

    for algo in presets.ALGORITHMS:
        for name in ("serial", "divergent", "pooled-supply", "sharing", "production", "retail-medium", "minimal"):
            problem = restock.load_problem(name)
            forms, entry = presets.preset(algo, problem)
            assert set(forms) <= set(Preparation.model_fields)
            for key in ("n_envs", "n_timesteps", "policy"):
                entry.pop(key)
            for key in ("normalize", "evaluate_every"):
                entry.pop(key, None)
            action = forms.get("action", "normalized")
            if algo in ("dqn", "maskable-ppo"):
                action = "discrete"
            check_numbers(algo, entry, problem, action)


@pytest.mark.parametrize(
    ("algo", "numbers", "field", "words"),
    [
        ("pqo", {}, "algo", "Did you mean 'ppo'"),
        ("ppo", {"learning_rat": 1e-3}, "learning_rat", "Did you mean 'learning_rate'"),
        ("ppo", {"learning_rate": "lin_x"}, "learning_rate", "lin_1e-3"),
        ("ppo", {"policy": "MlpPolice"}, "policy", "MlpPolicy"),
        ("sac", {"action": "discrete"}, "action", "normalized"),
        ("dqn", {"action": "normalized"}, "action", "discrete"),
        ("maskable-ppo", {"action": "normalized"}, "action", "multidiscrete"),
        ("td3", {"noise_type": "norml"}, "noise_type", "normal"),
        ("ppo", {"device": "cuda"}, "device", "no such number"),
        ("ppo", {"n_envs": 0}, "n_envs", "1"),
    ],
)
def test_bad_numbers_are_told_before_anything_is_written(
    algo: str, numbers: dict[str, Any], field: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput) as told:
        train("serial", tmp_path / "run", algo, **numbers)
    assert told.value.field == field and words in str(told.value)
    assert not (tmp_path / "run").exists()


def test_a_family_is_for_pathwise(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="combinations of effects"):
        train("serial", tmp_path / "run", "ppo", regimes={"kind": "family"})
    assert not (tmp_path / "run").exists()


def test_the_command_trains_and_says_how_it_goes(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    settings = [f"--set={name}={value}" for name, value in SMALL["ppo"].items() if name != "steps"]
    done = run("train", "serial", "--algo", "ppo", "--steps", "240", "--out", str(folder), *settings, "--json")
    assert done.code == 0 and done.document["algo"] == "ppo" and done.document["steps"] == 240
    lines = [line for line in done.err.splitlines() if line.startswith("step")]
    assert len(lines) == 2 and all("base-stock" in line and "steps/s" in line for line in lines)
    both = run("compare", "serial", str(folder), "base-stock", "-n", "5", "--json")
    assert both.code == 0


@pytest.mark.parametrize(("algo", "module"), [("ppo", "stable_baselines3"), ("tqc", "sb3_contrib")])
def test_without_the_package_the_command_says_what_to_install(algo: str, module: str, tmp_path: Path) -> None:
    import os

    (tmp_path / f"{module}.py").write_text("raise ImportError('not here')\n")
    path = os.pathsep.join([str(tmp_path), environment()["PYTHONPATH"]])
    done = subprocess.run(
        [sys.executable, "-m", "restock.cli", "train", "serial", "--algo", algo, "--out", str(tmp_path / "run")],
        capture_output=True, text=True, env=environment(PYTHONPATH=path), timeout=240,
    )  # fmt: skip
    assert done.returncode == 2
    assert module in done.stderr and "restock[train]" in done.stderr
    assert not (tmp_path / "run").exists()
