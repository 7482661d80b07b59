"""Policies as agents: `predict` plays in an environment what `simulate` plays."""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import FlattenObservation, RescaleAction

import restock
from restock.policies import Policy

PLAYED = [
    ("restock/Serial-v0", "base-stock", {}),
    ("restock/Serial-v0", "base-stock", {"action": "normalized", "observation": "scaled"}),
    ("restock/Serial-v0", "base-stock", {"action": "order-up-to", "observation": "dict"}),
    ("restock/Divergent-v0", "echelon-base-stock", {"action": "order-up-to", "horizon": 12}),
    ("restock/Divergent-v0", "holt-base-stock", {"horizon": 12, "demand": {"effects": ["trend"]}}),
    ("restock/Serial-v0", "rolling", {"horizon": 8}),
    ("restock/Sharing-v0", "base-stock", {}),
    ("restock/Sharing-v0", "base-stock", {"action": "normalized"}),
    ("restock/Retail-v0", "price-and-cover", {}),
    ("restock/Retail-v0", "price-and-cover", {"action": "normalized"}),
    ("restock/Production-v0", "buy-buy-convert", {"max_steps": 20}),
    ("restock/Minimal-v0", "dynamic-program", {}),
]
FORMS = ("action", "observation", "max_order")


def problem_of(id: str, given: dict[str, Any]) -> Any:
    return restock.load_problem(id, **{name: value for name, value in given.items() if name not in FORMS})


def played(agent: Any, env: Any, seed: int) -> float:
    """What an episode earns."""
    obs, _ = env.reset(seed=seed)
    total, over = 0.0, False
    while not over:
        action, _ = agent.predict(obs, deterministic=True)
        assert env.action_space.contains(action), action
        obs, reward, terminated, truncated, _ = env.step(action)
        total += reward
        over = terminated or truncated
    return total


@pytest.mark.parametrize(("id", "name", "given"), PLAYED, ids=lambda value: str(value)[:50])
def test_an_agent_earns_what_its_policy_earns(id: str, name: str, given: dict[str, Any]) -> None:
    problem = problem_of(id, given)
    given = {**given, "max_order": 2000} if problem.family == "network" else given  # no order is cut off
    env = gym.make(id, **given)
    agent = restock.make_policy(name, problem).as_agent(env)
    expected = restock.simulate(problem, name, seeds=[4, 5]).profit
    assert [played(agent, env, 4), played(agent, env, 5)] == pytest.approx(expected.tolist(), rel=1e-4)


@pytest.mark.parametrize("action", ["multidiscrete", "discrete"])
def test_choices_come_as_near_as_they_can(action: str) -> None:
    env: Any = gym.make("restock/Serial-v0", action=action)
    policy = restock.make_policy("constant-order", "serial", quantity=17.0)
    wanted = restock.simulate("serial", policy, seeds=[1]).trajectory["ordered"][0]
    played(policy.as_agent(env), env, 1)
    form = env.unwrapped.action_form
    step = (form.most if action == "multidiscrete" else form.reach) / 20
    off = np.abs(env.unwrapped.trajectory["ordered"] - wanted)
    assert (off[:20] <= 0.5 * step).all() and off[:20].max() > 0.0  # until the last orders that are in time


