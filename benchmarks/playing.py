"""Whole episodes of an environment, and of every row of a vector, to be timed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym

import restock  # noqa: F401 - registers the environments

ROWS = 256


def episodes(env: Any, count: int) -> Callable[[], int]:
    """Whole episodes under actions drawn before."""
    env.reset(seed=1)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(64)]

    def run() -> int:
        steps = 0
        for _ in range(count):
            env.reset()
            over = False
            while not over:
                _, _, terminated, truncated, _ = env.step(actions[steps % 64])
                over = terminated or truncated
                steps += 1
        return steps

    return run


def days(env: Any, line: Sequence[Any], count: int) -> Callable[[], int]:
    """Whole episodes of a known length under the same line of actions, one a day."""

    def run() -> int:
        for _ in range(count):
            env.reset()
            for action in line:
                env.step(action)
        return len(line) * count

    return run


def rows(id: str, periods: int, **given: Any) -> Callable[[], int]:
    """An episode of every row of a vector, resets included."""
    vector = gym.make_vec(id, num_envs=ROWS, **given)
    vector.reset(seed=1)
    vector.action_space.seed(0)
    actions = vector.action_space.sample()

    def run() -> int:
        for _ in range(periods + 1):
            vector.step(actions)
        return ROWS * periods

    return run
