"""Random decisions: the floor of every comparison."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from restock.core import streams
from restock.core.play import Episodes
from restock.core.problem import Array, Problem
from restock.policies._base import Policy, View


class RandomOrder(Policy):
    """Decisions drawn uniformly from the possible actions: for a network, orders between 0 and their bounds.

    Args:
        problem: The problem it is made for.
    """

    name: ClassVar[str] = "random"
    summary: ClassVar[str] = "uniform orders between nothing and the largest there are, or uniform choices"

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self._form = self.problem.action_form(self.problem.action_kinds[0])

    def begin(self, episodes: int, seed: int, chance: Episodes | None) -> None:
        """Start the stream of orders."""
        self._rows = episodes
        self._generator = streams.generator(seed, "policy")

    def act(self, view: View) -> Array:
        """Return the decisions of shape (B, A)."""
        least, most = self._form.low, self._form.most
        size = (self._rows, len(most))
        if self._form.discrete:
            return self._generator.integers(0, most + 1.0, size=size).astype(np.float64)
        return self._generator.uniform(least, most, size=size)
