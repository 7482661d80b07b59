"""From a fresh process to the first step, without and with compiled code on disk."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks.timing import Row

SCRIPT = """
import gymnasium as gym, restock
env = gym.make("restock/Divergent-v0")
env.reset(seed=42)
env.step(env.action_space.sample())
"""


def first_step(cache: str) -> float:
    """Seconds from the start of a Python process to its end, after one step."""
    environment = {**os.environ, "RESTOCK_CACHE_DIR": cache, "RESTOCK_QUIET": "1"}
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", SCRIPT], env=environment, check=True)
    return time.perf_counter() - begin


def measure() -> list[Row]:
    """Cold three times, each in an empty cache; cached fifteen times. The spread is least and most."""
    cold = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as cache:
            cold.append(first_step(cache))
    with tempfile.TemporaryDirectory() as cache:
        first_step(cache)
        warm = [first_step(cache) for _ in range(15)]
    limit = "numba's compiler"
    return [
        Row("first step, nothing compiled", statistics.median(cold), None, None, min(cold), max(cold), "<= 7 s", limit),
        Row(
            "first step, cached", statistics.median(warm), None, None, min(warm), max(warm), "<= 1 s", "importing numba"
        ),
    ]
