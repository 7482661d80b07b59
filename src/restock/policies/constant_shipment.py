"""Constant shipments: the same quantity from one source to every other location, every day."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.problem import Array, Problem
from restock.policies._base import TextPolicy, Tunable
from restock.policies.flows import per_entity
from restock.policies.parameters import LOCATION, Packing, Parameter


def ship(t: int, own: Any, links: Any, rules: Any, state: Any, chance: Any, flows: Any) -> None:
    """Ship the quantity of each location to it from the source."""
    n = len(state.on_hand)
    source = int(own.source)
    for i in range(n):
        for j in range(n):
            flows.ordered[i * n + j] = 0.0 * own.quantity[i]
        flows.ordered[i * n + source] = own.quantity[i]


class ConstantShipment(TextPolicy):
    """Ship the same quantity to every location every day, whatever its stock.

    Args:
        problem: Locations that share stock.
        quantity: Units a day, one number or one for each location; default: what each is expected to need.
        source: The location that ships; default: the depot, without one the location with most stock.

    Raises:
        InvalidInput: `quantity` is not numbers of at least 0, or there is no such location.
    """

    name: ClassVar[str] = "constant-shipment"
    summary: ClassVar[str] = "the same quantity from the depot to every other location, every day"
    text = staticmethod(ship)
    packing = Packing(
        "Shipments",
        __name__,
        source=Parameter((), "location", "the one that ships to the others"),
        quantity=Parameter((LOCATION,), "units", "shipped to each every day"),
    )

    def __init__(self, problem: Problem, quantity: Any = None, source: Any = None) -> None:
        super().__init__(problem)
        self.source = source_of(self.problem, source)
        usual = self.problem.expected.mean(axis=0)
        each = range(self.problem.spec.n_locations)
        self.quantity: Array = usual if quantity is None else per_entity("quantity", quantity, each)
        self.reads(source=self.source, quantity=without(self.quantity, self.source))

    def parameters_in_words(self) -> dict[str, Any]:
        """Return the quantity of each location."""
        return {f"{self.source}->{i}": float(q) for i, q in enumerate(self.quantity) if i != self.source}

    def tunables(self) -> dict[str, Tunable]:
        """Return the quantity of each location."""
        return {"quantity": numbers(self.quantity, self.source, float(self.problem.start.max()))}


def source_of(problem: Any, source: Any) -> int:
    """Return the location that ships to the others.

    Raises:
        InvalidInput: There is no such location.
    """
    if source is None:
        return int(problem.depot if problem.depot >= 0 else problem.start.argmax())
    n = problem.spec.n_locations
    if isinstance(source, bool) or not isinstance(source, (int, np.integer)) or not 0 <= source < n:
        raise InvalidInput("source", source, f"must be one of {n} locations, counted from 0", "Write for instance 0.")
    return int(source)


def without(amounts: Array, source: int) -> Array:
    """Return the amounts without that of the source itself."""
    return np.where(np.arange(len(amounts)) == source, 0.0, amounts)


def numbers(start: Array, source: int, high: float) -> Tunable:
    """Return one number of at least 0 per location; that of the source stays as it is."""
    turned = np.arange(len(start)) != source
    low, most = np.where(turned, 0.0, start), np.where(turned, high, start)
    return Tunable(start, np.maximum(start / 4.0, 1.0), low, most)
