"""The store as its source states it: dictionaries of batches, a day at a time, records in and out, Python's random.

What a day does is what `server/inventory_env.py` of the published "Retail Inventory Optimization Environment"
does in a step with the decomposed reward, said again here: a generator made for every order and for every
day's demand, all six parts of the reward and the four hard failures, a new record of the state, and an
observation that keeps copies of stock, events and deliveries and is validated as a record of OpenEnv is.
Records are as strict as OpenEnv's. Not in here: what a server or a client adds around a step.
"""

from __future__ import annotations

import copy
import random
import uuid
from typing import Any

import pydantic

Table = dict[str, Any]
STRICT = pydantic.ConfigDict(extra="forbid", validate_assignment=True, arbitrary_types_allowed=True)
OPEN = pydantic.ConfigDict(extra="allow", validate_assignment=True, arbitrary_types_allowed=True)
EVENT_DAYS = 2
LOW_CASH, IDLE_DAYS = 10.0, 3


class Act(pydantic.BaseModel):
    """What the store does on a day."""

    model_config = STRICT
    buy_quantities: dict[str, int] = {}
    delivery_method: str = "slow"
    liquidate: dict[str, int] = {}
    price_multipliers: dict[str, float] = {}
    metadata: dict[str, Any] = pydantic.Field(default_factory=dict)


class Seen(pydantic.BaseModel):
    """What is known in the evening."""

    model_config = STRICT
    current_day: int
    total_cash: float
    day_profit: float
    total_profit: float
    demand_today: dict[str, int]
    updated_inventory: dict[str, list[list[int | None]]]
    remaining_capacity: dict[str, int]
    updated_events: dict[str, int]
    updated_deliveries: list[dict[str, list[int]]]
    reward: bool | int | float | None = None
    done: bool = False
    metadata: dict[str, Any] = pydantic.Field(default_factory=dict)


class Standing(pydantic.BaseModel):
    """What the store says about the episode when asked."""

    model_config = OPEN
    episode_id: str | None = None
    step_count: int = pydantic.Field(default=0, ge=0)
    current_day: int
    cash: float
    inventory: dict[str, int]


def clip(amount: float) -> float:
    """Within [-1, 1]."""
    return max(-1.0, min(1.0, amount))


