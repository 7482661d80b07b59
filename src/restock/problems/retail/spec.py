"""What a description of a store may say: checked, with units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pydantic

from restock.core.errors import InvalidInput, nearest
from restock.core.validation import LARGEST, Spec

Rewards = Literal["profit", "readme", "decomposed"]
Streams = Literal["task", "seed", "fast"]


def _amount(default: Any = ..., *, description: str) -> Any:
    return pydantic.Field(default, ge=0.0, le=LARGEST, description=description)


class ProductSpec(Spec):
    """Something the store sells."""

    name: str = pydantic.Field(min_length=1, description="what it is called")
    price: float = _amount(description="list price (money/unit)")
    cost: float = _amount(description="purchase cost (money/unit)")
    shelf_life: int | None = pydantic.Field(
        None, ge=1, le=365, description="days after the day of arrival on which it can still be sold; none: for ever"
    )
    elasticity: float = pydantic.Field(1.0, ge=0.0, le=10.0, description="price elasticity of demand [e]")
    overflow_cost: float = _amount(0.0, description="surcharge of an order per unit above the capacity (money/unit)")
    initial_stock: int = pydantic.Field(0, ge=0, le=1_000_000, description="units at the start")
    capacity: int = pydantic.Field(ge=1, le=1_000_000, description="units there is room for without surcharge")
    demand: list[int] = pydantic.Field(
        min_length=2, max_length=2, description="units asked for on a day: [least, most], each equally likely"
    )

    @pydantic.model_validator(mode="after")
    def _in_order(self) -> ProductSpec:
        low, high = self.demand
        if not 0 <= low <= high <= 1_000_000:
            problem = "these are the least and the most units, at least 0 and in this order"
            raise InvalidInput("demand", self.demand, problem, "Write for instance [3, 8].")
        return self


class DeliverySpec(Spec):
    """A way to have an order delivered."""

    name: str = pydantic.Field(min_length=1, description="what it is called")
    cost: float = _amount(description="shipping cost (money/unit)")
    lead_time: int = pydantic.Field(ge=0, le=365, description="days from order to arrival, without jitter")
    jitter: int = pydantic.Field(0, ge=0, le=365, description="days it may come earlier or later, each equally likely")


class RetailSpec(Spec):
    """One store over a number of days."""

    problem: Literal["retail"] = "retail"
    name: str = "retail"
    description: str = ""
    horizon: int = pydantic.Field(30, ge=1, le=10_000, description="days [T]")
    seed: int = pydantic.Field(0, ge=0, description="seed of the demand of the task")
    demand_stream: Streams = pydantic.Field(
        "task",
        description="where demand comes from: `task`, the same in every episode, from the seed of the task; `seed`, "
        "drawn in the same way from the seed of each episode; `fast`, other demand in every episode, drawn in bulk",
    )
    initial_cash: float = pydantic.Field(1000.0, gt=0.0, le=LARGEST, description="cash at the start (money)")
    weekend_factor: float = pydantic.Field(
        1.2, ge=0.0, le=100.0, description="factor on the demand of days 5 and 6 of 7"
    )
    price_range: list[float] = pydantic.Field(
        [0.5, 1.5], min_length=2, max_length=2, description="least and largest multiplier of a list price"
    )
    products: list[ProductSpec] = pydantic.Field(min_length=1, max_length=1000, description="what is sold")
    deliveries: list[DeliverySpec] = pydantic.Field(min_length=1, max_length=100, description="ways of delivery")
    events: dict[str, int] = pydantic.Field({}, description="first of the two days of each event, in order of effect")
    event_effects: dict[str, dict[str, float]] = pydantic.Field(
        {}, description="factor of each event on the demand of each product; 1 where it is not named"
    )
    reward: Rewards = pydantic.Field("profit", description="profit in money, or one of the two published rewards")
    legacy_liquidation_check: bool = pydantic.Field(
        False, description="judge a liquidation by the stock it leaves, as published, and not by the stock it found"
    )

    @pydantic.model_validator(mode="after")
    def _fits_together(self) -> RetailSpec:
        _distinct("products", [product.name for product in self.products])
        _distinct("deliveries", [delivery.name for delivery in self.deliveries])
        names = [product.name for product in self.products]
        low, high = self.price_range
        if not 0.0 < low <= 1.0 <= high <= 100.0:
            problem = "the list price itself, 1, must lie between the least and the largest multiplier"
            raise InvalidInput("price_range", self.price_range, problem, "Write for instance [0.5, 1.5].")
        for event, day in self.events.items():
            if event not in self.event_effects:
                mend = nearest(event, self.event_effects) if self.event_effects else "Describe it there."
                raise InvalidInput(f"events.{event}", day, "event_effects does not describe it", mend)
            if not 1 <= day <= 1_000_000:
                raise InvalidInput(f"events.{event}", day, "must be a day, counted from 1", "Write for instance 6.")
        for event, effects in self.event_effects.items():
            for product, factor in effects.items():
                field = f"event_effects.{event}.{product}"
                if product not in names:
                    raise InvalidInput(field, factor, "there is no such product", nearest(product, names))
                if not 0.0 <= factor <= 100.0:
                    raise InvalidInput(field, factor, "must be a factor from 0 to 100", "Write for instance 1.5.")
        return self


def _distinct(field: str, names: Sequence[str]) -> None:
    for k, name in enumerate(names):
        if name in names[:k]:
            raise InvalidInput(f"{field}[{k}].name", name, "this name is taken", "Choose another name.")
