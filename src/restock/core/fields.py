"""Recorded fields by name, taken out of the record when they are first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from restock.core.trajectory import Array


class Fields(Mapping[str, Array]):
    """Recorded fields by name, each taken out when it is first asked for.

    Args:
        record: Recorded rows, shape (..., R).
        places: Where each field stands in a row (`Layout.places`).
        copied: Whether a field is a copy, which may be written to; else it is a view of the record.
    """

    __slots__ = ("_copied", "_places", "_record", "_taken")

    def __init__(self, record: Array, places: Mapping[str, Any], copied: bool = False) -> None:
        self._record, self._places, self._copied = record, places, copied
        self._taken: dict[str, Array] = {}

    def __getitem__(self, name: str) -> Array:
        found = self._taken.get(name)
        if found is None:
            found = self._record[..., self._places[name]]
            self._taken[name] = found = found.copy() if self._copied else found
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def locked(values: Array) -> Array:
    """Return the same numbers without a copy, so that nobody can write to them through what is returned.

    NumPy lets `setflags` lift a lock from a view of an array that owns its numbers, but not from one of
    a read-only buffer.
    """
    if not values.size:
        return np.broadcast_to(values, values.shape)
    return np.asarray(np.ascontiguousarray(values).data.toreadonly())
