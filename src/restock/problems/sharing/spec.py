"""What a description of locations that share stock may say: checked, with units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeVar

import pydantic

from restock.core.errors import InvalidInput
from restock.core.validation import LARGEST, Spec

Entry = TypeVar("Entry")
Range = list[float]
ROOM = 12  # missions of a day that there is room for in any case, for recorded days
MOST_NUMBERS = 100_000_000  # that an environment keeps for an episode (8 bytes each)


def _amount(default: Any = ..., *, description: str) -> Any:
    return pydantic.Field(default, ge=0.0, le=LARGEST, description=description)


class CostSpec(Spec):
    """What shipping and keeping stock costs."""

    unit: float = _amount(1.0, description="cost/unit shipped")
    holding: float = _amount(1.0, description="cost/unit/day, not at the depot")
    shipment: float = _amount(10.0, description="cost of a shipment of more than one unit")


class RangeSpec(Spec):
    """Missions of one location on one day, each number drawn from low (included) to high (excluded)."""

    missions: list[int] = pydantic.Field(min_length=2, max_length=2, description="how many: [low, high]")
    distance: Range = pydantic.Field(min_length=2, max_length=2, description="distance of each: [low, high]")
    aircraft: list[int] = pydantic.Field(min_length=2, max_length=2, description="aircraft of each: [low, high]")

    @pydantic.model_validator(mode="after")
    def _in_order(self) -> RangeSpec:
        for name in ("missions", "distance", "aircraft"):
            low, high = getattr(self, name)
            least = 0 if name != "aircraft" else 1
            if not (least <= low <= high <= LARGEST) or (low == high and name != "distance"):
                problem = f"low must be at least {least} and below high, which is left out"
                raise InvalidInput(name, [low, high], problem, "Write for instance [8, 12].")
        return self


class ChanceSpec(Spec):
    """Chances behind the random part of a mission's demand."""

    p: Range = pydantic.Field([0.01, 0.03], min_length=2, max_length=2, description="chance per aircraft: [low, high]")

    @pydantic.model_validator(mode="after")
    def _in_order(self) -> ChanceSpec:
        if not 0.0 <= self.p[0] <= self.p[1] <= 1.0:
            raise InvalidInput(
                "p", self.p, "these are chances, the lower one first", "Write for instance [0.01, 0.03]."
            )
        return self


