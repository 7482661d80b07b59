"""Play of given decisions: many episodes at once, each with its own exogenous information."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from restock.core import streams
from restock.core.checks import length_of, whole_number
from restock.core.errors import InvalidInput
from restock.core.problem import Array, Problem
from restock.core.trajectory import Trajectory

MOST_EPISODES = 1_000_000  # of one batch: a typing error should not fill the memory first


@dataclasses.dataclass(frozen=True)
class Episodes:
    """The exogenous information of a batch of episodes, drawn before any decision.

    Attributes:
        vectors: Episode parts of the memory rows, shape (B, drawn).
        generators: For problems that draw period by period, one generator a row, else None. They
            are copied before use, so the same episodes can be met again.
        seeds: What the rows were drawn from; empty for recorded episodes.
    """

    vectors: Array
    generators: Sequence[np.random.Generator] | None
    seeds: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.vectors)

    def rows(self, which: slice) -> Episodes:
        """Return some of the episodes."""
        return Episodes(
            self.vectors[which], None if self.generators is None else self.generators[which], self.seeds[which]
        )

    @property
    def identical(self) -> bool:
        """Whether several episodes are equal, known before any decision."""
        return len(self) > 1 and self.generators is None and bool((self.vectors == self.vectors[0]).all())


def draw(problem: Problem, episodes: int, seed: int, stream: str = "") -> Episodes:
    """Draw the episodes of a study: every one has a seed of its own, derived from `seed`.

    `Episodes.seeds` holds them (see `restock.core.streams.episode_seeds`), and an environment meets
    episode i after `reset(seed=seeds[i])`. Another seed, or another stream, shares no episode.

    Args:
        problem: What is played.
        episodes: How many [B].
        seed: Of the study.
        stream: What they are for; the unnamed one is that of `simulate` and `compare`.

    Raises:
        InvalidInput: `episodes` or `seed` is not a usable number.
    """
    whole_number("episodes", episodes, example=100)
    if episodes > MOST_EPISODES:
        raise InvalidInput("episodes", episodes, f"must be at most {MOST_EPISODES}", "Run them in parts, by seed.")
    return draw_each(problem, streams.episode_seeds(streams.check_seed(seed), int(episodes), stream))


def draw_each(problem: Problem, seeds: Sequence[int]) -> Episodes:
    """Return the first episode of each of the given seeds.

    Raises:
        InvalidInput: One of them is no seed.
    """
    seeds = tuple(streams.check_seed(seed) for seed in seeds)
    generators = [streams.generator(s) for s in seeds]
    vectors = problem.source(seeds, generators).next(np.arange(len(seeds)))
    return Episodes(vectors, generators if problem.sequential else None, seeds)


def recorded(problem: Problem, exogenous: Mapping[str, Any]) -> Episodes:
    """Return the episodes that replay recorded information: arrays with a leading axis of B episodes.

    Raises:
        InvalidInput: Names, shapes or numbers do not fit the problem.
    """
    if not isinstance(exogenous, Mapping) or not exogenous:
        raise InvalidInput("exogenous", exogenous, "must be a mapping of names to arrays", "Give {'demand': ...}.")
    lengths = {name: length_of(values) for name, values in exogenous.items()}
    count = next(iter(lengths.values()))
    if count == 0 or any(length != count for length in lengths.values()):
        raise InvalidInput("exogenous", lengths, "every array has one entry an episode", "Give equal lengths.")
    rows = [problem.replay({name: values[b] for name, values in exogenous.items()}) for b in range(count)]
    return Episodes(np.stack(rows), None, ())


class Table:
    """A batch of episodes being played: memory rows, and the record of what happened."""

    def __init__(self, problem: Problem, episodes: Episodes) -> None:
        self.problem = problem
        self.episodes = episodes
        tables = problem.plain
        self.memory = problem.rows(episodes.vectors)
        # Zeros, not whatever was there: that may be the record of another policy in the same episodes.
        self.record = np.zeros((len(episodes), problem.horizon + 1, tables.recorded))
        self.record[:, 0] = self.memory[:, : tables.recorded]
        self.rewards = np.zeros((len(episodes), problem.horizon))
        self.lengths = np.zeros(len(episodes), dtype=np.int64)
        self._over = np.zeros(len(episodes), dtype=np.uint8)
        self._generators = copy.deepcopy(episodes.generators)
        self.t = 0

    def advance(self, orders: Array) -> None:
        """Play one period under decisions of shape (B, A), in physical units."""
        tables = self.problem.plain
        if self._generators is not None:
            for row, generator in zip(self.memory, self._generators, strict=True):
                self.problem.draw_now(self.t, self.problem.world(row), generator)
        self.problem.kernels.advance(
            self.t, tables.ints, tables.floats, self.memory, self.record, np.ascontiguousarray(orders), self.rewards,
            self.lengths, self._over,
        )  # fmt: skip
        self.t += 1

    def trajectory(self, about: Mapping[str, str] | None = None) -> Trajectory:
        """Return what happened so far."""
        exogenous = self.problem.exogenous_of(self.record[:, : self.t + 1], self.episodes.vectors)
        return Trajectory(self.record, self.problem.layout, self.rewards, self.t, exogenous, about, self.lengths)


def play(problem: Problem, episodes: Episodes, plans: Array) -> Trajectory:
    """Play plans of shape (B, T, A), in physical units, each against its episode."""
    table = Table(problem, episodes)
    for t in range(problem.horizon):
        table.advance(plans[:, t])
    return table.trajectory()
