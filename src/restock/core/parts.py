"""The parts of the reward of recorded episodes."""

from __future__ import annotations

import numpy as np

from restock.core.compiled import compiled_parts
from restock.core.problem import Array, Problem
from restock.core.trajectory import Trajectory


def parts_of(problem: Problem, trajectory: Trajectory, episodes: Array) -> dict[str, Array]:
    """Return the parts of the reward of each episode, signed: they add up to it.

    Args:
        problem: What was played.
        trajectory: A batch of B episodes.
        episodes: Their chance, shape (B, drawn).

    Returns:
        Arrays of shape (B,), by the names of `problem.parts`.
    """
    tables = problem.plain
    found = np.empty((len(episodes), len(problem.parts)))
    record = np.empty((len(episodes), trajectory.periods, tables.recorded))
    for name, columns in problem.layout.columns.items():
        values = trajectory[name]
        record[..., columns] = values[:, 1:] if name in trajectory.stocks else values
    compiled_parts(problem.texts_in_force)(
        tables.ints, tables.floats, np.empty_like(tables.fresh), record, np.ascontiguousarray(episodes),
        trajectory.lengths, found,
    )  # fmt: skip
    return dict(zip(problem.parts, found.T, strict=True))
