"""Memory of one environment, alone and in a vector."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import gymnasium as gym

import restock  # noqa: F401 - registers the environments
from benchmarks.networks import peer
from benchmarks.timing import Row


def bytes_of(make: Callable[[], Any], copies: int) -> float:
    """Bytes that Python and NumPy hold for each of several environments, after a reset."""
    kept = [make()]
    kept[0].reset(seed=0)
    gc.collect()
    tracemalloc.start()
    for k in range(copies):
        env = make()
        env.reset(seed=k)
        kept.append(env)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return held / copies


def measure() -> list[Row]:
    """The divergent network."""
    alone = bytes_of(lambda: gym.make("restock/Divergent-v0").unwrapped, 20)
    theirs = bytes_of(lambda: peer("divergent"), 20)
    vector = bytes_of(lambda: gym.make_vec("restock/Divergent-v0", num_envs=256), 2) / 256
    what = "the record of an episode, kept for trajectory"
    return [
        Row("memory of an environment", alone, theirs, theirs / alone, limit=what, unit="bytes"),
        Row("memory of a row of 256", vector, theirs, theirs / vector, limit="demand drawn before", unit="bytes"),
    ]
