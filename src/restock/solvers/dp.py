"""Finite-horizon dynamic programming over a table of states and choices."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from restock.core.problem import Array


@dataclasses.dataclass(frozen=True)
class Optimum:
    """The optimal values and choices by the number of periods left.

    Attributes:
        values: Expected sum of rewards from period t on, shape (T + 1, S).
        choices: The best choice in period t, the first of several, shape (T, S).
        begins: Chance of each state at the start, shape (S,).
    """

    values: Array
    choices: NDArray[np.int64]
    begins: Array

    @property
    def value(self) -> float:
        """The expected return of an episode."""
        return float(self.begins @ self.values[0])


def backward(rewards: Array, chances: Array, periods: int, begins: Array | None = None) -> Optimum:
    """Backward induction: V_t(s) = max_a r(s, a) + sum_s' P(s' | s, a) V_{t+1}(s'), with nothing at the end.

    Source: Puterman (1994), Markov Decision Processes, section 4.5.

    Args:
        rewards: Expected reward of a period, shape (S, A); minus infinity where a choice cannot be made.
        chances: Probability of the next state, shape (S, A, S).
        periods: Periods to play [T].
        begins: Chance of each state at the start, shape (S,); None: it is the first.

    Example:
        >>> stay_or_go = backward(np.array([[1.0, 0.0], [3.0, 0.0]]), np.eye(2)[np.array([[0, 1], [1, 0]])], 3)
        >>> stay_or_go.values[0].tolist()
        [6.0, 9.0]
    """
    values = np.zeros((periods + 1, len(rewards)))
    choices = np.empty((periods, len(rewards)), dtype=np.int64)
    for t in range(periods - 1, -1, -1):
        worth = rewards + chances @ values[t + 1]
        choices[t] = worth.argmax(axis=1)
        values[t] = worth.max(axis=1)
    return Optimum(values, choices, np.eye(1, len(rewards))[0] if begins is None else begins)
