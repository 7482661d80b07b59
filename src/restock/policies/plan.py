"""Properties of a network before any decision: flows, lead times, the demand that a level has to cover."""

from __future__ import annotations

import dataclasses
import weakref

import numpy as np
from numpy.typing import NDArray

from restock.core.problem import Array, Problem
from restock.policies.flows import downstream_first, last_useful_period, supplier_shares
from restock.problems.network import NetworkProblem

Integers = NDArray[np.int64]


class Ways:
    """The ways from each node's stock to the markets; there are P of them, grouped by node.

    A way is told from others by its node, its market, how long before the sale the node's customer orders, and how
    long the node's own supplier takes: where several suppliers share an order, each brings its part in its own time.

    Args:
        plan: Of the network.
        review: Periods between two orders [R].

    Attributes:
        node, market: Where a way begins and ends, each of shape (P,).
        time: From the order that the node has to fill to the sale, shape (P,) (periods). 0 where the node sells itself.
        lead: From the node's own order to the arrival, shape (P,) (periods).
        begins: First way of each node, shape (N,).
        pair_begins: First way of each pair of a node and a market that it reaches.
        pair_node: Node of each pair.
        mixed: Whether the suppliers of a node take different times, or its ways to a market, shape (N,).
    """

    def __init__(self, plan: Plan, review: int) -> None:
        shipped = until_shipped(plan.link_lead, review)
        suppliers = [np.flatnonzero(plan.buyer == j).tolist() for j in range(len(plan.lead))]
        found: list[dict[tuple[int, int], int]] = [{} for _ in plan.lead]  # of each node: (market, time) -> number
        self._steps: list[tuple[int, int, int, int]] = []  # (way, link, link of the buyer, way of the buyer)
        count = len(plan.retailer)
        for m, j in enumerate(plan.retailer.tolist()):
            found[j][m, 0] = m
        for i in plan.inner.tolist():  # customers first, so their ways are known
            j, buyer = int(plan.supplier[i]), int(plan.buyer[i])
            for (m, time), number in list(found[buyer].items()) if j >= 0 else ():
                for k in suppliers[buyer]:
                    longer = int(plan.link_lead[k] if plan.retailer[m] == buyer else shipped[k] + time)
                    if (m, longer) not in found[j]:
                        found[j][m, longer] = count
                        count += 1
                    self._steps.append((found[j][m, longer], i, k, number))
        listed = sorted(
            (j, m, time, int(plan.link_lead[k]), number, k)
            for j, ways in enumerate(found)
            for (m, time), number in ways.items()
            for k in suppliers[j]
        )
        columns = (np.array([row[k] for row in listed], dtype=np.int64) for k in range(6))
        self.node, self.market, self.time, self.lead, self._number, self._link = columns
        self._count, self._markets = count, len(plan.retailer)
        self.begins = np.searchsorted(self.node, np.arange(len(plan.lead)))
        self.pair_begins = np.flatnonzero(np.diff(self.node * len(plan.retailer) + self.market, prepend=-1))
        self.pair_node = self.node[self.pair_begins]
        self.mixed = np.bincount(self.node, minlength=len(plan.lead)) > np.bincount(
            self.pair_node, minlength=len(plan.lead)
        )
        self._units_in, self._supplier = plan.units_in, plan.supplier

    def weights(self, shares: Array) -> Array:
        """Return the stock of its node that each way uses per unit sold on its market, by shares (E,); shape (P,)."""
        weight = np.zeros(self._count)
        weight[: self._markets] = 1.0
        for way, link, brought, buyers in self._steps:
            used = self._units_in[self._supplier[link]] * shares[link]
            weight[way] += used * shares[brought] * weight[buyers]
        return weight[self._number] * shares[self._link]

    def by_node(self, ways: Array) -> Array:
        """Return the sums over the ways of each node: from (..., P) to (..., N)."""
        return np.add.reduceat(ways, self.begins, axis=-1)

    def average(self, ways: Array | Integers, weights: Array) -> Array:
        """Return weighted means over the ways of each node, 0 where it has no weight: from (..., P) to (..., N)."""
        return self.by_node(ways * weights) / np.maximum(self.by_node(weights), 1e-300)


@dataclasses.dataclass(frozen=True)
class Window:
    """The demand that a level has to cover, way by way.

    Attributes:
        ways: On which it comes.
        first: First period from now, shape (P,).
        count: How many periods, shape (P,).
        mean: Mean demand in them, as far as the horizon, shape (T, P) (units).
        variance: Its variance, were periods independent of each other, shape (T, P).
        periods: How many of them lie before the horizon, shape (T, P).
    """

    ways: Ways
    first: Integers
    count: Integers
    mean: Array
    variance: Array
    periods: Integers


