"""What a description of the shelf may say: checked, with units."""

from __future__ import annotations

from typing import Literal

import pydantic

from restock.core.validation import Spec


class MinimalSpec(Spec):
    """One item in one place."""

    problem: Literal["minimal"] = "minimal"
    name: str = "minimal"
    description: str = ""
    horizon: int = pydantic.Field(100, ge=1, le=1_000_000, description="periods in an episode [T]")
    capacity: int = pydantic.Field(10, ge=1, le=1000, description="units the shelf holds [C]")
    most_order: int = pydantic.Field(5, ge=1, le=1000, description="largest order [A] (units)")
    demand: int = pydantic.Field(4, ge=1, le=1000, description="demand is 0 .. this - 1, each alike (units)")
    rush: int = pydantic.Field(2, ge=0, le=1000, description="more demand in a rush (units)")
    rush_chance: float = pydantic.Field(0.2, ge=0.0, le=1.0, description="chance of a rush in a period")
    overflow_penalty: float = pydantic.Field(2.0, ge=0.0, le=1e6, description="reward lost when the shelf overflows")