class PlainRetail:
    """The published store with its decomposed reward.

    Args:
        spec: A published task, as `restock.problems.retail.RetailSpec`.
        seen: The record that observations are.
    """

    def __init__(self, spec: Any, seen: type[Any] = Seen) -> None:
        self.spec = spec
        self.seen = seen
        self.products: Table = {product.name: product for product in spec.products}
        self.ways: Table = {way.name: way for way in spec.deliveries}

    def reset(self) -> Any:
        self.day, self.idle, self.cash, self.total = 0, 0, self.spec.initial_cash, 0.0
        self.stock: dict[str, list[list[Any]]] = {
            name: [[product.initial_stock, product.shelf_life]] for name, product in self.products.items()
        }
        self.coming: list[dict[str, list[int]]] = []
        self.events = copy.deepcopy(self.spec.events)
        self.episode = str(uuid.uuid4())
        self._stand()
        return self._show(0.0, {}, 0.0, {})

    def _units(self, name: str) -> int:
        return sum(batch[0] for batch in self.stock[name])

    def _demand(self) -> dict[str, int]:
        """Of the day, at list price."""
        generator = random.Random(self.spec.seed * 1000 + self.day)
        found = {name: generator.randint(*product.demand) for name, product in self.products.items()}
        if self.day % 7 in (5, 6):
            found = {name: int(demand * self.spec.weekend_factor) for name, demand in found.items()}
        for event, days in self.events.items():
            if -EVENT_DAYS < days <= 0:
                for name, factor in self.spec.event_effects[event].items():
                    found[name] = int(found[name] * factor)
        return found

    def _take(self, name: str, quantity: int) -> int:
        """First-in first-out."""
        left, kept = quantity, []
        for batch in self.stock[name]:
            taken = min(batch[0], left)
            left -= taken
            if batch[0] > taken:
                kept.append([batch[0] - taken, batch[1]] if taken else batch)
        self.stock[name] = kept
        return quantity - left

    def _expire(self) -> int:
        """Take out what had no day left; the rest of what does not keep ages."""
        expired = 0
        for name, product in self.products.items():
            if product.shelf_life:
                expired += sum(batch[0] for batch in self.stock[name] if batch[1] == 0)
                self.stock[name] = [[units, days - 1] for units, days in self.stock[name] if days > 0]
        return expired

    def _receive(self) -> int:
        """What is due today, as new batches."""
        received, later = 0, []
        for order in self.coming:
            for name, (units, day) in order.items():
                if day <= self.day:
                    received += units
                    self.stock[name].append([units, self.products[name].shelf_life])
                else:
                    later.append(order)
        self.coming = later
        return received

    def _order(self, action: Any) -> tuple[float, bool]:
        """Money paid, and whether the cash was not enough for an order."""
        paid, refused = 0.0, False
        way = self.ways[action.delivery_method]
        for name, quantity in action.buy_quantities.items():
            product = self.products[name]
            over = max(0, self._units(name) + quantity - product.capacity)
            bill = quantity * (product.cost + way.cost) + over * product.overflow_cost
            if bill > self.cash:
                refused = True
                continue
            self.cash -= bill
            paid += bill
            generator = random.Random(self.spec.seed * 2000 + self.day * 100 + hash(name))
            late = generator.randint(-way.jitter, way.jitter) if way.jitter else 0
            self.coming.append({name: [quantity, max(self.day + 1, self.day + way.lead_time + late)]})
        return paid, refused

    def _invalid(self, action: Any) -> bool:
        """Judged in the evening, as the source does: a liquidation by the stock that it left."""
        for name, quantity in action.buy_quantities.items():
            if quantity < 0 or name not in self.products:
                return True
        for name, quantity in action.liquidate.items():
            if quantity < 0 or name not in self.products or quantity > self._units(name):
                return True
        return False

    def step(self, action: Any) -> Any:
        self.day += 1
        for event in self.events:
            self.events[event] -= 1
        handled = sum(self._units(name) for name in self.products)
        wasted = self._expire()
        handled += self._receive()
        paid, refused = self._order(action)
        demand = self._demand()
        revenue, possible, sold = 0.0, 0.0, 0
        prices = {}
        for name in demand:
            prices[name] = max(0.5, min(1.5, action.price_multipliers.get(name, 1.0)))
            demand[name] = max(0, int(demand[name] * prices[name] ** -self.products[name].elasticity))
        for name, wanted in demand.items():
            charged = self.products[name].price * prices[name]
            served = self._take(name, wanted)
            possible += wanted * charged
            revenue += served * charged
            sold += served
        for name, quantity in action.liquidate.items():
            if name in self.stock and quantity > 0:
                wasted += self._take(name, quantity)
        profit = revenue - paid
        self.cash += revenue
        self.total += profit
        self._stand()
        parts = {
            "profit": 1.0 if profit > 0 else -0.5 if profit < 0 else 0.0,
            "revenue": clip(2.0 * revenue / max(possible, 1.0) - 1.0),
            "fulfilment": 2.0 * (sold / max(sum(demand.values()), 1)) - 1.0,
            "waste": max(-1.0, 1.0 - 2.0 * min(3.0 * wasted / max(handled, 1), 1.0)),
            "cash": clip(self.cash / self.spec.initial_cash - 0.3),
            "capacity": clip(2.0 * self._filled() - 1.0),
        }
        passive = not any(action.buy_quantities.values()) and not any(action.liquidate.values())
        self.idle = self.idle + 1 if passive else 0
        failures = {
            "invalid": self._invalid(action),
            "unaffordable": refused,
            "bankrupt": self.cash < LOW_CASH,
            "idle": self.idle >= IDLE_DAYS,
        }
        reward = (
            0.25 * parts["revenue"] + 0.20 * parts["fulfilment"] + 0.15 * parts["waste"] + 0.15 * parts["cash"]
            + 0.15 * parts["capacity"] + 0.10 * parts["profit"] - sum(failures.values())
        )  # fmt: skip
        return self._show(profit, demand, reward, {"parts": parts, "failures": failures})

    def _filled(self) -> float:
        """Mean share of the capacity that is taken."""
        shares = [self._units(name) / product.capacity for name, product in self.products.items()]
        return sum(shares) / len(shares)

    def _stand(self) -> None:
        self.standing = Standing(
            episode_id=self.episode,
            current_day=self.day,
            cash=self.cash,
            inventory={name: self._units(name) for name in self.products},
        )

    def _show(self, profit: float, demand: dict[str, int], reward: float, told: dict[str, Any]) -> Any:
        return self.seen(
            current_day=self.day,
            total_cash=self.cash,
            day_profit=profit,
            total_profit=self.total,
            demand_today=demand,
            updated_inventory=copy.deepcopy(self.stock),
            remaining_capacity={
                name: max(0, product.capacity - self._units(name)) for name, product in self.products.items()
            },
            updated_events=copy.deepcopy(self.events),
            updated_deliveries=copy.deepcopy(self.coming),
            reward=reward,
            done=self.day >= self.spec.horizon,
            metadata=told,
        )
