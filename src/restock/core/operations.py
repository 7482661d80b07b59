"""The operations that a text of dynamics uses in place of branches on data.

These are the plain-Python meanings. Each back end (see `restock.core.backends`) binds the same
names to its own: compiled for numba, elementwise for NumPy, differentiable for torch.
"""

from __future__ import annotations

from typing import Any


def smaller(a: Any, b: Any) -> Any:
    """Return the smaller of two numbers."""
    return a if a < b else b


def larger(a: Any, b: Any) -> Any:
    """Return the larger of two numbers."""
    return a if a > b else b


def positive(a: Any) -> Any:
    """Return the number itself if positive, else zero."""
    return a if a > 0.0 else 0.0


def when(amount: Any, then: Any, otherwise: Any) -> Any:
    """Return `then` if the amount is above zero, else `otherwise`."""
    return then if amount > 0.0 else otherwise


def cut(flat: Any, start: int, length: int) -> Any:
    """Return a stretch of a flat array, as a view."""
    return flat[start : start + length]


def grid(flat: Any, start: int, rows: int, columns: int) -> Any:
    """Return a stretch of a flat array seen as a table, as a view."""
    return flat[start : start + rows * columns].reshape((rows, columns))


def reading(ints: Any, floats: Any) -> Any:
    """Return how an action is read: unit, shift and most of each number of the decision (see `Problem.reading`)."""
    n = ints[2]
    at = len(floats) - ints[3] - 3 * n
    return cut(floats, at, n), cut(floats, at + n, n), cut(floats, at + 2 * n, n)


def linear(action: Any, ints: Any, floats: Any, decision: Any) -> None:
    """Read an action as a decision, unit * (action + shift), from 0 to the most; one number may say it for all."""
    unit, shift, most = reading(ints, floats)
    apart = 0 if len(action) == 1 else 1
    for i in range(len(decision)):
        decision[i] = smaller(positive(unit[i] * (action[i * apart] + shift[i])), most[i])
