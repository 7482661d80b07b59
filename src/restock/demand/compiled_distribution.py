"""Distributions of your own that are compiled into the dynamics: one function from a random number to demand."""

from __future__ import annotations

import abc
import math
from typing import Any, ClassVar

import numpy as np
import pydantic

from restock.core.errors import InvalidInput
from restock.demand import laws, rowwise
from restock.demand.distribution import MOST_SAMPLES, Array, Distribution

PLACES: Array = (np.arange(2000, dtype=np.float64) + 0.5) / 2000.0  # probabilities that tell a law's deviation


class CompiledDistribution(Distribution, abc.ABC):
    """Demand by a function `demand_at` of your own, which runs wherever the built-in laws run.

    Under goodwill, in rollouts, row-wise and in training it is evaluated at the mean of the moment, on the same
    random number whatever a policy did. Two numbers of the description reach it: what the properties `spread` and
    `power` return, by default 0.

    Raises:
        InvalidInput: `demand_at` cannot be compiled, or does not return a finite number.
    """

    law: ClassVar[int] = laws.OWN

    @staticmethod
    @abc.abstractmethod
    def demand_at(uniform: float, mean: float, spread: float, power: float) -> float:
        """Return the demand at a quantile: plain Python with `math`, compiled by numba, or compiled already.

        Args:
            uniform: Probability that demand is not more, in (0, 1).
            mean: Mean demand (units/period), goodwill included; at least 0.
            spread: What the property `spread` returns.
            power: What the property `power` returns.
        """

    @pydantic.model_validator(mode="after")
    def _compiles(self) -> CompiledDistribution:
        function, mend = type(self).demand_at, "Use numbers, `math`, and functions compiled by numba.njit."
        try:
            found = [float(laws.own_law(function)(u, 10.0, self.spread, self.power)) for u in (0.01, 0.5, 0.99)]
        except Exception as error:  # numba raises one of its own for each thing that it cannot do
            said = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise InvalidInput("", self.name, f"its demand_at cannot be compiled: {said}", mend) from None
        if not all(map(math.isfinite, found)):
            raise InvalidInput(
                "", self.name, f"its demand_at must return finite numbers, got {found} for a mean of 10", mend
            )
        return self

    def draw(self, generator: np.random.Generator, mean: Array) -> Array:
        """Return independent demands around the means: the law at uniform numbers."""
        return self.quantile(generator.random(np.shape(mean)), np.asarray(mean))

    def quantile(self, uniform: Array, mean: Array) -> Array:
        """Return the demand at given quantiles, same shape as `mean`."""
        return self.demands(np.asarray(uniform), np.asarray(mean, dtype=np.float64), 1.0)

    def demands(self, uniform: Array, mean: Array, noise_scale: float) -> Array:
        """Return the demand at given quantiles and a noise scale, same shape as `mean`; see `laws.demand_of`."""
        found: Array = rowwise.numpy_demand(
            self.law, mean.ravel(), self.spread, self.power, noise_scale, uniform.ravel(), type(self).demand_at
        )
        return found.reshape(mean.shape)

    def deviation(self, mean: Array, noise_scale: float = 1.0) -> Array:
        """Return the standard deviation at given means and a noise scale, that of 2000 quantiles."""
        mean = np.asarray(mean, dtype=np.float64)
        places = np.unique(mean)
        if len(places) > MOST_SAMPLES:
            places = np.geomspace(max(places[0], 1e-9), max(places[-1], 1e-9), MOST_SAMPLES)
        found = [self.quantile(PLACES, np.full(len(PLACES), one)).std() for one in places]
        return np.asarray(noise_scale * np.interp(mean, places, found))


def own_function(distribution: Any) -> Any:
    """Return the function that says the law of a distribution of one's own; None for another distribution."""
    return type(distribution).demand_at if isinstance(distribution, CompiledDistribution) else None
