"""Demand resampled from a series: bootstrap, in blocks or whole windows."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pydantic

from restock.core.errors import InvalidInput
from restock.demand import laws
from restock.demand.distribution import Array, Distribution


class Empirical(Distribution):
    """Runs of consecutive observations, drawn with replacement from the series.

    With `block: 1` days are independent; longer blocks keep the pattern within the week; with
    `block: window` an episode is one stretch of the series as it happened.
    """

    name: ClassVar[str] = "empirical"
    law: ClassVar[int] = laws.DETERMINISTIC

    block: int | Literal["window"] = pydantic.Field(1, description="length of a run (periods), or window")

    @pydantic.field_validator("block")
    @classmethod
    def _at_least_one(cls, block: int | str) -> int | str:
        if isinstance(block, int) and block < 1:
            raise InvalidInput("", block, "a block has at least one period", "Write 1 or more, or window.")
        return block

    def resample(self, starts: Array, series: Array, periods: int) -> Array:
        """An episode of the series, shape (T, M).

        Args:
            starts: Uniform numbers in (0, 1), shape (T,); one a block is used.
            series: Observations, shape (S, M); markets keep their common day.
            periods: Length of the episode [T].
        """
        length = periods if self.block == "window" else min(int(self.block), periods)
        length = min(length, len(series))
        blocks = -(-periods // length)
        first = np.minimum((starts[:blocks] * (len(series) - length + 1)).astype(np.int64), len(series) - length)
        days = (first[:, None] + np.arange(length)[None, :]).ravel()[:periods]
        return np.asarray(series[days], dtype=np.float64)

    def draw(self, generator: np.random.Generator, mean: Array) -> Array:
        """The resampled series stands in the mean already."""
        return mean.copy()
