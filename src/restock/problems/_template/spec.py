"""What a description of the newsvendor may say: checked, with units."""

from __future__ import annotations

from typing import Literal

import pydantic

from restock.core.validation import LARGEST, Spec


class OwnSpec(Spec):
    """One item, ordered some periods before it can be sold."""

    problem: Literal["own-problem"] = "own-problem"
    name: str = "own-problem"
    description: str = ""
    horizon: int = pydantic.Field(30, ge=1, le=1_000_000, description="periods in an episode [T]")
    lead_time: int = pydantic.Field(2, ge=1, le=1000, description="periods from an order to its arrival [L]")
    start: float = pydantic.Field(20.0, ge=0.0, le=LARGEST, description="units on hand at the start [I_0]")
    most_order: float = pydantic.Field(40.0, gt=0.0, le=LARGEST, description="largest order (units/period)")
    demand: float = pydantic.Field(10.0, ge=0.0, le=1e6, description="mean of the Poisson demand (units/period)")
    price: float = pydantic.Field(5.0, ge=0.0, le=LARGEST, description="price of a unit sold [p] (money/unit)")
    cost: float = pydantic.Field(3.0, ge=0.0, le=LARGEST, description="cost of a unit ordered [c] (money/unit)")
    holding_cost: float = pydantic.Field(
        0.1, ge=0.0, le=LARGEST, description="cost of a unit on hand at the end of a period [h] (money/unit/period)"
    )
    shortage_cost: float = pydantic.Field(
        1.0, ge=0.0, le=LARGEST, description="cost of a unit asked for in vain, besides the lost sale [b] (money/unit)"
    )
