"""The shelf as a problem: its tables, decisions, observations and exogenous information."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from restock.core.checks import recorded_array, recorded_names
from restock.core.errors import InvalidInput
from restock.core.problem import ActionForm, Array, ObservationForm, Problem, Source, Tables, Texts, choose
from restock.core.schema import PERIOD, Schema
from restock.core.sources import GeneratorSource
from restock.core.wording import Wording
from restock.problems.minimal.dynamics import SCHEMA, decide, ends, step
from restock.problems.minimal.spec import MinimalSpec
from restock.problems.minimal.structured import MinimalRecords


class MinimalProblem(Problem):
    """One item in one place.

    Args:
        spec: The description; see `MinimalSpec`.
    """

    family: ClassVar[str] = "minimal"
    schema: ClassVar[Schema] = SCHEMA
    texts: ClassVar[Texts] = Texts(
        "minimal",
        (),
        SCHEMA.unpack,
        step,
        ends,
        decide,
        SCHEMA.observe("on_hand"),
        SCHEMA.totals,
        SCHEMA.put("ordered"),
    )
    parts: ClassVar[tuple[str, ...]] = SCHEMA.money
    action_kinds: ClassVar[tuple[str, ...]] = ("discrete",)
    exogenous: ClassVar[Mapping[str, int]] = {"start": 0, "slip": 1, "demand": 1}
    decision: ClassVar[str] = "ordered"

    def __init__(self, spec: MinimalSpec) -> None:
        self.spec = spec
        self.name = spec.name
        self.horizon = spec.horizon

    def tables(self, action: ActionForm | None = None, observation: ObservationForm | None = None) -> Tables:
        """Return the packed numbers."""
        given = {field.key: getattr(self.spec, field.name) for field in SCHEMA.of("real")}
        ints, floats = SCHEMA.pack({PERIOD: self.horizon}, 1, 1, given)
        scale = np.ones(1) if observation is None else observation.scale
        row, recorded = ints[:2].tolist()
        return Tables(ints, np.concatenate([floats, scale]), np.zeros(row), recorded, row - recorded, given=1)

    def action_form(self, kind: str, max_order: Any = None) -> ActionForm:
        """Return the one form there is: `discrete`, 0 to the largest order.

        Raises:
            InvalidInput: No such kind, or a bound: that is `most_order`.
        """
        choose(kind, self.action_kinds, "action")
        if max_order is not None:
            raise InvalidInput("max_order", max_order, "the largest order is part of the problem", "Give `most_order`.")
        most = np.array([float(self.spec.most_order)])
        return ActionForm(kind, ("order (units)",), np.zeros(1), most, most, True, "units ordered", ())

    def observation_form(self, kind: str) -> ObservationForm:
        """Return the observation form of that kind: `flat` (units), `scaled` (over the capacity), `dict`.

        Raises:
            InvalidInput: No such kind.
        """
        choose(kind, self.observation_kinds, "observation")
        scale = np.array([1.0 / self.spec.capacity if kind == "scaled" else 1.0])
        high = scale * self.spec.capacity
        return ObservationForm(kind, ("on hand",), np.zeros(1), high, scale, {"on_hand": slice(0, 1)})

    def records(self) -> MinimalRecords:
        """Return the actions and observations as records; see `minimal.structured`."""
        return MinimalRecords(self)

    def source(
        self, seeds: Sequence[int], generators: Sequence[np.random.Generator] | None = None, ahead: int = 1
    ) -> Source:
        """Return the episodes for rows with these seeds (or drawn from these generators of theirs)."""
        return ShelfSource(self.spec, seeds, generators)

    def replay(self, exogenous: Mapping[str, Any]) -> Array:
        """Return the episode with recorded `start`, `slip` (T,) and `demand` (T,).

        Raises:
            InvalidInput: Another name, shape, or a number that cannot be.
        """
        recorded_names(exogenous, self.exogenous)
        start = recorded_array("exogenous.start", exogenous["start"], ())
        slip = recorded_array("exogenous.slip", exogenous["slip"], (self.horizon,), -1.0)
        demand = recorded_array("exogenous.demand", exogenous["demand"], (self.horizon,))
        if start > self.spec.capacity:
            problem = f"the shelf holds {self.spec.capacity}"
            raise InvalidInput("exogenous.start", float(start), problem, "Write no more than that.")
        return np.concatenate([[float(start)], slip, demand])

    def exogenous_of(self, record: Array, episodes: Array) -> dict[str, Array]:
        """What was drawn in recorded episodes."""
        start, slip, demand = np.split(episodes, [1, 1 + self.horizon], axis=-1)
        return {"start": start[..., 0], "slip": slip, "demand": demand}

    def labels(self) -> dict[str, tuple[str, ...]]:
        """Return the names of the entries of each recorded field."""
        return SCHEMA.labels({})

    @property
    def wording(self) -> Wording:
        """What texts and reports call things."""
        return Wording(
            system="shelf",
            counted="1 for a period in which all demand is served, -1 for any other, less what overflow costs",
            sees="the stock on the shelf and past demand",
            chance="demand and deliveries",
            fewer="fewer",
            parts={"served": "periods served", "short": "periods short", "overflow": "penalty for overflow"},
        )

    def explain(self) -> str:
        """Return the problem in words."""
        s = self.spec
        return "\n".join(
            [
                f"{s.name}: {s.description}".rstrip(": "),
                f"{s.horizon} periods, a shelf for {s.capacity} units, orders of 0 to {s.most_order}.",
                "",
                "Each period, in this order:",
                f"  1. the order arrives, one more or less or as asked; what does not fit is lost and costs "
                f"{s.overflow_penalty:g};",
                f"  2. demand: 0 to {s.demand - 1} units, and {s.rush} more with chance {s.rush_chance:g};",
                "  3. reward 1 if all of it is served, else -1.",
            ]
        )

    def description(self) -> dict[str, Any]:
        """Return the problem as plain data."""
        return self.spec.model_dump(exclude={"name", "horizon"})

    def size(self) -> dict[str, int]:
        """Return one shelf."""
        return {"shelves": 1}


class ShelfSource(GeneratorSource[MinimalSpec]):
    """Episodes drawn from NumPy generators, one a row: stock at the start, then slips and demand."""

    def next(self, rows: NDArray[np.int64]) -> Array:
        """Return the next episode of each row named, shape (len(rows), drawn)."""
        spec, periods = self._model, self._model.horizon
        episodes = np.empty((len(rows), 1 + 2 * periods))
        for k, row in enumerate(rows.tolist()):
            generator = self._generators[row]
            episodes[k, 0] = generator.integers(spec.capacity + 1)
            episodes[k, 1 : 1 + periods] = generator.integers(-1, 2, size=periods)
            demand = generator.integers(spec.demand, size=periods)
            rush = generator.random(periods) < spec.rush_chance
            episodes[k, 1 + periods :] = demand + spec.rush * rush
        return episodes
