"""One policy for each of the 20 synthetic scenarios, by the pathwise gradient."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import restock
from benchmarks.learned.figure import RUNS, Figure, Z, group, ratio, synthetic
from restock.core.play import draw_each
from restock.core.streams import episode_seeds
from restock.evaluation.simulate import run
from restock.learning.train import train

NUMBERS: dict[str, Any] = {"steps": 500, "restarts": 1, "cpu_seconds": 120.0}
FRESH, FIRST, BLOCK = 1000, 50_000, 250
COMMAND = "python -m benchmarks.bench_learning one-each"


def figures() -> list[Figure]:
    """Trained, and played on the ten published seeds and on a thousand fresh ones."""
    seconds: list[float] = []
    ratios: dict[str, float] = {}
    fresh: dict[str, float] = {}
    errors: list[float] = []
    for one in synthetic():
        folder = RUNS / one.name.replace(" ", "-")
        seconds.append(float(train(one.problem, folder, **NUMBERS)["cpu_seconds"]))
        ratios[one.name] = ratio(one, folder)
        fresh[one.name], error = against_hindsight(one.problem, folder)
        errors.append(error)
        print(
            f"{one.name}: {ratios[one.name]:.4f}; on fresh seeds {fresh[one.name]:.4f} +- {Z * error:.4f}; "
            f"{seconds[-1]:.0f} CPU-seconds",
            file=sys.stderr,
        )
    half = Z * float(np.sqrt(np.sum(np.square(errors)))) / len(errors)
    longest, what = max(seconds), "pathwise, one policy for each of 20 scenarios"
    return [
        Figure(f"{what}, published seeds: mean", group(ratios, "all"), None, ">= .98", longest, COMMAND),
        Figure("... of the scenarios with goodwill", group(ratios, "goodwill"), None, ">= .97"),
        Figure("... worst scenario", min(ratios.values()), None, ">= .96"),
        Figure(f"{what}, {FRESH} fresh seeds: mean", group(fresh, "all"), half, ">= .98"),
        Figure("... of the scenarios with goodwill", group(fresh, "goodwill"), None, ">= .97"),
        Figure("... worst scenario", min(fresh.values()), None, ">= .96"),
    ]


def against_hindsight(problem: restock.Problem, folder: Any, count: int = FRESH) -> tuple[float, float]:
    """Mean profit on fresh seeds as a share of that of hindsight, and its standard error."""
    best, ours = [], []
    seeds = episode_seeds(FIRST, count)
    for first in range(0, count, BLOCK):
        episodes = draw_each(problem, seeds[first : first + BLOCK])
        best.append(run(problem, restock.make_policy("hindsight", problem), episodes, 0).profit)
        ours.append(run(problem, restock.make_policy(str(folder), problem), episodes, 0).profit)
    bound, profit = np.concatenate(best), np.concatenate(ours)
    share = float(profit.sum() / bound.sum())
    error = float((profit - share * bound).std(ddof=1) / np.sqrt(count) / bound.mean())
    return share, error
