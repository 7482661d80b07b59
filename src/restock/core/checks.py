"""Checks of plain arguments that many public functions share."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from restock.core.errors import InvalidInput


def whole_number(field: str, value: Any, least: int = 1, example: int | None = None) -> int:
    """The whole number of at least so much that a parameter should be.

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
        raise InvalidInput(field, value, f"this is a whole number of at least {least}", mend)
    return int(value)


def yes_or_no(field: str, value: Any, mend: str = "Write true or false.") -> bool:
    """The truth value that a parameter should be.

    Raises:
        InvalidInput: It is not.
    """
    if not isinstance(value, bool):
        raise InvalidInput(field, value, "this is true or false", mend)
    return value
