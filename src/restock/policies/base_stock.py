"""Base-stock: raise each node's inventory position to its level, every period."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np

from restock.core.operations import positive
from restock.core.problem import Array
from restock.policies._base import Information
from restock.policies.coming import Coming
from restock.policies.flows import per_entity
from restock.policies.level_text import level_parameters
from restock.policies.levels import LevelPolicy
from restock.policies.parameters import Packing
from restock.policies.ratios import quantiles
from restock.problems.network import NetworkProblem


def quantity(t: int, j: int, missing: Any, goodwill: Any, own: Any) -> Any:
    """Return what the position lacks of the level."""
    return positive(missing)


class BaseStock(LevelPolicy):
    """Installation base-stock policy with levels from the newsvendor formula, given, or multiples of coming demand.

    Every period node j orders positive(S_j - IP_j). Without `levels` or `multiples` S_j is one number for
    the whole episode, the quantile of what node j uses up in the periods that it has to cover,

        P(D_j <= S_j) = CR_j,     D_j over L_j + 1 periods, L_j + 2 where node j ships on to others

    (for a normal demand S_j = mu_j (L_j + 1) + z(CR_j) sigma_j sqrt(L_j + 1)), where L_j is its longest lead
    time and CR_j = b / (b + h_j) the critical ratio: b is the largest shortage cost downstream (plus the
    margin where sales are lost), h_j the node's holding cost. What is missing or left at the end of the
    episode counts once in its T periods: b + margin / T, h_j + purchase / T. With `multiples`
    S_j(t) = multiple_j(t) E[D_j(t)], so levels follow the mean curve and the end of the horizon; under
    goodwill they move with it. Notation, suppliers, end of the horizon: see `restock.policies.levels`.
    Source: Zipkin (2000), Foundations of Inventory Management, ch. 6. Good where orders have no
    fixed cost; along a chain echelon levels do better.

    Args:
        problem: A supply network.
        levels: Base-stock level (units): one number or {node: level}.
        mean: Mean demand to plan for (units/period), one number or {market: number}; default: the
            configured mean, averaged over the horizon.
        sd: Standard deviation to plan for, likewise, of a normal demand; default: the distribution at `mean`.
        service: Critical ratio in (0, 1), one number or {node: number}, in place of b / (b + h).
        multiples: Level as a multiple of the mean coming demand: one number, {node: number} or {node: list}; a list
            is spread evenly over the horizon and joined by straight lines.
        shares: How much each link gets of what its buyer orders, {link: number}; default:
            inversely to the landed cost of a unit.
        information: `blind` plans for the configured prior, `informed` for the mean curve.

    Raises:
        InvalidInput: A parameter is not a usable number, or levels are given in two ways.
    """

    name: ClassVar[str] = "base-stock"
    summary: ClassVar[str] = "order up to a level at each node (newsvendor formula, or given levels)"
    may_know: ClassVar[tuple[Information, ...]] = ("blind", "informed")
    helpers = (quantity,)
    packing = Packing("Levels", __name__, **level_parameters("level"))

    def __init__(
        self,
        problem: NetworkProblem,
        levels: Any = None,
        mean: Any = None,
        sd: Any = None,
        service: Any = None,
        multiples: Any = None,
        shares: Any = None,
        information: Information | None = None,
    ) -> None:
        super().__init__(problem, information, False, shares)

        def formula() -> Array:
            return self._stationary(mean, sd, service)[None]

        self.planned("levels", levels, multiples, service, formula=formula, mean=mean, sd=sd)
        self.reads_levels()

    def mean_decision(self) -> Array:
        """Return the flow of each link in a period of mean demand."""
        return np.asarray(self.rate[self.plan.buyer] * self.shares)

    def _stationary(self, mean: Any, sd: Any, service: Any) -> Array:
        """Return the levels by the formula, shape (N,) (units)."""
        plan, demand = self.plan, self.problem.demand
        markets = self.problem.labels()["demand"]
        mu = demand.mean.mean(axis=0) if mean is None else per_entity("mean", mean, markets)
        ratios = self.ratios(service, self.periods_worth_the_last())
        window = plan.window(False)
        if sd is None:
            deviation = demand.deviation(mu)
            amounts = [(window.count * one[window.ways.market])[None] for one in (mu, deviation**2)]
            steady = dataclasses.replace(window, mean=amounts[0], variance=amounts[1], periods=window.count[None])
            coming = Coming(self.problem, self.usage, window.ways.weights(self.shares), steady)
            return np.asarray(self.carrying(coming.quantile(ratios), coming.mean)[0])
        deviation = per_entity("sd", sd, markets)
        cover = window.ways.average(window.count, window.ways.weights(self.shares))
        spread = np.sqrt(cover * (self.usage**2 @ deviation**2))
        coming_mean = cover * (self.usage @ mu)
        return self.carrying(np.maximum(coming_mean + quantiles(ratios) * spread, 0.0), coming_mean)
