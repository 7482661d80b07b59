"""What `info` tells after a step, read from the recorded fields of one environment or of many rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from restock.core.problem import Array, Problem


class Reader(NamedTuple):
    """Where something that is told stands in a recorded line."""

    group: str  # the mapping it belongs to; empty for none
    name: str
    start: int
    stop: int
    shape: tuple[int, ...]
    truth: bool


def readers(problem: Problem) -> tuple[Reader, ...]:
    """Where everything stands that a problem tells."""
    found = []
    for told in problem.told():
        columns = problem.layout.columns[told.field]
        group, _, name = told.name.rpartition(".")
        start = int(columns[told.entry])
        found.append(Reader(group, name, start, start + math.prod(told.shape), told.shape, told.truth))
    return tuple(found)


def tell(found: Sequence[Reader], line: Array, info: MutableMapping[str, Any]) -> None:
    """Add what one recorded line, shape (R,), tells."""
    for group, name, start, stop, shape, truth in found:
        value: Any = line.item(start) if shape == () else line[start:stop].reshape(shape)
        into = info if group == "" else info.setdefault(group, {})
        into[name] = value > 0.0 if truth else value


def tell_rows(
    found: Sequence[Reader], lines: Array, played: NDArray[np.bool_], infos: MutableMapping[str, Any]
) -> None:
    """Add what the lines of many rows, shape (B, R), tell, and for which rows it holds."""
    for group, name, start, stop, shape, truth in found:
        value: Any = lines[:, start].copy() if shape == () else lines[:, start:stop].reshape(len(lines), *shape).copy()
        into = infos if group == "" else infos.setdefault(group, {})
        into[name] = value > 0.0 if truth else value
        infos[f"_{group or name}"] = played


def copied(infos: Mapping[str, Any], ended: NDArray[np.bool_]) -> dict[str, Any]:
    """The same once more, to be kept for the rows that ended."""
    kept: dict[str, Any] = {}
    for name, value in infos.items():
        if name.startswith("_"):
            kept[name] = ended.copy()
        else:
            kept[name] = {k: v.copy() for k, v in value.items()} if isinstance(value, dict) else value.copy()
    return kept
