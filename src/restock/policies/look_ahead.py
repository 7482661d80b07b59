"""Base class of policies that look ahead: forecast, pipeline, goodwill, one program for all periods."""

from __future__ import annotations

import abc
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import numpy as np

from restock.core.checks import whole_number
from restock.core.errors import InvalidInput
from restock.core.problem import Array
from restock.policies._base import Information, Policy, View
from restock.policies.flows import downstream_first
from restock.policies.forecast import Belief, Forecast, Outlook, Told, window_spread
from restock.problems.network import NetworkProblem
from restock.solvers.rolling import Plan, RollingProgram, Situation
from restock.solvers.structure import replacement_costs


class LookAhead(Policy):
    """A policy that plans from the present state, carries out the first step, and plans again in the next period.

    Args:
        problem: A supply network.
        horizon: Periods to look ahead [H]; default: to the end of the episode.
        information: `informed`, it is told the mean curve; `blind`, it learns it on the way.
        jobs: Threads that plan for different episodes at the same time; the decisions do not depend on it.

    Raises:
        InvalidInput: A parameter does not hold.
    """

    may_know: ClassVar[tuple[Information, ...]] = ("informed", "blind")

    def __init__(
        self,
        problem: NetworkProblem,
        horizon: int | None = None,
        information: Information | None = None,
        jobs: int = 1,
    ) -> None:
        super().__init__(problem, information)
        self.horizon = None if horizon is None else whole_number("horizon", horizon)
        self.jobs = whole_number("jobs", jobs)
        self._forecast = self._expects()
        self._programs: list[RollingProgram] = []

    def _expects(self) -> Forecast:
        return Told(self.problem) if self.information == "informed" else Belief(self.problem)

    @abc.abstractmethod
    def _program_of(self) -> RollingProgram:
        """Return the program to solve every period."""

    @abc.abstractmethod
    def _plan(self, program: RollingProgram, view: View, b: int, arriving: Array, outlook: Outlook) -> Plan:
        """Return the plan of episode b."""

    def begin(self, episodes: int, seed: int, chance: Any) -> None:
        """Build the programs once, and forget what earlier episodes taught."""
        if not self._programs:
            fixed = self.problem.fixed
            links, markets = fixed.links, fixed.markets
            self._links, self._retailer = links, markets.retailer
            self._retailers = np.unique(markets.retailer)
            self._windows = [int(links.lead_time[links.buyer == j].min()) + 1 for j in self._retailers]
            prior = self.problem.demand.mean
            self._prior = np.stack([prior[:, self._retailer == j].sum(axis=1) for j in self._retailers], axis=1)
            costs = replacement_costs(self.problem)[markets.retailer]
            self._margin: Array = np.maximum(markets.price - costs, 0.0)
            for _ in range(min(self.jobs, episodes)):
                program = self._program_of()
                program.learn_bases(self._first_situation(program.paths))
                self._programs.append(program)
        self._forecast.begin(episodes)

    def act(self, view: View) -> Array:
        """Return the orders of shape (B, E)."""
        outlook = self._forecast.look(view)
        arriving = self._arrivals(view)
        orders = np.empty((len(arriving), len(self.problem.links)))

        def plan_every(first: int) -> None:
            """Plan the episodes of one thread, which has its own program: they are dealt out in turn."""
            for b in range(first, len(orders), len(self._programs)):
                orders[b] = self._plan(self._programs[first], view, b, arriving[b], outlook).orders[view.t]

        if len(self._programs) == 1:
            plan_every(0)
        else:
            with ThreadPoolExecutor(len(self._programs)) as threads:
                list(threads.map(plan_every, range(len(self._programs))))
        return orders

    def _situation(
        self, view: View, b: int, arriving: Array, demand: Array, spread: Array | None = None, risk: Array | None = None
    ) -> Situation:
        """Return the situation of episode b, with expected demand or sample paths, shape (K, T, M)."""
        periods = self.problem.horizon
        spread = np.zeros((periods, len(self._retailers))) if spread is None else spread
        risk = np.zeros(periods) if risk is None else risk
        return Situation(view["on_hand"][b], view["backlog"][b], arriving, demand, spread, risk)

    def _spread(self, noise: float, mean: Array, t: int) -> Array:
        """Return the spread of demand at each retailer over the periods in which it cannot react, shape (T, R)."""
        deviation = noise * self.problem.demand.distribution.deviation(mean)
        each = [np.sqrt((deviation[:, self._retailer == j] ** 2).sum(axis=1)) for j in self._retailers]
        return window_spread(np.stack(each, axis=1), t, self._windows)

    def _sentiment(self, view: View, b: int, short: Array) -> Array:
        """Return the expected goodwill of each period, given the chance of a shortage in each, shape (T,)."""
        rules = self.problem.demand.goodwill
        path = np.ones(self.problem.horizon)
        if rules is None:
            return path
        level = float(view["sentiment"][b, 0])
        if view.t > 0:
            unserved = float(view["unmet"][b].sum()) > 0.0
            level = max(rules.floor, rules.decay * level) if unserved else min(rules.cap, rules.growth * level)
        for t in range(view.t, len(path)):
            path[t] = level
            after_shortage, after_service = max(rules.floor, rules.decay * level), min(rules.cap, rules.growth * level)
            level = short[t] * after_shortage + (1.0 - short[t]) * after_service
        return path

    def _risk(self, mean: Array) -> Array:
        """Return the value of the sales that a shortage in each period drives away, shape (T,)."""
        rules = self.problem.demand.goodwill
        if rules is None:
            return np.zeros(len(mean))
        worth = self.problem.spec.discount ** np.arange(len(mean)) * (mean @ self._margin)
        later = np.append(np.cumsum(worth[::-1])[::-1][1:], 0.0)
        risk: Array = (rules.growth - rules.decay) * later
        return risk

    def _arrivals(self, view: View) -> Array:
        """Return what was shipped before and arrives from now on, shape (B, T, N)."""
        shipped, t = view.past["shipped"], view.t
        arriving = np.zeros((len(shipped), self.problem.horizon, len(self.problem.nodes)))
        for i, lead in enumerate(self._links.lead_time):
            first = max(0, t - int(lead))
            last = min(t, self.problem.horizon - int(lead))
            if first < last:
                arriving[:, first + int(lead) : last + int(lead), self._links.buyer[i]] += shipped[:, first:last, i]
        return arriving

    def _first_situation(self, paths: int) -> Situation:
        """Return the start of an episode with the configured demand."""
        problem = self.problem
        mean = np.maximum(problem.demand.mean, problem.demand.least_mean)
        return Situation(
            np.array(problem.fixed.nodes.initial),
            np.zeros(len(problem.markets)),
            np.zeros((problem.horizon, len(problem.nodes))),
            np.repeat(mean[None], paths, axis=0),
            self._spread(problem.demand.noise_scale, mean, 0),
            self._risk(mean),
        )


def far_enough(problem: NetworkProblem, horizon: int | None) -> int | None:
    """Return the given look-ahead if what is bought at its start can be sold before its end.

    Raises:
        InvalidInput: It is too short for that on the quickest way to some market: nothing would ever be bought.
    """
    if horizon is None:
        return None
    horizon = whole_number("horizon", horizon)
    way = np.full(len(problem.nodes), np.inf)  # periods from an order outside to the arrival
    for j in reversed(downstream_first(problem)):  # suppliers first
        for link in problem.spec.ordered_links:
            if link.target == problem.nodes[j]:
                before = way[problem.rank[link.source]] + 1.0 if link.source in problem.rank else 0.0
                way[j] = min(way[j], before + link.lead_time)
    least = 1 + int(max(way[problem.rank[retailer]] for retailer, _ in problem.markets))
    if horizon < min(least, problem.horizon):
        what = f"what is bought takes {least - 1} periods to a market, so it would never be worth its price"
        raise InvalidInput("horizon", horizon, what, f"Look at least {least} periods ahead, or leave it out.")
    return horizon
