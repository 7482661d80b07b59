"""Demand known exactly: the mean itself."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from restock.demand import laws
from restock.demand.distribution import Array, Distribution


class Deterministic(Distribution):
    """Demand equal to its mean (a series, a constant, a forecast taken at its word)."""

    name: ClassVar[str] = "deterministic"
    law: ClassVar[int] = laws.DETERMINISTIC

    def draw(self, generator: np.random.Generator, mean: Array) -> Array:
        """Return the means."""
        return mean.copy()

    def deviation(self, mean: Array, noise_scale: float = 1.0) -> Array:
        """Return None."""
        return np.zeros_like(mean)
