"""The store as its source states it: dictionaries of batches, a day at a time, records in and out, Python's random."""

from __future__ import annotations

import random
from typing import Any

import pydantic

Table = dict[str, Any]


class Act(pydantic.BaseModel):
    """What the store does on a day."""

    buy_quantities: dict[str, int] = {}
    delivery_method: str = "slow"
    liquidate: dict[str, int] = {}
    price_multipliers: dict[str, float] = {}


class Seen(pydantic.BaseModel):
    """What is known in the evening."""

    current_day: int
    total_cash: float
    day_profit: float
    total_profit: float
    demand_today: dict[str, int]
    updated_inventory: dict[str, list[list[int | None]]]
    remaining_capacity: dict[str, int]
    updated_events: dict[str, int]
    updated_deliveries: list[dict[str, list[int]]]
    reward: float
    done: bool


class PlainRetail:
    """The published store with the reward of its README.

    Args:
        spec: A published task, as `restock.problems.retail.RetailSpec`.
    """

    def __init__(self, spec: Any) -> None:
        self.spec = spec
        self.products: Table = {product.name: product for product in spec.products}
        self.ways: Table = {way.name: way for way in spec.deliveries}

    def reset(self) -> Seen:
        self.day, self.cash, self.total = 0, self.spec.initial_cash, 0.0
        self.stock: dict[str, list[list[Any]]] = {
            name: [[product.initial_stock, product.shelf_life]] for name, product in self.products.items()
        }
        self.coming: list[tuple[str, int, int]] = []
        self.events = dict(self.spec.events)
        return self._seen(0.0, {}, 0.0)

    def _demand(self, prices: dict[str, float]) -> dict[str, int]:
        generator = random.Random(self.spec.seed * 1000 + self.day)
        found = {}
        for name, product in self.products.items():
            demand = generator.randint(*product.demand)
            if self.day % 7 in (5, 6):
                demand = int(demand * 1.2)
            for event, days in self.events.items():
                if -2 < days <= 0:
                    demand = int(demand * self.spec.event_effects[event].get(name, 1.0))
            found[name] = int(demand * prices[name] ** -product.elasticity)
        return found

    def _take(self, name: str, quantity: int) -> int:
        """First-in first-out."""
        left, kept = quantity, []
        for units, days in self.stock[name]:
            taken = min(units, left)
            left -= taken
            if units > taken:
                kept.append([units - taken, days])
        self.stock[name] = kept
        return quantity - left

    def step(self, action: Act) -> Seen:
        self.day += 1
        self.events = {event: days - 1 for event, days in self.events.items()}
        expired, rejected, paid = 0, 0, 0.0
        for name, product in self.products.items():
            if product.shelf_life:
                expired += sum(units for units, days in self.stock[name] if days <= 0)
                self.stock[name] = [[units, days - 1] for units, days in self.stock[name] if days > 0]
        for name, units, day in self.coming:
            if day == self.day:
                self.stock[name].append([units, self.products[name].shelf_life])
        self.coming = [order for order in self.coming if order[2] != self.day]
        way = self.ways[action.delivery_method]
        for name, quantity in action.buy_quantities.items():
            product = self.products[name]
            over = sum(units for units, _ in self.stock[name]) + quantity - product.capacity
            bill = quantity * (product.cost + way.cost) + max(0, over) * product.overflow_cost
            if bill > self.cash:
                rejected += 1
                continue
            self.cash -= bill
            paid += bill
            late = random.Random(f"{self.spec.seed}/{self.day}/{name}").randint(-way.jitter, way.jitter)
            self.coming.append((name, quantity, max(self.day + 1, self.day + way.lead_time + late)))
        prices = {name: min(1.5, max(0.5, action.price_multipliers.get(name, 1.0))) for name in self.products}
        demand = self._demand(prices)
        revenue, reward = 0.0, 0.0
        for name, product in self.products.items():
            charged = product.price * prices[name]
            sold = self._take(name, demand[name])
            revenue += sold * charged
            reward += 0.001 * (2 * sold - demand[name]) * charged
        self.cash += revenue
        for name, quantity in action.liquidate.items():
            reward -= 0.001 * self._take(name, quantity) * self.products[name].cost
        self.total += revenue - paid
        return self._seen(revenue - paid, demand, reward - 0.05 * expired - 0.5 * rejected)

    def _seen(self, profit: float, demand: dict[str, int], reward: float) -> Seen:
        return Seen(
            current_day=self.day,
            total_cash=self.cash,
            day_profit=profit,
            total_profit=self.total,
            demand_today=demand,
            updated_inventory=self.stock,
            remaining_capacity={
                name: max(0, product.capacity - sum(units for units, _ in self.stock[name]))
                for name, product in self.products.items()
            },
            updated_events=self.events,
            updated_deliveries=[{name: [units, day]} for name, units, day in self.coming],
            reward=reward,
            done=self.day >= self.spec.horizon,
        )