class Plan:
    """Properties of a network before any decision, computed once for each problem.

    Attributes:
        inner: Link indices, a node's links to its customers before those that supply it, shape (E,).
        last: First period in which an order on the link comes too late, shape (E,).
        shares: Default shares of the suppliers, shape (E,).
        choice: Whether the buyer of the link has another supplier, shape (E,).
        buyer, supplier: Node indices of the links, shape (E,); -1 is an outside source.
        units_in: Stock used up for each unit shipped, shape (N,).
        link_lead: Lead time of each link [L], shape (E,) (periods).
        lead: Longest lead time of an order of each node, shape (N,) (periods).
        ships_on: Whether the node supplies others, shape (N,).
        retailer: Node that serves each market, shape (M,).
        horizon: Periods in an episode [T].
        mean: Mean demand, shape (T, M) (units/period).
        variance: Its variance, shape (T, M).
    """

    def __init__(self, problem: NetworkProblem) -> None:
        rank = {j: k for k, j in enumerate(downstream_first(problem))}
        links = problem.spec.ordered_links
        self.horizon = problem.horizon
        self.supplier = np.array([problem.rank.get(link.source, -1) for link in links])
        self.buyer = np.array([problem.rank[link.target] for link in links])
        self.inner = np.array(sorted(range(len(links)), key=lambda i: rank.get(int(self.supplier[i]), -1)))
        self.last = last_useful_period(problem)
        self.shares = supplier_shares(problem)
        self.choice = np.bincount(self.buyer)[self.buyer] > 1
        self.units_in = problem.fixed.nodes.units_in.copy()
        self.link_lead = np.array([link.lead_time for link in links], dtype=np.int64)
        self.lead = np.zeros(len(problem.nodes), dtype=np.int64)
        np.maximum.at(self.lead, self.buyer, self.link_lead)
        self.ships_on = np.isin(np.arange(len(problem.nodes)), self.supplier)
        self.retailer = np.array([problem.rank[node] for node, _ in problem.markets])
        self.mean = problem.demand.mean
        self.variance = problem.demand.deviation(self.mean) ** 2
        self._ways: dict[int, Ways] = {}
        self._windows: dict[tuple[bool, int], Window] = {}

    def usage(self, shares: Array) -> Array:
        """Return the stock that each node uses per unit sold on each market [g], shape (N, M) (units)."""
        ways = self.ways()
        used = np.zeros((len(self.lead), len(self.retailer)))
        np.add.at(used, (ways.node, ways.market), ways.weights(shares))
        return used

    def ways(self, review: int = 1) -> Ways:
        """Return the ways to the markets if orders are placed every `review` periods."""
        if review not in self._ways:
            self._ways[review] = Ways(self, review)
        return self._ways[review]

    def window(self, echelon: bool, review: int = 1) -> Window:
        """Return the demand that a level has to cover.

        An order of period t arrives in t + L. A node that only sells has it for that period's demand, and
        covers the L + R periods until the next order arrives. A node that ships on cannot ship it before
        t + L + 1, so it covers one period more, L + R + 1 (rounded up to whole reviews): its customers'
        orders of so many periods, which are for the demand of as many periods, a way to market later. An
        echelon covers the whole way. Where suppliers with different lead times share the orders, each share
        covers its own time.

        Args:
            echelon: Whether the level is that of an echelon.
            review: Periods between two orders [R].
        """
        if (echelon, review) not in self._windows:
            ways = self.ways(review)
            lead = np.where(self.ships_on[ways.node], until_shipped(ways.lead, review), ways.lead)
            first = np.zeros_like(ways.time) if echelon else ways.time
            count = np.asarray(lead + review + (ways.time if echelon else 0), dtype=np.int64)
            begin = np.minimum(np.arange(self.horizon)[:, None] + first, self.horizon)
            end = np.minimum(begin + count, self.horizon)
            sums = [
                np.concatenate([np.zeros((1, amounts.shape[1])), np.cumsum(amounts, axis=0)])
                for amounts in (self.mean, self.variance)
            ]
            mean, variance = (one[end, ways.market] - one[begin, ways.market] for one in sums)
            variance = np.maximum(variance, 0.0)
            self._windows[echelon, review] = Window(ways, first, count, mean, variance, end - begin)
        return self._windows[echelon, review]

    def knots(self, count: int) -> Array:
        """Return the weights of linear interpolation between `count` values over the horizon, shape (T, count)."""
        at = np.linspace(0.0, max(self.horizon - 1, 1), count) if count > 1 else np.zeros(1)
        return np.stack([np.interp(np.arange(self.horizon), at, row) for row in np.eye(count)], axis=1)


def until_shipped(lead: Integers, review: int) -> Integers:
    """Return the periods from an order to the review at which its goods can be shipped on.

    What arrives in period t + L can leave in t + L + 1, where goods leave every `review` periods.
    """
    return review * (lead // review + 1)


_PLANS: weakref.WeakKeyDictionary[Problem, Plan] = weakref.WeakKeyDictionary()


def plan_of(problem: NetworkProblem) -> Plan:
    """Return the plan of a problem, computed at the first call."""
    if problem not in _PLANS:
        _PLANS[problem] = Plan(problem)
    return _PLANS[problem]
