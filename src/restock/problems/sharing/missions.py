"""Missions: who has to fly how far on which day, and how much that is expected to need."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core.problem import Array
from restock.problems.sharing.spec import RangeSpec, SharingSpec

DISTANCE_STEP = 100.0  # how far a variance of 1 moves the ends of a range of distances


@dataclasses.dataclass(frozen=True)
class Missions:
    """Missions of every day and location; entries behind the last mission of a day are zero.

    Attributes:
        count: How many, shape (T, n).
        distance: Shape (T, n, K).
        aircraft: Shape (T, n, K).
    """

    count: NDArray[np.int64]
    distance: Array
    aircraft: NDArray[np.int64]

    def sure(self, spec: SharingSpec) -> Array:
        """Return the part of each mission's need that is certain, shape (T, n, K) (units)."""
        return self.distance * self.aircraft / spec.random_demand_fixed_param

    def expected(self, spec: SharingSpec) -> Array:
        """Return the expected demand, shape (T, n) (units): the sum over missions, or the published product of sums."""
        chance = sum(spec.random_demand_dist_params.p) / 2.0
        aircraft = self.aircraft.sum(axis=-1)
        sure = self.sure(spec).sum(axis=-1)
        if spec.legacy_expected_demand:
            sure = self.distance.sum(axis=-1) * aircraft / spec.random_demand_fixed_param
        return np.asarray(sure + chance * aircraft)


def listed(missions: Sequence[Sequence[Sequence[Sequence[float]]]], days: int, slots: int) -> Missions:
    """Return the missions from missions[location][day] = [[distance, aircraft], ...]."""
    shape = (days, len(missions), slots)
    count, distance, aircraft = np.zeros(shape[:2], np.int64), np.zeros(shape), np.zeros(shape, np.int64)
    for i, location in enumerate(missions):
        for t, day in enumerate(location):
            count[t, i] = len(day)
            for k, (far, many) in enumerate(day):
                distance[t, i, k], aircraft[t, i, k] = far, many
    return Missions(count, distance, aircraft)


def drawn(ranges: Sequence[RangeSpec], days: int, slots: int, generator: np.random.Generator) -> Missions:
    """Return the missions drawn location by location."""
    shape = (days, len(ranges), slots)
    count, distance, aircraft = np.zeros(shape[:2], np.int64), np.zeros(shape), np.zeros(shape, np.int64)
    for i, one in enumerate(ranges):
        count[:, i] = generator.integers(one.missions[0], one.missions[1], size=days)
        distance[:, i] = generator.uniform(one.distance[0], one.distance[1], size=(days, slots))
        aircraft[:, i] = generator.integers(one.aircraft[0], one.aircraft[1], size=(days, slots))
    there = np.arange(slots) < count[:, :, None]
    return Missions(count, distance * there, aircraft * there)


def moved(ranges: Sequence[RangeSpec], variance: float, generator: np.random.Generator) -> list[RangeSpec]:
    """Return the ranges with every end moved at random: numbers by up to the variance, distances by 100 times that."""
    whole = round(variance)

    def numbers(ends: Sequence[int], least: int) -> list[int]:
        low, high = (end + int(generator.integers(-whole, whole + 1)) for end in ends)
        low = max(least, low)
        return [low, max(low + 1, high)]

    found = []
    for one in ranges:
        far = [max(0.0, end + generator.uniform(-1.0, 1.0) * DISTANCE_STEP * variance) for end in one.distance]
        changes: dict[str, Any] = {
            "missions": numbers(one.missions, 0),
            "distance": sorted(far),
            "aircraft": numbers(one.aircraft, 1),
        }
        found.append(one.model_copy(update=changes))
    return found
