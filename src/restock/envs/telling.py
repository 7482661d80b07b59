"""What `info` tells after a step, read from the recorded fields of one environment or of many rows."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core.problem import Array, ObservationForm, Problem
from restock.envs.spaces import blocks_of


class Parts(Mapping[str, float]):
    """The parts of one period's reward by name, and their `total`; read when asked for."""

    __slots__ = ("_line", "_lines", "_problem")

    def __init__(self, lines: Array, line: int, problem: Problem) -> None:
        self._lines = lines
        self._line = line
        self._problem = problem

    def __getitem__(self, name: str) -> float:
        names = (*self._problem.parts, "total")
        if name not in names:
            raise KeyError(name)
        return float(self._lines[self._line, names.index(name) - len(names)])

    def __iter__(self) -> Iterator[str]:
        return iter((*self._problem.parts, "total"))

    def __len__(self) -> int:
        return len(self._problem.parts) + 1

    def __repr__(self) -> str:
        return repr(dict(self))


class Teller:
    """Where everything stands that a problem tells; false where it tells nothing.

    For one environment it writes down once, as text, what a step returns, and has Python compile that: a display of
    a dictionary is made in half the time that filling one takes, and `info` is most of a step of a small problem.

    Attributes:
        show: (profit, what a period shows; see `periods`) -> observation, info.
    """

    def __init__(self, problem: Problem, form: ObservationForm) -> None:
        self._single: list[tuple[str, str, bool]] = []  # single numbers: group, name, and whether they mean yes and no
        self._arrays: list[tuple[str, str, slice, tuple[int, ...] | None]] = []
        self._names: set[str] = set()
        self._blocks = [slice(None)]
        seen = "found[1]"
        if form.kind == "dict":
            blocks = blocks_of(form)
            self._blocks = [block for _, block in blocks]
            seen = _display({name: f"found[{k + 1}]" for k, (name, _) in enumerate(blocks)})
        everything = [(told, int(problem.layout.columns[told.field][told.entry])) for told in problem.told()]
        self._columns = np.array([start for told, start in everything if told.shape == ()], dtype=np.int64)
        single: list[int] = sorted(set(self._columns.tolist()))
        shown: dict[str, Any] = {"profit": "profit"}
        for told, start in everything:
            group, _, name = told.name.rpartition(".")
            self._names.add(group or name)
            into = shown.setdefault(group, {}) if group else shown
            if told.shape == ():
                self._single.append((group, name, told.truth))
                into[name] = f"found[0][{single.index(start)}]" + (" > 0.0" if told.truth else "")
            else:
                into[name] = f"found[{1 + len(self._blocks) + len(self._arrays)}]"
                shape = told.shape if len(told.shape) > 1 else None
                self._arrays.append((group, name, slice(start, start + math.prod(told.shape)), shape))
        self._text = f"lambda profit, found: ({seen}, {_display(shown)})"
        ends = (-1, *single, problem.plain.recorded + len(problem.parts) + 1)
        self._line = "=" + "d".join(f"{8 * (b - a - 1)}x" for a, b in pairwise(ends))  # its single numbers, as `struct`
        self._compile()

    def _compile(self) -> None:
        """Make what is not pickled."""
        self.show: Callable[..., Any] = eval(self._text)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "show"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._compile()

    def __bool__(self) -> bool:
        return bool(self._names)

    def periods(self, lines: Array, seen: NDArray[np.float32]) -> Iterator[tuple[Any, ...]]:
        """Period after period the single numbers told, then the observation (or its blocks) and the arrays told.

        Each period is looked at when its turn comes.

        Args:
            lines: Of the periods to come, shape (P, L).
            seen: Their observations, shape (P, O).
        """
        arrays = []
        for _, _, where, shape in self._arrays:
            array = lines[:, where]
            arrays.append(array if shape is None else array.reshape(len(lines), *shape))
        numbers = struct.iter_unpack(self._line, lines.data)
        return zip(numbers, *(seen[:, block] for block in self._blocks), *arrays, strict=True)

    def tell_rows(self, lines: Array, played: NDArray[np.bool_], infos: MutableMapping[str, Any]) -> None:
        """Add what the lines of many rows, shape (B, R), tell, and for which rows it holds."""
        if self._single:
            found = lines.T[self._columns]  # in one go: the numbers of a row lie close together, the rows far apart
            for (group, name, truth), numbers in zip(self._single, found, strict=True):
                into = infos.setdefault(group, {}) if group else infos
                into[name] = numbers > 0.0 if truth else numbers
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


def _display(shown: Mapping[str, Any]) -> str:
    """The text of a dictionary of these expressions, some of them dictionaries themselves."""
    entries = (f"{name!r}: {_display(one) if isinstance(one, dict) else one}" for name, one in shown.items())
    return f"{{{', '.join(entries)}}}"
