"""Uniform demand on an interval centred at the mean."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import pydantic

from restock.core.errors import InvalidInput
from restock.core.validation import LARGEST
from restock.demand import laws
from restock.demand.distribution import Array, Distribution


class Uniform(Distribution):
    """Uniform on [0, 2 mean]; with `low` and `high`, on that interval at its own mean.

    Effects and goodwill scale the whole interval.
    """

    name: ClassVar[str] = "uniform"
    law: ClassVar[int] = laws.UNIFORM

    low: float | None = pydantic.Field(None, ge=0.0, le=LARGEST, description="least demand (units/period)")
    high: float | None = pydantic.Field(None, ge=0.0, le=LARGEST, description="most demand (units/period)")

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> Uniform:
        if (self.low is None) != (self.high is None):
            name = "high" if self.high is None else "low"
            raise InvalidInput(name, None, "low and high go together", f"Add `{name}: ...`.")
        if self.low is not None and self.high is not None and self.high < self.low:
            raise InvalidInput("high", self.high, f"this is below low = {self.low}", "Write a larger number.")
        return self

    def mean_of(self, mean: float | None) -> float | None:
        """Return the middle of the interval, if one is given."""
        return mean if self.low is None or self.high is None else (self.low + self.high) / 2.0

    @property
    def spread(self) -> float:
        """Half the width of the interval, as a share of the mean."""
        if self.low is None or self.high is None or self.high == 0.0:
            return 1.0
        return (self.high - self.low) / (self.high + self.low)

    @property
    def power(self) -> float:
        """The exponent by which the interval scales with the mean."""
        return 1.0

    def draw(self, generator: np.random.Generator, mean: Array) -> Array:
        """Return the demands of the given means."""
        return generator.uniform(mean * (1.0 - self.spread), mean * (1.0 + self.spread))

    def deviation(self, mean: Array, noise_scale: float = 1.0) -> Array:
        """Return the width / sqrt(12)."""
        return np.asarray(noise_scale * self.spread * mean / math.sqrt(3.0))
