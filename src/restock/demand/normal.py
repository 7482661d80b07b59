"""Normal demand, cut at zero by the sampler."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pydantic

from restock.core.errors import InvalidInput
from restock.core.validation import LARGEST
from restock.demand import laws
from restock.demand.distribution import Array, Distribution


class Normal(Distribution):
    """Normal around the mean; without parameters the variance equals the mean."""

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
        """Demands of the given means."""
        return generator.normal(mean, self.deviation(mean))

    def deviation(self, mean: Array) -> Array:
        """Standard deviation before the cut at zero."""
        return np.asarray(self.spread * mean**self.power)
