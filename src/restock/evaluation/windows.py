"""Windows of one recorded series: a past to plan with, then overlapping episodes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core.checks import whole_number
from restock.core.errors import InvalidInput
from restock.core.problem import Array
from restock.demand.series import check_series


@dataclasses.dataclass(frozen=True)
class Windows:
    """A series, its past, and the windows cut from the rest.

    Attributes:
        series: All of it, shape (S,).
        past: The first `past` periods belong to no window; policies may be planned with them.
        length: Periods in a window [T].
        every: Periods from the start of a window to the start of the next.
        starts: First period of each window, shape (B,).
    """

    series: Array
    past: int
    length: int
    every: int
    starts: NDArray[np.int64]

    @property
    def history(self) -> Array:
        """The demand before the first window, shape (past,)."""
        return self.series[: self.past]

    @property
    def episodes(self) -> Array:
        """The windows, shape (B, T)."""
        cut_out: Array = self.series[self.starts[:, None] + np.arange(self.length)]
        return cut_out

    @property
    def block(self) -> int:
        """The number of consecutive windows that share data with the first of them, itself included."""
        return max(1, min(len(self.starts), -(-self.length // self.every)))

    @property
    def used(self) -> int:
        """The number of periods that lie in at least one window."""
        return len(np.unique(self.starts[:, None] + np.arange(self.length)))


def cut(series: Any, length: int, every: int, past: int = 0) -> Windows:
    """Cut a series into windows of `length` periods, one starting every `every` periods after the past.

    A step that shares no factor with 7 lets windows of daily data begin on every day of the week.

    Args:
        series: One number a period, shape (S,).
        length: Periods in a window.
        every: Periods between starts; less than `length` makes windows overlap.
        past: Periods at the start kept for planning.

    Raises:
        InvalidInput: An argument is not a whole number in range, or no window fits.

    Example:
        >>> windows = cut([5, 6, 7, 8, 9, 10], length=3, every=2, past=1)
        >>> windows.episodes.tolist()
        [[6.0, 7.0, 8.0], [8.0, 9.0, 10.0]]
        >>> windows.block
        2
    """
    values = check_series(series)
    if values.ndim != 1:
        raise InvalidInput("series", f"shape {values.shape}", "windows are cut from one series", "Give one column.")
    for name, value, least in (("length", length, 1), ("every", every, 1), ("past", past, 0)):
        whole_number(name, value, least, example=30)
    if past + length > len(values):
        raise InvalidInput(
            "past", past, f"{length} periods after it do not fit into {len(values)}", "Keep less, or give more data."
        )
    starts = np.arange(past, len(values) - length + 1, every, dtype=np.int64)
    return Windows(values, int(past), int(length), int(every), starts)
