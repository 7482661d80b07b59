"""Checks of the parameters of the store's policies."""

from __future__ import annotations

from typing import Any

import numpy as np

from restock.core.errors import InvalidInput


def number(field: str, value: Any, least: float, most: float) -> float:
    """Return a number within bounds.

    Raises:
        InvalidInput: It is none.
    """
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not real or not least <= value <= most:
        problem = f"must be a number from {least:g} to {most:g}"
        raise InvalidInput(field, value, problem, f"Write for instance {max(least, min(1.0, most)):g}.")
    return float(value)
