"""What a description of a plant may say: checked, with units."""

from __future__ import annotations

from typing import Any, Literal

import pydantic

from restock.core.validation import LARGEST, Spec


def _amount(default: float, description: str) -> Any:
    return pydantic.Field(default, ge=0.0, le=LARGEST, description=description)


class ProductionSpec(Spec):
    """A plant that turns two units of raw material into one product."""

    problem: Literal["production"] = "production"
    name: str = "production"
    description: str = ""
    max_steps: int = pydantic.Field(500, ge=1, le=1_000_000, description="periods in an episode [T]")
    initial_cash: float = _amount(1000.0, "cash at the start (money)")
    demand_mean: float = _amount(10.0, "mean demand (units/period)")
    demand_volatility: float = _amount(3.0, "standard deviation of demand (units/period)")
    raw_price_base: float = _amount(5.0, "price of raw material before the first step of its walk (money/unit)")
    product_price_base: float = _amount(20.0, "price of the product before the first step of its walk (money/unit)")
    price_std: float = _amount(0.2, "standard deviation of a price's step (money/unit)")
    price_floor: float = _amount(0.1, "least price (money/unit)")
    holding_cost: float = _amount(0.1, "reward lost for each unit held, raw or product (/unit/period)")
    stockout_penalty: float = _amount(5.0, "reward lost for each unit of unmet demand (/unit)")
    invalid_action_penalty: float = _amount(2.0, "reward lost for an action that cannot be carried out")
    bankruptcy_penalty: float = _amount(100.0, "reward lost when the cash is gone")
    conversion_bonus: float = _amount(10.0, "reward for a conversion")
    reward: Literal["profit", "cash"] = pydantic.Field(
        "profit", description="whether purchases are paid out of the reward (cash) or out of the cash alone (profit)"
    )
