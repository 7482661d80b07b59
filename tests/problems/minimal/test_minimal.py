"""The shelf: its exact optimum, a period by hand, and what is refused."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import restock
from restock.solvers.minimal import solve


def test_the_optimum_has_the_published_value_and_its_policy_attains_it() -> None:
    problem: Any = restock.load_problem("minimal")
    value = solve(problem).value
    assert value == pytest.approx(99.9, abs=0.05)
    result = restock.simulate(problem, "dynamic-program", episodes=2000, seed=3)
    error = result.profit.std() / np.sqrt(2000)
    assert result.profit.mean() == pytest.approx(value, abs=4.0 * error + 1e-9)
    assert restock.simulate(problem, "random", episodes=50).profit.mean() < 60.0


def test_the_spaces_are_those_of_the_notebook() -> None:
    env = gym.make("restock/Minimal-v0")
    assert env.action_space == gym.spaces.Discrete(6)
    assert env.observation_space == gym.spaces.Box(0.0, 10.0, (1,), np.float32)
    starts = {float(env.reset(seed=seed)[0][0]) for seed in range(80)}
    assert starts == set(range(11))


def test_periods_by_hand() -> None:
    env: Any = gym.make("restock/Minimal-v0", horizon=4).unwrapped
    recorded = {"start": 8, "slip": [1, -1, 1, 0], "demand": [3, 5, 5, 0]}
    obs, _ = env.reset(options={"exogenous": recorded})
    assert obs.tolist() == [8.0]
    seen = [env.step(order) for order in (3, 0, 5, 2)]
    # 8 + 4: two do not fit. 7 + 0 - 5. 2 + 5 - 5: never more than five arrive. 2 + 2 - 0.
    assert [float(obs[0]) for obs, *_ in seen] == [7.0, 2.0, 2.0, 4.0]
    assert [reward for _, reward, *_ in seen] == [-1.0, 1.0, 1.0, 1.0]
    assert [(terminated, truncated) for _, _, terminated, truncated, _ in seen] == [(False, k == 3) for k in range(4)]
    env.reset(options={"exogenous": {**recorded, "start": 0}})
    assert [env.step(0)[1] for _ in range(4)] == [-1.0, -1.0, -1.0, 1.0]


@pytest.mark.parametrize(
    ("given", "field"),
    [({"capacity": 0}, "capacity"), ({"rush_chance": 1.5}, "rush_chance"), ({"max_order": 3}, "max_order")],
)
def test_bad_arguments(given: dict[str, Any], field: str) -> None:
    with pytest.raises(restock.InvalidInput) as found:
        gym.make("restock/Minimal-v0", **given)
    assert found.value.field == field


def test_a_start_that_does_not_fit() -> None:
    env = gym.make("restock/Minimal-v0", horizon=2)
    with pytest.raises(restock.InvalidInput, match="the shelf holds 10"):
        env.reset(options={"exogenous": {"start": 11, "slip": [0, 0], "demand": [0, 0]}})