class SharingSpec(Spec):
    """Locations that serve missions from their stock and may ship to each other."""

    problem: Literal["sharing"] = "sharing"
    name: str = "sharing"
    description: str = ""
    n_locations: int = pydantic.Field(4, ge=1, le=1000, description="locations [n]")
    n_timesteps: int = pydantic.Field(50, ge=2, le=100_000, description="days [T]; T - 1 of them are played")
    starting_inventory: float | list[float] = pydantic.Field(20.0, description="units at the start, one number or n")
    lead_times: int | list[list[int]] = pydantic.Field(2, description="days, one number or lead_times[to][from]")
    costs: CostSpec = CostSpec()
    scenario: Literal["base", "variable", "depot"] = "base"
    variance: float = pydantic.Field(1.0, ge=0.0, le=1e6, description="how far the variable scenario moves its ranges")
    depot: int | None = pydantic.Field(None, ge=0, description="location of the depot; default: drawn")
    depot_inventory: float = _amount(100_000.0, description="units of the depot at the start")
    missions: list[list[list[list[float]]]] | None = pydantic.Field(
        None, description="missions[location][day]: [distance, aircraft] each"
    )
    random_demand_params: RangeSpec | list[RangeSpec] | None = pydantic.Field(
        None, description="ranges the missions are drawn from, one for all locations or n"
    )
    demands: list[list[list[float]]] | None = pydantic.Field(None, description="demands[day][location]: one a mission")
    random_demand_fixed_param: float = pydantic.Field(
        1000.0, gt=0.0, le=LARGEST, description="demand = distance * aircraft / this + a random part [F]"
    )
    random_demand_dist_params: ChanceSpec = ChanceSpec()
    seed: int = pydantic.Field(0, ge=0, description="of the missions that are drawn once, and of the depot")
    random_truncation: bool = pydantic.Field(False, description="whether a day is the last with chance 1/365")
    cost_weight: float = _amount(0.0, description="reward lost per unit of cost")
    arrivals_first: bool = pydantic.Field(False, description="whether arrivals come before demand, as in the paper")
    legacy_expected_demand: bool = pydantic.Field(
        False, description="expected demand as the published example computes it: a product of sums"
    )

    @pydantic.model_validator(mode="after")
    def _fits_together(self) -> SharingSpec:
        n, days = self.n_locations, self.n_timesteps
        if isinstance(self.starting_inventory, list):
            _check_length("starting_inventory", self.starting_inventory, n, "location")
        for i, units in enumerate(spread(self.starting_inventory, n)):
            if not 0.0 <= units <= LARGEST:
                field = (
                    f"starting_inventory[{i}]" if isinstance(self.starting_inventory, list) else "starting_inventory"
                )
                raise InvalidInput(field, units, "must be at least 0", "Write a number of units.")
        if isinstance(self.lead_times, list):
            _check_length("lead_times", self.lead_times, n, "location")
            for i, line in enumerate(self.lead_times):
                _check_length(f"lead_times[{i}]", line, n, "location")
        for i, line in enumerate(self.lead_times if isinstance(self.lead_times, list) else [[self.lead_times]]):
            for j, lead in enumerate(line):
                if not 0 <= lead <= 10_000:
                    field = f"lead_times[{i}][{j}]" if isinstance(self.lead_times, list) else "lead_times"
                    raise InvalidInput(field, lead, "must be a lead time of 0 to 10000 days", "Write a number of days.")
        self._check_demand()
        if self.depot is not None and (self.depot >= n or self.scenario != "depot"):
            problem = (
                f"there are {n} locations, from 0 on" if self.depot >= n else "only the depot scenario has a depot"
            )
            raise InvalidInput("depot", self.depot, problem, "Leave it out, or write scenario: depot.")
        size = (days + longest(self.lead_times)) * n * (8 + self.most_missions) + 3 * n * n * days
        if size > MOST_NUMBERS:
            raise InvalidInput(
                "n_timesteps", days, f"with {n} locations an episode would take {size * 8e-9:.1f} GB", "Shorten it."
            )
        return self

    def _check_demand(self) -> None:
        n, days = self.n_locations, self.n_timesteps
        if self.missions is None and self.random_demand_params is None and self.demands is None:
            raise InvalidInput(
                "demands", None, "nothing says what the missions need",
                "Give one of missions, random_demand_params, demands.",
            )  # fmt: skip
        if self.missions is not None and self.random_demand_params is not None:
            raise InvalidInput(
                "missions", "...", "random_demand_params says already which missions there are", "Keep one of them."
            )
        if self.scenario == "variable" and self.random_demand_params is None:
            problem = "the variable scenario draws missions anew for every episode"
            raise InvalidInput("random_demand_params", None, problem, "Give the ranges they are drawn from.")
        if isinstance(self.random_demand_params, list):
            _check_length("random_demand_params", self.random_demand_params, n, "location")
        if self.missions is not None:
            check_missions("missions", self.missions, n, days)
        if self.demands is not None:
            check_demands("demands", self.demands, n, days)

    @property
    def ranges(self) -> list[RangeSpec]:
        """The ranges of each location; empty where missions or demand are given."""
        return [] if self.random_demand_params is None else spread(self.random_demand_params, self.n_locations)

    @property
    def most_missions(self) -> int:
        """Missions of a location that a day has room for [K]."""
        wider = round(self.variance) if self.scenario == "variable" else 0
        most = [ROOM, *(ranges.missions[1] - 1 + wider for ranges in self.ranges)]
        most += [len(day) for days in self.missions or [] for day in days]
        most += [len(needs) for day in self.demands or [] for needs in day]
        return max(most)


def spread(values: Entry | list[Entry], n: int) -> list[Entry]:
    """Return the values for n locations, where one may stand for all."""
    return values if isinstance(values, list) else [values] * n


def longest(lead_times: int | list[list[int]]) -> int:
    """Return the longest lead time (days)."""
    return max(map(max, lead_times)) if isinstance(lead_times, list) else lead_times


def check_missions(field: str, missions: Any, n: int, days: int) -> None:
    """Check missions[location][day] = [[distance, aircraft], ...].

    Raises:
        InvalidInput: A location or day is missing, or a number cannot be.
    """
    _check_length(field, missions, n, "location")
    for i, location in enumerate(missions):
        _check_length(f"{field}[{i}]", location, days, "day")
        for t, day in enumerate(location):
            for k, mission in enumerate(day):
                at = f"{field}[{i}][{t}][{k}]"
                _check_length(at, mission, 2, "number of [distance, aircraft]")
                if not all(0.0 <= number <= LARGEST for number in mission) or mission[1] != int(mission[1]):
                    raise InvalidInput(
                        at, mission, "must be a distance and an integer number of aircraft", "Write [5000, 7]."
                    )


def check_demands(field: str, demands: Any, n: int, days: int) -> None:
    """Check demands[day][location] = [units, ...]; the last day, which is not played, may be missing.

    Raises:
        InvalidInput: A location or day is missing, or a number cannot be.
    """
    if len(demands) not in (days - 1, days):
        raise InvalidInput(field, f"{len(demands)} days", f"{days - 1} days are played", "Give one entry a day.")
    for t, day in enumerate(demands):
        _check_length(f"{field}[{t}]", day, n, "location")
        for i, needs in enumerate(day):
            for k, units in enumerate(needs):
                if not 0.0 <= units <= LARGEST:
                    raise InvalidInput(
                        f"{field}[{t}][{i}][{k}]", units, "must be a number >= 0", "Write units, 0 or more."
                    )


def _check_length(field: str, values: Sequence[Any], count: int, what: str) -> None:
    if len(values) != count:
        raise InvalidInput(field, f"{len(values)} entries", f"must be {count}, one for each {what}", "Add or cut.")
