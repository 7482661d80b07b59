"""Poisson demand: counts with variance equal to the mean."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from restock.demand import laws
from restock.demand.distribution import Array, Distribution


class Poisson(Distribution):
    """Counts of independent customers."""

    name: ClassVar[str] = "poisson"
    law: ClassVar[int] = laws.POISSON

    def draw(self, generator: np.random.Generator, mean: Array) -> Array:
        """Return the demands of the given means; a constant mean takes NumPy's faster scalar path, same numbers."""
        first = mean.item(0) if mean.size else 0.0
        if mean.size and np.count_nonzero(mean != first) == 0:
            return generator.poisson(first, size=mean.shape).astype(np.float64)
        return generator.poisson(mean).astype(np.float64)

    def deviation(self, mean: Array, noise_scale: float = 1.0) -> Array:
        """sqrt(mean)."""
        return np.asarray(noise_scale * np.sqrt(mean))
