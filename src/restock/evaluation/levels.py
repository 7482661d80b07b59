"""Base-stock levels by simulation: try them on known demand, keep what earns more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from restock.core.play import recorded
from restock.core.problem import Array
from restock.evaluation.simulate import run
from restock.policies.base_stock import BaseStock
from restock.problems.network import NetworkProblem

WIDEST, FINEST = 0.32, 0.02  # relative steps of the search


def search_levels(
    problem: NetworkProblem,
    start: Array,
    exogenous: Mapping[str, Any],
    progress: Callable[[int], None] | None = None,
) -> Array:
    """Levels with the best mean profit that a compass search comes upon, shape (N,) (units).

    One level after another is raised or lowered by 32 %; when nothing helps, by half as much, down
    to 2 %. Same start and episodes, same result.

    Args:
        problem: A supply network.
        start: Levels to begin with, shape (N,).
        exogenous: Recorded episodes to try them on, arrays with a leading axis of B episodes.
        progress: Called with the number of simulations so far.

    Raises:
        InvalidInput: The levels or the episodes do not fit the problem.
    """
    episodes = recorded(problem, exogenous)
    tried = 0

    def earned(levels: Array) -> float:
        nonlocal tried
        tried += 1
        if progress is not None:
            progress(tried)
        return float(run(problem, BaseStock(problem, levels=levels), episodes, 0).profit.mean())

    levels = np.array(start, dtype=np.float64)
    best = earned(levels)
    step = WIDEST
    while step >= FINEST:
        improved = False
        for j in range(len(levels)):
            for factor in (1.0 + step, 1.0 / (1.0 + step)):
                candidate = levels.copy()
                candidate[j] *= factor
                profit = earned(candidate)
                if profit > best + 1e-9:
                    best, levels, improved = profit, candidate, True
        if not improved:
            step /= 2.0
    return levels
