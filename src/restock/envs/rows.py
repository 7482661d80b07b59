"""What callers of a vector environment give for its rows: seeds, modes, array-likes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from restock.core import streams
from restock.core.errors import InvalidInput, nearest


def seeds_of(seed: Any, rows: int) -> list[int | None]:
    """One seed a row: seed + i from one number; None where the stream of a row goes on.

    Raises:
        InvalidInput: It is neither a seed nor one for each row.
    """
    if seed is None:
        return [None] * rows
    if isinstance(seed, (list, tuple)) or (isinstance(seed, np.ndarray) and seed.ndim):
        if len(seed) != rows:
            raise InvalidInput("seed", seed, f"there are {rows} rows", "Give one seed each, or one number.")
        return [None if s is None else streams.check_seed(s, f"seed[{i}]") for i, s in enumerate(seed)]
    first = streams.check_seed(seed)
    return [first + i for i in range(rows)]


def array_or_nothing(values: Any) -> NDArray[Any]:
    """The values as an array to look at; an empty one of objects where they make none."""
    try:
        return np.asarray(values)
    except Exception:  # ragged, or an array-like of another library, which may raise anything
        return np.empty(0, dtype=object)


def refuse_not_finite(actions: NDArray[Any], labels: Sequence[str]) -> None:
    """Check that actions of shape (B, A) are finite.

    Raises:
        InvalidInput: One is not, with its row.
    """
    wrong = ~np.isfinite(actions)
    if wrong.any():
        row, i = (int(k) for k in np.argwhere(wrong)[0])
        field, what = f"actions[{row}][{i}]", f"{labels[i]} must be finite"
        raise InvalidInput(field, float(actions[row, i]), what, "Give a number.")


def mode_of(mode: Any) -> AutoresetMode:
    """The autoreset mode from itself, its name or its value.

    Raises:
        InvalidInput: It is none.
    """
    if isinstance(mode, AutoresetMode):
        return mode
    for known in AutoresetMode:
        if isinstance(mode, str) and mode in (known.value, known.name):
            return known
    raise InvalidInput("autoreset_mode", mode, "there is no such mode", nearest(mode, [m.name for m in AutoresetMode]))
