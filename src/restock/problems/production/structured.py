"""The plant for language models: actions and observations as records."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import pydantic

from restock.core.errors import InvalidInput
from restock.core.problem import ActionForm, Array
from restock.core.records import Counted, Played, Records
from restock.core.validation import Spec, validated

Choice = Literal["idle", "buy", "convert"]
RAW_PER_PRODUCT = 2.0  # units
CHOICES: tuple[Choice, ...] = get_args(Choice)


class ProductionAction(Spec):
    """What the plant does in a period."""

    choice: Choice = pydantic.Field(
        "idle",
        description="idle, buy one unit of raw material, or convert two of them into one product (a word); what "
        "cannot be carried out changes nothing and is fined",
    )


class ProductionObservation(Spec):
    """What is known at the start of a period."""

    period: int = pydantic.Field(description="periods played (periods)")
    horizon: int = pydantic.Field(description="most periods of an episode (periods)")
    raw_material: float = pydantic.Field(description="raw material on hand (units)")
    product: float = pydantic.Field(description="product on hand (units)")
    raw_price: float = pydantic.Field(description="price of raw material now (money/unit)")
    product_price: float = pydantic.Field(description="price of the product now (money/unit)")
    cash: float = pydantic.Field(description="cash (money)")
    demand: float = pydantic.Field(description="demand of the last period, served or not (units)")
    sold: float = pydantic.Field(description="units of product sold in the last period (units)")
    unmet: float = pydantic.Field(description="demand of the last period that was lost (units)")
    carried_out: bool = pydantic.Field(description="whether the last choice could be carried out (yes or no)")
    parts: dict[str, float] = pydantic.Field(description="parts of the last reward, which add up to it (money)")
    reward: float = pydantic.Field(description="reward of the last period (money)")
    done: bool = pydantic.Field(description="whether the plant is bankrupt, or the last period over (yes or no)")


class ProductionRecords(Records):
    """Records of the plant."""

    action_type = ProductionAction
    observation_type = ProductionObservation

    @cached_property
    def form(self) -> ActionForm:
        """The one form there is: the number of the choice."""
        form: ActionForm = self.problem.action_form("discrete")
        return form

    def decision(self, action: ProductionAction | Mapping[str, Any]) -> Array:
        """Return the number of the choice, shape (1,).

        Raises:
            InvalidInput: No such choice.
        """
        return np.array([float(CHOICES.index(validated(ProductionAction, action, "action").choice))])

    def action(self, decision: Any) -> ProductionAction:
        """Return the record of a choice by its number."""
        return ProductionAction(choice=CHOICES[int(np.ravel(decision)[0])])

    def impossible(self, action: ProductionAction | Mapping[str, Any], played: Played) -> list[InvalidInput]:
        """Return why the choice cannot be carried out, if it cannot."""
        choice = validated(ProductionAction, action, "action").choice
        price, cash, raw = (float(played.now(name)[0]) for name in ("raw_price", "cash", "on_hand"))
        mend = "Choose what can be carried out."
        if choice == "buy" and price > cash:
            problem = f"a unit of raw material costs {price:g}, and there are {cash:g} in cash"
            return [InvalidInput("action.choice", choice, problem, mend)]
        if choice == "convert" and raw < RAW_PER_PRODUCT:
            problem = f"{RAW_PER_PRODUCT:g} units of raw material are needed, and there are {raw:g}"
            return [InvalidInput("action.choice", choice, problem, mend)]
        return []

    def counted(self) -> tuple[Counted, ...]:
        """Return what each part of the reward counts."""
        spec = self.problem.spec
        found = (
            Counted("revenue", "sold * product price as it was at the decision"),
            Counted("conversion", f"{spec.conversion_bonus:g} for a conversion that was carried out"),
            Counted("holding", f"- {spec.holding_cost:g} * (raw material + product) at the end"),
            Counted("shortage", f"- {spec.stockout_penalty:g} * unmet"),
            Counted("impossible", f"- {spec.invalid_action_penalty:g} for a choice that could not be carried out"),
            Counted("bankruptcy", f"- {spec.bankruptcy_penalty:g} when the cash is gone"),
        )
        paid = "- raw price as it was at the decision, for a unit that was bought"
        return (
            *found,
            Counted("purchases", paid if spec.reward == "cash" else "nothing here: they are paid in cash alone"),
        )

    def observation(self, played: Played) -> ProductionObservation:
        """Return the present observation."""
        names = ("raw_price", "product_price", "cash", "sold", "unmet")
        raw_material, product = played.now("on_hand").tolist()
        return ProductionObservation(
            period=played.periods,
            horizon=self.problem.horizon,
            raw_material=raw_material,
            product=product,
            demand=float(played.now("last_demand")[0]),
            **{name: float(played.now(name)[0]) for name in names},
            carried_out=not played.now("invalid")[0] > 0.0,
            parts=dict(played.parts),
            reward=played.reward,
            done=played.done,
        )


def read(problem: Any, seen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recorded fields that an observation, as plain data, tells."""
    one = {name: [seen[name]] for name in ("raw_price", "product_price", "cash")}
    return one | {"last_demand": [seen["demand"]], "on_hand": [seen["raw_material"], seen["product"]]}
