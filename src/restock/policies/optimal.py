"""The optimum of a single location: on average, no policy without foresight earns more."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from restock.core.problem import Array
from restock.policies._base import Information, Policy, View
from restock.problems.network import NetworkProblem
from restock.solvers.exact import optimum


class Optimal(Policy):
    """Orders that maximise the expected profit of the episode, by value iteration.

    With k = T - t periods to go and s the stock and the pipeline,

        V_k(s) = max over q of E[profit of the period + discount V_{k-1}(next s)],    V_0 = 0

    and the policy orders the maximising q. Where unmet demand waits this is a base-stock level for each
    period; where it is lost, the order depends on how the inventory position is split between stock and
    pipeline. See `restock.solvers.exact`.
    Sources: Karlin, Scarf (1958), Inventory models of the Arrow-Harris-Marschak type with time lag;
    Zipkin (2008), Old and new methods for lost-sales inventory systems, Operations Research 56.

    Args:
        problem: One stocking point, one supplier that never runs short, one market; independent Poisson or
            negative binomial demand whose mean stays, no fixed cost.

    Attributes:
        solution: The best orders by periods to go, see `restock.solvers.exact.Optimum`.

    Raises:
        InvalidInput: The problem is another one, or too large.
    """

    name: ClassVar[str] = "optimal"
    summary: ClassVar[str] = "the exact optimum of one stocking point with one supplier and one market"
    may_know: ClassVar[tuple[Information, ...]] = ("informed",)

    def __init__(self, problem: NetworkProblem) -> None:
        super().__init__(problem)
        self.solution = optimum(self.problem, self.problem.horizon)
        self._lead = self.solution.place.lead_time

    def parameters_in_words(self) -> dict[str, Any]:
        """Return the level of the first period, or the largest order."""
        found = self.solution
        if found.levels is not None:
            return {"level": float(found.levels[-1])}
        return {"largest order": float(found.tables[-1].max())}

    def act(self, view: View) -> Array:
        """Return the orders of shape (B, 1)."""
        count = len(view["on_hand"])
        pipeline = np.zeros((count, self._lead))
        for slot in range(self._lead):
            sent = view.t - self._lead + slot
            if sent >= 0:
                pipeline[:, slot] = view.past["shipped"][:, sent, 0]
        to_go = self.problem.horizon - view.t
        return self.solution.orders(to_go, view["on_hand"][:, 0], pipeline, view["backlog"][:, 0])[:, None]
