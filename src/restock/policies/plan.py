"""What can be said of a network before anything is decided: flows, lead times, the demand that is coming."""

from __future__ import annotations

import weakref

import numpy as np

from restock.core.problem import Array, Problem
from restock.policies.flows import downstream_first, last_useful_period, periods_to_market, supplier_shares
from restock.problems.network import NetworkProblem


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
        wait: Least time from arrival to sale [w], shape (N,) (periods).
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
        self.units_in = problem.world(problem.plain.fresh)[0].units_in.copy()
        self.lead = np.zeros(len(problem.nodes))
        np.maximum.at(self.lead, self.buyer, [link.lead_time for link in links])
        self.wait = periods_to_market(problem)
        self.retailer = np.array([problem.rank[node] for node, _ in problem.markets])
        self.mean = problem.demand.mean
        deviation = problem.demand.noise_scale * problem.demand.distribution.deviation(self.mean)
        self.variance = deviation**2
        self._moments: dict[tuple[bool, int], tuple[Array, Array]] = {}

    def usage(self, shares: Array) -> Array:
        """Stock that each node uses up for each unit sold on each market [g], shape (N, M) (units)."""
        used = np.zeros((len(self.lead), len(self.retailer)))
        used[self.retailer, np.arange(len(self.retailer))] = 1.0
        for i in self.inner:  # customers first, so what they need is known
            j = self.supplier[i]
            if j >= 0:
                used[j] += self.units_in[j] * shares[i] * used[self.buyer[i]]
        return used

    def coming(self, amounts: Array, first: Array, count: Array) -> Array:
        """Sums of amounts of shape (T, M) over `count` periods from t + first on, shape (T, N, M).

        What lies beyond the horizon counts as 0.
        """
        sums = np.concatenate([np.zeros((1, amounts.shape[1])), np.cumsum(amounts, axis=0)])
        begin = np.minimum(np.arange(self.horizon)[:, None] + first.astype(int), self.horizon)
        end = np.minimum(begin + count.astype(int), self.horizon)
        return np.asarray(sums[end] - sums[begin])

    def window(self, echelon: bool, review: int = 1) -> tuple[Array, Array]:
        """First period from now, and length, of the demand that a level has to cover, each (N,)."""
        if echelon:
            return np.zeros_like(self.lead), self.wait + self.lead + review
        return self.wait, self.lead + review

    def knots(self, count: int) -> Array:
        """Weights that draw straight lines through `count` values over the horizon, shape (T, count)."""
        at = np.linspace(0.0, max(self.horizon - 1, 1), count) if count > 1 else np.zeros(1)
        return np.stack([np.interp(np.arange(self.horizon), at, row) for row in np.eye(count)], axis=1)

    def moments(self, echelon: bool, review: int = 1) -> tuple[Array, Array]:
        """Mean and variance of the coming demand of each market, each of shape (T, N, M)."""
        if (echelon, review) not in self._moments:
            window = self.window(echelon, review)
            self._moments[echelon, review] = self.coming(self.mean, *window), self.coming(self.variance, *window)
        return self._moments[echelon, review]


_PLANS: weakref.WeakKeyDictionary[Problem, Plan] = weakref.WeakKeyDictionary()


def plan_of(problem: NetworkProblem) -> Plan:
    """The plan of a problem, made at the first call."""
    if problem not in _PLANS:
        _PLANS[problem] = Plan(problem)
    return _PLANS[problem]
