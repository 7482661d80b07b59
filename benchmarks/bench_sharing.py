"""Shared stock beside a plain statement of the same days: steps with resets included, and a vector of 256."""

from __future__ import annotations

import gymnasium as gym

from benchmarks.plain_sharing import PlainSharing
from benchmarks.playing import ROWS, drawing, episodes, microseconds, rows
from benchmarks.timing import Row, interleaved
from restock.problems.load import load_problem


def measure() -> list[Row]:
    """Four and ten locations."""
    found = []
    for n, once, many in ((4, ">= 50x", ">= 2000x"), (10, ">= 200x", ">= 8000x")):
        what, given = f"sharing, {n} locations", {"n_locations": n, "scenario": "depot"}
        plain, lean = PlainSharing(n), PlainSharing(n, fee=None)
        mine = gym.make("restock/Sharing-v0", **given).unwrapped
        problem = load_problem("sharing", **given)
        drawn = microseconds(drawing(problem), 5)
        missions = problem.missions.count[:-1].sum() / problem.horizon
        python = "Python around the compiled day: the 11 arrays that are seen and told"
        numbers = f"{drawn} for {2 * missions:.0f} random numbers a day, two a mission, then the day itself"
        found.append(interleaved(f"step, {what}", episodes(mine, 20), episodes(plain, 1), 15, once, python))
        aside = f"step, {what}, peer without its fee of 0"
        found.append(interleaved(aside, episodes(mine, 20), episodes(lean, 1), 9, limit=python))
        vector = rows("restock/Sharing-v0", 49, **given)
        found.append(interleaved(f"vector of {ROWS}, {what}", vector, episodes(plain, 1), 5, many, numbers))
    return found
