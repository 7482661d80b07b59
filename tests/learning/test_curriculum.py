"""A curriculum over horizons: short episodes first, whole ones in the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

import restock
from restock.core.errors import InvalidInput
from restock.learning.curriculum import stages_of
from restock.learning.prepared import PreparedEnvironment
from restock.learning.run_folder import LAST, RunFolder
from restock.learning.sb3 import stable_environment
from restock.learning.train import resume, train

STAGED = {"curriculum": [4, 10, 30], "curriculum_steps": 120}
NUMBERS: dict[str, Any] = {"steps": 960, "n_envs": 8, "evaluate_every": 240, "held_out": 4, "n_steps": 15}
NUMBERS |= {"batch_size": 120, "n_epochs": 1}


def lengths(rows: Any, steps: int) -> list[tuple[int, int, bool]]:
    """Of every episode that ends: steps played, its periods, whether it was cut."""
    found = []
    for _ in range(steps):
        _, _, over, infos = rows.step(np.zeros((rows.num_envs, *rows.action_space.shape), np.float32))
        if over.any():
            found.append((rows.played, infos[0]["episode"]["l"], infos[0]["TimeLimit.truncated"]))
    return found


def test_a_stage_ends_when_its_share_of_the_steps_is_played() -> None:
    stages = stages_of([4, 10, 30], [0.25, 0.25, 0.5], 120, 30)
    assert stages is not None
    assert [stages.at(k) for k in (0, 29, 30, 59, 60, 119, 5000)] == [4, 4, 10, 10, 30, 30, 30]
    assert stages_of([4, 30], None, 61, 30) == stages_of([4, 30], [0.5, 0.5], 61, 30)


def test_episodes_lengthen_and_only_the_whole_ones_end_the_business() -> None:
    rows = stable_environment("serial", 3, STAGED)
    rows.reset()
    # An episode under way when a stage is over is played to its end.
    short = [(4 * k, 4, True) for k in range(1, 11)]
    middle = [(10 * k, 10, True) for k in range(5, 9)]
    assert lengths(rows, 140) == [*short, *middle, (110, 30, False), (140, 30, False)]


@pytest.mark.parametrize("forms", [{}, {"residual": "holt-base-stock", "recent": 2, "frame_stack": 2}])
def test_a_short_episode_is_the_beginning_of_a_whole_one(forms: dict[str, Any]) -> None:
    """Spaces, scales, calendar, demand and rewards are the same, up to the cut and at it."""
    whole, staged = (stable_environment("divergent", 4, forms | given) for given in ({}, STAGED))
    assert staged.observation_space == whole.observation_space and staged.action_space == whole.action_space
    for rows in (whole, staged):
        rows.seed(9)
    assert np.array_equal(whole.reset(), staged.reset())
    rng = np.random.default_rng(0)
    for k in range(4):
        actions = rng.uniform(-1.0, 1.0, (4, 11)).astype(np.float32)
        seen, rewards, _, _ = whole.step(actions)
        theirs, same, over, infos = staged.step(actions)
        assert np.array_equal(rewards, same) and over.all() == (k == 3)
        for row in range(4):
            assert np.array_equal(seen[row], infos[row]["terminal_observation"] if k == 3 else theirs[row])


def test_a_run_goes_through_its_stages_and_is_judged_on_whole_episodes(tmp_path: Path) -> None:
    train("serial", tmp_path / "run", "ppo", curriculum=[5, 15, 30], curriculum_shares=[0.25, 0.25, 0.5], **NUMBERS)
    lines = RunFolder(tmp_path / "run").metrics()
    assert [line["curriculum/periods"] for line in lines] == [15, 30, 30, 30]
    # A whole episode earns several times what five periods can.
    alone = restock.simulate("serial", "holt-base-stock", episodes=20).trajectory.rewards
    assert alone[:, :5].sum(axis=1).mean() < 0.5 * lines[0]["profit"]
    assert lines[0]["training"] < 0.5 * lines[0]["profit"]
    judged = restock.simulate("serial", str(tmp_path / "run"), episodes=2)
    assert judged.trajectory.rewards.shape == (2, 30)


@pytest.mark.parametrize("algo", ["ppo", "sac"])
def test_stopped_in_a_middle_stage_and_resumed_it_is_one_run(algo: str, tmp_path: Path) -> None:
    numbers = NUMBERS | {"curriculum": [5, 30], "curriculum_shares": [0.6, 0.4], "steps": 480, "evaluate_every": 160}
    if algo == "sac":
        stored = {"learning_starts": 40, "batch_size": 16, "train_freq": 1, "gradient_steps": 1}
        numbers = {
            name: numbers[name] for name in numbers if name not in ("n_steps", "batch_size", "n_epochs")
        } | stored
    expected = train("serial", tmp_path / "whole", algo, **numbers)

    def stop(report: Any, gaps: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train("serial", tmp_path / "cut", algo, tell=stop, **numbers)
    assert RunFolder(tmp_path / "cut").metrics()[-1]["curriculum/periods"] == 5
    assert resume(tmp_path / "cut") | {"cpu_seconds": 0} == expected | {"cpu_seconds": 0}
    one, other = (RunFolder(tmp_path / name).load(LAST)["model"]["policy"] for name in ("whole", "cut"))
    assert all(np.array_equal(one[name].numpy(), other[name].numpy()) for name in one)
    whole, cut = (
        [line["curriculum/periods"] for line in RunFolder(tmp_path / name).metrics()] for name in ("whole", "cut")
    )
    assert whole == cut and whole[0] == 5 and whole[-1] == 30


def test_around_a_single_environment_it_needs_the_number_of_steps() -> None:
    import gymnasium as gym

    with pytest.raises(InvalidInput) as told:
        PreparedEnvironment(gym.make("restock/Serial-v0"), curriculum=[5, 30])
    assert told.value.field == "curriculum_steps"
    wrapped = PreparedEnvironment(gym.make("restock/Serial-v0"), curriculum=[5, 30], curriculum_steps=10)
    found = []
    for _ in range(2):
        wrapped.reset(seed=1)
        over, count = False, 0
        while not over:
            _, _, ended, cut, _ = wrapped.step(np.zeros(3, np.float32))
            over, count = ended or cut, count + 1
        found.append((count, ended, cut))
    assert found == [(5, False, True), (30, True, False)]


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"curriculum": [10, 20]}, "curriculum", "[10, 20, 30]"),
        ({"curriculum": [10, 60]}, "curriculum", "[10, 30]"),
        ({"curriculum": [20, 10, 30]}, "curriculum", "grow"),
        ({"curriculum": [0, 30]}, "curriculum", "grow"),
        ({"curriculum": []}, "curriculum", "grow"),
        ({"curriculum": [10, 30], "curriculum_shares": [1.0]}, "curriculum_shares", "2 stages"),
        ({"curriculum": [10, 30], "curriculum_shares": [0.5, 0.4]}, "curriculum_shares", "1 in all"),
        ({"curriculum_shares": [0.5, 0.5]}, "curriculum_shares", "no curriculum"),
    ],
)
def test_a_bad_curriculum_is_told_before_anything_is_written(
    given: dict[str, Any], field: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput) as told:
        train("serial", tmp_path / "run", "ppo", **(NUMBERS | given))
    assert told.value.field == field and words in str(told.value)
    assert not (tmp_path / "run").exists()
