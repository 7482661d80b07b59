"""One held-out episode, replayed at some of the evaluations to show how the policy learnt.

The files are few however long a run is: the state before training, evaluations at equal distances (every
one at first, every second once there are more than `MOST`, and so on), the best and the last.
"""

from __future__ import annotations

import dataclasses
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.problem import Array, Problem
from restock.core.writing import write_whole

MOST = 8
ABOUT = ("restart", "step", "profit")


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """An episode under the policy as it was then.

    Attributes:
        evaluation: Which, from 1; 0 is before training.
        restart: Which, from 0.
        step: Of the restart.
        profit: Mean over all held-out episodes; NaN before training.
        fields: The episode by name, as in a trajectory: stocks of shape (T + 1, k), flows of (T, k).
    """

    evaluation: int
    restart: int
    step: int
    profit: float
    fields: Mapping[str, Array]


def kept(count: int, best: int) -> set[int]:
    """Return the evaluations that are kept after so many.

    Args:
        count: Evaluations so far.
        best: Number of the best of them.
    """
    apart = 1
    while count // apart > MOST:
        apart *= 2
    return {*range(0, count + 1, apart), count, best}


def add(folder: Path, snapshot: Snapshot, best: int) -> None:
    """Write a snapshot, and drop those that are not kept any more.

    Args:
        folder: Of the snapshots.
        snapshot: The last one.
        best: Number of the best evaluation so far.
    """
    about = {name: np.array(getattr(snapshot, name)) for name in ABOUT}

    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.savez_compressed(file, **about, **{f"field.{name}": values for name, values in snapshot.fields.items()})  # type: ignore[arg-type]

    write_whole(folder / f"{snapshot.evaluation:06d}.npz", write)
    stay = kept(snapshot.evaluation, best)
    for number, path in _files(folder).items():
        if number not in stay:
            path.unlink()


def drop(folder: Path, count: int) -> None:
    """Drop the snapshots after the first `count` evaluations: a resumed run makes them again."""
    for number, path in _files(folder).items():
        if number > count:
            path.unlink()


def read(folder: Path) -> list[Snapshot]:
    """Return the snapshots in their order.

    Raises:
        InvalidInput: One is damaged.
    """
    found = []
    for number, path in sorted(_files(folder).items()):
        try:
            # NumPy leaves a damaged file open unless it is ours to close.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
                fields = {name[6:]: content[name] for name in content.files if name.startswith("field.")}
                restart, step, profit = (content[name].item() for name in ABOUT)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            mend = "Delete the file, or copy it anew."
            raise InvalidInput("run", str(path), f"this file is damaged ({type(error).__name__})", mend) from None
        found.append(Snapshot(number, int(restart), int(step), float(profit), fields))
    return found


def inventory(problem: Problem, fields: Mapping[str, Array]) -> Iterator[tuple[int, str, float, float]]:
    """Yield the stock of an episode, and what was missed, place by place: (period, location, on_hand, missed).

    Period 0 is the start, where nothing was missed yet; the other rows are what period t ended with. What
    cannot be told place by place is that of `all`.

    Args:
        problem: What was played.
        fields: The episode by name, as in a trajectory: stocks of shape (T + 1, k), flows of (T, k).
    """
    if "on_hand" not in fields:
        return
    stock, names = fields["on_hand"], problem.labels()["on_hand"]
    flow, at = fields.get(problem.missed[0], np.zeros((len(stock) - 1, 0))), problem.missed_at()
    if at is None:
        stock, names, at = stock.sum(axis=1, keepdims=True), ("all",), (0,) * flow.shape[1]
    missed = np.zeros_like(stock)
    for entry, place in enumerate(at):
        missed[1:, place] += flow[:, entry]
    for t in range(len(stock)):
        for k, name in enumerate(names):
            yield t, name, float(stock[t, k]), float(missed[t, k])


def _files(folder: Path) -> dict[int, Path]:
    return {int(path.stem): path for path in folder.glob("*.npz") if path.stem.isdigit()}
