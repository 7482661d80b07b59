"""Locations that share stock for language models: actions and observations as records."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pydantic

from restock.core.problem import Array
from restock.core.records import Amount, Counted, Names, Played, Records
from restock.core.validation import Spec, validated
from restock.problems.sharing import words


class SharingAction(Spec):
    """What locations order of each other on a day; a pair that is not named ships nothing."""

    shipments: dict[str, Amount] = pydantic.Field(
        {},
        description="units to ship by pair of locations, 'from->to' (units, at least 0); a location that is asked for "
        "more than it has scales all down, and what it is told to keep ('0->0') counts too",
    )


class SharingObservation(Spec):
    """What is known in the morning of a day."""

    day: int = pydantic.Field(description="days played (days)")
    horizon: int = pydantic.Field(description="most days of an episode (days)")
    depot: str | None = pydantic.Field(description="location of the depot, null if there is none (name)")
    on_hand: dict[str, float] = pydantic.Field(description="stock by location (units)")
    expected_demand: dict[str, float] = pydantic.Field(description="demand expected today by location (units)")
    in_transit: dict[str, float] = pydantic.Field(description="shipped to a location and not yet there (units)")
    shipped: dict[str, float] = pydantic.Field(description="units that left on the last day by pair 'from->to' (units)")
    arrived: dict[str, float] = pydantic.Field(description="units that arrived on the last day by location (units)")
    demand: dict[str, float] = pydantic.Field(
        description="units that the missions of the last day needed by location (units); 0 before the first"
    )
    filled: dict[str, int] = pydantic.Field(
        description="missions of the last day that got all they need by location (missions)"
    )
    stockouts: dict[str, int] = pydantic.Field(
        description="missions of the last day that did not, by location (missions)"
    )
    cost: dict[str, float] = pydantic.Field(
        description="cost of the last day for units, for shipments and for holding, whether or not the reward pays it "
        "(money)"
    )
    parts: dict[str, float] = pydantic.Field(description="parts of the last reward, which add up to it (missions)")
    reward: float = pydantic.Field(
        description="missions filled less stock-outs of the last day, less cost as far as it counts (missions)"
    )
    done: bool = pydantic.Field(description="whether the last day is over (yes or no)")


class SharingRecords(Records):
    """Records of locations that share stock."""

    action_type = SharingAction
    observation_type = SharingObservation

    @cached_property
    def _locations(self) -> Names:
        return Names("location", self.problem.labels()["on_hand"])

    @cached_property
    def _pairs(self) -> Names:
        return Names("pair of locations", self.problem.labels()["ordered"])

    def allowed(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the pairs of locations."""
        return {"shipments": {name: {} for name in self._pairs}}

    def decision(self, action: SharingAction | Mapping[str, Any]) -> Array:
        """Return the units ordered, to i from j at i n + j, shape (n n,).

        Raises:
            InvalidInput: A pair that there is not, or a number that is no quantity.
        """
        asked = validated(SharingAction, action, "action")
        found = np.zeros(len(self._pairs))
        self._pairs.write(asked.shipments, found, "action.shipments")
        return found

    def action(self, decision: Any) -> SharingAction:
        """Return the record of units ordered, to i from j at i n + j."""
        return SharingAction(shipments=self._pairs.above_zero(np.ravel(np.asarray(decision, dtype=np.float64))))

    def counted(self) -> tuple[Counted, ...]:
        """Return what each part of the reward counts."""
        return words.counted(self.problem)

    def observation(self, played: Played) -> SharingObservation:
        """Return the present observation."""
        places, depot = self._locations, self.problem.depot

        def counted(name: str) -> dict[str, int]:
            return {place: int(count) for place, count in places.read(played.now(name)).items()}

        return SharingObservation(
            day=played.periods,
            horizon=self.problem.horizon,
            depot=str(depot) if depot >= 0 else None,
            on_hand=places.read(played.now("on_hand")),
            expected_demand=places.read(played.now("expected")),
            in_transit=places.read(played.now("in_transit")),
            shipped=self._pairs.above_zero(played.now("shipped")),
            arrived=places.read(played.now("arrived")),
            demand=places.read(played.now("demand")),
            filled=counted("filled"),
            stockouts=counted("stockouts"),
            cost={name: float(played.now(f"{name}_cost").sum()) for name in ("unit", "shipment", "holding")},
            parts=dict(played.parts),
            reward=played.reward,
            done=played.done,
        )


def read(problem: Any, seen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recorded fields that an observation, as plain data, tells."""
    named = {"on_hand": "on_hand", "expected": "expected_demand", "in_transit": "in_transit"}
    return {field: list(seen[name].values()) for field, name in named.items()}
