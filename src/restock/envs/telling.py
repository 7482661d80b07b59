"""What `info` tells after a step, read from the recorded fields of one environment or of many rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableMapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core.problem import Array, Problem


class Teller:
    """Where everything stands that a problem tells; false where it tells nothing."""

    def __init__(self, problem: Problem) -> None:
        self._numbers: list[tuple[str, int]] = []
        self._truths: list[tuple[str, int]] = []
        self._arrays: list[tuple[str, str, slice, tuple[int, ...] | None]] = []
        self._names: set[str] = set()
        self._from = self._to = 0  # the stretch of a line that single numbers stand in
        for told in problem.told():
            start = int(problem.layout.columns[told.field][told.entry])
            group, _, name = told.name.rpartition(".")
            self._names.add(group or name)
            if told.shape == ():
                (self._truths if told.truth else self._numbers).append((name, start))
                first, last = (start, start) if self._to == 0 else (self._from, self._to - 1)
                self._from, self._to = min(first, start), max(last, start) + 1
            else:
                shape = told.shape if len(told.shape) > 1 else None
                self._arrays.append((group, name, slice(start, start + math.prod(told.shape)), shape))

    def __bool__(self) -> bool:
        return bool(self._names)

    def tell(self, line: Array, info: MutableMapping[str, Any]) -> None:
        """Add what one recorded line, shape (R,), tells."""
        if self._numbers or self._truths:
            begin = self._from
            values = line[begin : self._to].tolist()  # costs less than reading a few numbers one by one
            for name, k in self._numbers:
                info[name] = values[k - begin]
            for name, k in self._truths:
                info[name] = values[k - begin] > 0.0
        for group, name, where, shape in self._arrays:
            into = info.setdefault(group, {}) if group else info
            into[name] = line[where] if shape is None else line[where].reshape(shape)

    def tell_rows(self, lines: Array, played: NDArray[np.bool_], infos: MutableMapping[str, Any]) -> None:
        """Add what the lines of many rows, shape (B, R), tell, and for which rows it holds."""
        for name, k in self._numbers:
            infos[name] = lines[:, k].copy()
        for name, k in self._truths:
            infos[name] = lines[:, k] > 0.0
        for group, name, where, shape in self._arrays:
            into = infos.setdefault(group, {}) if group else infos
            into[name] = lines[:, where].copy() if shape is None else lines[:, where].reshape(len(lines), *shape).copy()
        for name in self._names:
            infos[f"_{name}"] = played


def copied(infos: Mapping[str, Any], ended: NDArray[np.bool_]) -> dict[str, Any]:
    """The same once more, to be kept for the rows that ended."""
    kept: dict[str, Any] = {}
    for name, value in infos.items():
        if name.startswith("_"):
            kept[name] = ended.copy()
        else:
            kept[name] = {k: v.copy() for k, v in value.items()} if isinstance(value, dict) else value.copy()
    return kept
