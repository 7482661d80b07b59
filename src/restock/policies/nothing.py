"""Policies that do nothing: the cost of leaving a problem alone."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from restock.core.problem import Array
from restock.policies._base import Policy, View


class Nothing(Policy):
    """Order nothing, ship nothing, make nothing.

    Args:
        problem: The problem it is made for.
    """

    name: ClassVar[str] = "nothing"
    summary: ClassVar[str] = "orders nothing: what the stock at the start can do"

    def act(self, view: View) -> Array:
        """Return zeros of shape (B, A)."""
        decision = self.problem.decision
        return np.zeros_like(view[decision])


class Idle(Nothing):
    """Be idle in every period.

    Args:
        problem: The problem it is made for.
    """

    name: ClassVar[str] = "idle"
    summary: ClassVar[str] = "neither buys nor makes anything"
