"""Sources of episodes: the contract, and what sources that draw from NumPy generators have in common."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from restock.core import streams
from restock.core.forms import Array

Model = TypeVar("Model")


class Source(abc.ABC):
    """A source of episodes: an independent sequence for each of several rows."""

    @abc.abstractmethod
    def next(self, rows: NDArray[np.int64]) -> Array:
        """Return the next episode of each row named, shape (len(rows), drawn)."""

    @abc.abstractmethod
    def restart(self, row: int, seed: int, generator: np.random.Generator) -> None:
        """Restart a row's sequence."""


class GeneratorSource(Source, Generic[Model]):
    """Episodes drawn from NumPy generators, one a row; a problem says in `next` what is drawn.

    Args:
        model: What says how to draw: a description, or a problem.
        seeds: One a row.
        generators: The generators of the rows; None to begin those of the seeds.
    """

    def __init__(
        self, model: Model, seeds: Sequence[int], generators: Sequence[np.random.Generator] | None = None
    ) -> None:
        self._model = model
        self._generators = list(generators or map(streams.generator, seeds))

    @cached_property
    def _bits(self) -> NDArray[np.int64]:
        """Where compiled code finds the bits of each generator."""
        return np.array([streams.bits_of(generator) for generator in self._generators])

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_bits"}

    def restart(self, row: int, seed: int, generator: np.random.Generator) -> None:
        """Begin a row's sequence afresh."""
        self._generators[row] = generator
        self.__dict__.pop("_bits", None)


class DrawnEpisodes(GeneratorSource[Any]):
    """Episodes as a problem draws them: `Problem.draw`, one after the other."""

    def next(self, rows: NDArray[np.int64]) -> Array:
        """Return the next episode of each row named, shape (len(rows), drawn)."""
        problem = self._model
        episodes = np.empty((len(rows), problem.plain.drawn))
        for episode, row in zip(episodes, rows.tolist(), strict=True):
            episode[:] = problem.episode(problem.draw(self._generators[row]))
        return episodes
