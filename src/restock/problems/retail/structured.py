"""The store for agents that speak: what they say and what they are told, as checked records with names and units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pydantic

from restock.core.errors import InvalidInput, nearest
from restock.core.problem import Array
from restock.core.trajectory import Trajectory
from restock.core.validation import Spec, validated
from restock.problems.retail.problem import RetailProblem

MOST_UNITS = 1_000_000_000


class Action(Spec):
    """What the store does on a day; a product not named is neither bought nor liquidated, and sold at list price."""

    buy_quantities: dict[str, int] = pydantic.Field(
        {},
        description="units to buy of each product (units, at least 0); what the cash does not pay is rejected whole",
    )
    delivery_method: str | None = pydantic.Field(
        None, description="way of delivery of all orders of the day; default: the first, `slow` in the published tasks"
    )
    liquidate: dict[str, int] = pydantic.Field(
        {},
        description="units of each product to remove after the sale, oldest first, without revenue (units, at least 0)",
    )
    price_multipliers: dict[str, float] = pydantic.Field(
        {},
        description="price of each product as a multiple of its list price; held to the range of the store, 0.5 to 1.5",
    )

    @pydantic.model_validator(mode="after")
    def _no_less_than_nothing(self) -> Action:
        for field in ("buy_quantities", "liquidate"):
            for product, units in getattr(self, field).items():
                if not 0 <= units <= MOST_UNITS:
                    problem = f"this should be 0 to {MOST_UNITS} units"
                    raise InvalidInput(f"{field}.{product}", units, problem, "Write a whole number of units.")
        return self


class Observation(Spec):
    """What is known in the evening of a day, or before the first."""

    current_day: int = pydantic.Field(description="days played (days)")
    total_cash: float = pydantic.Field(description="cash (money)")
    day_profit: float = pydantic.Field(description="revenue less purchases of the day (money)")
    total_profit: float = pydantic.Field(description="profit of all days so far (money)")
    demand_today: dict[str, int] = pydantic.Field(
        description="units asked for today at the prices charged, sold or not (units); empty before the first day"
    )
    updated_inventory: dict[str, list[tuple[int, int | None]]] = pydantic.Field(
        description="stock of each product, oldest first: [units, days left on which they can be sold, null for ever]"
    )
    remaining_capacity: dict[str, int] = pydantic.Field(description="units there is room for without surcharge (units)")
    updated_events: dict[str, int] = pydantic.Field(
        description="days until each event begins; 0 on its first day, -1 on its second and last"
    )
    updated_deliveries: list[dict[str, tuple[int, int]]] = pydantic.Field(
        description="what is under way, in the order of purchase: product: [units, day of arrival]"
    )
    reward: float = pydantic.Field(description="reward of the day, as the task counts it")
    done: bool = pydantic.Field(description="whether the last day is over")


def decision(problem: RetailProblem, action: Action | Mapping[str, Any]) -> Array:
    """The decision that an action asks for, shape (3 K + 1,), in physical units.

    Raises:
        InvalidInput: A product or a way of delivery that there is not, a negative or unheard-of quantity,
            or another field; nothing has changed then.
    """
    asked = validated(Action, action, "action")
    names, ways = problem.names, [delivery.name for delivery in problem.spec.deliveries]
    count = len(names)
    found = np.zeros(3 * count + 1)
    found[2 * count + 1 :] = 1.0
    for field, start in (("buy_quantities", 0), ("liquidate", count + 1), ("price_multipliers", 2 * count + 1)):
        for product, amount in getattr(asked, field).items():
            if product not in names:
                raise InvalidInput(
                    f"action.{field}.{product}", amount, "there is no such product", nearest(product, names)
                )
            found[start + names.index(product)] = amount
    if asked.delivery_method is not None:
        if asked.delivery_method not in ways:
            mend = nearest(asked.delivery_method, ways)
            raise InvalidInput(
                "action.delivery_method", asked.delivery_method, "there is no such way of delivery", mend
            )
        found[count] = ways.index(asked.delivery_method)
    return found


def observation(problem: RetailProblem, trajectory: Trajectory) -> Observation:
    """What is known after the periods of a trajectory of one episode."""
    day = trajectory.periods
    names, life = problem.names, problem.life.tolist()
    on_hand = trajectory["on_hand"][day].astype(int).tolist()
    lots = _lots(problem, trajectory)
    inventory: dict[str, list[tuple[int, int | None]]] = {}
    for k, name in enumerate(names):
        there = sorted(
            (arrival, place) for place, (product, _, arrival) in enumerate(lots) if product == k and arrival <= day
        )
        left, batches = on_hand[k], []
        for arrival, place in reversed(there):  # sale, expiry and liquidation take the oldest: the newest are left
            units = min(left, lots[place][1])
            if units:
                batches.append((units, life[k] - (day - arrival) if life[k] else None))
            left -= units
        inventory[name] = batches[::-1]
    flows = {name: trajectory[name][day - 1] for name in ("demand", "profit")} if day else {}
    capacity = [product.capacity for product in problem.spec.products]
    return Observation(
        current_day=day,
        total_cash=float(trajectory["cash"][day, 0]),
        day_profit=float(flows["profit"][0]) if day else 0.0,
        total_profit=float(trajectory["total_profit"][day, 0]),
        demand_today=dict(zip(names, flows["demand"].astype(int).tolist(), strict=True)) if day else {},
        updated_inventory=inventory,
        remaining_capacity={
            name: max(0, room - units) for name, room, units in zip(names, capacity, on_hand, strict=True)
        },
        updated_events={event: first - day for event, first in problem.spec.events.items()},
        updated_deliveries=[{names[k]: (units, arrival)} for k, units, arrival in lots if arrival > day],
        reward=float(trajectory.rewards[day - 1]) if day else 0.0,
        done=day >= problem.horizon,
    )


def _lots(problem: RetailProblem, trajectory: Trajectory) -> list[tuple[int, int, int]]:
    """Product, units and day of arrival of the stock at the start and of every order, in the order of purchase."""
    found = [(k, product.initial_stock, 0) for k, product in enumerate(problem.spec.products)]
    ordered = trajectory["ordered"].astype(int)
    due = trajectory["due"].astype(int)
    for t, k in np.argwhere(ordered > 0).tolist():
        found.append((k, int(ordered[t, k]), t + 1 + int(due[t, k])))
    return found
