"""The newsvendor as a problem: its tables, decisions, observations and exogenous information."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from restock.core.checks import recorded_array, recorded_names
from restock.core.errors import InvalidInput
from restock.core.problem import UNBOUNDED, ActionForm, Array, ObservationForm, Problem, Source, Tables, Texts, choose
from restock.core.sources import GeneratorSource
from restock.core.wording import Wording

from . import dynamics, interface
from .spec import OwnSpec


class OwnProblem(Problem):
    """One item, ordered some periods before it can be sold.

    Args:
        spec: The description; see `OwnSpec`.
    """

    family: ClassVar[str] = "own-problem"
    texts: ClassVar[Texts] = Texts.of("own_problem", dynamics, interface)
    parts: ClassVar[tuple[str, ...]] = interface.PARTS
    action_kinds: ClassVar[tuple[str, ...]] = ("quantity", "normalized")
    exogenous: ClassVar[Mapping[str, int]] = {"demand": 1}
    decision: ClassVar[str] = "ordered"

    def __init__(self, spec: OwnSpec) -> None:
        self.spec = spec
        self.name = spec.name
        self.horizon = spec.horizon

    def tables(self, action: ActionForm | None = None, observation: ObservationForm | None = None) -> Tables:
        """The packed numbers: integers begin with the lengths of a row, its recorded part, action, observation."""
        spec = self.spec
        recorded = 1 + spec.lead_time + interface.FLOWS
        ints = np.array([recorded + self.horizon, recorded, 1, 1 + spec.lead_time, self.horizon, spec.lead_time])
        rules = dynamics.Rules(spec.price, spec.cost, spec.holding_cost, spec.shortage_cost)
        most = spec.most_order if action is None else float(action.most[0])
        centred = action is not None and action.kind == "normalized"
        reading = (most / 2.0, most / 2.0, most) if centred else (1.0, 0.0, most)
        scale = 1.0 if observation is None else observation.scale[0]
        fresh = np.zeros(recorded + self.horizon)
        fresh[0] = spec.start
        return Tables(ints, np.array([*rules, *reading, scale], dtype=np.float64), fresh, recorded, self.horizon)

    def action_form(self, kind: str, max_order: Any = None) -> ActionForm:
        """Return the action form of that kind: `quantity` (units), `normalized` (-1 nothing, 1 the largest order).

        Raises:
            InvalidInput: No such kind, or a bound: that is `most_order`.
        """
        choose(kind, self.action_kinds, "action")
        if max_order is not None:
            raise InvalidInput("max_order", max_order, "the largest order is part of the problem", "Give `most_order`.")
        most = np.array([self.spec.most_order])
        low, high = (np.zeros(1), most) if kind == "quantity" else (-np.ones(1), np.ones(1))
        return ActionForm(kind, ("order (units)",), low, high, most, False, "units ordered")

    def observation_form(self, kind: str) -> ObservationForm:
        """Return the observation form of that kind: `flat` (units), `scaled` (over the largest order), `dict`.

        Raises:
            InvalidInput: No such kind.
        """
        choose(kind, self.observation_kinds, "observation")
        size = 1 + self.spec.lead_time
        labels = ("on hand", *(f"arrives in {k + 1}" for k in range(self.spec.lead_time)))
        scale = np.full(size, 1.0 / self.spec.most_order if kind == "scaled" else 1.0)
        groups = {"on_hand": slice(0, 1), "in_transit": slice(1, size)}
        return ObservationForm(kind, labels, np.zeros(size), np.full(size, UNBOUNDED), scale, groups)

    def source(
        self, seeds: Sequence[int], generators: Sequence[np.random.Generator] | None = None, ahead: int = 1
    ) -> Source:
        """Return the episodes for rows with these seeds (or drawn from these generators of theirs)."""
        return OwnSource(self.spec, seeds, generators)

    def replay(self, exogenous: Mapping[str, Any]) -> Array:
        """Return the episode with recorded `demand` (T,).

        Raises:
            InvalidInput: Another name, shape, or a number that cannot be.
        """
        recorded_names(exogenous, self.exogenous)
        return recorded_array("exogenous.demand", exogenous["demand"], (self.horizon,))

    def exogenous_of(self, record: Array, episodes: Array) -> dict[str, Array]:
        """What was drawn in recorded episodes."""
        return {"demand": episodes}

    def labels(self) -> dict[str, tuple[str, ...]]:
        """Return the names of the entries of each recorded field."""
        names = {name: (name,) for name in (*dynamics.State._fields, *dynamics.Flows._fields)}
        return names | {"in_transit": tuple(f"arrives in {k + 1}" for k in range(self.spec.lead_time))}

    @property
    def wording(self) -> Wording:
        """What texts and reports call things."""
        return Wording(worth="profit", place="item", places="items")

    def explain(self) -> str:
        """Return the problem in words."""
        s = self.spec
        return "\n".join(
            [
                f"{s.name}: {s.description}".rstrip(": "),
                f"{s.horizon} periods, {s.start:g} units at the start, orders of 0 to {s.most_order:g}.",
                "",
                "Each period, in this order:",
                f"  1. what was ordered {s.lead_time} periods ago arrives, and a new order is placed, for {s.cost:g} "
                "a unit;",
                f"  2. demand, Poisson with mean {s.demand:g}, is served at {s.price:g} a unit; the rest is lost, and "
                f"costs {s.shortage_cost:g} a unit;",
                f"  3. holding costs {s.holding_cost:g} for each unit left.",
            ]
        )

    def description(self) -> dict[str, Any]:
        """Return the problem as plain data."""
        return self.spec.model_dump(exclude={"name", "horizon"})

    def size(self) -> dict[str, int]:
        """Return one item."""
        return {"items": 1}


class OwnSource(GeneratorSource[OwnSpec]):
    """Episodes drawn from NumPy generators, one a row."""

    def next(self, rows: NDArray[np.int64]) -> Array:
        """Return the next episode of each row named, shape (len(rows), T)."""
        mean, periods = self._model.demand, self._model.horizon
        return np.array([self._generators[row].poisson(mean, periods) for row in rows.tolist()], dtype=np.float64)
