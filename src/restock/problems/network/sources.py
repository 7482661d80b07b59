"""The sources of the episodes of a supply network.

The rules and the means are the same for all episodes, so only the draws are written anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from restock.core import streams
from restock.core.problem import Array, Source
from restock.core.sources import GeneratorSource
from restock.demand.draws import same_counts

if TYPE_CHECKING:
    from restock.problems.network.problem import NetworkProblem

MOST_AHEAD = 512  # numbers that a row keeps of those drawn ahead


class DrawnSource(GeneratorSource["NetworkProblem"]):
    """Episodes drawn from NumPy generators, one per row.

    Args:
        problem: The network.
        seeds: One a row.
        generators: The generators of the rows; None to begin those of the seeds.
        ahead: Episodes drawn from a generator at once. One large draw takes the same numbers from
            it as many small ones and costs less; whoever draws from the generators himself needs 1.
    """

    def __init__(
        self,
        problem: NetworkProblem,
        seeds: Sequence[int],
        generators: Sequence[np.random.Generator] | None = None,
        ahead: int = 1,
    ) -> None:
        super().__init__(problem, seeds, generators)
        self._demand = problem.demand
        mean, draw, law = self._demand.paths(streams.generator(0), 1)
        self._template = problem.episode_under(law, mean[0], draw[0])
        self._drawn = problem.held["draw"][0]
        self._size = draw[0].size
        # Compiling is not worth it for one row.
        self._counts = self._demand.counts if len(self._generators) > 1 and same_counts() else None
        alone = self._counts is not None or not self._demand.can_draw_ahead
        self._ahead = 1 if alone else min(ahead, 1 + MOST_AHEAD // self._size)
        self._draws = np.empty((len(self._generators), self._ahead, self._size))
        self._used = [self._ahead] * len(self._generators)

    def restart(self, row: int, seed: int, generator: np.random.Generator) -> None:
        """Begin a row's sequence afresh."""
        super().restart(row, seed, generator)
        self._used[row] = self._ahead

    def next(self, rows: NDArray[np.int64]) -> Array:
        """Return the next episode of each row named, shape (len(rows), drawn)."""
        episodes = np.empty((len(rows), len(self._template)))
        episodes[:] = self._template
        if self._counts is not None:
            self._counts.draw(self._bits[rows], episodes[:, self._drawn])
            return episodes
        for k, row in enumerate(rows.tolist()):
            at = self._used[row]
            if at == self._ahead:
                draws = self._demand.paths(self._generators[row], self._ahead)[1]
                self._draws[row] = draws.reshape(self._ahead, self._size)
                at = 0
            episodes[k, self._drawn] = self._draws[row, at]
            self._used[row] = at + 1
        return episodes


class CounterSource(Source):
    """Episodes read from counter streams, one per row."""

    def __init__(self, problem: NetworkProblem, seeds: Sequence[int]) -> None:
        self._problem = problem
        self._counts = problem.demand.counts
        self._keys = np.array([streams.key(seed, "demand") for seed in seeds], dtype=np.uint64)
        self._episode = np.zeros(len(self._keys), dtype=np.int64)
        mean, draw, law = problem.demand.paths_at(self._keys[:1], self._episode[:1])
        self._template = problem.episode_under(law, mean[0], draw[0])
        self._drawn = problem.held["draw"][0]

    def restart(self, row: int, seed: int, generator: np.random.Generator) -> None:
        """Begin a row's sequence afresh."""
        self._keys[row] = streams.key(seed, "demand")
        self._episode[row] = 0

    def next(self, rows: NDArray[np.int64]) -> Array:
        """Return the next episode of each row named, shape (len(rows), drawn)."""
        keys, numbers = self._keys[rows], self._episode[rows]
        self._episode[rows] += 1
        episodes = np.empty((len(rows), len(self._template)))
        episodes[:] = self._template
        if self._counts is not None:
            self._counts.read(keys, numbers.view(np.uint64), episodes[:, self._drawn])
            return episodes
        draw = self._problem.demand.paths_at(keys, numbers)[1]
        episodes[:, self._drawn] = draw.reshape((len(rows), -1))
        return episodes
