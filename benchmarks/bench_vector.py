"""Many environments in one call, beside the peer in Gymnasium's SyncVectorEnv."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

import restock  # noqa: F401 - registers the environments
from benchmarks.networks import peer
from benchmarks.timing import Row, interleaved


def steps(env: Any, actions: Any, count: int) -> Callable[[], int]:
    """Vector steps, with the autoresets that fall into them; a unit is one environment's step."""
    env.reset(seed=1)

    def run() -> int:
        for _ in range(count):
            env.step(actions)
        return count * env.num_envs

    return run


def measure() -> list[Row]:
    """Vectors of 16 and of 256 on the divergent network, with each sampler."""
    rows = []
    for size, target, count in ((16, ">= 300x", 31), (256, ">= 650x", 31)):
        theirs = gym.vector.SyncVectorEnv([lambda: peer("divergent")] * size)
        for sampler in ("numpy", "inverse"):
            mine = gym.make_vec("restock/Divergent-v0", num_envs=size, demand={"sampler": sampler})
            actions = np.full((size, 11), 20.0, np.float32)
            rows.append(
                interleaved(
                    f"vector of {size}, sampler {sampler}, per environment",
                    steps(mine, actions, 31 * 20),
                    steps(theirs, actions.astype(np.float64), count),
                    rounds=15 if size == 16 else 7,
                    target=target,
                    limit="Python around the compiled loop" if size == 16 else "the period itself, and drawing demand",
                )
            )
        theirs.close()
    return rows
