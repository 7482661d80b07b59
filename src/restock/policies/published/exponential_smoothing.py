"""The published exponential smoothing: Holt's forecast in a newsvendor level."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from restock.core.problem import Array
from restock.policies._base import Information, View
from restock.policies.published.heuristic import PublishedHeuristic, order_up_to, quantiles
from restock.problems.network import NetworkProblem

LEVEL, TREND, ERROR = 0.3, 0.1, 0.1  # weights of the newest observation
LEAST_VARIANCE = 1.0


class PublishedExponentialSmoothing(PublishedHeuristic):
    """Holt smoothing of the gym-invmgmt benchmark: `ExpSmoothing` (blind) and `ExpSmoothing-I`.

    Level a and trend b of each market's demand are smoothed with weights 0.3 and 0.1, beginning at
    the first demand and no trend. Node j orders up to S_j = m (L_j + 1) + z(CR_j) sigma with
    m = max(a + b, 0), summed over the node's own markets, or over all markets for a node that has
    none. Level and critical ratio are those of `published-newsvendor`. The variance is
    max(1, v) (L_j + 1), summed likewise, where v smooths the squared error of the forecast with
    weight 0.1 and begins at the first demand.

    As published: the trend moves the level once and is not extended over the lead time; informed,
    the mean is smoothed all the same and only the variance comes from the mean curve; before the
    first demand the level is that of `published-newsvendor`, with a deviation of at least 1 in a
    period; nothing is done about the end of the horizon.

    Source: Barati and Hu (2026), gym-invmgmt, arXiv:2605.11355.

    Args:
        problem: A supply network.
        information: `blind` learns the variance from its errors, `informed` takes it from the mean curve.
    """

    name: ClassVar[str] = "published-exponential-smoothing"
    summary: ClassVar[str] = "as published with gym-invmgmt: newsvendor level at a Holt forecast"

    def __init__(self, problem: NetworkProblem, information: Information | None = None) -> None:
        super().__init__(problem, information)
        self._quantile = quantiles(self.problem)
        retailers = self._retailer[:, None] == np.arange(len(self.problem.nodes))
        self._serves = np.where(retailers.any(axis=0), retailers, True).astype(np.float64)  # (M, N)

    def _wanted(self, view: View, position: Array) -> Array:
        periods = self._lead_time + 1.0
        if view.t == 0:
            mean, deviation = (number[:, None] for number in self._forecast.now(view))
            mean, variance = mean * periods, deviation**2 * periods
        else:
            expected, error = smoothed(view.past["demand"])
            mean = (expected @ self._serves) * periods
            if self.information == "informed":
                variance = self._serves.sum(axis=0) * self._forecast.over(view, self._lead_time)[1] ** 2
            else:
                variance = (np.maximum(error, LEAST_VARIANCE) @ self._serves) * periods
        return np.maximum(order_up_to(mean, np.sqrt(variance), self._quantile) - position, 0.0)

    def parameters_in_words(self) -> dict[str, Any]:
        """Return the weights."""
        return {"weight of level": LEVEL, "weight of trend": TREND, "weight of error": ERROR}


def smoothed(demand: Array) -> tuple[Array, Array]:
    """Return the next period's forecast and its mean squared error after a past, each of shape (B, M).

    Args:
        demand: At least one period, shape (B, t, M).
    """
    level, trend, error = demand[:, 0], np.zeros_like(demand[:, 0]), demand[:, 0]
    for t in range(1, demand.shape[1]):
        forecast = level + trend
        error = error + ERROR * ((demand[:, t] - forecast) ** 2 - error)
        before = level
        level = LEVEL * demand[:, t] + (1.0 - LEVEL) * forecast
        trend = TREND * (level - before) + (1.0 - TREND) * trend
    return np.maximum(level + trend, 0.0), error
