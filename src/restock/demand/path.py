"""From a demand spec to the exogenous information of an episode.

`Demand` fixes a spec for a number of markets and periods. An episode of it is a vector
[rules | mean (T, M) | draw (T, M)]: where the mean does not depend on the state the draws are the
demands themselves (law GIVEN); under goodwill they are uniform numbers that the dynamics turn into
quantiles of the mean at hand.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core import streams
from restock.core.errors import InvalidInput
from restock.core.validation import LARGEST
from restock.demand import laws
from restock.demand.compiled_distribution import CompiledDistribution
from restock.demand.distribution import Distribution
from restock.demand.draws import Counts, cumulative
from restock.demand.empirical import Empirical
from restock.demand.normal import Normal
from restock.demand.poisson import Poisson
from restock.demand.series import SeriesSource, check_series
from restock.demand.spec import DemandSpec, Goodwill

Array = NDArray[np.float64]

DEFAULT_MEAN = 20.0
LEAST_MEAN = 0.1  # of the published model, where trend or goodwill would drive the mean below it
MOST_DEVIATION = 1e4  # of a count whose quantiles are searched


@dataclasses.dataclass(frozen=True)
class Path:
    """Demand of one episode, as the dynamics read it.

    Attributes:
        mean: Mean before goodwill, shape (T, M).
        draw: Demand itself (law GIVEN) or uniform numbers, shape (T, M).
        law: Code in `restock.demand.laws`.
    """

    mean: Array
    draw: Array
    law: int


class NoPrior:
    """A placeholder for demand of which nothing is known beforehand: planning with it raises what is missing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what Python asks of any object when it copies or pickles it
            raise AttributeError(name)
        raise InvalidInput(
            "demand.prior", None, "whoever does not know the series plans for what was known before, and that is not "
            "said", "Write beside the series `past: N` (its first N periods are history) or `prior: MEAN`, or choose "
            "policies that are told its mean (information: informed).",
        )  # fmt: skip


