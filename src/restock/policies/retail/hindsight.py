"""The hindsight plan of the store, as far as it can be carried out, and the bound it proves."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from restock.core.checks import yes_or_no
from restock.core.errors import InvalidInput
from restock.core.play import Episodes
from restock.core.problem import Array, Problem
from restock.policies._base import Information, Policy, View


class RetailHindsight(Policy):
    """The best plan for the demand that is going to come (see `restock.solvers.retail`).

    The plan may use several ways of delivery and several prices on one day, parts of units, and deliveries that
    take the fewest days they may. What is played has whole units, the price that brings the revenue of the plan,
    and the way of delivery that most of the day's purchases are planned by; it earns less.

    Args:
        problem: A store.
        pricing: Whether prices may move from the list. Without, the value of the plan is a bound only for who
            sells at list price, so that no bound is told.

    Attributes:
        value: Profit of the plan itself, shape (B,): no policy earns more (at list price, without pricing).

    Raises:
        InvalidInput: `pricing` is not true or false.
    """

    name: ClassVar[str] = "hindsight"
    summary: ClassVar[str] = "the best plan for the demand that is going to come, as far as it can be carried out"
    may_know: ClassVar[tuple[Information, ...]] = ("clairvoyant",)

    def __init__(self, problem: Problem, pricing: bool = True) -> None:
        super().__init__(problem)
        self.pricing = yes_or_no("pricing", pricing)

    def begin(self, episodes: int, seed: int, chance: Episodes | None) -> None:
        """Solve every distinct demand among the episodes."""
        from restock.solvers.retail import best_plan

        if chance is None:
            raise InvalidInput("hindsight", None, "it needs to know the future", "Run it by simulate or compare.")
        problem = self.problem
        demand = problem.exogenous_of(chance.vectors, chance.vectors)["demand"]
        found, which = np.unique(demand, axis=0, return_inverse=True)
        plans, values = [], []
        for b, met in enumerate(found):
            plan = best_plan(problem, met, self.pricing)
            plans.append(self._decisions(plan.bought, plan.sold, plan.revenue))
            values.append(plan.bound)
            if self.progress is not None:
                self.progress(b + 1, len(found))
        which = which.ravel()
        self._plans, self.value = np.stack(plans)[which], np.array(values)[which]
        proven = self.pricing and problem.spec.reward == "profit"
        self.bound = self.value if proven else np.full(len(self.value), np.inf)

    def _decisions(self, bought: Array, sold: Array, revenue: Array) -> Array:
        """Return the decisions of shape (T, 3 K + 1)."""
        spec = self.problem.spec
        cost, listed = (np.array([getattr(product, name) for product in spec.products]) for name in ("cost", "price"))
        way = (bought * cost[:, None]).sum(axis=1).argmax(axis=1)
        price = np.divide(revenue, sold * listed, out=np.ones_like(sold), where=sold * listed > 1e-9)
        nothing = np.zeros_like(sold)
        return np.concatenate([bought.sum(axis=2), way[:, None], nothing, np.clip(price, *spec.price_range)], axis=1)

    def act(self, view: View) -> Array:
        """Return the decisions of shape (B, 3 K + 1)."""
        return np.asarray(self._plans[:, view.t])
