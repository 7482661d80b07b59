"""The memory of an episode of one environment, and the compiled loop that plays a period of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core import backends
from restock.core.problem import ActionForm, Array, ObservationForm, Problem
from restock.envs.fast.info import Teller

Seen = tuple[Any, dict[str, Any]]  # an observation and its `info`
ENDING = 8  # where the loop writes how the episode ended


class Episode:
    """One episode after the other.

    The memory holds the row that the dynamics read and write [W], then a line for the beginning and for each period:
    what is recorded, what is monitored, the parts of the reward and it [(T + 1) x L], then the observations as
    float32 [(T + 1) x O].

    Args:
        problem: What is played.
        tables: What `Problem.tables` returns for these forms.
        action: Form of the actions.
        observation: Form of the observations.
        dtype: Type of the actions.
        alone: Whether an action is a number and not an array.

    Attributes:
        play: The loop, called with the period, `handle` and the action; it returns the reward, NaN if it was refused.
        handle: The address of what the loop works on.
        no_action: What the loop takes where nothing is played.
        views: Observation and `info` of each period, once it is played.
        written: What the loop writes besides; `written[ENDING]` says how the episode ended.
        lines: Of the beginning and each period, shape (T + 1, L).
    """

    def __init__(
        self, problem: Problem, tables: Any, action: ActionForm, observation: ObservationForm, dtype: Any, alone: bool
    ) -> None:
        self._problem, self._tables, self._dtype, self._alone = problem, tables, dtype, alone
        self._teller = Teller(problem, observation)
        self._highest = action.high.astype(np.float64) if action.discrete else None
        self._decisions, self._size = len(action.labels), len(observation.labels)
        self._line = tables.recorded + len(problem.monitored) + len(problem.parts) + 1
        self._width = len(tables.fresh)
        self._tail = self._width + (problem.horizon + 1) * self._line  # where the observations begin
        self._memory = np.zeros(self._tail + ((problem.horizon + 1) * self._size + 1) // 2)
        self._bind()

    def _bind(self) -> None:
        """Set up what is not pickled: the loop, its addresses, and the views of its memory."""
        self.play: Callable[..., float] = self._loop(int if self._alone else (self._dtype, 1))
        self.no_action = 0 if self._alone else np.zeros(self._decisions, dtype=self._dtype)
        ints, floats = self._tables.ints, self._tables.floats
        self._place = np.zeros(10, dtype=np.int64)
        self.written = memoryview(self._place.data)  # reading a number from it costs a quarter of what the array takes
        self._place[:4] = ints.ctypes.data, len(ints), floats.ctypes.data, len(floats)
        self._place[9] = 0 if self._highest is None else self._highest.ctypes.data
        self.handle = self._place.ctypes.data
        self._look()
        self.expect(0)

    def __getstate__(self) -> dict[str, Any]:
        bound = {"play", "no_action", "written", "handle", "lines", "views", "_place", "_seen"}
        return {name: value for name, value in self.__dict__.items() if name not in bound}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._bind()

    def begin(self, episode: Array) -> Seen:
        """Begin an episode in a memory of its own; return the first observation and its `info`.

        Args:
            episode: What was drawn for it.
        """
        memory = np.empty(len(self._memory))
        self._tables.begun(memory[: self._width], episode)
        self._memory = memory
        self._look()
        self.play(-1, self.handle, self.no_action)
        self.expect(0)
        return next(self.views)

    def play_numbers(self, t: int, numbers: Array) -> float:
        """Play a period with an action of numbers in float64, in a loop that is compiled at first use."""
        return float(self._loop((np.float64, 1))(t, self.handle, numbers))

    def expect(self, line: int) -> None:
        """Set up the views of the lines from this one on."""
        self.views: Iterator[Seen] = self._teller.periods(self.lines[line:], self._seen[line:])

    @property
    def row(self) -> Array:
        """Everything that the dynamics read and write, shape (W,)."""
        return self._memory[: self._width]

    @property
    def drawn(self) -> Array:
        """What was drawn for the episode."""
        return self._memory[self._width - self._tables.drawn : self._width]

    def _loop(self, action: Any) -> Callable[..., float]:
        return backends.entry(self._problem.kernels.single, int, int, action)

    def _look(self) -> None:
        """View the memory behind the row, and pass its addresses to the loop."""
        count = len(self._memory[self._width : self._tail]) // self._line
        self.lines: Array = self._memory[self._width : self._tail].reshape((count, self._line))
        seen: NDArray[np.float32] = self._memory[self._tail :].view(np.float32)
        self._seen = seen[: count * self._size].reshape((count, self._size))
        place = self._memory.ctypes.data
        self._place[4:8] = place, self._tail, place + 8 * self._tail, count * self._size
