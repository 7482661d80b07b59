"""A policy in Python: what a period costs in one long episode, and whether it grows with the past."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import restock
from benchmarks.timing import Row, interleaved
from restock.core.problem import Array
from restock.policies._base import Policy, View

LONG, SHORT = 10_000, 1_000


class LastDemand(Policy):
    """Orders what was demanded last, on every link."""

    name = "last-demand"

    def act(self, view: View) -> Array:
        last = view.past["demand"][:, -1] if view.t else np.full((len(view["on_hand"]), 1), 20.0)
        return np.repeat(last, len(self.problem.labels()["ordered"]), axis=1)


def episode(horizon: int) -> Callable[[], int]:
    """One episode of the serial network."""
    problem = restock.load_problem("serial", horizon=horizon)

    def run() -> int:
        restock.simulate(problem, LastDemand(problem), episodes=1)
        return horizon

    return run


def measure() -> list[Row]:
    """A period of a long episode beside one of a short episode."""
    row = interleaved(
        f"a policy in Python, per period of an episode of {LONG:,}, beside one of {SHORT:,}",
        episode(LONG),
        episode(SHORT),
        target=">= 0.8x, <= 30 us",
        limit="NumPy's calls on arrays of one row",
    )
    return [row]
