"""Base-stock on a forecast: Holt's exponential smoothing of demand, and levels from its forecast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.operations import positive, when
from restock.core.problem import Array
from restock.policies._base import Information
from restock.policies.level_text import SPLIT
from restock.policies.levels import LevelPolicy, read_multiples
from restock.policies.parameters import MARKET, NODE, PERIOD, Packing, Parameter
from restock.problems.network import NetworkProblem
from restock.problems.network.interface import echelon_position

WAY = "way"  # from the stock of a node to a market, an axis


def smooth_and_order(
    t: int, own: Any, nodes: Any, links: Any, markets: Any, rules: Any, state: Any, chance: Any, flows: Any
) -> None:
    """Smooth the demand of the last period, then order up to the forecast's levels."""
    for k in range(len(own.prior)):
        if t == 0:
            own.smoothed[k] = own.prior[k] * 1.0
            own.trend[k] = 0.0
        else:
            expected = own.smoothed[k] + own.damping * own.trend[k]
            found = own.alpha * flows.demand[k] + (1.0 - own.alpha) * expected
            slope = own.beta * (found - own.smoothed[k]) + (1.0 - own.beta) * own.damping * own.trend[k]
            own.smoothed[k] = found
            own.trend[k] = slope
    position = flows.used
    echelon_position(position, own.inner, own.weight, links, markets, state)
    goodwill = 1.0 + own.follows * (state.sentiment[0] - 1.0)
    wanted = flows.released
    for j in range(len(own.base)):
        wanted[j] = own.base[j] * goodwill
    for p in range(len(own.node)):
        j = int(own.node[p])
        k = int(own.market[p])
        steady = own.steady[p] * own.smoothed[k]
        wanted[j] = wanted[j] + positive(steady + own.slope[p] * own.trend[k])
    for i in range(len(flows.ordered)):
        j = links.buyer[i]
        gap = positive(wanted[j] - position[j])
        flows.ordered[i] = when(own.last[i] - t, own.share[i] * gap, 0.0)


class ForecastPolicy(LevelPolicy):
    """A policy whose levels are a fixed part per period plus multiples of a smoothed forecast."""

    text = staticmethod(smooth_and_order)
    packing = Packing(
        "Forecast",
        __name__,
        **SPLIT,
        alpha=Parameter((), "", "weight of the last demand in the level"),
        beta=Parameter((), "", "weight of the last change of level in the trend"),
        damping=Parameter((), "", "factor on the trend for each period ahead [phi]"),
        prior=Parameter((MARKET,), "units/period", "demand expected before any was seen"),
        node=Parameter((WAY,), "node", "where a way to a market begins"),
        market=Parameter((WAY,), "market", "where it ends"),
        base=Parameter((PERIOD, NODE), "units", "part of the level that does not follow the forecast"),
        steady=Parameter((PERIOD, WAY), "periods", "factor of the level of demand in that of the node"),
        slope=Parameter((PERIOD, WAY), "periods^2", "factor of the trend of demand in the level of the node"),
        smoothed=Parameter((MARKET,), "units/period", "level of demand [a]", note=True),
        trend=Parameter((MARKET,), "units/period^2", "trend of demand [b]", note=True),
    )

    def reads_forecast(
        self, smoothing: Sequence[float], fixed: Array, multiples: Array, goodwill: bool = False
    ) -> None:
        """Set what the text reads.

        The level of node j in period t is fixed_j(t) + sum over m of g_jm times what is expected of market m
        over the coming demand's window (as far as the horizon), by level and damped trend, times the
        multiple of the period.

        Args:
            smoothing: `alpha`, `beta` and `damping`.
            fixed: Shape (T, N) (units).
            multiples: Of the forecast, shape (T, N); 0 leaves the fixed part.
            goodwill: Whether the fixed part moves with the goodwill of the customers.
        """
        plan = self.plan
        alpha, beta, damping = smoothing
        window = plan.window(self.echelon)
        sums = np.concatenate([[0.0], np.cumsum(damping ** np.arange(1, plan.horizon + 1))])  # of damping^1 .. k
        ahead = np.concatenate([[0.0], np.cumsum(sums[1:])])
        left = (plan.horizon - np.arange(plan.horizon))[:, None]
        begin, end = np.minimum(window.first, left), np.minimum(window.first + window.count, left)
        ways = window.ways
        weight = ways.weights(self.shares) * multiples[:, ways.node]
        self.reads_split(
            goodwill,
            alpha=alpha,
            beta=beta,
            damping=damping,
            prior=plan.mean.mean(axis=0),
            node=ways.node,
            market=ways.market,
            base=fixed,
            steady=window.periods * weight,
            slope=(ahead[end] - ahead[begin]) * weight,
        )

    def fraction(self, field: str, value: Any) -> float:
        """Return a number from 0 to 1.

        Raises:
            InvalidInput: It is not.
        """
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not 0.0 <= value <= 1.0:
            raise InvalidInput(field, value, "must be a number from 0 to 1", "Write for instance 0.3.")
        return float(value)


