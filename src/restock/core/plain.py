"""Values in JSON's own types."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any


def plain(value: Any, without: Collection[str] = ()) -> Any:
    """Return the value in JSON's own types; a number that JSON does not have is null.

    Args:
        value: What is written as JSON.
        without: Names of entries that are left out, wherever they stand.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(entry, without) for key, entry in value.items() if key not in without}
    if isinstance(value, (list, tuple)):
        return [plain(entry, without) for entry in value]
    if hasattr(value, "tolist"):  # NumPy's arrays and numbers
        return plain(value.tolist(), without)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
