"""What can be said of a network before anything is decided: flows, lead times, the demand that a level has to cover."""

from __future__ import annotations

import dataclasses
import weakref

import numpy as np
from numpy.typing import NDArray

from restock.core.problem import Array, Problem
from restock.policies.flows import downstream_first, last_useful_period, supplier_shares
from restock.problems.network import NetworkProblem

Integers = NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Window:
    """The demand that a level has to cover, market by market.

    A pair is a node and a market that it reaches; there are P of them, a node's one behind the other.

    Attributes:
        first: First period from now, shape (P,).
        count: How many periods, shape (P,).
        mean: Mean demand in them, as far as the horizon, shape (T, P) (units).
        variance: Its variance, were periods independent of each other, shape (T, P).
        periods: How many of them lie before the horizon, shape (T, P).
    """

    first: Integers
    count: Integers
    mean: Array
    variance: Array
    periods: Integers


class Plan:
    """What can be said of a network before anything is decided; made once for each problem.

    Attributes:
        inner: Link indices, a node's links to its customers before those that supply it, shape (E,).
        last: First period in which an order on the link comes too late, shape (E,).
        shares: Default shares of the suppliers, shape (E,).
        choice: Whether the buyer of the link has another supplier, shape (E,).
        buyer, supplier: Node indices of the links, shape (E,); -1 is an outside source.
        units_in: Stock used up for each unit shipped, shape (N,).
        lead: Longest lead time of an order [L], shape (N,) (periods).
        ships_on: Whether the node supplies others, shape (N,).
        retailer: Node that serves each market, shape (M,).
        horizon: Periods in an episode [T].
        mean: Mean demand, shape (T, M) (units/period).
        variance: Its variance, shape (T, M).
        node, market: The pairs of nodes and markets that they reach, each of shape (P,).
        begins: First pair of each node, shape (N,).
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
        self.units_in = problem.world(problem.plain.fresh)[0].units_in.copy()
        self.lead = np.zeros(len(problem.nodes), dtype=np.int64)
        np.maximum.at(self.lead, self.buyer, [link.lead_time for link in links])
        self.ships_on = np.isin(np.arange(len(problem.nodes)), self.supplier)
        self.retailer = np.array([problem.rank[node] for node, _ in problem.markets])
        self.mean = problem.demand.mean
        self.variance = problem.demand.deviation(self.mean) ** 2
        self.node, self.market = np.nonzero(np.isfinite(self._way(1)))
        self.begins = np.searchsorted(self.node, np.arange(len(problem.nodes)))
        self._windows: dict[tuple[bool, int], Window] = {}

    def usage(self, shares: Array) -> Array:
        """Stock that each node uses up for each unit sold on each market [g], shape (N, M) (units)."""
        used = np.zeros((len(self.lead), len(self.retailer)))
        used[self.retailer, np.arange(len(self.retailer))] = 1.0
        for i in self.inner:  # customers first, so what they need is known
            j = self.supplier[i]
            if j >= 0:
                used[j] += self.units_in[j] * shares[i] * used[self.buyer[i]]
        return used

    def _until_shipped(self, lead: Integers, review: int) -> Integers:
        """Periods from an order to the review at which its goods can be shipped on.

        What arrives in period t + L can leave in t + L + 1, where goods leave every `review` periods.
        """
        return review * (lead // review + 1)

    def _way(self, review: int) -> Array:
        """Longest time from a customer's order to the sale, shape (N, M) (periods).

        A customer that several suppliers share orders early enough for the slowest of them. 0 where the node
        sells itself, infinite where it does not reach the market.
        """
        way = np.full((len(self.lead), len(self.retailer)), -np.inf)
        way[self.retailer, np.arange(len(self.retailer))] = 0.0
        shipped = self._until_shipped(self.lead, review)
        for i in self.inner:
            j, buyer = self.supplier[i], self.buyer[i]
            if j >= 0:
                sells = self.retailer == buyer
                way[j] = np.maximum(way[j], np.where(sells, self.lead[buyer], shipped[buyer] + way[buyer]))
        return np.where(way >= 0.0, way, np.inf)

    def window(self, echelon: bool, review: int = 1) -> Window:
        """The demand that a level has to cover.

        An order of period t arrives in t + L_j. A node that only sells has it for that period's demand, and
        covers the L_j + R periods until the next order arrives. A node that ships on cannot ship it before
        t + L_j + 1, so it covers one period more, L_j + R + 1 (rounded up to whole reviews): its customers'
        orders of so many periods, which are for the demand of as many periods, a way to market later. An
        echelon covers the whole way.

        Args:
            echelon: Whether the level is that of an echelon.
            review: Periods between two orders [R].
        """
        if (echelon, review) not in self._windows:
            lead = np.where(self.ships_on, self._until_shipped(self.lead, review), self.lead)[self.node]
            way = self._way(review)[self.node, self.market].astype(np.int64)
            first = np.zeros_like(way) if echelon else way
            count = np.asarray(lead + review + (way if echelon else 0), dtype=np.int64)
            begin = np.minimum(np.arange(self.horizon)[:, None] + first, self.horizon)
            end = np.minimum(begin + count, self.horizon)
            sums = [
                np.concatenate([np.zeros((1, amounts.shape[1])), np.cumsum(amounts, axis=0)])
                for amounts in (self.mean, self.variance)
            ]
            mean, variance = (one[end, self.market] - one[begin, self.market] for one in sums)
            self._windows[echelon, review] = Window(first, count, mean, np.maximum(variance, 0.0), end - begin)
        return self._windows[echelon, review]

    def by_node(self, pairs: Array) -> Array:
        """Sums over the markets of each node: from (..., P) to (..., N)."""
        return np.add.reduceat(pairs, self.begins, axis=-1)

    def knots(self, count: int) -> Array:
        """Weights that draw straight lines through `count` values over the horizon, shape (T, count)."""
        at = np.linspace(0.0, max(self.horizon - 1, 1), count) if count > 1 else np.zeros(1)
        return np.stack([np.interp(np.arange(self.horizon), at, row) for row in np.eye(count)], axis=1)


_PLANS: weakref.WeakKeyDictionary[Problem, Plan] = weakref.WeakKeyDictionary()


def plan_of(problem: NetworkProblem) -> Plan:
    """The plan of a problem, made at the first call."""
    if problem not in _PLANS:
        _PLANS[problem] = Plan(problem)
    return _PLANS[problem]