class HoltBaseStock(ForecastPolicy):
    """Base-stock levels from Holt's exponential smoothing with a damped trend.

    After each period the level a and the trend b of every market are smoothed,

        a' = alpha D + (1 - alpha) (a + phi b),     b' = beta (a' - a) + (1 - beta) phi b

    from the configured mean and no trend on, and demand k periods ahead (0 is the period about to come)
    is expected to be a + (phi + ... + phi^(k+1)) b. Node j then orders positive(S_j(t) - IP_j) with

        S_j(t) = multiple_j(t) E[D_j(t)] + safety stock

    where the coming demand D_j is expected by that forecast up to the horizon, and the safety stock is what
    the quantile of the configured prior at the critical ratio lies above its mean. Notation,
    suppliers, end of the horizon: see `restock.policies.levels`. Sources: Holt (1957/2004), Forecasting
    seasonals and trends by exponentially weighted moving averages, International Journal of Forecasting
    20; Gardner and McKenzie (1985), Forecasting trends in time series, Management Science 31 (damping).
    Good where demand drifts and nothing else is known of it.

    Args:
        problem: A supply network.
        alpha: Weight of the last demand in the level, 0 to 1.
        beta: Weight of the last change of level in the trend, 0 to 1.
        damping: Factor on the trend for each period ahead [phi], 0 to 1 (1: Holt's own).
        service: Critical ratio in (0, 1), one number or {node: number}; default: b / (b + h), for echelons the
            bounds of Shang and Song (see `EchelonBaseStock`).
        multiples: Of the expected coming demand: one number, {node: number} or {node: list}; a list is spread
            evenly over the horizon and joined by straight lines; default 1.
        shares: How much each link gets of what its buyer orders, {link: number}; default:
            inversely to the landed cost of a unit.
        echelon: Whether positions count what lies downstream.
        information: `blind`: it sees demand only when it has happened.

    Raises:
        InvalidInput: A parameter is not a usable number.
    """

    name: ClassVar[str] = "holt-base-stock"
    summary: ClassVar[str] = "base-stock levels from exponential smoothing with a trend (Holt)"
    may_know: ClassVar[tuple[Information, ...]] = ("blind",)

    def __init__(
        self,
        problem: NetworkProblem,
        alpha: float = 0.3,
        beta: float = 0.1,
        damping: float = 0.9,
        service: Any = None,
        multiples: Any = None,
        shares: Any = None,
        echelon: bool = True,
        information: Information | None = None,
    ) -> None:
        super().__init__(problem, information, echelon, shares)
        constants = [self.fraction("alpha", alpha), self.fraction("beta", beta), self.fraction("damping", damping)]
        self.smoothing = dict(zip(("alpha", "beta", "damping"), constants, strict=True))
        self.multiples = multiples = read_multiples(1.0 if multiples is None else multiples, self)
        over_time = self.plan.knots(len(multiples)) @ multiples
        safety = self.newsvendor(service) - self.coming().mean
        self.reads_forecast(constants, safety, over_time)

    def parameters_in_words(self) -> dict[str, Any]:
        """Return the smoothing constants, and the multiple of each node in the first period."""
        assert self.multiples is not None
        return {**self.smoothing, **self.by_node("multiple", self.multiples[0])}
