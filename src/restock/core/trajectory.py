"""Trajectories: named stocks, flows, money and exogenous information, period by period.

A trajectory holds one episode or a batch of them. Its arrays have shape (..., T + 1, k) for stocks
(row t is the start of period t) and (..., T, k) for flows and money (row t is what happened in
period t), where k counts the entities a field is about; `labels` names them. Behind the end of an
episode that ended early its stocks stay, and its flows are zero.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core.errors import InvalidInput, nearest, require_extra
from restock.core.sheets import cell
from restock.core.writing import write_whole

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where each recorded field stands in a memory row, and what it is about.

    Attributes:
        columns: Places of each field in a row, by name, in recorded order.
        labels: Names of the entries of each field.
        money: Names of the fields that are parts of the profit, income first.
        stocks: Names of the fields that are levels, not flows.
        service: Names of the flows whose ratio is the served rate: what was served, and what was asked for.
        serving: Which entries of `on_hand` serve customers; None where that cannot be told.
    """

    columns: Mapping[str, NDArray[np.int64]]
    labels: Mapping[str, tuple[str, ...]]
    money: tuple[str, ...]
    stocks: tuple[str, ...] = ()
    service: tuple[str, str] = ("sold", "demand")
    serving: tuple[int, ...] | None = None

    @cached_property
    def places(self) -> dict[str, slice | NDArray[np.int64]]:
        """The same columns as slices, where they stand one behind the other."""
        return {name: _together(columns) for name, columns in self.columns.items()}


def _together(columns: NDArray[np.int64]) -> slice | NDArray[np.int64]:
    first = int(columns[0]) if columns.size else 0
    return slice(first, first + columns.size) if (columns == first + np.arange(columns.size)).all() else columns


DUST = 1e-9  # of what a number has been at most, and of 1: what adding and subtracting leaves of nothing


def tidy(values: Any, scale: Any) -> Array:
    """Return the values, those that are nothing beside their scale (or beside 1) as exact zeros."""
    return np.where(np.abs(values) <= DUST * np.maximum(scale, 1.0), 0.0, values)


class PlayedSoFar:
    """An episode as it stands, without a copy: it must be read before the next period is played.

    Args:
        lines: Recorded rows, then the parts of the reward and the reward, shape (T + 1, R + P + 1).
        layout: Where the fields stand in them.
        names: Of the parts.
        periods: Periods that have been played.
        done: Whether the episode is over.

    Attributes:
        lines: As given: of each episode another array.
    """

    __slots__ = ("_largest", "_layout", "_names", "_now", "done", "lines", "periods")

    def __init__(self, lines: Array, layout: Layout, names: tuple[str, ...], periods: int, done: bool) -> None:
        self.lines = lines
        self._layout = layout
        self._names = names
        self.periods = periods
        self.done = done
        self._largest: Array | None = None  # made when they are first asked for
        self._now: Array | None = None

    def __getitem__(self, name: str) -> Array:
        first = 0 if name in self._layout.stocks else 1
        return self.lines[first : self.periods + 1, self._layout.places[name]]

    def now(self, name: str) -> Array:
        """Return a field now, shape (k,): a stock as it stands, a flow of the last period, zero before the first.

        What rounding has left of nothing is 0.
        """
        if self._now is None:
            self._now = tidy(self.lines[self.periods], self._scale())
        return self._now[self._layout.places[name]]

    def largest(self, name: str) -> Array:
        """Return the largest that each entry of a field has been, shape (k,); 0 for what was not finite."""
        return self._scale()[self._layout.places[name]]

    def _scale(self) -> Array:
        if self._largest is None:
            largest = np.abs(self.lines[: self.periods + 1]).max(axis=0)
            self._largest = np.where(np.isfinite(largest), largest, 0.0)
        return self._largest

    @property
    def rewards(self) -> Array:
        """The rewards of the periods played, shape (T,)."""
        return self.lines[1 : self.periods + 1, -1]

    @property
    def reward(self) -> float:
        """The reward of the last period; 0 before the first."""
        return float(self.rewards[-1]) if self.periods else 0.0

    @property
    def parts(self) -> dict[str, float]:
        """The parts of the last period's reward by name; empty before the first."""
        if not self.periods:
            return {}
        return dict(zip(self._names, self.lines[self.periods, -len(self._names) - 1 : -1].tolist(), strict=True))


