"""Forecasts of demand for policies that look ahead, and their uncertainty.

All forecasts are of demand at a goodwill of 1; the policy brings in the goodwill it plans for.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from restock.core.problem import Array
from restock.demand.effects import Effects, Seasonal, Shock, Trend
from restock.policies._base import View

CURVES = 2000  # of the belief; twice as many change the profit by less than its standard error
SHORTEST, LONGEST = 5.0, 60.0  # seasons, in periods
RECENT = 5  # periods


@dataclasses.dataclass(frozen=True)
class Outlook:
    """A forecast for a batch of episodes.

    Attributes:
        mean: Expected demand, shape (B, T, M) (units/period).
        noise: Factor on the deviation that the distribution has at the mean, shape (B,).
        curves: Mean demand curves that are possible, shape (C, T), as factors on the prior mean.
        weights: How likely each is, shape (B, C).
    """

    mean: Array
    noise: Array
    curves: Array
    weights: Array

    def doubt(self, b: int, prior: Array, t: int, windows: Sequence[int]) -> Array:
        """Return the standard deviation of the sum of means over the last periods, from t on, shape (T, R).

        Args:
            b: The episode.
            prior: Mean demand of each retailer, which the factors multiply, shape (T, R).
            t: The period about to be played.
            windows: Periods that are summed, one number for each retailer; those before t are known.
        """
        doubt = np.zeros(prior.shape)
        for r, window in enumerate(windows if len(self.curves) > 1 else ()):
            first, last = window_of(prior.shape[0], t, window)
            summed = np.cumsum(np.insert(self.curves * prior[:, r], 0, 0.0, axis=1), axis=1)
            total = summed[:, last + 1] - summed[:, first]
            mean = self.weights[b] @ total
            doubt[:, r] = np.sqrt(np.maximum(self.weights[b] @ total**2 - mean**2, 0.0))
        return doubt

    def sample(self, b: int, prior: Array, uniform: Array) -> Array:
        """Return the mean curves drawn by their weight, shape (K, T, M).

        Args:
            b: The episode.
            prior: Mean demand that the factors multiply, shape (T, M).
            uniform: Numbers in (0, 1), shape (K,).
        """
        if len(self.curves) == 1:
            return np.broadcast_to(self.mean[b], (len(uniform), *self.mean[b].shape))
        drawn = np.minimum(np.searchsorted(np.cumsum(self.weights[b]), uniform), len(self.curves) - 1)
        means: Array = self.curves[drawn][:, :, None] * prior
        return means


class Forecast(abc.ABC):
    """A source of outlooks for one problem."""

    def __init__(self, problem: Any) -> None:
        self.problem = problem

    def begin(self, episodes: int) -> None:  # noqa: B027 - most need nothing
        """Prepare for a batch of episodes."""

    @abc.abstractmethod
    def look(self, view: View) -> Outlook:
        """Return what is expected from period `view.t` on."""


class Told(Forecast):
    """The true mean curve, for an informed policy."""

    def look(self, view: View) -> Outlook:
        """Return the curve itself, without doubt."""
        assert view.mean is not None
        return _sure(view.mean, self.problem)


class Recent(Forecast):
    """The mean of the last five periods, continued for ever; the configured prior at the start."""

    def look(self, view: View) -> Outlook:
        """Return a flat curve."""
        shape = (len(view["on_hand"]), self.problem.horizon, len(self.problem.markets))
        if view.t == 0:
            return _sure(np.broadcast_to(self.problem.demand.mean, shape), self.problem)
        recent = view.past["demand"][:, -RECENT:].mean(axis=1)
        return _sure(np.broadcast_to(recent[:, None, :], shape), self.problem)


class Belief(Forecast):
    """A Bayesian belief about which of many demand curves is the true one.

    The prior is a broad family around the configured mean: level, trend, seasonal wave of any phase,
    one lasting shock at any time, each as likely there as not, and how noisy demand is. After each
    period the weight of a curve is multiplied by the (normal) density of the demand it explains:

        w_c ~ prod_k prod_m  N(D[k, m];  mu_c[k, m] s[k],  nu_c sigma(mu_c[k, m] s[k]))

    with s the goodwill, which everyone can see. The forecast is the mean over the curves.
    """

    def __init__(self, problem: Any) -> None:
        super().__init__(problem)
        self._curves, self._noise = demand_family(problem.horizon, CURVES)

    def begin(self, episodes: int) -> None:
        """Reset all curves to equal probability."""
        self._likelihood = np.zeros((episodes, len(self._curves)))
        self._seen = 0

    def look(self, view: View) -> Outlook:
        """Update with the demand since the last look."""
        demand = self.problem.demand
        for k in range(self._seen, view.t):
            expected = self._curves[:, k, None] * demand.mean[k]  # (C, M)
            goodwill = view.past["sentiment"][:, k, 0]
            means = np.maximum(goodwill[:, None, None] * expected, demand.least_mean)  # (B, C, M)
            spread = self._noise[:, None] * demand.noise_scale * demand.distribution.deviation(means)
            variance = np.maximum(spread**2, 1.0 / 12.0)  # demand may be counted in whole units
            distance = view.past["demand"][:, k, None, :] - means
            self._likelihood -= 0.5 * (np.log(variance) + distance**2 / variance).sum(axis=2)
        self._seen = view.t
        weights = np.exp(self._likelihood - self._likelihood.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        # One by one: a product of matrices rounds by their sizes, and an episode must not depend on its batch.
        mean = np.stack([one @ self._curves for one in weights])[:, :, None] * demand.mean
        noise = demand.noise_scale * np.array([one @ self._noise for one in weights])
        return Outlook(mean, noise, self._curves, weights)


def demand_family(periods: int, count: int) -> tuple[Array, Array]:
    """Return curves and noise of a broad family of demand, the same for the same arguments.

    Level 0.5 to 2 (evenly in logarithm), trend of 0 to 0.1 a period, seasonal wave with an amplitude
    of 0 to 0.8, a period of 5 to 60 (or to the horizon, where that is longer; evenly in logarithm) and any
    phase, shock to 0.4 to 3 times the level at any time; each of the last three is absent from half of the
    curves. Noise 0.5 to 3 times that of the distribution.

    Returns:
        Factors on the prior mean, shape (C, T), and on the noise, shape (C,).
    """
    generator = np.random.default_rng(0)
    curves = np.empty((count, periods))
    for row in curves:
        there = generator.random(3) < 0.5
        slope, amplitude, phase = generator.uniform(0.0, [0.1, 0.8, 1.0])
        season = _between(generator, SHORTEST, max(LONGEST, float(periods)))
        time, size = int(generator.integers(periods)), _between(generator, 0.4, 3.0)
        effects = Effects(
            trend=Trend(slope=slope) if there[0] else None,
            seasonal=Seasonal(amplitude=amplitude, period=season, phase=season * phase) if there[1] else None,
            shock=Shock(time=time, size=size) if there[2] else None,
        )
        row[:] = _between(generator, 0.5, 2.0) * effects.factor(periods)
    noise = np.array([_between(generator, 0.5, 3.0) for _ in range(count)])
    return curves, noise


def _between(generator: np.random.Generator, low: float, high: float) -> float:
    """Return a number between two others on a logarithmic scale."""
    return float(np.exp(generator.uniform(np.log(low), np.log(high))))


def _sure(mean: Array, problem: Any) -> Outlook:
    rows = len(mean)
    nothing = np.zeros((1, problem.horizon))
    return Outlook(np.asarray(mean), np.full(rows, problem.demand.noise_scale), nothing, np.ones((rows, 1)))


def window_spread(deviation: Array, t: int, windows: Sequence[int]) -> Array:
    """Return the deviation of the sum of independent demands over the last periods, from t on.

    Args:
        deviation: Of each period and retailer, shape (..., T, R).
        t: The period about to be played.
        windows: Periods that are summed, one number for each retailer.
    """
    variance = np.asarray(deviation) ** 2
    summed = np.cumsum(np.insert(variance, 0, 0.0, axis=-2), axis=-2)
    spread = np.empty_like(variance)
    for r, window in enumerate(windows):
        first, last = window_of(variance.shape[-2], t, window)
        spread[..., r] = np.sqrt(np.maximum(summed[..., last + 1, r] - summed[..., first, r], 0.0))
    return spread


def window_of(periods: int, t: int, window: int) -> tuple[Any, Any]:
    """Return first and last period of the window that ends in each period, none of it before t; shapes (T,)."""
    last = np.arange(periods)
    return np.maximum(np.minimum(t, last), last - window + 1), last
