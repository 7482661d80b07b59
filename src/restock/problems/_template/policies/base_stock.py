"""A classical policy to compare trained ones with."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from restock.core.problem import Array, Problem
from restock.policies import Policy


class BaseStock(Policy):
    """Order what stock on hand and on order are short of a level.

    Args:
        problem: The newsvendor.
        level: The level (units); None: mean demand of lead time and one period, and one standard deviation.
    """

    name: ClassVar[str] = "base-stock"
    summary: ClassVar[str] = "raises stock on hand and on order to a level"

    def __init__(self, problem: Problem, level: float | None = None) -> None:
        super().__init__(problem)
        spec: Any = getattr(self.problem, "spec")  # noqa: B009 - any problem has a description, each its own
        mean = spec.demand * (spec.lead_time + 1)
        self.level = float(mean + np.sqrt(mean)) if level is None else level
        self.most = spec.most_order

    def act(self, view: Any) -> Array:
        """Return the orders of shape (B, 1)."""
        position = view["on_hand"] + view["in_transit"].sum(axis=1, keepdims=True)
        orders: Array = np.clip(self.level - position, 0.0, self.most)
        return orders

    def parameters_in_words(self) -> dict[str, Any]:
        """Return the level."""
        return {"level": self.level}