class Trajectory(Mapping[str, Array]):
    """Named arrays of an episode, or of a batch of episodes: copies, which stay as they are.

    Args:
        record: Recorded rows, shape (..., T + 1, R).
        layout: Where the fields stand in them.
        rewards: Shape (..., T).
        periods: Periods that have been played; the arrays end there.
        exogenous: Named exogenous information.
        about: Anything else worth keeping (problem, policy, seeds), as text.
        lengths: Periods that each episode lasted, shape (...,); None: all that were played.
    """

    def __init__(
        self,
        record: Array,
        layout: Layout,
        rewards: Array,
        periods: int,
        exogenous: Mapping[str, Array],
        about: Mapping[str, str] | None = None,
        lengths: NDArray[np.int64] | None = None,
    ) -> None:
        self.layout = layout
        self.periods = periods
        self.lengths = np.full(rewards.shape[:-1], periods) if lengths is None else np.minimum(lengths, periods)
        self.rewards = np.array(rewards[..., :periods])
        self.exogenous = {name: np.array(values) for name, values in exogenous.items()}
        self.about = dict(about or {})
        self.stocks: dict[str, Array] = {}
        self.flows: dict[str, Array] = {}
        self.money: dict[str, Array] = {}
        for name, columns in layout.columns.items():
            values = record[..., : periods + 1, columns]
            if name in layout.stocks:
                self.stocks[name] = values
                continue
            values = values[..., 1:, :]
            if not self.whole:
                values[~self.played] = 0.0
            (self.money if name in layout.money else self.flows)[name] = values

    def __getitem__(self, name: str) -> Array:
        for group in (self.stocks, self.flows, self.money):
            if name in group:
                return group[name]
        if name == "reward":
            return self.rewards[..., None]
        raise InvalidInput("trajectory", name, "there is no such field", nearest(name, list(self)))

    def get(self, name: str, default: Any = None) -> Any:
        """Return the field of that name, or `default` where there is none."""
        return self[name] if name in self else default

    def __iter__(self) -> Iterator[str]:
        yield from (*self.stocks, *self.flows, *self.money, "reward")

    def __len__(self) -> int:
        return len(self.stocks) + len(self.flows) + len(self.money) + 1

    def __contains__(self, name: object) -> bool:
        return name == "reward" or any(name in group for group in (self.stocks, self.flows, self.money))

    def __repr__(self) -> str:
        batch = f"{self.episodes} episodes of " if self.rewards.ndim > 1 else ""
        return f"<Trajectory: {batch}{self.periods} periods; {', '.join(self)}>"

    @property
    def whole(self) -> bool:
        """Whether no episode ended before the others."""
        return bool((self.lengths == self.periods).all())

    @property
    def played(self) -> NDArray[np.bool_]:
        """Which periods each episode played, shape (..., T)."""
        played: NDArray[np.bool_] = np.arange(self.periods) < self.lengths[..., None]
        return played

    @property
    def episodes(self) -> int:
        """Episodes in the batch (1 for a single one)."""
        return int(np.prod(self.rewards.shape[:-1]))

    def episode(self, index: int) -> dict[str, Array]:
        """Return the arrays of one episode of a batch, by name."""
        return {name: self[name][index] for name in self}

    def labels(self, name: str) -> tuple[str, ...]:
        """Return the names of the entries of a field."""
        return self.layout.labels.get(name, (name,))

    # files ------------------------------------------------------------------------------------

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return one flat column for each entry of each field, a row for each episode and period it played.

        Stocks are those at the end of the period, so a row says all that period t led to.
        """
        played = self.played.reshape(self.episodes, self.periods)
        episodes, periods = np.nonzero(played)
        table: dict[str, NDArray[Any]] = {"episode": episodes, "period": periods}
        for name in self:
            values = self[name]
            if name in self.stocks:
                values = values[..., 1:, :]
            flat = values.reshape(*played.shape, values.shape[-1])[played]
            names = self.labels(name)
            for k, entry in enumerate(names):
                table[name if names == (name,) else f"{name}[{entry}]"] = flat[:, k]
        return table

    def to_parquet(self, path: str | Path) -> Path:
        """Write one row for each episode and period as Parquet (needs the `data` extra)."""
        polars = require_extra("polars", "data", "Parquet")

        def write(file: Path) -> None:
            whole = io.BytesIO()  # polars has errors of its own for a full disk
            polars.DataFrame(self.columns()).write_parquet(whole)
            file.write_bytes(whole.getbuffer())

        return write_whole(path, write)

    def to_csv(self, path: str | Path) -> Path:
        """Write one row for each episode and period as CSV."""
        table = self.columns()

        def write(file: Path) -> None:
            with file.open("w", newline="", encoding="utf-8") as handle:
                writer = csv.writer(handle)
                writer.writerow(map(cell, table))
                writer.writerows(zip(*(column.tolist() for column in table.values()), strict=True))

        return write_whole(path, write)

    def to_npz(self, path: str | Path) -> Path:
        """Write the arrays as they are, exogenous information as `exogenous.NAME`."""
        arrays: dict[str, Any] = {name: self[name] for name in self}
        arrays.update({f"exogenous.{name}": values for name, values in self.exogenous.items()})

        def write(file: Path) -> None:
            with file.open("wb") as handle:
                np.savez_compressed(handle, **arrays)

        return write_whole(path, write)
