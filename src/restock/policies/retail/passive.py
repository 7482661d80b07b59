"""Passive: sell the initial stock at list price, and buy nothing."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from restock.core.problem import Array
from restock.policies._base import Policy, View


class Passive(Policy):
    """Buy nothing, liquidate nothing, sell at list price: the floor of the grader.

    Args:
        problem: A store.
    """

    name: ClassVar[str] = "passive"
    summary: ClassVar[str] = "sells the stock at the start at list price, and buys nothing"

    def act(self, view: View) -> Array:
        """Return the same decision every day, shape (B, 3 K + 1)."""
        decisions = np.zeros_like(view["decision"])
        decisions[:, -len(self.problem.names) :] = 1.0
        return decisions
