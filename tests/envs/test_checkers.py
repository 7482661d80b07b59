"""Gymnasium's and Stable-Baselines3's own checkers, with every warning an error but one.

Both recommend actions in [-1, 1]. Actions in physical units are a Box that cannot be that, so there
each checker gives this one recommendation, and the tests say so: exactly that text, exactly once,
and none once Gymnasium's RescaleAction is around it. (Gymnasium's own tests leave the same
recommendation out for its own environments.) Every other form passes in silence.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import stable_baselines3.common.env_checker
from gymnasium.utils import env_checker
from gymnasium.wrappers import RescaleAction

from restock.envs.wrappers import IntegerOrders, RandomDemand
from restock.problems.load import IDS, load_problem

PHYSICAL = ("quantity", "order-up-to", "matrix")
ENDS = (np.float32(-1.0), np.float32(1.0))
PROBLEMS = {id: load_problem(id) for id in IDS}
FORMS = [
    (id, action, observation)
    for id, problem in PROBLEMS.items()
    for action in problem.action_kinds
    for observation in problem.observation_kinds
]
ADVICE = {
    "gymnasium": "For Box action spaces, we recommend using a symmetric and normalized space",
    "stable-baselines3": "We recommend you to use a symmetric and normalized Box action space",
}
CHECKERS: dict[str, Callable[[Any], None]] = {
    "gymnasium": lambda env: env_checker.check_env(env.unwrapped),
    "stable-baselines3": lambda env: stable_baselines3.common.env_checker.check_env(env, skip_render_check=False),
}


@contextmanager
def told() -> Iterator[list[str]]:
    """Warnings of any kind, Gymnasium's logger included, as they come.

    But for those of files that nobody closed: they come when Python collects what is left of another test.
    """
    found: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", ResourceWarning)
        yield found
        found += [str(warning.message) for warning in caught]


def settings(action: str, observation: str) -> dict[str, Any]:
    return {"action": action, "observation": observation, "render_mode": "rgb_array"}


@pytest.mark.parametrize("checker", CHECKERS)
@pytest.mark.parametrize(("id", "action", "observation"), FORMS)
def test_checker(id: str, action: str, observation: str, checker: str) -> None:
    env = gym.make(id, **settings(action, observation))
    with told() as warned:
        CHECKERS[checker](env)
    # Gymnasium recommends nothing where actions have two axes.
    if action in PHYSICAL and (action, checker) != ("matrix", "gymnasium"):
        assert len(warned) == 1 and ADVICE[checker] in warned[0]
    else:
        assert warned == []


@pytest.mark.parametrize(("id", "action", "observation"), [forms for forms in FORMS if forms[1] in PHYSICAL])
def test_rescaled_actions_pass_in_silence(id: str, action: str, observation: str) -> None:
    env = RescaleAction(gym.make(id, **settings(action, observation)), *ENDS)
    with told() as warned:
        CHECKERS["stable-baselines3"](env)
    assert warned == []


@pytest.mark.parametrize(
    "demand", [{"goodwill": True}, {"goodwill": True, "sampler": "sequential"}, {"sampler": "inverse"}]
)
@pytest.mark.parametrize("checker", CHECKERS)
def test_samplers(checker: str, demand: dict[str, Any]) -> None:
    env = gym.make("restock/Serial-v0", demand=demand, backlog=False, horizon=5, **settings("normalized", "dict"))
    with told() as warned:
        CHECKERS[checker](env)
    assert warned == []


@pytest.mark.parametrize("observation", ["flat", "scaled", "dict"])
def test_randomised_demand(observation: str) -> None:
    env = gym.make("restock/Serial-v0", **settings("normalized", observation))
    env = RandomDemand(env, goodwill=0.5, backlog=0.5, noise_scale=[0.0, 2.0])
    with told() as warned:
        CHECKERS["stable-baselines3"](env)
        CHECKERS["gymnasium"](env)
    assert warned == []


def test_whole_unit_orders() -> None:
    with told() as warned:
        CHECKERS["stable-baselines3"](RescaleAction(IntegerOrders(gym.make("restock/Serial-v0")), *ENDS))
    assert warned == []


def test_what_another_test_left_open_is_not_said_by_a_checker(tmp_path: Path) -> None:
    env = gym.make("restock/Serial-v0", **settings("normalized", "flat"))
    reset = env.unwrapped.reset

    def collecting(*, seed: Any = None, options: Any = None) -> Any:
        open(tmp_path / "left open", "wb")
        return reset(seed=seed, options=options)

    env.unwrapped.reset = collecting  # type: ignore[method-assign]
    with told() as warned:
        CHECKERS["gymnasium"](env)
    assert warned == [] and (tmp_path / "left open").exists()


def test_a_checker_can_fail() -> None:
    """The harness hears what a checker says."""
    env = gym.make("restock/Serial-v0", action="normalized").unwrapped
    env.observation_space = gym.spaces.Box(-1.0, 0.0, env.observation_space.shape)
    with pytest.raises(AssertionError):
        CHECKERS["gymnasium"](env)
    with told() as warned:
        gym.logger.warn("heard")
    assert len(warned) == 1
