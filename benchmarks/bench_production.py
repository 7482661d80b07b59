"""The plant beside a plain statement of the same periods: steps with resets included, and a vector of 256."""

from __future__ import annotations

import gymnasium as gym

from benchmarks.plain_production import PlainProduction
from benchmarks.playing import ROWS, episodes, rows
from benchmarks.timing import Row, interleaved


def measure() -> list[Row]:
    """Episodes of 500 periods."""
    plain, mine = PlainProduction(), gym.make("restock/Production-v0").unwrapped
    python = "Python around the compiled period, and what `info` tells"
    drawing = "drawing three normal numbers a step from NumPy's generator"
    many = rows("restock/Production-v0", 500)
    return [
        interleaved("step, production", episodes(mine, 4), episodes(plain, 1), 15, ">= 8x", python),
        interleaved(f"vector of {ROWS}, production", many, episodes(plain, 1), 5, limit=drawing),
    ]
