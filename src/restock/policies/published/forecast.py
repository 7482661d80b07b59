"""The demand forecasts of the published heuristics: mean and spread now, and over a lead time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from restock.core.problem import Array
from restock.policies._base import View
from restock.problems.network import NetworkProblem

WINDOW = 5  # periods that a blind forecast looks back on
LEAST_DEVIATION = 1.0
FALLBACK = 20.0  # prior mean where the retailers start empty


class Forecast:
    """Mean and standard deviation of one market's demand, blind or informed.

    Blind: the mean of all demands of the last five periods, and the mean over the markets of the
    standard deviation in those periods (the root of the mean before there are three of them).
    Before the first demand, retailers are taken to have been stocked for the longest lead time:
    the prior is their mean initial inventory, divided by the longest lead time of any link plus one.

    Informed: the mean of the mean curves, times goodwill as it stands now; past the end of the
    horizon the effects go on. The spread is taken to be that of Poisson demand, scaled by
    `noise_scale`, whatever the distribution.

    In a network with several markets this is the demand of *one* market, the mean over all of
    them, also where a node serves many: so it is defined, for networks with a single market.

    Args:
        problem: A supply network, as the policy may know it.
        informed: Whether the mean curve may be used.
        longest: Most periods after the present one that will be asked for.
    """

    def __init__(self, problem: NetworkProblem, informed: bool, longest: int) -> None:
        self._informed = informed
        self._periods = problem.horizon
        self._least = problem.demand.least_mean
        self._noise = problem.demand.noise_scale
        self._afterwards = problem.demand.mean_until(problem.horizon + longest)[problem.horizon :].mean(axis=1)
        stock = {node.id: node.initial_inventory or 0.0 for node in problem.spec.managed}
        retailers = {market.source for market in problem.spec.ordered_markets}
        wait = max(link.lead_time for link in problem.spec.ordered_links) + 1
        prior = sum(stock[node] for node in retailers) / len(retailers) / wait
        self._prior = prior if prior > 0.0 else FALLBACK

    def now(self, view: View) -> tuple[Array, Array]:
        """Return the mean and standard deviation of a period's demand, each of shape (B,)."""
        if self._informed:
            mean = self._curve(view, 0)[:, 0]
            return mean, np.maximum(self._deviation(mean), LEAST_DEVIATION)
        demand = view.past["demand"]
        recent = demand[:, max(view.t - WINDOW, 0) : view.t]
        if view.t == 0:
            mean = np.full(len(demand), self._prior)
        else:
            mean = recent.mean(axis=(1, 2))
        deviation = np.std(recent, axis=1, ddof=1).mean(axis=1) if view.t >= 3 else np.sqrt(mean)
        return mean, np.maximum(deviation, LEAST_DEVIATION)

    def over(self, view: View, lead_time: NDArray[np.int64]) -> tuple[Array, Array]:
        """Return the mean and standard deviation of the demand in periods t .. t + lead time.

        Args:
            view: What is known.
            lead_time: One for each node, shape (N,) (periods).

        Returns:
            Two arrays of shape (B, N).
        """
        if not self._informed:
            mean, deviation = self.now(view)
            periods = lead_time + 1.0
            return mean[:, None] * periods, deviation[:, None] * np.sqrt(periods)
        curve = self._curve(view, int(lead_time.max()))
        means, variances = np.cumsum(curve, axis=1), np.cumsum(self._deviation(curve) ** 2, axis=1)
        return means[:, lead_time], np.sqrt(variances[:, lead_time])

    def _curve(self, view: View, ahead: int) -> Array:
        """Return mean demand of one market in periods t .. t + ahead, at the present goodwill, shape (B, ahead + 1)."""
        assert view.mean is not None
        known = view.mean[:, view.t : view.t + ahead + 1].mean(axis=2)
        late = self._afterwards[: max(view.t + ahead + 1 - self._periods, 0)]
        curve = np.concatenate([known, np.broadcast_to(late, (len(known), len(late)))], axis=1)
        return np.maximum(curve * view["sentiment"], self._least)

    def _deviation(self, mean: Array) -> Array:
        """Return the standard deviation of Poisson demand, with its noise scaled; 1 if there is no demand."""
        return np.where(mean > 0.0, np.sqrt(mean) * self._noise, 1.0)
