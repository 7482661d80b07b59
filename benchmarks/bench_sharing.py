"""Shared stock beside a plain statement of the same days: steps with resets included, and a vector of 256."""

from __future__ import annotations

import gymnasium as gym

from benchmarks.plain_sharing import PlainSharing
from benchmarks.playing import ROWS, episodes, rows
from benchmarks.timing import Row, interleaved


def measure() -> list[Row]:
    """Four and ten locations."""
    drawing = "drawing the need of every mission from NumPy's generator at reset"
    found = []
    for n, target in ((4, ">= 50x"), (10, ">= 200x")):
        what, plain, lean = f"sharing, {n} locations", PlainSharing(n), PlainSharing(n, fee=None)
        given = {"n_locations": n, "scenario": "depot"}
        mine = gym.make("restock/Sharing-v0", **given).unwrapped
        found.append(interleaved(f"step, {what}", episodes(mine, 20), episodes(plain, 1), 15, target, drawing))
        aside = f"step, {what}, peer without its fee of 0"
        found.append(interleaved(aside, episodes(mine, 20), episodes(lean, 1), 9, limit=drawing))
        many = rows("restock/Sharing-v0", 49, **given)
        found.append(interleaved(f"vector of {ROWS}, {what}", many, episodes(plain, 1), 5, limit=drawing))
    return found
