"""Whole episodes of an environment, and of every row of a vector, to be timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np

import restock  # noqa: F401 - registers the environments
from restock.core import backends

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


def nothing(t, handle, choice):
    """A period in which nothing happens, to be compiled."""
    return 0.0


class Bare(gym.Env[Any, Any]):
    """The least that a step of a compiled environment can do: call it, view an observation, return five things."""

    def __init__(self) -> None:
        compiled = backends.compile_texts((), (nothing,), "nothing")
        self._period = backends.entry(compiled.nothing, int, int, int)
        self._seen = np.zeros((1000, 6), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self._rows = iter(self._seen)
        return next(self._rows), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        reward = self._period(0, 0, action)
        return next(self._rows), reward, False, False, {}


def microseconds(run: Callable[[], int], rounds: int = 15) -> str:
    """The shortest time of a unit of work, in words."""
    best = float("inf")
    for _ in range(rounds):
        begin = time.perf_counter()
        units = run()
        best = min(best, (time.perf_counter() - begin) / units)
    return f"{best * 1e6:.2g} us"


def drawing(problem: Any) -> Callable[[], int]:
    """An episode's draws for every row of a vector, and nothing else."""
    source, numbers = problem.source(range(ROWS)), np.arange(ROWS)

    def run() -> int:
        source.next(numbers)
        return ROWS * int(problem.horizon)

    return run
