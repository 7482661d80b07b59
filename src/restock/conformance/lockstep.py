"""A vector environment and single ones, stepped side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

MODES = tuple(AutoresetMode)


def row(batch: Any, i: int) -> Any:
    """One row of a batched observation."""
    return {name: block[i] for name, block in batch.items()} if isinstance(batch, dict) else batch[i]


def same(a: Any, b: Any) -> bool:
    """Whether two observations are equal bit for bit, types included."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    return a.dtype == b.dtype and np.array_equal(a, b)


def told(info: Any, i: int | None = None) -> dict[str, Any]:
    """What an information says, as plain data; of one row where `i` is given."""
    return {
        name: told(value, i) if hasattr(value, "items") else np.asarray(value if i is None else value[i]).tolist()
        for name, value in info.items()
        if not name.startswith(("_", "final"))
    }


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
                expected, _ = single.reset()
                over[i] = False
                assert same(row(obs, i), expected), (t, i)
                assert (rewards[i], terminated[i], truncated[i], infos["_profit"][i]) == (0.0, False, False, False)
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
                expected, _ = single.reset()
                over[i] = False
            assert same(row(obs, i), expected), (t, i)
        if mode is AutoresetMode.DISABLED and any(over):
            mask = np.array(over)
            obs, _ = vector.reset(options={"reset_mask": mask})
            for i in np.flatnonzero(mask).tolist():
                expected, _ = singles[i].reset()
                assert same(row(obs, i), expected), (t, i)
                over[i] = False
    return resets


def sampled(space: gym.Space[Any], seed: int) -> Callable[[int], Any]:
    """Actions drawn from a space."""
    space.seed(seed)
    return lambda t: space.sample()
