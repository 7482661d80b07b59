"""The `info` of a period: plain numbers and own arrays, for one environment or many rows."""

from __future__ import annotations

import copy
import math
import struct
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core.problem import Array, ObservationForm, Problem
from restock.envs.spaces import blocks_of

Shape = tuple[int, ...]
MOST_TEXTS = 512  # that are remembered compiled
PLAIN = frozenset({float, int, bool, str, type(None)})  # what need not be copied


class Info(dict[str, Any]):
    """A dictionary that is deep-copied in a third of the time, and pickled as a plain dictionary.

    stable-baselines3 deep-copies every info in every step, which would take longer than the step. Numbers cannot
    change, so a copy shares them; whatever else somebody puts here is copied as ever.
    """

    __slots__ = ()

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return {name: value if value.__class__ in PLAIN else _copied(value, memo) for name, value in self.items()}

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    plain = value.__class__ is dict and PLAIN.issuperset(map(type, value.values()))
    return value.copy() if plain else copy.deepcopy(value, memo)


class Teller:
    """The offsets of everything in `info`: the parts of the reward, what is monitored, what is reported.

    What a step returns is written down once, as text, and compiled by Python: a display of a dictionary is made in
    half the time that filling one takes, and telling is most of a step of a small problem. Nothing of it looks into
    the memory of an episode, so it stays as it is, is small wherever it is sent, and frees the memory.

    Args:
        problem: What tells.
        form: Of the observation.
    """

    def __init__(self, problem: Problem, form: ObservationForm) -> None:
        recorded = problem.plain.recorded
        monitored = {name: recorded + k for k, name in enumerate(problem.monitored)}
        first = recorded + len(monitored)
        parts = {name: first + k for k, name in enumerate((*problem.parts, "total"))}
        self._blocks = blocks_of(form) if form.kind == "dict" else [("", slice(None))]
        self._singles: list[tuple[int, bool]] = []  # columns of a record, and whether the number means yes and no
        self._arrays: list[tuple[slice, Shape]] = []  # columns of a record, and the shape their numbers are told in
        alone: dict[str, Any] = {"profit": {name: f"n{column}" for name, column in parts.items()}}
        alone |= {name: f"n{column}" for name, column in monitored.items()}
        rows: dict[str, Any] = {"profit": {name: f"told[{column - recorded}]" for name, column in parts.items()}}
        rows |= {name: f"told[{column - recorded}]" for name, column in monitored.items()}
        columns = {*parts.values(), *monitored.values()}
        for told in problem.told():
            column = int(problem.layout.columns[told.field][told.entry])
            group, _, name = told.name.rpartition(".")
            into, among = (shown.setdefault(group, {}) if group else shown for shown in (alone, rows))
            if told.shape == ():
                columns.add(column)
                into[name] = f"n{column}" + (" > 0.0" if told.truth else "")
                among[name] = f"singles[{len(self._singles)}]" + (" > 0.0" if told.truth else "")
                self._singles.append((column, told.truth))
            else:
                into[name] = f"a{len(self._arrays)}.copy()"
                among[name] = f"arrays[{len(self._arrays)}]"
                self._arrays.append((slice(column, column + math.prod(told.shape)), told.shape))
        found = sorted(columns)
        self._line = "=" + "d".join(f"{8 * (b - a - 1)}x" for a, b in pairwise((-1, *found, max(parts.values()) + 1)))
        numbers = ", ".join(f"n{column}" for column in found)
        views = [*(f"o{k}" for k in range(len(self._blocks))), *(f"a{k}" for k in range(len(self._arrays)))]
        seen = _display({name: f"o{k}.copy()" for k, (name, _) in enumerate(self._blocks)})
        shown = "o0.copy()" if form.kind != "dict" else seen
        self._alone = (
            f"lambda found: (({shown}, Info({_display(alone)})) for ({numbers},), {', '.join(views)} in found)"
        )
        self._rows = f"lambda told, singles, arrays, mask: {_display(rows, masked=True)}"
        self._compile()

    def _compile(self) -> None:
        """Compile what is not pickled."""
        self._pairs: Callable[[Iterator[Any]], Iterator[tuple[Any, dict[str, Any]]]] = _made(self._alone)
        self._of_rows: Callable[..., dict[str, Any]] = _made(self._rows)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_pairs", "_of_rows")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._compile()

    def periods(self, lines: Array, seen: NDArray[np.float32]) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Yield observation and `info`, period after period, each read when its turn comes.

        Args:
            lines: Of the periods to come, shape (P, L): recorded fields, what is monitored, parts of the reward and it.
            seen: Their observations, shape (P, O).
        """
        arrays = [lines[:, where].reshape(len(lines), *shape) for where, shape in self._arrays]
        numbers = struct.iter_unpack(self._line, lines.data)
        return self._pairs(zip(numbers, *(seen[:, block] for _, block in self._blocks), *arrays, strict=True))

    def rows(self, told: Array, memory: Array, mask: NDArray[np.bool_]) -> dict[str, Any]:
        """Return the infos of many rows, with Gymnasium's masks.

        Args:
            told: What is monitored, the parts of the reward and the reward, shape (M + P + 1, B).
            memory: Of the rows, shape (B, W).
            mask: True for every row, shape (B,).
        """
        singles: Any = ()
        if self._singles:  # in one go: the numbers of a row lie close together, the rows far apart
            singles = memory.T[[column for column, _ in self._singles]]
        arrays = [memory[:, where].reshape(len(memory), *shape).copy() for where, shape in self._arrays]
        return self._of_rows(told, singles, arrays, mask)


@lru_cache(MOST_TEXTS)
def _made(text: str) -> Callable[..., Any]:
    """Return the function of a text, compiled once for all episodes of a problem."""
    made: Callable[..., Any] = eval(text)
    return made


def of_some(infos: Mapping[str, Any], rows: NDArray[np.bool_]) -> dict[str, Any]:
    """Return the infos of these rows only; other rows are zero and masked."""
    kept: dict[str, Any] = {}
    for name, value in infos.items():
        if name.startswith("_"):
            kept[name] = rows.copy()
        elif isinstance(value, dict):
            kept[name] = of_some(value, rows)
        else:
            kept[name] = np.zeros_like(value)
            kept[name][rows] = value[rows]
    return kept


def _display(shown: Mapping[str, Any], masked: bool = False) -> str:
    """Return the source of a dictionary of these expressions, some of them dictionaries themselves.

    Args:
        shown: Expressions by name.
        masked: Whether each is followed by its mask, as Gymnasium's vector environments tell it.
    """
    entries = []
    for name, one in shown.items():
        entries.append(f"{name!r}: {_display(one, masked) if isinstance(one, dict) else one}")
        if masked:
            entries.append(f"{'_' + name!r}: mask")
    return f"{{{', '.join(entries)}}}"
