"""The plant beside a plain statement of the same periods: steps with resets included, and a vector of 256."""

from __future__ import annotations

import gymnasium as gym

from benchmarks.plain_production import PlainProduction
from benchmarks.playing import ROWS, Bare, days, drawing, episodes, microseconds, rows
from benchmarks.timing import Row, interleaved
from restock.problems.load import load_problem


def measure() -> list[Row]:
    """Episodes of 500 periods."""
    plain, mine = PlainProduction(), gym.make("restock/Production-v0").unwrapped
    bare = microseconds(days(Bare(), [1] * 500, 4))
    drawn = microseconds(drawing(load_problem("production")))
    python = f"Python: {bare} for a step that does nothing, most of the rest for the 7 numbers in `info`"
    many = rows("restock/Production-v0", 500)
    return [
        interleaved("step, production", episodes(mine, 4), episodes(plain, 1), 15, ">= 8x", python),
        interleaved(
            f"vector of {ROWS}, production", many, episodes(plain, 1), 5, ">= 320x",
            f"{drawn} for three normal numbers from NumPy's generator, the rest for the period and `info`",
        ),
    ]  # fmt: skip
