"""Random orders: the floor of every comparison."""

from __future__ import annotations

from typing import ClassVar

from restock.core import streams
from restock.core.play import Episodes
from restock.core.problem import Array, Problem
from restock.policies._base import Policy, View


class RandomOrder(Policy):
    """Each link orders a uniform quantity between 0 and its action bound.

    Args:
        problem: The problem it is made for.
    """

    name: ClassVar[str] = "random"
    summary: ClassVar[str] = "uniform orders between nothing and each link's bound"

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self._most = self.problem.action_form("quantity").most

    def begin(self, episodes: int, seed: int, chance: Episodes | None) -> None:
        """Start the stream of orders."""
        self._rows = episodes
        self._generator = streams.generator(seed, "policy")

    def act(self, view: View) -> Array:
        """Orders of shape (B, E)."""
        return self._generator.uniform(0.0, self._most, size=(self._rows, len(self._most)))
