"""Demand resampled from a series: bootstrap, in blocks or whole windows."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pydantic

from restock.core import streams
from restock.core.errors import InvalidInput
from restock.demand import laws
from restock.demand.distribution import Array, Distribution

SUMS = 20_000  # sums of resampled demand that stand for their distribution


class Empirical(Distribution):
    """Runs of consecutive observations, drawn with replacement from the series.

    With `block: 1` periods are independent; longer blocks keep the pattern within the week; with
    `block: window` an episode is one stretch of the series as it happened.

    `Demand` ties the model to its series (`of`); before that it has neither a deviation nor quantiles.
    Where the mean moves (effects, goodwill), observations move with it in proportion.
    """

    name: ClassVar[str] = "empirical"
    law: ClassVar[int] = laws.RESAMPLED

    block: int | Literal["window"] = pydantic.Field(1, description="length of a run (periods), or window")
    _series: Array = pydantic.PrivateAttr(default_factory=lambda: np.zeros((1, 1)))  # shape (S, M)

    @pydantic.field_validator("block")
    @classmethod
    def _at_least_one(cls, block: int | str) -> int | str:
        if isinstance(block, int) and block < 1:
            raise InvalidInput("", block, "must be at least one period", "Write 1 or more, or window.")
        return block

    def of(self, series: Array) -> Empirical:
        """Return the model tied to its observations, shape (S, M)."""
        tied = self.model_copy()
        tied._series = series
        return tied

    @property
    def observed(self) -> Array:
        """The series that is drawn from, shape (S, M)."""
        return self._series

    @property
    def _relative(self) -> Array:
        """Observations as multiples of the mean of their market, shape (S, M)."""
        mean = self._series.mean(axis=0)
        relative: Array = np.divide(self._series, mean, out=np.ones_like(self._series), where=mean > 0.0)
        return relative

    def _run(self, periods: int) -> int:
        """Return the length of a run in an episode of so many periods."""
        length = periods if self.block == "window" else min(int(self.block), periods)
        return min(length, len(self._series))

    def expected(self, periods: int) -> Array:
        """Return the mean of each period of an episode before effects, shape (periods, M).

        A period is a place in its run; every run of the series is equally likely, so what is expected
        there is the mean of the observations that can stand in that place.
        """
        length = self._run(periods)
        starts = len(self._series) - length + 1
        by_place = np.stack([self._series[k : k + starts].mean(axis=0) for k in range(length)])
        return np.asarray(by_place[np.arange(periods) % length])

    def resample(self, starts: Array, periods: int) -> Array:
        """Return an episode of the series, shape (T, M).

        Args:
            starts: Uniform numbers in (0, 1), shape (T,); one a run is used.
            periods: Length of the episode [T].
        """
        series = self._series
        length = self._run(periods)
        runs = -(-periods // length)
        first = np.minimum((starts[:runs] * (len(series) - length + 1)).astype(np.int64), len(series) - length)
        days = (first[:, None] + np.arange(length)[None, :]).ravel()[:periods]
        return np.asarray(series[days], dtype=np.float64)

    def draw(self, generator: np.random.Generator, mean: Array) -> Array:
        """Draw resampled demand in proportion to means of shape (..., T, M); all markets share the period drawn."""
        drawn = np.empty(mean.shape)
        periods, level = mean.shape[-2], self._series.mean(axis=0)
        for place in np.ndindex(mean.shape[:-2]):
            found = self.resample(np.asarray(generator.random(periods)), periods)
            drawn[place] = mean[place] * np.divide(found, level, out=np.ones_like(found), where=level > 0.0)
        return drawn

    def quantile(self, uniform: Array, mean: Array) -> Array:
        """Return the demand at given quantiles of the series, in proportion to the means; shape of `mean`, (..., M)."""
        ordered = np.sort(self._relative, axis=0)
        place = np.minimum((uniform * len(ordered)).astype(np.int64), len(ordered) - 1)
        found = np.take_along_axis(ordered, place.reshape(-1, ordered.shape[1]), axis=0)
        return np.asarray(found.reshape(mean.shape) * mean)

    def deviation(self, mean: Array, noise_scale: float = 1.0) -> Array:
        """Return the standard deviation of the series, in proportion to means of shape (..., M)."""
        return np.asarray(noise_scale * mean * self._relative.std(axis=0))

    def sums(self, weights: Array, periods: int, noise_scale: float = 1.0) -> Array:
        """Return the sorted sums of weighted demand over consecutive periods, as multiples of their mean, shape (n,).

        They stand for the distribution of the demand over a lead time, correlation within a run
        included: all stretches of the series for `window`, else resampled ones that begin anywhere in
        a run.

        Args:
            weights: Of the markets, shape (M,).
            periods: At least 1.
            noise_scale: How many times as far as observed demand strays from its mean, at least 0 in each period.

        Returns:
            The sums; ones where nothing is ever asked for.
        """
        level = self._series.mean(axis=0)
        series = np.maximum(level + noise_scale * (self._series - level), 0.0) @ weights
        if not series.any():
            return np.ones(1)
        series = series / float(level @ weights)
        if periods == 1:
            return np.sort(series)
        total = np.concatenate([[0.0], np.cumsum(series)])
        if self.block == "window" and periods <= len(series):
            return np.sort(total[periods:] - total[:-periods]) / periods
        generator = streams.generator(0, "sums of a series")
        length = min(len(series) if self.block == "window" else int(self.block), len(series))
        sums = np.zeros(SUMS)
        left = np.full(SUMS, periods)
        begun = generator.integers(length, size=SUMS)  # periods of the first run that are over already
        while (left > 0).any():
            first = generator.integers(len(series) - length + 1, size=SUMS)
            taken = np.minimum(length - begun, left)
            sums += total[first + begun + taken] - total[first + begun]
            left -= taken
            begun[:] = 0
        return np.sort(sums) / periods