def test_wrappers_around_the_environment() -> None:
    bare = gym.make("restock/Serial-v0", observation="dict")
    env = FlattenObservation(RescaleAction(bare, np.float32(-1.0), np.float32(1.0)))
    policy = restock.make_policy("constant-order", "serial", quantity=20.0)
    played(policy.as_agent(env), env, 0)
    wanted = restock.simulate("serial", policy, seeds=[0]).trajectory["ordered"][0]
    found: Any = env.unwrapped
    np.testing.assert_allclose(found.trajectory["ordered"], wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("observation", ["flat", "dict"])
def test_an_agent_in_another_environment_is_told(observation: str) -> None:
    """It looks into its own environment, which stands still: what it decided would be of no use."""
    mine, other = (gym.make("restock/Serial-v0", observation=observation) for _ in range(2))
    agent = restock.make_policy("base-stock", "serial").as_agent(mine)
    mine.reset(seed=1)
    obs, _ = other.reset(seed=1)
    assert agent.predict(obs)[0].shape == agent.predict(obs)[0].shape == (3,)
    obs = other.step(other.action_space.sample())[0]
    with pytest.raises(restock.InvalidInput, match="the agent's own has not moved on"):
        agent.predict(obs)
    with pytest.raises(TypeError, match="env"):
        restock.make_policy("base-stock", "serial").as_agent()  # type: ignore[call-arg]


@pytest.mark.parametrize("kind", ["native", "sync", "async"])
def test_rows_of_a_vector_environment(kind: str) -> None:
    given: dict[str, Any] = {"horizon": 6, "max_order": 200}
    rows: Any
    if kind == "native":
        rows = gym.make_vec("restock/Serial-v0", num_envs=3, record=True, **given)
    else:
        rows = gym.make_vec("restock/Serial-v0", num_envs=3, vectorization_mode=kind, **given)
    try:
        agent = restock.make_policy("base-stock", restock.load_problem("serial", horizon=6)).as_agent(rows)
        obs, _ = rows.reset(seed=2)
        earned = np.zeros(3)
        for _ in range(6):
            actions, _ = agent.predict(obs)
            obs, rewards, *_ = rows.step(actions)
            earned += rewards
        expected = restock.simulate(restock.load_problem("serial", horizon=6), "base-stock", seeds=[2, 3, 4]).profit
        assert earned.tolist() == pytest.approx(expected.tolist(), rel=1e-4)
        for _ in range(8):  # episodes begin anew, each policy with them
            actions, _ = agent.predict(obs)
            obs, *_ = rows.step(actions)
    finally:
        rows.close()


@pytest.mark.parametrize("kind", ["one", "dummy", "subproc"])
def test_evaluate_policy_of_stable_baselines(kind: str) -> None:
    pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.evaluation import evaluate_policy
    from stable_baselines3.common.monitor import Monitor
    from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecMonitor

    make = partial(gym.make, "restock:restock/Serial-v0", horizon=6, max_order=200)
    env: Any = Monitor(make())
    if kind == "dummy":
        env = VecMonitor(DummyVecEnv([make] * 2))
    if kind == "subproc":
        env = SubprocVecEnv([make] * 2)
    if kind != "one":
        env.seed(7)
    problem = restock.load_problem("serial", horizon=6)
    agent = restock.make_policy("base-stock", problem).as_agent(env)
    if kind == "one":
        env.reset(seed=7)  # the first episode of `evaluate_policy` is the next of this stream
    rewards, lengths = evaluate_policy(agent, env, n_eval_episodes=2, return_episode_rewards=True, warn=False)
    assert lengths == [6, 6]
    if kind != "one":
        expected = restock.simulate(problem, "base-stock", seeds=[7, 8]).profit
        assert sorted(rewards) == pytest.approx(sorted(expected.tolist()), rel=1e-4)
    env.close()


class Writes(Policy):
    """Tries to change what has happened."""

    name = "writes"

    def act(self, view: Any) -> Any:
        view.now["on_hand"][:] = 0.0
        if view.t:
            with pytest.raises(ValueError, match="read-only"):
                view.past["shipped"][:] = 0.0
        return np.full((1, 3), 10.0)


def test_what_a_policy_writes_into_a_view_changes_nothing() -> None:
    env = gym.make("restock/Serial-v0", horizon=4)
    agent = Writes(restock.load_problem("serial", horizon=4)).as_agent(env)
    other = restock.make_policy("constant-order", "serial", quantity=10.0)
    earned = restock.simulate(restock.load_problem("serial", horizon=4), other, seeds=[2]).profit[0]
    assert played(agent, env, 2) == pytest.approx(earned)


def test_what_cannot_be_an_agent_is_refused() -> None:
    with pytest.raises(restock.InvalidInput, match="does not meet the future"):
        restock.make_policy("hindsight", "serial").as_agent(gym.make("restock/Serial-v0"))
    with pytest.raises(restock.InvalidInput, match="another problem"):
        restock.make_policy("base-stock", "serial").as_agent(gym.make("restock/Divergent-v0"))
    with pytest.raises(restock.InvalidInput, match="must be an environment of restock"):
        restock.make_policy("base-stock", "serial").as_agent(gym.make("CartPole-v1"))
    with pytest.raises(restock.InvalidInput, match="record=True"):
        restock.make_policy("base-stock", "serial").as_agent(gym.make_vec("restock/Serial-v0", num_envs=2))
