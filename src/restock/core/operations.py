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


def form_of(ints: Any) -> Any:
    """Return the number of the form that actions are written in, among `Problem.action_kinds`."""
    return ints[4]


UNIT, SHIFT, MOST = range(3)  # what is known of each number of a decision


def reading(what: int, i: Any, ints: Any, floats: Any) -> Any:
    """Return unit, shift or most of number i of a decision: they stand between the tables and the scales."""
    return floats[len(floats) - ints[3] + (what - 3) * ints[2] + i]


def read(number: Any, i: Any, ints: Any, floats: Any) -> Any:
    """Return number i of a decision that an action asks for: unit * (number + shift), from 0 to the most."""
    asked = reading(UNIT, i, ints, floats) * (number + reading(SHIFT, i, ints, floats))
    return smaller(positive(asked), reading(MOST, i, ints, floats))


def linear(action: Any, ints: Any, floats: Any, decision: Any) -> None:
    """Read an action as a decision, each number by `read`; one number of an action may ask for all."""
    apart = 0 if len(action) == 1 else 1
    for i in range(len(decision)):
        decision[i] = read(action[i * apart], i, ints, floats)
