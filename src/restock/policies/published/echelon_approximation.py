"""The published echelon approximation: a newsvendor level for everything from a node to the market."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from restock.core.problem import Array
from restock.policies._base import Information, View
from restock.policies.flows import downstream_first
from restock.policies.published.heuristic import PublishedHeuristic, longest_lead_times, order_up_to, quantiles
from restock.problems.network import NetworkProblem

LEAST_HOLDING = 0.01


class PublishedEchelon(PublishedHeuristic):
    """The echelon heuristic of the gym-invmgmt benchmark: `EchelonApprox` (blind) and `EchelonApprox-I`.

    Node j's echelon position is the sum of the inventory positions of the node and of all nodes
    downstream; it orders up to S_j = mu + z(CR_j) sigma, where mu and sigma are mean and standard
    deviation of a market's demand over periods t .. t + C_j + L_j (see `Forecast`): L_j is the
    longest lead time into the node, C_j the longest way from it to a retailer. In CR_j = b / (b + e_j)
    the echelon holding cost is e_j = h_j less the holding costs of the node's direct customers, but at
    least 0.01. An approximation after Clark and Scarf (1960).

    As published: a retailer counts as the end of every way, even where it supplies others; one that
    sells is given b, every other node a margin of at least 0.5; echelons overlap, so stock downstream
    counts in full for each supplier of it; nothing is done about the end of the horizon.

    Source: Barati and Hu (2026), gym-invmgmt, arXiv:2605.11355.

    Args:
        problem: A supply network.
        information: `blind` forecasts from the last five periods, `informed` from the mean curve.
    """

    name: ClassVar[str] = "published-echelon"
    summary: ClassVar[str] = "as published with gym-invmgmt: newsvendor level for all stock down to the market"

    def __init__(self, problem: NetworkProblem, information: Information | None = None) -> None:
        super().__init__(problem, information)
        problem = self.problem
        own = {node.id: node.holding_cost or 0.0 for node in problem.spec.managed}
        bought = {node: sum(own[b] for s, b in problem.links if s == node) for node in own}
        self._quantile = quantiles(problem, {node: max(own[node] - bought[node], LEAST_HOLDING) for node in own})
        self._echelon = echelons(problem)

    def _cover(self) -> NDArray[np.int64]:
        return longest_lead_times(self.problem) + longest_ways(self.problem)

    def _wanted(self, view: View, position: Array) -> Array:
        levels = order_up_to(*self._forecast.over(view, self._lead_time), self._quantile)
        return np.maximum(levels - position @ self._echelon, 0.0)

    def parameters_in_words(self) -> dict[str, Any]:
        """Return the periods that each node plans for, beyond the present one."""
        return {f"cover {node}": int(c) for node, c in zip(self.problem.nodes, self._lead_time, strict=True)}


def echelons(problem: NetworkProblem) -> Array:
    """Return 1 where the row's node belongs to the echelon of the column's, shape (N, N)."""
    inside = np.eye(len(problem.nodes))
    for j in downstream_first(problem):
        for supplier, buyer in problem.links:
            if supplier == problem.nodes[j]:
                inside[:, j] = np.maximum(inside[:, j], inside[:, problem.rank[buyer]])
    return inside


def longest_ways(problem: NetworkProblem) -> NDArray[np.int64]:
    """Return lead times from each node to a retailer, along the longest way, shape (N,) (periods)."""
    retailers = {source for source, _ in problem.markets}
    ways = np.zeros(len(problem.nodes), dtype=np.int64)
    for j in downstream_first(problem):
        if problem.nodes[j] in retailers:
            continue
        for link in problem.spec.ordered_links:
            if link.source == problem.nodes[j]:
                ways[j] = max(ways[j], link.lead_time + ways[problem.rank[link.target]])
    return ways
