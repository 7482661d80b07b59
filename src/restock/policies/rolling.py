"""Rolling look-ahead: plan to the end of the episode, do the first step, look again."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.problem import Array
from restock.policies._base import Information, Policy, View
from restock.policies.forecast import Belief, Forecast, Told, window_spread
from restock.problems.network import NetworkProblem
from restock.solvers.rolling import Plan, RollingProgram, Situation

ROUNDS = 3  # of plan and goodwill, each answering the other
NORMAL = NormalDist()


class Rolling(Policy):
    """Solve a linear program of the rest of the episode every period, expected shortages paid for.

    The program (`restock.solvers.rolling`) plans with mean demand, and charges each retailer for the
    shortage to be expected when demand strays from it: tangents of the normal loss function at the
    spread of demand over L + 1 periods, L being the shortest lead time to that retailer. So safety
    stock appears where it is worth its cost, without sampling.

    Under goodwill every period's chance of a shortage also costs the share of later sales it would
    drive away, (growth - decay) * margin * expected demand thereafter; plan and expected goodwill
    answer each other in three damped rounds.

    `blind`, it learns the demand curve on the way (`restock.policies.forecast.Belief`); `informed`,
    it is told.

    Args:
        problem: A supply network.
        horizon: Periods to look ahead [H]; default: to the end of the episode. What is left after a
            shorter look is worth what it cost.
        hedge: Whether to pay for expected shortages; without, this is the deterministic look-ahead.
        integer: Whether to order whole numbers (a mixed-integer program).
        information: `informed` or `blind`.

    Raises:
        InvalidInput: A parameter does not hold.
    """

    name: ClassVar[str] = "rolling"
    summary: ClassVar[str] = "look-ahead LP to the end of the episode, expected shortages paid for"
    may_know: ClassVar[tuple[Information, ...]] = ("informed", "blind")

    def __init__(
        self,
        problem: NetworkProblem,
        horizon: int | None = None,
        hedge: bool = True,
        integer: bool = False,
        information: Information | None = None,
    ) -> None:
        super().__init__(problem, information)
        if horizon is not None and (isinstance(horizon, bool) or not isinstance(horizon, int) or horizon < 1):
            raise InvalidInput("horizon", horizon, "this is a whole number of periods", "Write for instance 20.")
        for name, value in (("hedge", hedge), ("integer", integer)):
            if not isinstance(value, bool):
                raise InvalidInput(name, value, "this is true or false", "Write true or false.")
        self.horizon, self.hedge, self.integer = horizon, hedge, integer
        self._program: RollingProgram | None = None
        self._forecast: Forecast = Told(self.problem) if self.information == "informed" else Belief(self.problem)

    def parameters_in_words(self) -> dict[str, Any]:
        """How far it looks and what it pays for."""
        return {"horizon": self.horizon or "all", "hedge": str(self.hedge), "integer": str(self.integer)}

    def begin(self, episodes: int, seed: int, chance: Any) -> None:
        """Build the program, once, and forget what was learnt of earlier episodes."""
        if self._program is None:
            self._program = RollingProgram(self.problem, self.horizon, self.hedge, integer=self.integer)
            links, markets = self.problem.world(self.problem.plain.fresh)[1:3]
            self._links, self._retailer = links, markets.retailer
            self._windows = [int(links.lead_time[links.buyer == j].min()) + 1 for j in self._program.retailers]
            self._margin = _margins(self.problem)
            self._program.learn_bases(self._first_situation())
        self._forecast.begin(episodes)

    def act(self, view: View) -> Array:
        """Orders of shape (B, E)."""
        outlook = self._forecast.look(view)
        retailers = self._retailers()
        prior = self.problem.demand.mean
        doubt = np.zeros((len(outlook.mean), self.problem.horizon, len(retailers)))
        if len(outlook.curves) > 1:
            for r, j in enumerate(retailers):
                base = prior[:, self._retailer == j].sum(axis=1)
                doubt[:, :, r] = outlook.doubt(base, view.t, self._windows[r])
        arriving = self._arrivals(view)
        orders = np.empty((len(outlook.mean), len(self.problem.links)))
        for b in range(len(orders)):
            plan = self._plan(view, b, arriving[b], outlook.mean[b], float(outlook.noise[b]), doubt[b])
            orders[b] = plan.orders[view.t]
        return orders

    def _plan(self, view: View, b: int, arriving: Array, base: Array, noise: float, doubt: Array) -> Plan:
        """The plan of one episode; under goodwill, after some rounds of plan and goodwill."""
        demand, t = self.problem.demand, view.t
        on_hand, backlog = view["on_hand"][b], view["backlog"][b]
        short = np.zeros(self.problem.horizon)
        rounds = ROUNDS if demand.state_dependent and self.hedge else 1
        for k in range(rounds):
            sentiment = self._sentiment(view, b, short)
            mean = np.maximum(base * sentiment[:, None], demand.least_mean)
            spread = np.hypot(self._spread(noise, mean, t), doubt * sentiment[:, None])
            risk = self._risk(mean)
            assert self._program is not None
            plan = self._program.solve(t, Situation(on_hand, backlog, arriving, mean, spread, risk))
            if k + 1 < rounds:
                safety = plan.net_stock / np.maximum(spread, 1e-9)
                chance = np.vectorize(NORMAL.cdf)(-np.clip(safety, -9.0, 9.0)).max(axis=1)
                short = 0.5 * short + 0.5 * chance
        return plan

    def _spread(self, noise: float, mean: Array, t: int) -> Array:
        """Spread of demand at each retailer over the periods in which it cannot react, shape (T, R)."""
        deviation = noise * self.problem.demand.distribution.deviation(mean)
        by_retailer = [np.sqrt((deviation[:, self._retailer == j] ** 2).sum(axis=1)) for j in self._retailers()]
        return window_spread(np.stack(by_retailer, axis=1), t, self._windows)

    def _sentiment(self, view: View, b: int, short: Array) -> Array:
        """Expected goodwill of each period, given the chance of a shortage in each, shape (T,)."""
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
        """Worth of the sales that a shortage in each period drives away, shape (T,)."""
        rules = self.problem.demand.goodwill
        if rules is None:
            return np.zeros(len(mean))
        worth = self.problem.spec.discount ** np.arange(len(mean)) * (mean @ self._margin)
        later = np.append(np.cumsum(worth[::-1])[::-1][1:], 0.0)
        risk: Array = (rules.growth - rules.decay) * later
        return risk

    def _arrivals(self, view: View) -> Array:
        """What was shipped before and arrives from now on, shape (B, T, N)."""
        shipped, t = view.past["shipped"], view.t
        arriving = np.zeros((len(shipped), self.problem.horizon, len(self.problem.nodes)))
        for i, lead in enumerate(self._links.lead_time):
            first = max(0, t - int(lead))
            last = min(t, self.problem.horizon - int(lead))
            if first < last:
                arriving[:, first + int(lead) : last + int(lead), self._links.buyer[i]] += shipped[:, first:last, i]
        return arriving

    def _retailers(self) -> Any:
        assert self._program is not None
        return self._program.retailers

    def _first_situation(self) -> Situation:
        """The start of an episode with the demand that is configured."""
        problem = self.problem
        mean = np.maximum(problem.demand.mean, problem.demand.least_mean)
        nodes = problem.world(problem.plain.fresh)[0]
        return Situation(
            np.array(nodes.initial), np.zeros(len(problem.markets)), np.zeros((problem.horizon, len(problem.nodes))),
            mean, self._spread(problem.demand.noise_scale, mean, 0), self._risk(mean),
        )  # fmt: skip


def _margins(problem: NetworkProblem) -> Array:
    """What a unit sold on each market earns beyond the cost to replace it, at least 0, shape (M,)."""
    from restock.solvers.rolling import replacement_costs

    markets = problem.world(problem.plain.fresh)[2]
    margins: Array = np.maximum(markets.price - replacement_costs(problem)[markets.retailer], 0.0)
    return margins
