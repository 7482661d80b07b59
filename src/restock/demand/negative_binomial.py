"""Negative binomial demand: counts more variable than Poisson."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pydantic

from restock.demand import laws
from restock.demand.distribution import Array, Distribution


class NegativeBinomial(Distribution):
    """Counts with variance mean + mean**2 / dispersion; a dispersion of 1 is geometric from 0."""

    name: ClassVar[str] = "negative_binomial"
    law: ClassVar[int] = laws.NEGATIVE_BINOMIAL

    dispersion: float = pydantic.Field(5.0, ge=1e-3, le=1e9, description="smaller is more variable")

    @property
    def spread(self) -> float:
        """The dispersion."""
        return self.dispersion

    def draw(self, generator: np.random.Generator, mean: Array) -> Array:
        """Return the demands of the given means."""
        counts = generator.negative_binomial(self.dispersion, self.dispersion / (self.dispersion + mean))
        return np.asarray(counts, dtype=np.float64)

    def deviation(self, mean: Array, noise_scale: float = 1.0) -> Array:
        """Return sqrt(mean + mean**2 / dispersion)."""
        return np.asarray(noise_scale * np.sqrt(mean + mean**2 / self.dispersion))
