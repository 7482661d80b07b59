"""Base class of the published heuristics: positions, critical ratios, and how suppliers share an order."""

from __future__ import annotations

import abc
from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from restock.core.problem import Array
from restock.policies._base import Information, Policy, View
from restock.policies.published.forecast import Forecast
from restock.problems.network import NetworkProblem

LEAST_MARGIN = 0.5  # cost of a unit short that a node without a market is given at least


class PublishedHeuristic(Policy):
    """A heuristic in which each node orders from its suppliers, who share the order by price and lead time.

    A node with several suppliers orders from each in proportion to 1 / (1 + price + 0.1 lead time).

    Args:
        problem: A supply network.
        information: `blind` or `informed`; see `Forecast`.
    """

    may_know: ClassVar[tuple[Information, ...]] = ("blind", "informed")

    def __init__(self, problem: NetworkProblem, information: Information | None = None) -> None:
        super().__init__(problem, information)
        problem = self.problem
        links = problem.spec.ordered_links
        self._buyer = np.array([problem.rank[link.target] for link in links])
        self._retailer = np.array([problem.rank[market.source] for market in problem.spec.ordered_markets])
        score = np.array([1.0 / (1.0 + link.price + 0.1 * link.lead_time) for link in links])
        self._share = score / np.bincount(self._buyer, score)[self._buyer]
        self._lead_time = self._cover()
        self._forecast = Forecast(problem, self.information == "informed", int(self._lead_time.max()))

    def act(self, view: View) -> Array:
        """Return the orders of shape (B, E)."""
        wanted = self._wanted(view, self._position(view))
        orders: Array = wanted[:, self._buyer] * self._share
        return orders

    @abc.abstractmethod
    def _wanted(self, view: View, position: Array) -> Array:
        """Return what each node orders from all its suppliers, given its inventory position; both (B, N)."""

    def _cover(self) -> NDArray[np.int64]:
        """Return the periods beyond the present one whose demand each node plans for, shape (N,)."""
        return longest_lead_times(self.problem)

    def _position(self, view: View) -> Array:
        """Return the stock on hand and in transit less backlog, shape (B, N)."""
        under_way = self._by_node(view["in_transit"], self._buyer)
        position: Array = view["on_hand"] + under_way - self._by_node(view["backlog"], self._retailer)
        return position

    def _by_node(self, amount: Array, node: NDArray[np.int64]) -> Array:
        """Return amounts of shape (B, k), each belonging to a node, added up to shape (B, N)."""
        total = np.zeros((len(amount), len(self.problem.nodes)))
        for k, j in enumerate(node):
            total[:, j] += amount[:, k]
        return total


def order_up_to(mean: Array, deviation: Array, quantile: Array) -> Array:
    """Return the levels mean + quantile * deviation, at least 0, and 0 where no demand is expected."""
    return np.where(mean > 0.0, np.maximum(mean + quantile * deviation, 0.0), 0.0)


def longest_lead_times(problem: NetworkProblem) -> NDArray[np.int64]:
    """Return the longest lead time of a link into each node, shape (N,) (periods)."""
    longest = np.zeros(len(problem.nodes), dtype=np.int64)
    for link in problem.spec.ordered_links:
        j = problem.rank[link.target]
        longest[j] = max(longest[j], link.lead_time)
    return longest


def quantiles(problem: NetworkProblem, holding: dict[Any, float] | None = None) -> Array:
    """Return the standard normal quantile of each node's critical ratio b / (b + h), shape (N,).

    The cost of a unit short [b] is the largest shortage cost of a retailer's markets. For other
    nodes it is a margin, the dearest price they sell at less the cheapest they buy at, but at
    least 0.5.

    Args:
        problem: A supply network.
        holding: Holding cost [h] by node id; default: each node's own.
    """
    if holding is None:
        holding = {node.id: node.holding_cost or 0.0 for node in problem.spec.managed}
    links, markets = problem.spec.ordered_links, problem.spec.ordered_markets
    found = []
    for node in problem.nodes:
        short = [market.shortage_cost for market in markets if market.source == node]
        if short:
            cost = max(short)
        else:
            sold = max((link.price for link in links if link.source == node), default=0.0)
            cost = max(sold - min(link.price for link in links if link.target == node), LEAST_MARGIN)
        both = cost + holding[node]
        ratio = cost / both if both > 0.0 else 0.5
        # Kept off 0 (shortage is free: no stock) and 1 (stock is free: there would be no limit).
        found.append(NormalDist().inv_cdf(min(max(ratio, 1e-12), 1.0 - 1e-12)))
    return np.array(found)
