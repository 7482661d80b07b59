"""Effects that change the mean of demand over time; they multiply, in this order."""

from __future__ import annotations

import math

import numpy as np
import pydantic
from numpy.typing import NDArray

from restock.core.errors import InvalidInput, nearest
from restock.core.validation import Spec


class Trend(Spec):
    """Growth: factor 1 + slope * t."""

    slope: float = pydantic.Field(
        0.05, ge=-1e6, le=1e6, description="growth per period, as a share of the mean at t = 0"
    )

    def factor(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the factor on the mean in each period."""
        return 1.0 + self.slope * t


class Seasonal(Spec):
    """A sine wave: factor 1 + amplitude * sin(2 pi (t + phase) / period)."""

    amplitude: float = pydantic.Field(0.5, ge=0.0, le=1e6, description="height of the wave, as a share of the mean")
    period: float = pydantic.Field(30.0, ge=1e-3, le=1e9, description="periods from crest to crest")
    phase: float = pydantic.Field(0.0, ge=-1e9, le=1e9, description="periods by which the wave is early")

    def factor(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the factor on the mean in each period."""
        wave: NDArray[np.float64] = 1.0 + self.amplitude * np.sin((2.0 * math.pi / self.period) * (t + self.phase))
        return wave


class Shock(Spec):
    """A lasting jump: factor `size` from period `time` on."""

    time: int = pydantic.Field(15, ge=0, description="first period with the new level")
    size: float = pydantic.Field(2.0, ge=0.0, le=1e6, description="factor on the mean from then on")

    def factor(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the factor on the mean in each period."""
        return np.where(t >= self.time, self.size, 1.0)


class Effects(Spec):
    """The effects in force, each with its parameters."""

    trend: Trend | None = None
    seasonal: Seasonal | None = None
    shock: Shock | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _from_names(cls, data: object) -> object:
        """Accept ["trend", "shock"] and {"trend": True} beside full parameters."""
        names = [data] if isinstance(data, str) else data
        if isinstance(names, list):
            for k, name in enumerate(names):
                if not isinstance(name, str) or name not in cls.model_fields:
                    at = f"[{k}]" if names is data else ""
                    raise InvalidInput(at, name, "there is no such effect", nearest(name, cls.model_fields))
            return {name: {} for name in names}
        if isinstance(data, dict):
            return {k: {} if v is True else None if v is False else v for k, v in data.items()}
        if data is not None and not isinstance(data, Effects):
            raise InvalidInput(
                "", data, "must be names of effects, or names with parameters", 'Write for instance ["trend"].'
            )
        return data

    def factor(self, periods: int) -> NDArray[np.float64]:
        """Return the product of all effects for t = 0 .. periods - 1, shape (T,)."""
        t = np.arange(periods, dtype=np.float64)
        product = np.ones(periods)
        for effect in (self.trend, self.seasonal, self.shock):
            if effect is not None:
                product = product * effect.factor(t)
        return product
