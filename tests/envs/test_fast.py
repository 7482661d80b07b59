"""The fast side of the environments, held to the plain functions of the problems."""

from __future__ import annotations

import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import restock
from restock.envs.single import Environment
from restock.problems.load import IDS


def plainly(env: Environment, actions: list[Any], seed: int) -> list[tuple[Any, ...]]:
    """Each period by Python alone: observation, reward, ending, what is monitored, the parts of the reward."""
    problem, tables, texts = env.problem, env.tables, env.problem.texts
    env.reset(seed=seed)
    row = env.memory.copy()
    world = problem.world(row, tables)
    found = []
    for t, action in enumerate(actions):
        if problem.sequential:
            problem.draw_now(t, world, env.np_random)
        texts.decide(np.atleast_1d(np.asarray(action, dtype=np.float64)).ravel(), tables.ints, tables.floats, *world)
        reward = texts.step(t, *world)
        seen = np.zeros(len(env.observation_form.labels), np.float32)
        texts.observe(t + 1, seen, tables.ints, tables.floats, *world)
        monitored = dict(zip(problem.monitored, texts.monitor(t, *world), strict=True))
        parts = dict(zip((*problem.parts, "total"), (*texts.totals(t, *world), reward), strict=True))
        ending = texts.ends(t, *world)
        found.append((seen, reward, ending, monitored, parts))
        if ending:
            break
    return found


@pytest.mark.parametrize("id", IDS)
def test_the_compiled_episode_is_the_plain_one(id: str) -> None:
    env = Environment(restock.load_problem(id))
    env.action_space.seed(5)
    actions = [env.action_space.sample() for _ in range(min(12, env.problem.horizon))]
    expected = plainly(env, actions, 3)
    env.reset(seed=3)
    for action, (seen, reward, ending, monitored, parts) in zip(actions, expected, strict=False):
        obs, earned, terminated, truncated, info = env.step(action)
        flat = obs if isinstance(obs, np.ndarray) else gym.spaces.flatten(env.observation_space, obs)
        np.testing.assert_array_equal(flat, seen)
        assert earned == reward and terminated == (ending & 1 == 1) and truncated == (ending >= 2)
        assert {name: info[name] for name in monitored} == monitored
        assert info["profit"] == parts


def test_an_episode_goes_on_after_it_was_sent_elsewhere() -> None:
    env = Environment(restock.load_problem("serial"))
    env.reset(seed=4)
    orders = np.full(env.action_space.shape or (), 20.0, dtype=env.action_space.dtype)
    env.step(orders)
    other = pickle.loads(pickle.dumps(env))
    for _ in range(3):
        (mine, *rest, info), (its, *same, told) = env.step(orders), other.step(orders)
        np.testing.assert_array_equal(mine, its)
        assert rest == same and info == told


def test_choices_are_played_where_demand_is_drawn_period_by_period() -> None:
    demand = {"sampler": "sequential", "goodwill": True}
    env: Any = gym.make("restock/Serial-v0", action="discrete", demand=demand).unwrapped
    before, _ = env.reset(seed=1)
    after, *_, info = env.step(env.action_space.sample())
    parts = [value for name, value in info["profit"].items() if name != "total"]
    assert info["profit"]["total"] == pytest.approx(sum(parts))
    assert not np.array_equal(before, after)
