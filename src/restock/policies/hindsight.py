"""The hindsight optimum as a policy: the line no other can honestly cross."""

from __future__ import annotations

from typing import ClassVar

from restock.core.errors import InvalidInput
from restock.core.play import Episodes
from restock.core.problem import Array
from restock.policies._base import Information, Policy, View
from restock.problems.network import NetworkProblem


class Hindsight(Policy):
    """The optimal plan for the demand that is going to happen (see `restock.solvers.hindsight`).

    Args:
        problem: A supply network.
    """

    name: ClassVar[str] = "hindsight"
    summary: ClassVar[str] = "the optimal plan for the demand that is going to happen: the bound"
    may_know: ClassVar[tuple[Information, ...]] = ("clairvoyant",)

    def __init__(self, problem: NetworkProblem) -> None:
        super().__init__(problem)

    def begin(self, episodes: int, seed: int, chance: Episodes | None) -> None:
        """Solve every episode."""
        from restock.solvers.hindsight import hindsight

        if chance is None:
            raise InvalidInput("hindsight", None, "it needs to know the future", "Run it by simulate or compare.")
        found = hindsight(self.problem, chance, self.progress)
        self._plans, self.bound = found.orders, found.bound

    def act(self, view: View) -> Array:
        """Return the orders of shape (B, E)."""
        return self._plans[:, view.t]
