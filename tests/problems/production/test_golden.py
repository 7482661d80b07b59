"""Recorded episodes of the notebook's environment, replayed step by step."""

from __future__ import annotations

import dataclasses
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import OrderEnforcing

import restock
from restock.envs.single import Environment
from tests.golden.recorded import cases, recorded

TIGHT = {"rtol": 0.0, "atol": 1e-9}


def exogenous(case: dict[str, Any]) -> dict[str, list[float]]:
    """Demand and prices as `reset` takes them."""
    return {
        name: [case["reset"][name], *(step[name] for step in case["steps"])]
        for name in ("demand", "raw_price", "product_price")
    }


@pytest.mark.parametrize("observation", ["flat", "scaled"])
@pytest.mark.parametrize("name", cases("production"))
def test_replay(name: str, observation: str) -> None:
    case = recorded("production", name)
    seen = {"flat": "obs_raw", "scaled": "obs_scaled"}[observation]
    problem = restock.load_problem("production", **case["config"])
    # The notebook takes any number, and calls what is none of the three an invalid action; the own form refuses it.
    any_number = dataclasses.replace(problem.action_form("discrete"), high=np.array([4.0]))
    env: Any = OrderEnforcing(Environment(problem, action=any_number, observation=observation))
    obs, _ = env.reset(options={"exogenous": exogenous(case)})
    np.testing.assert_allclose(obs, case["reset"][seen], rtol=1e-6)
    total = 0.0
    for step in case["steps"]:
        obs, reward, terminated, truncated, info = env.step(step["action"])
        total += reward
        np.testing.assert_allclose(obs, step[seen], rtol=1e-6)
        assert (terminated, truncated) == (step["terminated"], step["truncated"])
        np.testing.assert_allclose(reward, step["reward"], **TIGHT)
        trajectory = env.unwrapped.trajectory
        state = [trajectory["cash"][-1, 0], *trajectory["on_hand"][-1]]
        np.testing.assert_allclose(state, [step[n] for n in ("cash", "raw_inventory", "product_inventory")], **TIGHT)
        assert info["invalid_action"] is step["info"]["invalid_action"]
        for field, value in step["info"].items():
            np.testing.assert_allclose(info[field], value, **TIGHT)
        np.testing.assert_allclose(sum(part for name, part in info["profit"].items() if name != "total"), reward)
    summary = case["summary"]
    np.testing.assert_allclose(total, summary["return_"], rtol=1e-12)
    assert env.unwrapped.kpis()["cash"] == pytest.approx(summary["final_cash"], abs=1e-9)
    with pytest.raises(restock.InvalidInput, match="the episode is over"):
        env.unwrapped.step(0)


@pytest.mark.parametrize("name", cases("production"))
def test_numbers_are_drawn_in_the_recorded_order(name: str) -> None:
    """A generator with the recorded numbers gives the recorded prices and demand."""
    case = recorded("production", name)
    problem: Any = restock.load_problem("production", **case["config"])
    generator: Any = np.random.RandomState(case["seed"])
    episode = problem.source([0], [generator]).next(np.zeros(1, dtype=np.int64))
    drawn = problem.exogenous_of(np.empty(0), episode)
    for field, values in exogenous(case).items():
        np.testing.assert_allclose(drawn[field][0, : len(values)], values, **TIGHT)


def test_a_replay_can_fail() -> None:
    case = recorded("production", "v1_default_cycle50")
    env = gym.make("restock/Production-v0", stockout_penalty=4.0, **case["config"])
    env.reset(options={"exogenous": exogenous(case)})
    reward = env.step(case["steps"][0]["action"])[1]
    assert abs(reward - case["steps"][0]["reward"]) > 1.0
