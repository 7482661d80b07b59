"""The shelf for language models: actions and observations as records."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pydantic

from restock.core.errors import InvalidInput
from restock.core.problem import ActionForm, Array
from restock.core.records import Counted, Played, Records, Units
from restock.core.validation import Spec, validated


class MinimalAction(Spec):
    """What is ordered in a period."""

    order: Units = pydantic.Field(0, description="units to order, at most `most_order` (units, at least 0)")


class MinimalObservation(Spec):
    """What is known at the start of a period."""

    period: int = pydantic.Field(description="periods played (periods)")
    horizon: int = pydantic.Field(description="periods of the episode (periods)")
    on_hand: float = pydantic.Field(description="stock on the shelf (units)")
    capacity: int = pydantic.Field(description="units that the shelf holds (units)")
    most_order: int = pydantic.Field(description="largest order (units)")
    arrived: float = pydantic.Field(description="units that came in the last period for what was ordered (units)")
    demand: float = pydantic.Field(description="demand of the last period, served or not (units)")
    sold: float = pydantic.Field(description="units sold in the last period (units)")
    unmet: float = pydantic.Field(description="demand of the last period that was lost (units)")
    parts: dict[str, float] = pydantic.Field(description="parts of the last reward, which add up to it (points)")
    reward: float = pydantic.Field(
        description="1 if all demand of the last period was served, else -1, less what an overfull shelf costs (points)"
    )
    done: bool = pydantic.Field(description="whether the last period is over (yes or no)")


class MinimalRecords(Records):
    """Records of the shelf."""

    action_type = MinimalAction
    observation_type = MinimalObservation

    @cached_property
    def form(self) -> ActionForm:
        """The one form there is: units ordered."""
        form: ActionForm = self.problem.action_form("discrete")
        return form

    def allowed(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the largest order."""
        return {"order": {"maximum": self.problem.spec.most_order}}

    def decision(self, action: MinimalAction | Mapping[str, Any]) -> Array:
        """Return the units ordered, shape (1,).

        Raises:
            InvalidInput: No quantity, or more than the largest order.
        """
        order, most = validated(MinimalAction, action, "action").order, self.problem.spec.most_order
        if order > most:
            raise InvalidInput("action.order", order, f"the largest order is {most}", "Order no more than that.")
        return np.array([float(order)])

    def action(self, decision: Any) -> MinimalAction:
        """Return the record of units ordered."""
        return MinimalAction(order=int(np.ravel(decision)[0]))

    def counted(self) -> tuple[Counted, ...]:
        """Return what each part of the reward counts."""
        spec = self.problem.spec
        return (
            Counted("served", "1 if nothing is unmet"),
            Counted("short", "- 1 if anything is unmet"),
            Counted("overflow", f"- {spec.overflow_penalty:g} if stock before + arrived is more than {spec.capacity}"),
        )

    def observation(self, played: Played) -> MinimalObservation:
        """Return the present observation."""
        spec = self.problem.spec
        return MinimalObservation(
            period=played.periods,
            horizon=self.problem.horizon,
            capacity=spec.capacity,
            most_order=spec.most_order,
            **{name: float(played.now(name)[0]) for name in ("on_hand", "arrived", "demand", "sold", "unmet")},
            parts=dict(played.parts),
            reward=played.reward,
            done=played.done,
        )


def read(problem: Any, seen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recorded fields that an observation, as plain data, tells."""
    return {"on_hand": [seen["on_hand"]]}