class Demand:
    """A demand spec bound to given markets and periods.

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
        self._factor = spec.effects.factor(periods)[:, None]
        self._tables: list[tuple[Array, NDArray[np.int64]]] = []  # of Poisson counts, and where they hold
        prior = spec.prior.mean if spec.prior is not None else None
        if isinstance(prior, list) and len(prior) != self.markets:
            mend = "Give one number, or one each."
            raise InvalidInput("demand.prior", prior, f"the number of retail links is {self.markets}", mend)
        self._series = self._read_series()
        if isinstance(self.distribution, Empirical) and self._series is not None:
            self.distribution = self.distribution.of(self._series)
        self._base = self._base_mean(means)
        self.least_mean = LEAST_MEAN if self._published_floor() else 0.0
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
        """Whether demand depends on past decisions (goodwill)."""
        return self.goodwill is not None

    @property
    def sequential(self) -> bool:
        """Whether demand must be drawn period by period outside compiled code."""
        own = self.distribution.law == laws.GIVEN
        resampled = isinstance(self.distribution, Empirical)  # in runs, which are drawn ahead
        return self.state_dependent and not resampled and (own or self.spec.sampler == "sequential")

    @cached_property
    def counts(self) -> Counts | None:
        """The demand as Poisson counts around fixed means, if it is that."""
        if self.state_dependent or type(self.distribution) is not Poisson:
            return None
        return Counts(self._drawn_mean, self.noise_scale)

    @property
    def can_draw_ahead(self) -> bool:
        """Whether one draw of many episodes uses the same numbers as a draw for each."""
        return not self.sequential and self.distribution.law != laws.GIVEN

    def _published_floor(self) -> bool:
        """Return whether the mean is kept at or above `LEAST_MEAN`, as in the published model of trend and goodwill.

        A mean that is stated below the floor, or that comes from a series, is never raised to it.
        """
        spec = self.spec
        published = spec.series is None and (spec.effects.trend is not None or spec.goodwill is not None)
        return published and bool((self._base >= LEAST_MEAN).all())

    def _check_counts(self) -> None:
        """Check that means are small enough for the search of a count's quantile to end in reasonable time."""
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
        """Return the mean curve continued, shape (periods, M): effects continue, a series stays at its last value.

        Args:
            periods: At least the length of an episode.
        """
        base = self._base
        if self._series is not None and not isinstance(self.distribution, Empirical):
            base = self._series[self.spec.past :][:periods]
        base = np.concatenate([base, np.repeat(base[-1:], periods - len(base), axis=0)])
        curve: Array = np.maximum(base * self.spec.effects.factor(periods)[:, None], 0.0)
        return curve

    def path(self, generator: np.random.Generator) -> Path:
        """Return the next episode of NumPy's generator."""
        mean, draw, law = self.paths(generator, 1)
        return Path(mean[0], draw[0], law)

    def paths(self, generator: np.random.Generator, count: int) -> tuple[Array, Array, int]:
        """Return the next episodes of NumPy's generator: means and draws of shape (count, T, M), and the law."""
        mean = self._drawn_mean
        mean = mean[None] if count == 1 else np.broadcast_to(mean, (count, *mean.shape))
        if isinstance(self.distribution, Empirical):
            return mean, *self._resampled(generator.random((count, self.periods)))
        if self.sequential:
            return mean, np.zeros(mean.shape), laws.GIVEN
        if self.state_dependent:
            return mean, generator.random(mean.shape), self.distribution.law
        return mean, self.strayed(self.distribution.draw(generator, mean), mean, self.noise_scale), laws.GIVEN

    def path_at(self, key: int, episode: int) -> Path:
        """Return episode number `episode` of a counter stream."""
        mean, draw, law = self.paths_at(np.array([key], dtype=np.uint64), np.array([episode]))
        return Path(mean[0], draw[0], law)

    def paths_at(self, keys: NDArray[np.uint64], episodes: NDArray[np.int64]) -> tuple[Array, Array, int]:
        """Return the episodes of counter streams, one per row: means and draws of shape (B, T, M), and the law."""
        mean = self._drawn_mean
        shape = (len(keys), *mean.shape)
        means = np.broadcast_to(mean, shape)
        if isinstance(self.distribution, Empirical):
            return means, *self._resampled(streams.uniforms(keys, episodes, mean.size + self.periods)[:, mean.size :])
        draw = streams.uniforms(keys, episodes, mean.size).reshape(shape)
        if self.state_dependent:
            return means, draw, self.distribution.law
        return means, self._quantiles(draw, mean), laws.GIVEN

    def draw_now(self, generator: np.random.Generator, mean: Array) -> Array:
        """Return the demand of one period at the present mean, goodwill included; shape (M,)."""
        mean = np.maximum(mean, self.least_mean)
        return self.strayed(self.distribution.draw(generator, mean), mean, self.noise_scale)

    def quantile(self, uniform: Array, mean: Array, noise_scale: float) -> Array:
        """Return the demand at given quantiles, same shape as `mean`, (T, M)."""
        law = self.distribution
        if isinstance(law, CompiledDistribution):
            return law.demands(uniform, mean, noise_scale)
        if type(law).quantile is not Distribution.quantile:
            return self.strayed(law.quantile(uniform, mean), mean, noise_scale)
        pairs = zip(uniform.ravel(), mean.ravel(), strict=True)
        values = [laws.demand_of(law.law, m, law.spread, law.power, noise_scale, u) for u, m in pairs]
        return np.array(values, dtype=np.float64).reshape(mean.shape)

    def _quantiles(self, draw: Array, mean: Array) -> Array:
        """Return the demand at quantiles; Poisson counts from one table per mean.

        Args:
            draw: Uniform numbers, shape (B, T, M).
            mean: Means of the episodes, shape (T, M); for Poisson counts the same at every call.
        """
        if self.distribution.law != laws.POISSON or mean.max(initial=0.0) > laws.LARGE_MEAN:
            return np.stack([self.quantile(one, mean, self.noise_scale) for one in draw])
        if not self._tables:
            self._tables = [(cumulative(float(one)), np.flatnonzero(mean == one)) for one in np.unique(mean)]
        flat = draw.reshape((-1, mean.size))
        counts = np.empty_like(flat)
        for table, places in self._tables:
            counts[:, places] = np.searchsorted(table, flat[:, places])
        return self.strayed(counts.reshape(draw.shape), mean, self.noise_scale)

    def strayed(self, drawn: Array, mean: Array, noise_scale: Array | float) -> Array:
        """Return the demand with its deviation from the mean multiplied, at least 0.

        Args:
            drawn: From the distribution.
            mean: Of the same shape, or one that broadcasts to it.
            noise_scale: Likewise.
        """
        shift = self.distribution.shift(mean, noise_scale)
        if isinstance(noise_scale, float) and noise_scale == 1.0:
            return np.maximum(drawn + shift, 0.0)
        return np.maximum(mean + noise_scale * (drawn - mean) + shift, 0.0)

    def deviation(self, mean: Array) -> Array:
        """Return the standard deviation of demand at means of shape (..., M), same shape (units/period)."""
        return self.distribution.deviation(mean, self.noise_scale)

    def mean_after_cut(self) -> float | None:
        """Return the mean of the cut demand, if the cut at 0 moves it by more than 0.1%; else None.

        Normal demand keeps its mean; a noise scale above 1 may not.
        """
        stated = float(self._drawn_mean.mean())
        if self.noise_scale <= 1.0 or isinstance(self.distribution, Normal) or not self.distribution.has_quantiles:
            return None
        places = np.broadcast_to(((np.arange(2000) + 0.5) / 2000)[:, None], (2000, self.markets))
        mean = np.broadcast_to(self._drawn_mean.mean(axis=0), places.shape)
        becomes = float(self.quantile(places, mean, self.noise_scale).mean())
        return becomes if becomes > 1.001 * stated else None

    def _resampled(self, starts: Array) -> tuple[Array, int]:
        """Return draws of shape (B, T, M) from uniform numbers of shape (B, T), and the law that reads them."""
        assert isinstance(self.distribution, Empirical)
        days = np.stack([self.distribution.resample(one, self.periods) for one in starts])
        if not self.state_dependent:
            return self.strayed(days * self._factor, self.mean, self.noise_scale), laws.GIVEN
        return np.divide(days, self._base, out=np.ones_like(days), where=self._base > 0.0), laws.RESAMPLED

    def _read_series(self) -> Array | None:
        """Return the whole series, shape (S, M)."""
        source, past = self.spec.series, self.spec.past
        if source is None:
            return None
        series = source.read() if isinstance(source, SeriesSource) else check_series(source, "demand.series")
        columns = 1 if series.ndim == 1 else series.shape[1]
        if columns == 1 and self.markets > 1:
            if not self.spec.same:
                raise InvalidInput(
                    "demand.series", "1 column", f"there are {self.markets} retail links",
                    "Give one column for each, or write `same: true` where each sells as many as this.",
                )  # fmt: skip
            series = np.repeat(series.reshape(-1, 1), self.markets, axis=1)
        elif columns != self.markets:
            found, mend = f"{columns} columns", "Give one column for each."
            raise InvalidInput("demand.series", found, f"the number of retail links is {self.markets}", mend)
        series = series.reshape(len(series), self.markets)
        if len(series) < past + self.periods and not isinstance(self.distribution, Empirical):
            after = f" after {past} of history" if past else ""
            raise InvalidInput(
                "demand.series",
                f"{len(series) - past} of {self.periods} periods{after}",
                "the series is shorter than the horizon",
                "Give a longer series, a shorter horizon, or distribution: empirical to resample it.",
            )
        return series

    def history(self) -> Array:
        """Return the part of the series before an episode begins, shape (past, M); empty without."""
        return np.zeros((0, self.markets)) if self._series is None else self._series[: self.spec.past]

    def _base_mean(self, means: list[float | None]) -> Array:
        """Return the mean of each market before effects, shape (T, M)."""
        if self._series is not None:
            if isinstance(self.distribution, Empirical):
                return self.distribution.expected(self.periods)
            return self._series[self.spec.past :][: self.periods]
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
