"""The published Newsvendor: base-stock levels at the critical ratio, forecast anew each period."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from restock.core.problem import Array
from restock.policies._base import Information, View
from restock.policies.published.heuristic import PublishedHeuristic, order_up_to, quantiles
from restock.problems.network import NetworkProblem


class PublishedNewsvendor(PublishedHeuristic):
    """Newsvendor levels of the gym-invmgmt benchmark: `Newsvendor` (blind) and `Newsvendor-I`.

    Each period node j orders up to S_j = mu + z(CR_j) sigma, where mu and sigma are mean and
    standard deviation of a market's demand over periods t .. t + L_j (see `Forecast`), L_j is the
    longest lead time of its links, CR_j = b / (b + h_j). It compares S_j with its own inventory
    position.

    As published: a node that serves other nodes counts a margin of at least 0.5 in place of b, so
    its ratio is above 0.9; every node plans for the demand of one market; nothing is done about the
    end of the horizon.

    Source: Barati and Hu (2026), gym-invmgmt, arXiv:2605.11355.

    Args:
        problem: A supply network.
        information: `blind` forecasts from the last five periods, `informed` from the mean curve.
    """

    name: ClassVar[str] = "published-newsvendor"
    summary: ClassVar[str] = "as published with gym-invmgmt: order up to a newsvendor level, forecast each period"

    def __init__(self, problem: NetworkProblem, information: Information | None = None) -> None:
        super().__init__(problem, information)
        self._quantile = quantiles(self.problem)

    def _wanted(self, view: View, position: Array) -> Array:
        levels = order_up_to(*self._forecast.over(view, self._lead_time), self._quantile)
        return np.maximum(levels - position, 0.0)

    def parameters_in_words(self) -> dict[str, Any]:
        """Return the normal quantile of each node."""
        return {f"quantile {node}": float(z) for node, z in zip(self.problem.nodes, self._quantile, strict=True)}
