"""Where the episodes of shared stock come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from restock.core.problem import Array
from restock.core.sources import GeneratorSource
from restock.problems.sharing import draws
from restock.problems.sharing.missions import Missions, drawn, moved

if TYPE_CHECKING:
    from restock.problems.sharing.problem import SharingProblem

TRUNCATION = 1.0 / 365.0  # chance that a day is the last, where that is on


class MissionSource(GeneratorSource["SharingProblem"]):
    """Episodes drawn from NumPy generators, one a row.

    Under the variable scenario the missions are drawn first. Then the needs, mission by mission within a location
    within a day: a chance p, and how many of the aircraft it hits. Last, whether a day is cut off.
    """

    def __init__(
        self, problem: SharingProblem, seeds: Sequence[int], generators: Sequence[np.random.Generator] | None = None
    ) -> None:
        super().__init__(problem, seeds, generators)
        self._fixed = None if problem.missions is None else _Needs(problem, problem.missions)

    def next(self, rows: NDArray[np.int64]) -> Array:
        """Return the next episode of each row named, shape (len(rows), drawn)."""
        problem, spec = self._model, self._model.spec
        generators = [self._generators[row] for row in rows.tolist()]
        episodes = np.empty((len(rows), problem.plain.drawn))
        if self._fixed is not None:
            self._fixed.draw(generators, self._bits[rows], episodes)
        else:
            for k, generator in enumerate(generators):
                ranges = moved(spec.ranges, spec.variance, generator)
                missions = drawn(ranges, spec.n_timesteps, problem.slots, generator)
                _Needs(problem, missions).draw([generator], self._bits[rows[k : k + 1]], episodes[k : k + 1])
        if spec.random_truncation:
            last = [[generator.geometric(TRUNCATION) - 1.0] for generator in generators]
            episodes[:, problem.held["last"][0]] = last
        return episodes


class _Needs:
    """Episodes with these missions: all that is certain of them, and where the rest goes."""

    def __init__(self, problem: SharingProblem, missions: Missions) -> None:
        spec, played = problem.spec, problem.horizon
        self._chances = (spec.random_demand_dist_params.p[0], spec.random_demand_dist_params.p[1])
        self._places, self._aircraft = np.empty(0, np.int64), np.empty(0)
        if problem.demands is not None:
            self._template = problem.packed(problem.start, problem.expected, *problem.demands)
            return
        sure = missions.sure(spec)[:played].reshape(played, -1)
        self._template = problem.packed(problem.start, missions.expected(spec), missions.count[:played], sure)
        aircraft = missions.aircraft[:played].ravel()
        there = np.flatnonzero(aircraft)
        self._aircraft = aircraft[there].astype(np.float64)
        self._places = problem.held["needs"][0].start + there

    def draw(self, generators: Sequence[np.random.Generator], bits: NDArray[np.int64], episodes: Array) -> None:
        """Write an episode from each generator, whose bits are at these addresses."""
        episodes[:] = self._template
        if self._aircraft.max(initial=0.0) * self._chances[1] <= draws.MOST_HITS:
            draws.draw(bits, self._chances, self._aircraft, self._places, episodes)
            return
        for generator, episode in zip(generators, episodes, strict=True):
            for place, aircraft in zip(self._places, self._aircraft, strict=True):
                episode[place] += generator.binomial(int(aircraft), generator.uniform(*self._chances))
