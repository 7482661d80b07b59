"""Where the episodes of a supply network come from.

An episode is the vector [rules | mean (T, M) | draw (T, M)] of a memory row; the rules and, unless
demand is resampled, the means are the same for all episodes, so only the draws are written anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from restock.core import streams
from restock.core.problem import Array, Source

if TYPE_CHECKING:
    from restock.problems.network.problem import NetworkProblem


class GeneratorSource(Source):
    """Episodes drawn from NumPy generators, one a row.

    Args:
        problem: The network.
        generators: One a row.
        ahead: Episodes drawn from a generator at once. One large draw takes the same numbers from
            it as many small ones and costs less; whoever draws from the generators himself needs 1.
    """

    def __init__(self, problem: NetworkProblem, generators: Sequence[np.random.Generator], ahead: int = 1) -> None:
        self._demand = problem.demand
        self._generators = list(generators)
        self._ahead = ahead if problem.demand.can_draw_ahead else 1
        mean, draw, law = self._demand.paths(streams.generator(0), 1)
        self._template = np.concatenate([problem.rules(law), mean[0].ravel(), draw[0].ravel()])
        self._size = draw[0].size
        self._draws = np.empty((len(self._generators), self._ahead, self._size))
        self._used = [self._ahead] * len(self._generators)

    def restart(self, row: int, seed: int, generator: np.random.Generator) -> None:
        """Begin a row's sequence afresh."""
        self._generators[row] = generator
        self._used[row] = self._ahead

    def next(self, rows: NDArray[np.int64]) -> Array:
        """The next episode of each row named, shape (len(rows), drawn)."""
        episodes = np.empty((len(rows), len(self._template)))
        episodes[:] = self._template
        size = self._size
        if not self._demand.means_are_fixed:
            for k, row in enumerate(rows):
                mean, draw, _ = self._demand.paths(self._generators[row], 1)
                episodes[k, -2 * size : -size] = mean[0].ravel()
                episodes[k, -size:] = draw[0].ravel()
            return episodes
        for k, row in enumerate(rows.tolist()):
            at = self._used[row]
            if at == self._ahead:
                draws = self._demand.paths(self._generators[row], self._ahead)[1]
                self._draws[row] = draws.reshape(self._ahead, size)
                at = 0
            episodes[k, -size:] = self._draws[row, at]
            self._used[row] = at + 1
        return episodes


class CounterSource(Source):
    """Episodes read from counter streams, one a row."""

    def __init__(self, problem: NetworkProblem, seeds: Sequence[int]) -> None:
        self._problem = problem
        self._keys = np.array([streams.key(seed, "demand") for seed in seeds], dtype=np.uint64)
        self._episode = np.zeros(len(self._keys), dtype=np.int64)

    def restart(self, row: int, seed: int, generator: np.random.Generator) -> None:
        """Begin a row's sequence afresh."""
        self._keys[row] = streams.key(seed, "demand")
        self._episode[row] = 0

    def next(self, rows: NDArray[np.int64]) -> Array:
        """The next episode of each row named, shape (len(rows), drawn)."""
        mean, draw, law = self._problem.demand.paths_at(self._keys[rows], self._episode[rows])
        self._episode[rows] += 1
        rules = self._problem.rules(law)
        size = draw[0].size
        episodes = np.empty((len(rows), len(rules) + 2 * size))
        episodes[:, : len(rules)] = rules
        episodes[:, len(rules) : -size] = mean.reshape((len(rows), size))
        episodes[:, -size:] = draw.reshape((len(rows), size))
        return episodes
