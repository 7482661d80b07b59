"""A vector environment and single ones, stepped side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

MODES = tuple(AutoresetMode)


def row(batch: Any, i: int) -> Any:
    """Return one row of a batched observation."""
    return {name: block[i] for name, block in batch.items()} if isinstance(batch, dict) else batch[i]


def same(a: Any, b: Any) -> bool:
    """Return whether two observations are equal bit for bit, types included."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    return a.dtype == b.dtype and np.array_equal(a, b)


def told(info: Any, i: int | None = None) -> dict[str, Any]:
    """Return an `info` as plain data; with `i`, that of one row, which must have everything."""
    said: dict[str, Any] = {}
    for name, value in info.items():
        if name.startswith(("_", "final")):
            continue
        assert i is None or info["_" + name][i], name
        if isinstance(value, dict):
            said[name] = told(value, i)
        else:
            said[name] = np.asarray(value if i is None else value[i]).tolist()
    return said


def in_lockstep(
    vector: Any,
    singles: Sequence[Any],
    mode: AutoresetMode,
    steps: int,
    actions: Callable[[int], Any],
    over: list[bool] | None = None,
) -> int:
    """Step all environments with the same actions, compare everything; returns the resets seen.

    Both sides have been reset alike before. Every row plays through any number of episodes.
    """
    over = over or [False] * len(singles)
    resets = 0
    for t in range(steps):
        action = actions(t)
        obs, rewards, terminated, truncated, infos = vector.step(action)
        assert obs in vector.observation_space
        for i, single in enumerate(singles):
            if over[i] and mode is AutoresetMode.NEXT_STEP:
                expected, info = single.reset()
                over[i] = False
                assert same(row(obs, i), expected) and told(infos, i) == told(info), (t, i)
                assert (rewards[i], terminated[i], truncated[i]) == (0.0, False, False)
                continue
            expected, reward, done, cut, info = single.step(action[i])
            assert (rewards[i], terminated[i], truncated[i]) == (reward, done, cut), (t, i)
            over[i] = done or cut
            parts = infos["final_info"] if over[i] and mode is AutoresetMode.SAME_STEP else infos
            assert told(parts, i) == told(info), (t, i)
            if over[i]:
                resets += 1
            if over[i] and mode is AutoresetMode.SAME_STEP:
                assert infos["_final_obs"][i] and infos["_final_info"][i]
                assert same(infos["final_obs"][i], expected), (t, i)
                expected, info = single.reset()
                over[i] = False
                assert told(infos, i) == told(info), (t, i)
            assert same(row(obs, i), expected), (t, i)
        if mode is AutoresetMode.DISABLED and any(over):
            mask = np.array(over)
            obs, infos = vector.reset(options={"reset_mask": mask})
            for i in np.flatnonzero(mask).tolist():
                expected, info = singles[i].reset()
                assert same(row(obs, i), expected) and told(infos, i) == told(info), (t, i)
                over[i] = False
    return resets


def sampled(space: gym.Space[Any], seed: int) -> Callable[[int], Any]:
    """Return the actions drawn from a space."""
    space.seed(seed)
    return lambda t: space.sample()
