"""The interface of a demand distribution: draws around a given mean, and quantiles."""

from __future__ import annotations

import abc
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from restock.core import streams
from restock.core.validation import Spec
from restock.demand import laws

Array = NDArray[np.float64]

SAMPLE = 20_000  # draws that say the deviation of a model which does not state it
MOST_SAMPLES = 64  # means at which they are made; between them deviations are interpolated


class Distribution(Spec, abc.ABC):
    """Demand around a mean. Distributions of your own derive from this and are added by `register`.

    `law`, `spread` and `power` place a built-in model among the compiled laws of
    `restock.demand.laws`. An own model derives from `CompiledDistribution`, if its demand is a function of the
    mean and one random number. Else it keeps law GIVEN and may override `quantile`; it is then drawn
    outside compiled code, also under goodwill.
    """

    name: ClassVar[str]
    law: ClassVar[int] = laws.GIVEN

    @property
    def spread(self) -> float:
        """Spread at a mean of 1 (see `laws.demand_of`)."""
        return 0.0

    @property
    def power(self) -> float:
        """The spread grows as mean ** power."""
        return 0.0

    @abc.abstractmethod
    def draw(self, generator: np.random.Generator, mean: Array) -> Array:
        """Draw independent demands around the means, same shape; they may be negative, the sampler cuts at 0."""

    @property
    def has_quantiles(self) -> bool:
        """Whether `quantile` can be used: the distribution is a built-in one, or overrides the method."""
        return self.law != laws.GIVEN or type(self).quantile is not Distribution.quantile

    def quantile(self, uniform: Array, mean: Array) -> Array:
        """Return the demand at given quantiles, same shape as `mean`."""
        pairs = zip(uniform.ravel(), mean.ravel(), strict=True)
        values = [laws.demand_of(self.law, m, self.spread, self.power, 1.0, u) for u, m in pairs]
        return np.array(values, dtype=np.float64).reshape(mean.shape)

    def shift(self, mean: Array, noise_scale: Array | float) -> Array | float:
        """Return what is added to a draw, before it is cut at 0, so that the cut demand keeps its mean."""
        return 0.0

    def mean_of(self, mean: float | None) -> float | None:
        """Return the mean that the distribution's own parameters fix, or the given one."""
        return mean

    def deviation(self, mean: Array, noise_scale: float = 1.0) -> Array:
        """Return the standard deviation at given means and a noise scale; by default that of a large sample."""
        generator = streams.generator(0, "deviation of demand")
        mean = np.asarray(mean, dtype=np.float64)
        places = np.unique(mean)
        if len(places) > MOST_SAMPLES:
            places = np.geomspace(max(places[0], 1e-9), max(places[-1], 1e-9), MOST_SAMPLES)
        found = [np.maximum(self.draw(generator, np.full(SAMPLE, one)), 0.0).std() for one in places]
        return np.asarray(noise_scale * np.interp(mean, places, found))
