"""What `info` tells of a period, alone and in a vector, and single choices however they are written."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import restock
from restock.core.problem import Told
from restock.envs.single import Environment
from restock.envs.vector import VectorEnvironment
from restock.problems.production.problem import ProductionProblem


class Telling(ProductionProblem):
    """The plant, which tells numbers in groups, one of them twice, and two of them together."""

    def told(self) -> tuple[Told, ...]:
        return (
            Told("money.revenue", "revenue"),
            Told("sold_any", "sold", truth=True),
            Told("money.holding", "holding"),
            Told("sold", "sold"),
            Told("stock", "on_hand", (2,)),
            Told("stocks.table", "on_hand", (2, 1)),
        )


@pytest.fixture
def problem() -> Telling:
    return Telling(restock.load_problem("production", max_steps=6).spec)  # type: ignore[attr-defined]


def test_numbers_in_groups_are_told_alike_alone_and_in_a_vector(problem: Telling) -> None:
    single, vector = Environment(problem), VectorEnvironment(problem, 2)
    single.reset(seed=3)
    vector.reset(seed=3)
    for choice in (1, 1, 2, 0):
        info = single.step(choice)[-1]
        infos = vector.step(np.array([choice, choice]))[-1]
        row = {name: float(values[0]) for name, values in infos["money"].items()}
        assert info["money"] == row and list(row) == ["revenue", "holding"]
        assert info["sold"] == infos["sold"][0] and info["sold_any"] is bool(infos["sold_any"][0])
        assert info["stock"].tolist() == infos["stock"][0].tolist()
        assert info["stocks"]["table"].tolist() == infos["stocks"]["table"][0].tolist()
        assert {name for name in info if name != "profit"} == {"money", "sold", "sold_any", "stock", "stocks"}
    assert info["stocks"]["table"].shape == (2, 1)
    assert info["stock"].tolist() == single.trajectory["on_hand"][4].tolist()


def test_what_was_told_stays(problem: Telling) -> None:
    env = Environment(problem)
    env.reset(seed=3)
    shown = [env.step(choice) for choice in (1, 1, 2, 1)]
    at_once = [(obs.tolist(), info["stock"].tolist(), dict(info["profit"])) for obs, *_, info in shown]
    while not env.step(0)[3]:
        pass
    env.reset(seed=4)
    env.step(1)
    assert at_once == [(obs.tolist(), info["stock"].tolist(), dict(info["profit"])) for obs, *_, info in shown]
    assert [stock for _, stock, _ in at_once] == [[1.0, 0.0], [2.0, 0.0], [0.0, 0.0], [1.0, 0.0]]


@pytest.mark.parametrize("choice", [1, np.int64(1), np.int8(1), np.array(1), np.uint64(1), 1.0, np.float32(1.0)])
def test_a_choice_may_be_written_as_any_number(choice: Any) -> None:
    env: Any = gym.make("restock/Production-v0", disable_env_checker=True).unwrapped
    env.reset(seed=0)
    assert env.step(choice)[0][0] == 1.0


@pytest.mark.parametrize("choice", [-1, 3, 2**62, -(2**62), 1.5, 1e300, 2**63])
def test_a_choice_that_there_is_not_changes_nothing(choice: Any) -> None:
    env: Any = gym.make("restock/Production-v0", disable_env_checker=True).unwrapped
    env.reset(seed=0)
    obs, _, _, _, info = env.step(choice)
    assert info["invalid_action"] and obs[0] == obs[1] == 0.0 and obs[5] == 1000.0


@pytest.mark.parametrize("choice", [10**30, True, "1", None, [1], np.array([1]), float("nan"), float("inf")])
def test_what_is_no_choice_is_refused(choice: Any) -> None:
    env: Any = gym.make("restock/Production-v0", disable_env_checker=True).unwrapped
    env.reset(seed=0)
    with pytest.raises(restock.InvalidInput, match="action"):
        env.step(choice)
    assert env.period == 0 and env.step(1)[0][0] == 1.0
