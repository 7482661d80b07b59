"""From a demand spec to the exogenous information of an episode.

`Demand` fixes a spec for a number of markets and periods. An episode of it is a vector
[rules | mean (T, M) | draw (T, M)]: where the mean does not depend on the state the draws are the
demands themselves (law GIVEN); under goodwill they are uniform numbers that the dynamics turn into
quantiles of the mean at hand.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from restock.core import streams
from restock.core.errors import InvalidInput
from restock.core.validation import LARGEST
from restock.demand import laws
from restock.demand.draws import Counts, cumulative
from restock.demand.empirical import Empirical
from restock.demand.poisson import Poisson
from restock.demand.series import SeriesSource, check_series
from restock.demand.spec import DemandSpec, Goodwill

Array = NDArray[np.float64]

DEFAULT_MEAN = 20.0
LEAST_MEAN = 0.1
MOST_DEVIATION = 1e4  # of a count whose quantiles are searched


@dataclasses.dataclass(frozen=True)
class Path:
    """Demand of one episode, as the dynamics take it.

    Attributes:
        mean: Mean before goodwill, shape (T, M).
        draw: Demand itself (law GIVEN) or uniform numbers, shape (T, M).
        law: Code in `restock.demand.laws`.
    """

    mean: Array
    draw: Array
    law: int


class Demand:
    """A demand spec fixed for given markets and periods.

    Args:
        spec: The description.
        means: Mean of each market where the spec names none, shape (M,).
        periods: Length of an episode [T].

    Raises:
        InvalidInput: Means or series do not fit the markets or the horizon.
    """

    def __init__(self, spec: DemandSpec, means: list[float | None], periods: int) -> None:
        self.spec = spec
        self.periods = periods
        self.markets = len(means)
        self.distribution = spec.resolved
        if spec.sampler == "inverse" and not self.distribution.has_quantiles:
            raise InvalidInput(
                "demand.sampler", "inverse", f"{self.distribution.name} says no quantiles",
                "Override its `quantile`, or use sampler: numpy.",
            )  # fmt: skip
        self.noise_scale = 1.0 if spec.noise_scale is None else spec.noise_scale
        self.goodwill: Goodwill | None = spec.goodwill
        self.least_mean = 0.0 if spec.series is not None else LEAST_MEAN
        self._factor = spec.effects.factor(periods)[:, None]
        self._tables: list[tuple[Array, NDArray[np.int64]]] = []  # of Poisson counts, and where they hold
        self._series = self._read_series()
        self._base = self._base_mean(means)
        self.mean = np.maximum(self._base * self._factor, 0.0)
        if self.mean.max(initial=0.0) > LARGEST:
            t = int(np.argmax(self.mean.max(axis=1)))
            peak = f"{self.mean.max():g} in period {t}"
            problem = f"the effects drive the mean above {LARGEST:g}"
            raise InvalidInput("demand.effects", peak, problem, "Weaken them, or shorten the horizon.")
        self._check_counts()
        # Under goodwill the floor comes after the feedback, in the dynamics.
        self._drawn_mean = self.mean if self.state_dependent else np.maximum(self.mean, self.least_mean)

    @property
    def state_dependent(self) -> bool:
        """Whether demand depends on what the policy did (goodwill)."""
        return self.goodwill is not None

    @property
    def sequential(self) -> bool:
        """Whether demand must be drawn period by period outside compiled code."""
        own = self.distribution.law == laws.GIVEN
        return self.state_dependent and (own or self.spec.sampler == "sequential")

    @property
    def means_are_fixed(self) -> bool:
        """Whether every episode has the same means before goodwill."""
        return not isinstance(self.distribution, Empirical)

    @cached_property
    def counts(self) -> Counts | None:
        """The demand itself as Poisson counts around fixed means, where it is that."""
        if self.state_dependent or type(self.distribution) is not Poisson:
            return None
        return Counts(self._drawn_mean, self.noise_scale)

    @property
    def can_draw_ahead(self) -> bool:
        """Whether one draw of many episodes takes the same numbers as a draw for each."""
        return self.means_are_fixed and not self.sequential and self.distribution.law != laws.GIVEN

    def _check_counts(self) -> None:
        """Counts are searched one by one for their quantiles, which has to end in reasonable time."""
        inverted = self.spec.sampler == "inverse" or (self.state_dependent and not self.sequential)
        if not inverted or self.distribution.law not in (laws.POISSON, laws.NEGATIVE_BINOMIAL):
            return
        most = self.mean.max(initial=0.0) * (max(1.0, self.goodwill.cap) if self.goodwill else 1.0)
        deviation = float(self.distribution.deviation(np.array(most)))
        if deviation > MOST_DEVIATION:
            problem = f"counts that stray by {deviation:g} cannot be sampled by inversion ({MOST_DEVIATION:g} can)"
            mend = "Count in a larger unit, use distribution: normal, or sampler: sequential."
            raise InvalidInput("demand.mean", float(most), problem, mend)

    def mean_until(self, periods: int) -> Array:
        """The mean curve continued, shape (periods, M): effects go on, a series ends at its last value.

        Args:
            periods: At least the length of an episode.
        """
        base = self._base
        if self._series is not None and not isinstance(self.distribution, Empirical):
            base = self._series[:periods]
        base = np.concatenate([base, np.repeat(base[-1:], periods - len(base), axis=0)])
        curve: Array = np.maximum(base * self.spec.effects.factor(periods)[:, None], 0.0)
        return curve

    def path(self, generator: np.random.Generator) -> Path:
        """The next episode of NumPy's generator."""
        mean, draw, law = self.paths(generator, 1)
        return Path(mean[0], draw[0], law)

    def paths(self, generator: np.random.Generator, count: int) -> tuple[Array, Array, int]:
        """The next episodes of NumPy's generator: means and draws of shape (count, T, M), and the law."""
        mean = self._drawn_mean
        if isinstance(self.distribution, Empirical):
            mean = np.stack([self._resampled(generator.random(self.periods)) for _ in range(count)])
        elif count == 1:
            mean = mean[None]
        else:
            mean = np.broadcast_to(mean, (count, *mean.shape))
        if self.sequential:
            return mean, np.zeros(mean.shape), laws.GIVEN
        if self.state_dependent:
            return mean, generator.random(mean.shape), self.distribution.law
        return mean, self._cut(self.distribution.draw(generator, mean), mean), laws.GIVEN

    def path_at(self, key: int, episode: int) -> Path:
        """Episode number `episode` of a counter stream."""
        mean = self._drawn_mean
        size = mean.size
        uniform = streams.uniform(key, episode, size + self.periods)
        if isinstance(self.distribution, Empirical):
            mean = self._resampled(uniform[size:])
        draw = uniform[:size].reshape(mean.shape)
        if self.state_dependent:
            return Path(mean, draw, self.distribution.law)
        return Path(mean, self._cut(self._quantiles(draw, mean), mean), laws.GIVEN)

    def paths_at(self, keys: NDArray[np.uint64], episodes: NDArray[np.int64]) -> tuple[Array, Array, int]:
        """`path_at` for many rows: means and draws of shape (B, T, M), and the law."""
        if isinstance(self.distribution, Empirical):
            each = [self.path_at(int(k), int(e)) for k, e in zip(keys, episodes, strict=True)]
            return np.stack([p.mean for p in each]), np.stack([p.draw for p in each]), each[0].law
        mean = self._drawn_mean
        draw = streams.uniforms(keys, episodes, mean.size).reshape((len(keys), *mean.shape))
        means = np.broadcast_to(mean, draw.shape)
        if self.state_dependent:
            return means, draw, self.distribution.law
        return means, self._cut(self._quantiles(draw, mean), mean), laws.GIVEN

    def draw_now(self, generator: np.random.Generator, mean: Array) -> Array:
        """Demand of one period at the mean of the moment, goodwill included; shape (M,)."""
        mean = np.maximum(mean, self.least_mean)
        return self._cut(self.distribution.draw(generator, mean), mean)

    def _quantiles(self, draw: Array, mean: Array) -> Array:
        """Quantiles of the distribution; Poisson counts by look-up in one table for each mean.

        Args:
            draw: Uniform numbers, shape (T, M) or (B, T, M).
            mean: Means of the episodes, shape (T, M); for Poisson counts the same at every call.
        """
        if self.distribution.law != laws.POISSON or mean.max(initial=0.0) > laws.LARGE_MEAN:
            flat = draw.reshape((-1, *mean.shape))
            return np.stack([self.distribution.quantile(one, mean) for one in flat]).reshape(draw.shape)
        if not self._tables:
            self._tables = [(cumulative(float(one)), np.flatnonzero(mean == one)) for one in np.unique(mean)]
        if len(self._tables) == 1:
            return np.searchsorted(self._tables[0][0], draw).astype(np.float64)
        flat = draw.reshape((-1, mean.size))
        result = np.empty_like(flat)
        for table, places in self._tables:
            result[:, places] = np.searchsorted(table, flat[:, places])
        return result.reshape(draw.shape)

    def _cut(self, drawn: Array, mean: Array) -> Array:
        if self.noise_scale == 1.0:
            return np.maximum(drawn, 0.0)
        return np.maximum(mean + self.noise_scale * (drawn - mean), 0.0)

    def _resampled(self, starts: Array) -> Array:
        assert isinstance(self.distribution, Empirical) and self._series is not None
        return self.distribution.resample(starts, self._series, self.periods) * self._factor

    def _read_series(self) -> Array | None:
        source = self.spec.series
        if source is None:
            return None
        series = source.read() if isinstance(source, SeriesSource) else check_series(source, "demand.series")
        if series.ndim == 1:
            series = np.repeat(series[:, None], self.markets, axis=1)
        if series.shape[1] != self.markets:
            raise InvalidInput(
                "demand.series",
                f"{series.shape[1]} columns",
                f"the number of retail links is {self.markets}",
                "Give one column, or one for each.",
            )
        if len(series) < self.periods and not isinstance(self.distribution, Empirical):
            raise InvalidInput(
                "demand.series",
                f"{len(series)} of {self.periods} periods",
                "the series is shorter than the horizon",
                "Give a longer series, a shorter horizon, or distribution: empirical to resample it.",
            )
        return series

    def _base_mean(self, means: list[float | None]) -> Array:
        """Mean of each market before effects, shape (T, M)."""
        if self._series is not None:
            if isinstance(self.distribution, Empirical):
                return np.repeat(self._series.mean(axis=0)[None, :], self.periods, axis=0)
            return self._series[: self.periods]
        given = self.spec.mean
        if given is None:
            fixed = self.distribution.mean_of(None)
            values = [fixed if fixed is not None else DEFAULT_MEAN if m is None else m for m in means]
        else:
            values = given if isinstance(given, list) else [given] * self.markets
        if len(values) != self.markets:
            raise InvalidInput(
                "demand.mean", given, f"the number of retail links is {self.markets}", "Give one number, or one each."
            )
        return np.repeat(np.array(values, dtype=np.float64)[None, :], self.periods, axis=0)
