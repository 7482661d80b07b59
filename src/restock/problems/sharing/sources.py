"""Where the episodes of shared stock come from.

An episode is the vector [stock (n) | expected demand of the first day (n) | expected demand (T, n) | where stock
costs something (n) | the day that is cut off | missions (T - 1, n) | what each needs (T - 1, n K)].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from restock.core.problem import Array, Source
from restock.problems.sharing.missions import Missions, drawn, moved

if TYPE_CHECKING:
    from restock.problems.sharing.problem import SharingProblem

TRUNCATION = 1.0 / 365.0  # chance that a day is the last, where that is on


class GeneratorSource(Source):
    """Episodes drawn from NumPy generators, one a row.

    Under the variable scenario the missions are drawn first. Then the needs, location by location and mission
    by mission within a day: a chance p, and how many of the aircraft it hits.
    """

    def __init__(self, problem: SharingProblem, generators: Sequence[np.random.Generator]) -> None:
        self._problem = problem
        self._generators = list(generators)
        self._fixed = None if problem.missions is None else _Needs(problem, problem.missions)

    def restart(self, row: int, seed: int, generator: np.random.Generator) -> None:
        """Begin a row's sequence afresh."""
        self._generators[row] = generator

    def next(self, rows: NDArray[np.int64]) -> Array:
        """The next episode of each row named, shape (len(rows), drawn)."""
        problem, spec = self._problem, self._problem.spec
        episodes = np.empty((len(rows), problem.plain.drawn))
        for k, row in enumerate(rows.tolist()):
            generator = self._generators[row]
            needs = self._fixed
            if needs is None:
                ranges = moved(spec.ranges, spec.variance, generator)
                needs = _Needs(problem, drawn(ranges, spec.n_timesteps, problem.slots, generator))
            needs.draw(generator, episodes[k])
            if spec.random_truncation:
                episodes[k, problem.cut_off] = generator.geometric(TRUNCATION) - 1.0
        return episodes


class _Needs:
    """Episodes with these missions: all that is certain of them, and where the rest goes."""

    def __init__(self, problem: SharingProblem, missions: Missions) -> None:
        spec, played = problem.spec, problem.horizon
        self._low, self._high = spec.random_demand_dist_params.p
        self._places = self._aircraft = np.empty(0, np.int64)
        self._sure = np.empty(0)
        if problem.demands is not None:
            self._template = problem.packed(problem.start, problem.expected, *problem.demands)
            return
        sure = missions.sure(spec)[:played].reshape(played, -1)
        self._template = problem.packed(problem.start, missions.expected(spec), missions.count[:played], sure)
        aircraft = missions.aircraft[:played].ravel()
        there = np.flatnonzero(aircraft)
        self._aircraft, self._sure = aircraft[there], sure.ravel()[there]
        self._places = len(self._template) - sure.size + there

    def draw(self, generator: np.random.Generator, episode: Array) -> None:
        """Write an episode."""
        episode[:] = self._template
        chance = generator.uniform(self._low, self._high, size=len(self._places))
        episode[self._places] = self._sure + generator.binomial(self._aircraft, chance)
