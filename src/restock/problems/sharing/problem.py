"""Locations that share stock as a problem: tables, decisions, observations and exogenous information."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from restock.core import streams
from restock.core.checks import recorded_array, recorded_names
from restock.core.errors import InvalidInput
from restock.core.forms import ActionForm, Array, Block
from restock.core.problem import Problem, Source, Texts, Told
from restock.core.scene import Place, Scene
from restock.core.trajectory import Trajectory
from restock.core.wording import Curve, Wording
from restock.problems.sharing import dynamics, forms, words
from restock.problems.sharing.missions import Missions, drawn, listed
from restock.problems.sharing.sources import MissionSource
from restock.problems.sharing.spec import SharingSpec, check_demands, check_missions, longest, spread
from restock.problems.sharing.structured import SharingRecords

NO_DEPOT = -1
NEVER = 1e9  # a day that does not come


class SharingProblem(Problem):
    """Locations that serve missions from their stock and may ship to each other.

    Args:
        spec: The description; see `SharingSpec`.

    Attributes:
        slots: Missions of a location that a day has room for [K].
        depot: The location of the depot, -1 for none.
        start: Units at the start, shape (n,).
        missions: Drawn once from the seed of the description; None where every episode has its own.
        demands: Missions a day and their needs where they are given, shapes (T - 1, n) and (T - 1, n K).
        expected: Expected demand, shape (T, n); of a variable scenario that of its unmoved ranges.
    """

    family: ClassVar[str] = "sharing"
    texts: ClassVar[Texts] = Texts.of(dynamics)
    action_kinds: ClassVar[tuple[str, ...]] = ("matrix", "quantity", "normalized")
    observation_kinds: ClassVar[tuple[str, ...]] = ("dict", "flat", "scaled")
    exogenous: ClassVar[Mapping[str, int]] = {"mission_demand": 3, "expected_demand": 2, "depot": 0, "last_day": 0}
    service: ClassVar[tuple[str, str]] = ("filled", "missions")
    missed: ClassVar[tuple[str, str]] = ("stockouts", "stock-outs")

    def __init__(self, spec: SharingSpec) -> None:
        self.spec = spec
        self.name = spec.name
        self.horizon = spec.n_timesteps - 1
        self.slots = spec.most_missions
        generator = streams.generator(spec.seed)
        fixed = self._missions(generator)
        depot = NO_DEPOT
        if spec.scenario == "depot":
            depot = int(generator.integers(spec.n_locations)) if spec.depot is None else spec.depot
        self.depot = depot
        self.start = self.stock_with(depot)
        self.missions = None if spec.scenario == "variable" else fixed
        self.demands = None if spec.demands is None else self._needs(spec.demands)
        self.expected = fixed.expected(spec) if spec.demands is None or self._known() else self._sums()

    def _known(self) -> bool:
        """Return whether missions are described, so that demand can be expected from them."""
        return self.spec.missions is not None or self.spec.random_demand_params is not None

    def _missions(self, generator: np.random.Generator) -> Missions:
        spec = self.spec
        if spec.random_demand_params is not None:
            return drawn(spec.ranges, spec.n_timesteps, self.slots, generator)
        empty: list[Any] = [[[] for _ in range(spec.n_timesteps)] for _ in range(spec.n_locations)]
        return listed(spec.missions or empty, spec.n_timesteps, self.slots)

    def _sums(self) -> Array:
        """Return the expected daily needs if nothing else is known, shape (T, n)."""
        assert self.demands is not None
        needs = self.demands[1].reshape(self.horizon, self.spec.n_locations, -1).sum(axis=-1)
        return np.concatenate([needs, needs[-1:]])

    def stock_with(self, depot: int) -> Array:
        """Return the units at the start with the depot at a location, shape (n,)."""
        stock = np.array(spread(self.spec.starting_inventory, self.spec.n_locations), dtype=np.float64)
        if depot >= 0:
            stock[depot] = self.spec.depot_inventory
        return stock

    # tables -----------------------------------------------------------------------------------

    def axes(self) -> Mapping[Any, Sequence[Any]]:
        """Return the locations, the links from each to each, the days, and room for missions and arrivals."""
        spec, locations = self.spec, tuple(map(str, range(self.spec.n_locations)))
        return {
            dynamics.LOCATION: locations,
            dynamics.LINK: tuple(f"{j}->{i}" for i in locations for j in locations),
            dynamics.DAY: range(spec.n_timesteps),
            "arrival": range(self.horizon + longest(spec.lead_times)),
            "slot": range(self.slots),
        }

    def columns(self, **own: Any) -> Mapping[str, Any]:
        """Return the declared tables by full name."""
        spec, n = self.spec, self.spec.n_locations
        lead = np.array(spread(spec.lead_times, n * n) if isinstance(spec.lead_times, int) else spec.lead_times)
        return super().columns(
            lead_time=lead.reshape(n, n), unit_cost=spec.costs.unit, holding_cost=spec.costs.holding,
            shipment_cost=spec.costs.shipment, early=1.0 * spec.arrivals_first, **own,
        )  # fmt: skip

    # what agents see and do ---------------------------------------------------------------------

    def action_form(self, kind: str, max_order: Any = None) -> ActionForm:
        """Return the action form of that kind; see `forms.action_form`."""
        return forms.action_form(self, kind, max_order)

    def seen(self, scaled: bool) -> Mapping[str, Block]:
        """Return the blocks of the observation; see `forms.seen`."""
        return forms.seen(self)

    def told(self) -> tuple[Told, ...]:
        """Return what happened at each location, its cost, and what was shipped."""
        n = self.spec.n_locations
        each = {
            "filled": "filled",
            "stockouts": "stockouts",
            "fill_rate": "fill_rate",
            "cost.unit": "unit_cost",
            "cost.shipment": "shipment_cost",
            "cost.holding": "holding_cost",
        }
        return (*(Told(name, field, (n,)) for name, field in each.items()), Told("shipments", "shipped", (n, n)))

    def records(self) -> SharingRecords:
        """Return the actions and observations as records; see `sharing.structured`."""
        return SharingRecords(self)

    # exogenous information ------------------------------------------------------------------------

    def source(
        self, seeds: Sequence[int], generators: Sequence[np.random.Generator] | None = None, ahead: int = 1
    ) -> Source:
        """Return the episodes for rows with these seeds (or drawn from these generators of theirs)."""
        return MissionSource(self, seeds, generators)

    def packed(
        self, start: Array, expected: Array, count: Any, needs: Array, depot: int | None = None, last: float = NEVER
    ) -> Array:
        """An episode: stock, expected demand (T, n), missions (T - 1, n), needs (T - 1, n K), depot, last day."""
        held = np.ones(self.spec.n_locations)
        place = self.depot if depot is None else depot
        if place >= 0:
            held[place] = 0.0
        needs = needs.reshape(*np.shape(count), self.slots)
        return self.episode(
            {
                "stock": start, "first": expected[0], "expected": expected, "held": held, "last": last,
                "missions": count, "needs": needs,
            }
        )  # fmt: skip

    def replay(self, exogenous: Mapping[str, Any]) -> Array:
        """Return the episode with recorded needs.

        Args:
            exogenous: `mission_demand[day][location] = [units, ...]`, ragged or filled up with NaN; one of
                `missions[location][day] = [[distance, aircraft], ...]` and `expected_demand` of shape (T, n);
                without them the expected demand of the description. Where they differ from it: `depot`, a
                location or -1, and `last_day`, the day that was cut off.

        Raises:
            InvalidInput: Another name, shape, or a number that cannot be.
        """
        recorded_names(exogenous, (*self.exogenous, "missions"), ("mission_demand",))
        n, days = self.spec.n_locations, self.spec.n_timesteps
        needed = _ragged("exogenous.mission_demand", exogenous["mission_demand"])
        _checked_lists(check_demands, "exogenous.mission_demand", needed, n, days)
        count, needs = self._needs(needed)
        expected = self.expected
        if "missions" in exogenous:
            missions = _ragged("exogenous.missions", exogenous["missions"])
            _checked_lists(check_missions, "exogenous.missions", missions, n, days)
            most = max(len(day) for location in missions for day in location)
            expected = listed(missions, days, max(most, 1)).expected(self.spec)
        elif "expected_demand" in exogenous:
            expected = recorded_array("exogenous.expected_demand", exogenous["expected_demand"], (days, n))
        depot = exogenous.get("depot")
        place = self.depot if depot is None else int(recorded_array("exogenous.depot", depot, (), NO_DEPOT))
        if place >= n:
            raise InvalidInput("exogenous.depot", place, f"there are {n} locations, from 0 on", "Write -1 for none.")
        last = exogenous.get("last_day")
        last = NEVER if last is None else float(recorded_array("exogenous.last_day", last, ()))
        return self.packed(self.stock_with(place), expected, count, needs, place, last)

    def _needs(self, demands: Any) -> tuple[Array, Array]:
        """Return the missions a day, shape (T - 1, n), and their needs, shape (T - 1, n K).

        Raises:
            InvalidInput: A day has more missions than fit.
        """
        count = np.zeros((self.horizon, self.spec.n_locations))
        needs = np.zeros((*count.shape, self.slots))
        for t, day in enumerate(demands[: self.horizon]):
            for i, units in enumerate(day):
                if len(units) > self.slots:
                    field, many = f"exogenous.mission_demand[{t}][{i}]", f"{len(units)} missions"
                    problem = f"there is room for {self.slots} a day"
                    raise InvalidInput(field, many, problem, "Describe more: random_demand_params.missions.")
                count[t, i] = len(units)
                needs[t, i, : len(units)] = units
        return count, needs.reshape(self.horizon, -1)

    def exogenous_of(self, record: Array, episodes: Array) -> dict[str, Array]:
        """Return what was drawn in recorded episodes; missions that do not exist have the need NaN."""
        head = episodes.shape[:-1]
        found = {name: episodes[..., place].reshape((*head, *shape)) for name, (place, shape) in self.held.items()}
        there, held = np.arange(self.slots) < found["missions"][..., None], found["held"]
        return {
            "mission_demand": np.where(there, found["needs"], np.nan),
            "expected_demand": found["expected"],
            "depot": np.where((held == 0.0).any(axis=-1), held.argmin(axis=-1), NO_DEPOT),
            "last_day": found["last"],
        }

    # words ------------------------------------------------------------------------------------

    def figures(self, trajectory: Trajectory) -> dict[str, Array]:
        """Return the cost by purpose, and the total, whether or not it counts in the reward."""
        cost = {name: trajectory[name].sum(axis=(-2, -1)) for name in ("unit_cost", "shipment_cost", "holding_cost")}
        return {**cost, "cost": np.asarray(sum(cost.values()))}

    def scene(self, t: int, world: Any) -> Scene:
        """What a picture of the state at the start of day t shows."""
        state, chance, flows = world.state, world.chance, world.flows
        places = []
        for i in range(self.spec.n_locations):
            role = "location" if chance.held[i] > 0.0 else "depot"
            figures = (("expected", float(state.expected[i])), ("coming", float(state.in_transit[i])))
            lost = float(flows.stockouts[i])
            stock = float(state.on_hand[i])
            places.append(Place(f"location {i}", role, stock, float(self.start[i]), figures, lost, "stock-outs"))
        return Scene(tuple(places))

    @property
    def wording(self) -> Wording:
        """What texts and reports call things."""
        return words.wording(self)

    def curves(self) -> tuple[Curve, ...]:
        """Return stock, without a depot, which has more than all others, and stock-outs."""
        kept = tuple(i for i in range(self.spec.n_locations) if i != self.depot)
        which = "all locations together" if len(kept) == self.spec.n_locations else "all locations but the depot"
        return (
            Curve("on_hand", f"Stock on hand, {which}", kept),
            Curve("stockouts", "Stock-outs on each day", unit="missions", lacking=True),
        )

    def explain(self) -> str:
        """Return the problem in words: locations, clock, costs, demand."""
        return words.explain(self)

    def description(self) -> dict[str, Any]:
        """Return the problem as plain data."""
        return {**self.spec.model_dump(exclude={"name"}), "depot": self.depot, "expected_demand": self.expected}


def _ragged(field: str, values: Any) -> Any:
    """Return nested lists without the NaN that fills up an array."""
    if isinstance(values, np.ndarray):
        if values.ndim < 3 or values.dtype.kind not in "iuf":
            raise InvalidInput(field, f"shape {values.shape}", "this has days, locations, missions", "Add axes.")
        there = ~np.isnan(values)
        return [
            [needs[is_there].tolist() for needs, is_there in zip(*day, strict=True)]
            for day in zip(values, there, strict=True)
        ]
    return values


def _checked_lists(check: Any, field: str, values: Any, n: int, days: int) -> None:
    """Run a check of nested lists; what is none of those is told as such."""
    try:
        check(field, values, n, days)
    except TypeError:
        raise InvalidInput(
            field, values, "must be lists of lists of numbers", "Write them by location and day."
        ) from None
