"""The store for language models: actions and observations as checked records with names and units."""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pydantic

from restock.core.errors import InvalidInput
from restock.core.problem import Array
from restock.core.records import Counted, Names, Played, Records, Units
from restock.core.validation import Spec, validated
from restock.problems.retail import words

# The names that the published store gives its scores and hard failures, in the order of `interface`.
SCORES = ("R_revenue", "R_fulfillment", "R_waste", "R_cash_health", "R_capacity_util", "R_profit_bool")
FIRST_SCORE = 6  # among the measures of a day
FAILS = ("invalid_action", "unaffordable_order", "bankrupt", "idle_penalty")


class RetailAction(Spec):
    """What the store does on a day; a product not named is neither bought nor liquidated, and sold at list price."""

    buy_quantities: dict[str, Units] = pydantic.Field(
        {},
        description="units to buy of each product (units, at least 0); what the cash does not pay is rejected whole",
    )
    delivery_method: str | None = pydantic.Field(
        None,
        description="name of the way of delivery of all orders of the day; default: the first of them",
    )
    liquidate: dict[str, Units] = pydantic.Field(
        {},
        description="units of each product to remove after the sale, oldest first, without revenue (units, at least 0)",
    )
    price_multipliers: dict[str, float] = pydantic.Field(
        {},
        description="price of each product as a multiple of its list price; held to the range of the store",
    )


class RetailObservation(Spec):
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
        description="days from this evening until each event begins: 1 if the next day, the one to decide for, is its "
        "first, 0 if it is its second and last, -1 or less if it is over (days)"
    )
    updated_deliveries: list[dict[str, tuple[int, int]]] = pydantic.Field(
        description="what is under way, in the order of purchase: product: [units, day of arrival]"
    )
    reward: float = pydantic.Field(description="reward of the day, as the task counts it (points or money)")
    done: bool = pydantic.Field(description="whether the last day is over (yes or no)")


class RetailSummary(Spec):
    """How the store stands."""

    current_day: int = pydantic.Field(description="days played (days)")
    cash: float = pydantic.Field(description="cash (money)")
    inventory: dict[str, int] = pydantic.Field(description="stock of each product (units)")


Lot = tuple[int, int, int]  # product, units, day of arrival
Batch = tuple[int, int | None]  # units, days left


