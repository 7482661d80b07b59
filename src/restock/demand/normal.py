"""Normal demand, cut at zero by the sampler."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import pydantic

from restock.core.errors import InvalidInput
from restock.core.validation import LARGEST
from restock.demand import laws
from restock.demand.distribution import Array, Distribution


class Normal(Distribution):
    """Normal around the mean; without parameters the variance equals the mean.

    Demand cannot be negative: what is drawn below 0 counts as 0. So that demand keeps its stated mean all
    the same, the normal is moved down by what the cut adds; its standard deviation is then below the
    stated one (at cv = 1: 0.86 of it). Where the mean is at least 4 standard deviations nothing is moved.
    """

    name: ClassVar[str] = "normal"
    law: ClassVar[int] = laws.NORMAL

    sd: float | None = pydantic.Field(None, ge=0.0, le=LARGEST, description="standard deviation (units/period)")
    cv: float | None = pydantic.Field(None, ge=0.0, le=1e6, description="standard deviation as a share of the mean")

    @pydantic.model_validator(mode="after")
    def _one_of_them(self) -> Normal:
        if self.sd is not None and self.cv is not None:
            raise InvalidInput("cv", self.cv, "sd and cv say the same thing twice", "Give one of them.")
        return self

    @property
    def spread(self) -> float:
        """sd, cv, or 1."""
        return self.sd if self.sd is not None else self.cv if self.cv is not None else 1.0

    @property
    def power(self) -> float:
        """0 with sd, 1 with cv, else 1/2."""
        return 0.0 if self.sd is not None else 1.0 if self.cv is not None else 0.5

    def draw(self, generator: np.random.Generator, mean: Array) -> Array:
        """Return the demands of the given means before the cut."""
        return generator.normal(mean, self._before_cut(mean))

    def shift(self, mean: Array, noise_scale: Array | float) -> Array:
        """Return what is added before the cut so that the cut demand has the stated mean; 0 far from zero."""
        mean, deviation = np.broadcast_arrays(mean, noise_scale * self._before_cut(mean))
        shift = np.zeros(mean.shape)
        near = np.flatnonzero(mean < laws.FAR_FROM_ZERO * deviation)
        pairs = zip(mean.ravel()[near].tolist(), deviation.ravel()[near].tolist(), strict=True)
        found = {pair: laws.normal_location(*pair) - pair[0] for pair in set(pairs)}
        pairs = zip(mean.ravel()[near].tolist(), deviation.ravel()[near].tolist(), strict=True)
        shift.ravel()[near] = [found[pair] for pair in pairs]
        return shift

    def deviation(self, mean: Array, noise_scale: float = 1.0) -> Array:
        """Return the standard deviation of the cut demand: that of a cut normal, and the stated one far from zero."""
        stated = noise_scale * self._before_cut(mean)
        near = mean < laws.FAR_FROM_ZERO * stated
        if not np.any(near):
            return stated
        location = mean + self.shift(mean, noise_scale)
        ratio = np.divide(location, stated, out=np.zeros_like(location), where=stated > 0.0)
        above = np.vectorize(lambda a: 0.5 * math.erfc(-a / math.sqrt(2.0)))(ratio)
        density = np.exp(-0.5 * ratio**2) / math.sqrt(2.0 * math.pi)
        second = (location**2 + stated**2) * above + location * stated * density
        return np.asarray(np.where(near, np.sqrt(np.maximum(second - mean**2, 0.0)), stated))

    def _before_cut(self, mean: Array) -> Array:
        return np.asarray(self.spread * np.asarray(mean) ** self.power)
