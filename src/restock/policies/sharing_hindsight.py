"""The hindsight optimum of shared stock as a policy: every mission served, as cheaply as possible."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from restock.core.checks import yes_or_no
from restock.core.errors import InvalidInput
from restock.core.play import Episodes
from restock.core.problem import Array, Problem
from restock.policies._base import Information, Policy, View


class SharingHindsight(Policy):
    """The cheapest plan that serves every mission that is going to come (see `restock.solvers.sharing`).

    Where not every mission can be served, as few units as possible are left unmet. The bound it tells is that
    of the reward: all missions served.

    Args:
        problem: Locations that share stock.
        exact: Whether the plan charges shipments of more than one unit as they are charged, and not in part: a far
            cheaper plan and a higher `cost`, for seconds an episode in place of hundredths.

    Attributes:
        cost: No plan with full service costs less, shape (B,); infinite where there is none.

    Raises:
        InvalidInput: `exact` is not true or false.
    """

    name: ClassVar[str] = "hindsight"
    summary: ClassVar[str] = "the cheapest plan that serves every mission that is going to come"
    may_know: ClassVar[tuple[Information, ...]] = ("clairvoyant",)

    def __init__(self, problem: Problem, exact: bool = False) -> None:
        super().__init__(problem)
        self.exact = yes_or_no("exact", exact)

    def begin(self, episodes: int, seed: int, chance: Episodes | None) -> None:
        """Solve every episode."""
        from restock.solvers.sharing import cheapest

        if chance is None:
            raise InvalidInput("hindsight", None, "it needs to know the future", "Run it by simulate or compare.")
        problem = self.problem
        n = problem.spec.n_locations
        plans, costs, served = [], [], []
        for b, row in enumerate(problem.rows(chance.vectors)):
            world = problem.world(row)
            coming = world.chance
            demand = coming.needs.reshape(problem.horizon, n, -1).sum(axis=-1)
            plan = cheapest(problem, world.state.on_hand, coming.held, demand, self.exact)
            plans.append(plan.orders)
            costs.append(plan.cost if plan.unmet == 0.0 else np.inf)
            served.append(coming.missions.sum() if plan.unmet == 0.0 and not problem.spec.cost_weight else np.inf)
            if self.progress is not None:
                self.progress(b + 1, episodes)
        self._plans, self.cost, self.bound = np.stack(plans), np.array(costs), np.array(served)

    def act(self, view: View) -> Array:
        """Return the orders of shape (B, n n)."""
        return np.asarray(self._plans[:, view.t])