class RetailRecords(Records):
    """Records of a store."""

    action_type = RetailAction
    observation_type = RetailObservation
    summary_type = RetailSummary

    def __init__(self, problem: Any) -> None:
        super().__init__(problem)
        self._lines: Array | None = None  # the episode that is told
        self._told = 0  # days of it
        self._lots: list[Lot] = []  # what is there or under way of all that was bought in these days

    @cached_property
    def _products(self) -> Names:
        return Names("product", self.problem.names)

    @cached_property
    def _life(self) -> list[int]:
        return [product.shelf_life or 0 for product in self.problem.spec.products]

    @cached_property
    def _ways(self) -> Names:
        return Names("way of delivery", [delivery.name for delivery in self.problem.spec.deliveries])

    def allowed(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the products and the ways of delivery."""
        by_product = ("buy_quantities", "liquidate", "price_multipliers")
        products: dict[str, dict[str, Any]] = {name: {} for name in self._products}
        return {**dict.fromkeys(by_product, products), "delivery_method": {"enum": [*self._ways, None]}}

    def decision(self, action: RetailAction | Mapping[str, Any]) -> Array:
        """Return the units to buy, way of delivery, units to liquidate, price multipliers, shape (3 K + 1,).

        Raises:
            InvalidInput: A product or a way of delivery that there is not, a negative or unheard-of quantity,
                or another field; nothing has changed then.
        """
        asked = validated(RetailAction, action, "action")
        count = len(self._products)
        found = np.zeros(3 * count + 1)
        found[2 * count + 1 :] = 1.0
        self._products.write(asked.buy_quantities, found[:count], "action.buy_quantities")
        self._products.write(asked.liquidate, found[count + 1 : 2 * count + 1], "action.liquidate")
        self._products.write(asked.price_multipliers, found[2 * count + 1 :], "action.price_multipliers")
        way = asked.delivery_method
        if way is not None:
            found[count] = self._ways.place(way, "action.delivery_method", way)
        return found

    def action(self, decision: Any) -> RetailAction:
        """Return the record of a decision, its quantities rounded as the store rounds them."""
        numbers, count = np.asarray(decision, dtype=np.float64), len(self._products)
        whole = np.maximum(np.floor(numbers + 0.5), 0.0)
        prices = np.clip(numbers[2 * count + 1 :], *self.problem.spec.price_range)

        def units(values: Array) -> dict[str, int]:
            return {name: int(value) for name, value in self._products.above_zero(values).items()}

        return RetailAction(
            buy_quantities=units(whole[:count]),
            delivery_method=list(self._ways)[min(int(whole[count]), len(self._ways) - 1)],
            liquidate=units(whole[count + 1 : 2 * count + 1]),
            price_multipliers={name: price for name, price in self._products.read(prices).items() if price != 1.0},
        )

    def counted(self) -> tuple[Counted, ...]:
        """Return what each part of the reward counts."""
        return words.counted(self.problem)

    def impossible(self, action: RetailAction | Mapping[str, Any], played: Played) -> list[InvalidInput]:
        """Return the orders that the cash does not pay, and the liquidations of more than there is in the morning."""
        asked, spec, day = validated(RetailAction, action, "action"), self.problem.spec, played.periods + 1
        batches, coming = self._goods(played, played.now("on_hand").astype(int).tolist())
        arriving = [
            sum(units for k, units, arrival in coming if (k, arrival) == (place, day)) for place in range(len(batches))
        ]
        stocks = {
            name: sum(units for units, left in batches[name] if left != 0) + due
            for name, due in zip(batches, arriving, strict=True)
        }
        way = spec.deliveries[self._ways[asked.delivery_method or next(iter(self._ways))]]
        money, found = float(played.now("cash")[0]), []
        for product in spec.products:
            name, stock = product.name, stocks[product.name]

            def bill(units: int, product: Any = product, stock: int = stock) -> float:
                above = max(0, stock + units - product.capacity)
                return float(units * (product.cost + way.cost) + above * product.overflow_cost) if units else 0.0

            units, cleared = asked.buy_quantities.get(name, 0), asked.liquidate.get(name, 0)
            if bill(units) > money:
                most = bisect.bisect_right(range(1, units + 1), money, key=bill)
                problem = f"this costs {bill(units):,.2f} with delivery, and {money:,.2f} of the cash are left for it"
                found.append(InvalidInput(f"action.buy_quantities.{name}", units, problem, f"Buy at most {most:,}."))
            else:
                money -= bill(units)
            if cleared > stock:
                problem = f"there are {stock:,} units of it in the morning"
                found.append(InvalidInput(f"action.liquidate.{name}", cleared, problem, "Liquidate no more than that."))
        return found

    def observation(self, played: Played) -> RetailObservation:
        """Return the present observation."""
        day, spec, names = played.periods, self.problem.spec, self.problem.names
        on_hand = played.now("on_hand").astype(int).tolist()
        demand = played.now("demand").astype(int).tolist()
        inventory, coming = self._goods(played, on_hand)
        return RetailObservation(
            current_day=day,
            total_cash=float(played.now("cash")[0]),
            day_profit=float(played.now("profit")[0]),
            total_profit=float(played.now("total_profit")[0]),
            demand_today=dict(zip(names, demand, strict=True)) if day else {},
            updated_inventory=inventory,
            remaining_capacity={
                product.name: max(0, product.capacity - units)
                for product, units in zip(spec.products, on_hand, strict=True)
            },
            updated_events={event: first - day for event, first in spec.events.items()},
            updated_deliveries=[{names[k]: (units, arrival)} for k, units, arrival in coming],
            reward=played.reward,
            done=played.done,
        )

    def _goods(self, played: Played, on_hand: list[int]) -> tuple[dict[str, list[Batch]], list[Lot]]:
        """Return the batches of each product, oldest first, and what is under way, in the order of purchase.

        Sale, expiry and liquidation take the oldest, so the newest of what has arrived are left. A lot of which
        nothing is left is never told again, so that a day costs the same however many went before.
        """
        day, names = played.periods, self.problem.names
        if self._lines is not played.lines or day < self._told:
            start = [product.initial_stock for product in self.problem.spec.products]
            self._lines, self._told, self._lots = played.lines, 0, [(k, units, 0) for k, units in enumerate(start)]
        if day > self._told:
            ordered, due = played["ordered"][self._told :].tolist(), played["due"][self._told :].tolist()
            for t, line in enumerate(ordered):
                for k, units in enumerate(line):
                    if units:
                        self._lots.append((k, int(units), self._told + t + 1 + int(due[t][k])))
            self._told = day
        found: dict[str, list[Batch]] = {name: [] for name in names}
        left, kept = list(on_hand), []
        there = [(lot[2], place) for place, lot in enumerate(self._lots) if lot[2] <= day]
        for arrival, place in sorted(there, reverse=True):
            k, units, _ = self._lots[place]
            if units := min(left[k], units):
                life = self._life[k]
                found[names[k]].append((units, life - (day - arrival) if life else None))
                left[k] -= units
                kept.append(place)
        for batches in found.values():
            batches.reverse()
        coming = [lot for lot in self._lots if lot[2] > day]
        if len(kept) < len(there):
            known = set(kept)
            self._lots = [lot for place, lot in enumerate(self._lots) if lot[2] > day or place in known]
        return found, coming

    def metadata(self, played: Played) -> dict[str, Any]:
        """Return scores and hard failures of the last day, under the names of the published store.

        Nothing under the reward of the README, with which that store tells nothing.
        """
        if not played.periods or self.problem.spec.reward == "readme":
            return {}
        scores = played.now("measures")[FIRST_SCORE:].tolist()
        failures = played.now("failures").tolist()
        return {
            "reward_breakdown": dict(zip(SCORES, scores, strict=False)),
            "hard_fails": {name: failure > 0.0 for name, failure in zip(FAILS, failures, strict=True)},
        }

    def summary(self, played: Played) -> RetailSummary:
        """Return day, cash and stock, under the names of the published store."""
        on_hand = played.now("on_hand").astype(int).tolist()
        return RetailSummary(
            current_day=played.periods,
            cash=float(played.now("cash")[0]),
            inventory=dict(zip(self.problem.names, on_hand, strict=True)),
        )


def read(problem: Any, seen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recorded fields that an observation, as plain data, tells."""
    count, day = len(problem.names), int(seen["current_day"])
    products: Any = problem.fixed.products
    batches = np.zeros(count + int(problem.life.sum()))
    pipe = np.zeros(count * problem.room)
    for k, name in enumerate(problem.names):
        for units, days in seen["updated_inventory"][name]:
            batches[int(products.first[k]) + (days or 0)] += units
        for delivery in seen["updated_deliveries"]:
            for units, arrival in [delivery[name]] if name in delivery else []:
                pipe[k * problem.room + arrival - day - 1] += units
    on_hand: Array = np.array([sum(batch[0] for batch in seen["updated_inventory"][name]) for name in problem.names])
    return {"on_hand": on_hand, "batches": batches, "pipe": pipe, "cash": [seen["total_cash"]]}
