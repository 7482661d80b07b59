"""Episodes of several problems on one network: every row meets one after the other, drawn at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from restock.core import streams
from restock.core.errors import InvalidInput
from restock.core.problem import Array, Source
from restock.demand.compiled_distribution import own_function
from restock.problems.network import NetworkProblem

STREAM = "which problem"


class SeveralSource(Source):
    """A source that draws a problem for each episode, all equally likely.

    Args:
        problems: They may differ in demand and in whether unmet demand waits.
        seeds: One a row.
        generators: Of the rows.
        ahead: As in `Problem.source`.

    Attributes:
        rules: Whether unmet demand waits and whether goodwill moves demand in the episode under way,
            shape (B, 2).
    """

    def __init__(
        self,
        problems: Sequence[NetworkProblem],
        seeds: Sequence[int],
        generators: Sequence[np.random.Generator] | None = None,
        ahead: int = 1,
    ) -> None:
        found = {own_function(problem.demand.distribution) for problem in problems}
        if len(found) > 1:
            names = sorted({problem.demand.distribution.name for problem in problems})
            what = "a compiled distribution must be that of all the problems"
            raise InvalidInput("demand.distribution", names, what, "Give all of them the same, or built-in ones.")
        self._sources = [problem.source(seeds, generators, 1) for problem in problems]
        self._choosers = [streams.generator(seed, STREAM) for seed in seeds]
        self._rules = np.array([rules_of(problem) for problem in problems])
        self.rules = np.zeros((len(seeds), 2))

    def next(self, rows: NDArray[np.int64]) -> Array:
        """Return the next episode of each row named, shape (len(rows), drawn)."""
        chosen = np.array([int(self._choosers[row].integers(len(self._sources))) for row in rows.tolist()])
        episodes: Array | None = None
        for k in np.unique(chosen).tolist():
            which = np.flatnonzero(chosen == k)
            found = self._sources[k].next(rows[which])
            if episodes is None:
                episodes = np.empty((len(rows), found.shape[1]))
            episodes[which] = found
        assert episodes is not None
        self.rules[rows] = self._rules[chosen]
        return episodes

    def restart(self, row: int, seed: int, generator: np.random.Generator) -> None:
        """Restart a row's sequence."""
        self._choosers[row] = streams.generator(seed, STREAM)
        for source in self._sources:
            source.restart(row, seed, generator)


def rules_of(problem: NetworkProblem) -> tuple[float, float]:
    """Return whether unmet demand waits, and whether goodwill moves demand, as 0 or 1."""
    return float(problem.spec.backlog), float(problem.spec.demand.goodwill is not None)
