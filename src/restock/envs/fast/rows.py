"""The compiled loop that plays a period of every row of a vector environment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core import backends

OF_REPLY = ((np.float32, 2), (np.float64, 2), (np.bool_, 2))  # observations, what is told, flags


class Loop:
    """The loop over arrays that stay where they are.

    Args:
        kernel: The compiled template `batch`.
        tables: Integer and real tables.
        horizon: Periods after which an episode is cut.
        state: Memory, clocks, and which rows are over; a row of each.
        kept: Record and rewards; empty where nothing is kept.
        highest: Choice of each number of an action; None where actions are no choices.
    """

    def __init__(
        self,
        kernel: Any,
        tables: Any,
        horizon: int,
        state: Sequence[NDArray[Any]],
        kept: Sequence[NDArray[Any]],
        highest: NDArray[np.float64] | None,
    ) -> None:
        self._kernel = kernel
        self._used = (tables, *state, *kept, highest)  # they stay for as long as their addresses are used
        addresses = [one.ctypes.data if one is not None and one.size else 0 for one in (*state, *kept, highest)]
        ints, floats = tables.ints, tables.floats
        sizes = [ints.ctypes.data, len(ints), floats.ctypes.data, len(floats), len(state[0]), horizon]
        self._place = np.array([*sizes, *addresses], dtype=np.int64)
        self._handle = self._place.ctypes.data
        self._compiled: dict[Any, Callable[..., int]] = {}

    def compile(self, dtype: Any) -> Callable[..., int]:
        """Return the loop for actions of this type."""
        if dtype not in self._compiled:
            self._compiled[dtype] = backends.entry(self._kernel, int, (dtype, 2), *OF_REPLY)
        return self._compiled[dtype]

    def play(self, actions: NDArray[Any], *reply: NDArray[Any]) -> int:
        """Play a period and write the reply; return how many episodes ended, -1 if an action was refused.

        Args:
            actions: Of all rows, shape (B, A).
            *reply: Observations, what is told, and flags; see `kernels.batch`.
        """
        return self.compile(actions.dtype)(self._handle, actions, *reply)
