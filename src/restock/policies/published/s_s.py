"""The published (s, S): order up to S when the inventory position has fallen below s."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from restock.core.problem import Array
from restock.policies._base import Information, View
from restock.policies.published.heuristic import PublishedHeuristic
from restock.problems.network import NetworkProblem

QUANTILE = 1.6448536269514722  # of 0.95, to the last bit: see `_position`
FACTOR = 10.0  # between a cost of the node and the fixed cost it is given where orders have none


class PublishedReorderPoint(PublishedHeuristic):
    """The (s, S) heuristic of the gym-invmgmt benchmark: `(s,S)` (blind) and `(s,S)-I`.

    When node j's inventory position is below s_j it orders up to S_j:

        s_j = mu + z(0.95) sigma        S_j = s_j + sqrt(2 m K_j / h_j)

    mu and sigma are mean and standard deviation of a market's demand over periods t .. t + L_j (see
    `Forecast`), m its mean now, L_j the longest lead time of the node's links, K_j their mean fixed
    cost.

    As published: where no link into the node has a fixed cost, one is made up, K_j = 10 h_j, or ten
    times the operating cost of a factory; S_j = s_j + mu where h_j = 0; every node plans for the
    demand of one market; nothing is done about the end of the horizon.

    Source: Barati and Hu (2026), gym-invmgmt, arXiv:2605.11355.

    Args:
        problem: A supply network.
        information: `blind` forecasts from the last five periods, `informed` from the mean curve.
    """

    name: ClassVar[str] = "published-s-S"
    summary: ClassVar[str] = "as published with gym-invmgmt: below s order up to S, forecast each period"

    def __init__(self, problem: NetworkProblem, information: Information | None = None) -> None:
        super().__init__(problem, information)
        spec = self.problem.spec
        self._initial = np.array([node.initial_inventory or 0.0 for node in spec.managed])
        self._holding = np.array([node.holding_cost or 0.0 for node in spec.managed])
        fixed = []
        for node in spec.managed:
            cost = float(np.mean([link.fixed_cost for link in spec.ordered_links if link.target == node.id]))
            if cost == 0.0:
                given = node.holding_cost if node.capacity is None else node.operating_cost
                cost = FACTOR * (given or 0.0)
            fixed.append(cost)
        self._fixed = np.array(fixed)

    def _wanted(self, view: View, position: Array) -> Array:
        mean, deviation = self._forecast.over(view, self._lead_time)
        reorder_point = mean + QUANTILE * deviation
        rate = self._forecast.now(view)[0][:, None]
        held = self._holding > 0.0
        batch = np.sqrt(2.0 * rate * self._fixed / np.where(held, self._holding, 1.0))
        level = reorder_point + np.where(held & (rate > 0.0), batch, mean)
        return np.where(position < reorder_point, np.maximum(level - position, 0.0), 0.0)

    def _position(self, view: View) -> Array:
        """Return stock on hand and in transit less backlog, shape (B, N), added up in the order of the benchmark.

        Under stationary demand S_j - s_j is a whole number of units where K_j / h_j = 10, so that a
        position meets s_j exactly and the last bit of a sum decides who orders. To earn what was
        published, stocks are added up from the flows as its simulator adds them.
        """
        past = view.past
        on_hand = np.repeat(self._initial[None, :], len(view["on_hand"]), axis=0)
        under_way = np.zeros_like(view["in_transit"])
        for t in range(view.t):
            under_way = under_way - past["arrived"][:, t] + past["shipped"][:, t]
            on_hand = on_hand + self._by_node(past["arrived"][:, t], self._buyer) - past["used"][:, t]
            on_hand = on_hand - self._by_node(past["sold"][:, t], self._retailer)
        waiting = self._by_node(view["backlog"], self._retailer)
        position: Array = on_hand + self._by_node(under_way, self._buyer) - waiting
        return position

    def parameters_in_words(self) -> dict[str, Any]:
        """Return the fixed cost that each node assumes."""
        return {f"fixed cost {node}": float(k) for node, k in zip(self.problem.nodes, self._fixed, strict=True)}
