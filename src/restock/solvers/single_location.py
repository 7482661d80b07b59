"""A network with one stocking point, one unlimited supplier and one market, as numbers.

Such a network is small enough to be solved exactly, see `restock.solvers.exact`.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.problem import Array
from restock.demand.negative_binomial import NegativeBinomial
from restock.demand.poisson import Poisson
from restock.problems.network import NetworkProblem, is_network

TAIL = 1e-12  # probability of demands that are counted as the largest one kept


@dataclasses.dataclass(frozen=True)
class SingleLocation:
    """A location that buys, keeps and sells, under independent demand in whole units.

    Attributes:
        lead_time: Periods from order to arrival [L].
        backlog: Whether unmet demand waits.
        horizon: Periods in an episode [T].
        discount: Worth of next period's money.
        price: Earned for a unit sold, operating cost taken off.
        shortage: Cost per unit unmet and period [b].
        purchase: Price paid for a unit [c].
        pipeline: Cost per unit in transit and period [g].
        holding: Cost per unit held and period [h].
        demand: Probability of a demand of 0, 1, 2, ... units, shape (D,).
    """

    lead_time: int
    backlog: bool
    horizon: int
    discount: float
    price: float
    shortage: float
    purchase: float
    pipeline: float
    holding: float
    demand: Array

    @property
    def mean(self) -> float:
        """Mean demand (units/period)."""
        return float(self.demand @ np.arange(len(self.demand)))

    @property
    def ratio(self) -> float:
        """Critical ratio: the cost of a unit short over the sum of that and the cost of a unit left over."""
        short = self.shortage
        if not self.backlog:
            short = max(short + self.price - self.purchase - self.pipeline * self.lead_time, 0.0)
        return min(short / (short + self.holding), 1.0 - 1e-6) if short > 0.0 else 0.0

    def coming(self, periods: int) -> Array:
        """Return the probabilities of the demand of several periods together, shape (D',)."""
        whole = np.ones(1)
        for _ in range(periods):
            whole = np.convolve(whole, self.demand)
        return whole

    def quantile(self, periods: int, ratio: float) -> int:
        """Return the least number of units that covers the demand of so many periods with that probability."""
        return int(np.searchsorted(np.cumsum(self.coming(periods)), ratio))


def single_location(problem: Any) -> SingleLocation:
    """Return the problem as a single location.

    Args:
        problem: A supply network.

    Raises:
        InvalidInput: It is none: the error says what stands in the way.
    """
    if not is_network(problem):
        raise _not_exact(getattr(problem, "name", problem), "it is not a supply network")
    spec = problem.spec
    for what, entities in (("stocking points", problem.nodes), ("links", problem.links), ("markets", problem.markets)):
        if len(entities) != 1:
            raise _not_exact(problem.name, f"it has {len(entities)} {what}, and one is solved exactly")
    node, link, market = spec.managed[0], spec.ordered_links[0], spec.ordered_markets[0]
    if link.fixed_cost:
        raise _not_exact(problem.name, "its orders have a fixed cost")
    initial = float(node.initial_inventory or 0.0)
    if not initial.is_integer():
        raise _not_exact(problem.name, f"it begins with {initial:g} units, which is not an integer")
    operating = float(problem.fixed.nodes.operating_cost[0])
    return SingleLocation(
        lead_time=link.lead_time,
        backlog=spec.backlog,
        horizon=spec.horizon,
        discount=spec.discount,
        price=market.price - operating,
        shortage=market.shortage_cost,
        purchase=link.price,
        pipeline=link.pipeline_cost,
        holding=float(node.holding_cost or 0.0),
        demand=_demand(problem),
    )


def _demand(problem: NetworkProblem) -> Array:
    """Return the probabilities of the demand of a period.

    Raises:
        InvalidInput: Demand changes over time, depends on what was done, or does not come in whole units.
    """
    demand = problem.demand
    curve = np.maximum(demand.mean[:, 0], demand.least_mean)
    if demand.state_dependent:
        raise _not_exact(problem.name, "its demand depends on goodwill")
    if np.ptp(curve) > 0.0:
        raise _not_exact(problem.name, "its demand changes over time")
    mean = float(curve[0])
    law = demand.distribution
    if demand.noise_scale == 0.0 and mean.is_integer():
        return np.asarray(np.eye(int(mean) + 1)[-1])
    if demand.noise_scale != 1.0:
        raise _not_exact(problem.name, "a noise scale makes its demand uneven parts of units")
    if type(law) is Poisson:
        return count_probabilities(mean, 0.0)
    if type(law) is NegativeBinomial:
        return count_probabilities(mean, law.dispersion)
    raise _not_exact(problem.name, f"its demand ({law.name}) is no count with known probabilities")


def count_probabilities(mean: float, size: float) -> Array:
    """Return the probabilities of a Poisson (size 0) or negative binomial count, the tail put on the last."""
    logs: list[float] = []
    kept = 0.0
    start = -mean if size == 0.0 else -size * math.log1p(mean / size)
    ratio = 0.0 if size == 0.0 else mean / (mean + size)
    while kept < 1.0 - TAIL and len(logs) < 100_000:
        k = len(logs)
        logs.append(start if k == 0 else logs[-1] + math.log(mean / k if size == 0.0 else (k - 1 + size) * ratio / k))
        kept += math.exp(logs[-1])
    probabilities = np.exp(np.array(logs))
    probabilities[-1] += max(1.0 - probabilities.sum(), 0.0)
    return np.asarray(probabilities / probabilities.sum())


def _not_exact(name: Any, why: str) -> InvalidInput:
    mend = "Solved are one stocking point, one supplier, one market, Poisson or negative binomial demand."
    return InvalidInput("problem", name, f"it cannot be solved exactly: {why}", mend)
