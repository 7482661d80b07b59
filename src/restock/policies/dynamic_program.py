"""The optimal choices of a plant, from its dynamic program."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from restock.core.problem import Array, Problem
from restock.policies._base import Policy, View


class DynamicProgram(Policy):
    """Choose as the dynamic program over raw material and product says (see `restock.solvers.production`).

    Args:
        problem: A plant.
    """

    name: ClassVar[str] = "dynamic-program"
    summary: ClassVar[str] = "the optimal choices, from backward induction over raw material and product"

    def __init__(self, problem: Problem) -> None:
        from restock.solvers.production import solve, state

        super().__init__(problem)
        self._optimum, self._state = solve(self.problem), state
        self.value = float(self._optimum.values[0, state(0.0, 0.0)])

    def act(self, view: View) -> Array:
        """Choices of shape (B, 1)."""
        states = [self._state(raw, product) for raw, product in view["on_hand"]]
        return self._optimum.choices[view.t, states].astype(np.float64)[:, None]

    def parameters_in_words(self) -> dict[str, Any]:
        """The expected return of an episode."""
        return {"expected return": self.value}
