"""Checks of plain arguments that many public functions share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core.errors import InvalidInput, nearest


def whole_number(field: str, value: Any, least: int = 1, example: int | None = None) -> int:
    """Check that a parameter is an integer of at least a given size.

    Args:
        field: Name of the parameter.
        value: What was given; NumPy's integers are fine, truth values are not.
        least: The least that is allowed.
        example: What to write, for the error; default: the least.

    Raises:
        InvalidInput: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        mend = f"Write for instance {least if example is None else example}."
        raise InvalidInput(field, value, f"must be an integer >= {least}", mend)
    return int(value)


def yes_or_no(field: str, value: Any, mend: str = "Write true or false.") -> bool:
    """Check that a parameter is a truth value.

    Raises:
        InvalidInput: It is not.
    """
    if not isinstance(value, bool):
        raise InvalidInput(field, value, "must be true or false", mend)
    return value


def recorded_names(exogenous: Any, known: Iterable[str], required: Iterable[str] | None = None) -> None:
    """Check that recorded information is a mapping with these names.

    Args:
        exogenous: What was given.
        known: The names there are.
        required: Those that must be there; None: all.

    Raises:
        InvalidInput: It is not, a name is unknown, or one is missing.
    """
    names = list(known)
    if not isinstance(exogenous, Mapping):
        example = ", ".join(f'"{name}": ...' for name in names)
        raise InvalidInput("exogenous", exogenous, "must be a mapping", f"Write {{{example}}}.")
    for name in exogenous:
        if name not in names:
            raise InvalidInput(f"exogenous.{name}", exogenous[name], "there is none", nearest(name, names))
    for name in names if required is None else required:
        if name not in exogenous:
            raise InvalidInput(f"exogenous.{name}", None, "this is required", f"Add {name}.")


def length_of(values: Any) -> int:
    """Return the length of an array or a list, ragged or not; 0 for a single number."""
    try:
        return len(values)
    except TypeError:
        return 0


def recorded_array(field: str, values: Any, shape: tuple[int, ...], least: float = 0.0) -> NDArray[np.float64]:
    """Return recorded numbers, checked to have a given shape.

    Raises:
        InvalidInput: They are not numbers of that shape, finite and at least so much.
    """
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "iuf":
            raise ValueError
        numbers: NDArray[np.float64] = array.astype(np.float64)
    except Exception:  # ragged, or an array-like of another library, which may raise anything
        raise InvalidInput(field, values, "must be numbers", f"Give an array of shape {shape}.") from None
    if numbers.shape != shape:
        raise InvalidInput(field, f"shape {numbers.shape}", f"must be {shape}", "Cut or pad it.")
    wrong = ~(np.isfinite(numbers) & (numbers >= least))
    if wrong.any():
        at = tuple(int(k) for k in np.argwhere(wrong)[0])
        place = field + "".join(f"[{k}]" for k in at)
        raise InvalidInput(place, float(numbers[at]), f"must be at least {least:g}", "Write a finite number.")
    return numbers
