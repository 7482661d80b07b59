"""Restock to target: every day, order what stock and pipeline lack of a fixed level."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from restock.core.errors import InvalidInput, nearest
from restock.core.problem import Array, Problem
from restock.policies._base import Information, TextPolicy, Tunable
from restock.policies.flows import per_entity
from restock.policies.retail import timetable
from restock.policies.retail.numbers import number


class RestockToTarget(TextPolicy):
    """Every day order up to a level of each product, at list price, with one way of delivery.

    Args:
        problem: A store.
        targets: Levels (units), one number or one for each product; default: so many days of usual demand.
        days: How many days that is, where no targets are given.
        delivery: The way of delivery; default: the one in the middle by cost.
        information: `blind`, the only level there is.

    Raises:
        InvalidInput: A parameter is not a usable number, or there is no such way of delivery.
    """

    name: ClassVar[str] = "restock-to-target"
    summary: ClassVar[str] = "order up to a level of each product every day, at list price"
    text = staticmethod(timetable.order)
    packing = timetable.PACKING

    def __init__(
        self,
        problem: Problem,
        targets: Any = None,
        days: float = 4.0,
        delivery: str | None = None,
        information: Information | None = None,
    ) -> None:
        super().__init__(problem, information)
        store = self.problem
        ways = [way.name for way in store.spec.deliveries]
        if delivery is not None and delivery not in ways:
            raise InvalidInput("delivery", delivery, "there is no such way of delivery", nearest(delivery, ways))
        by_cost = sorted(store.spec.deliveries, key=lambda way: way.cost)
        self.delivery = by_cost[len(by_cost) // 2].name if delivery is None else delivery
        usual = number("days", days, 0.0, 365.0) * store.usual_demand
        self.targets: Array = usual if targets is None else per_entity("targets", targets, store.names)
        way = ways.index(self.delivery)
        shape = (store.horizon, len(store.names))
        price = np.ones(shape)
        self.reads(
            paid_first=timetable.by_return(store, price, store.spec.deliveries[way].cost),
            way=np.full(shape[0], way),
            mornings=np.full(shape[0], store.room),
            price=price,
            level=np.broadcast_to(self.targets, shape),
        )

    def mean_decision(self) -> Array:
        """Return the demand of a day; delivery and prices are no quantities."""
        return np.concatenate([self.problem.usual_demand, np.full(2 * len(self.problem.names) + 1, np.nan)])

    def parameters_in_words(self) -> dict[str, Any]:
        """Return the level of each product, and the way of delivery."""
        levels = zip(self.problem.names, self.targets.tolist(), strict=True)
        return {**{f"target {name}": level for name, level in levels}, "delivery": self.delivery}

    def tunables(self) -> dict[str, Tunable]:
        """Return the level of each product."""
        capacity = np.array([product.capacity for product in self.problem.spec.products], dtype=np.float64)
        start = np.minimum(self.targets, capacity)
        return {"targets": Tunable(start, np.maximum(start / 4.0, 1.0), np.zeros_like(start), capacity)}
