"""The optimal choices of a small problem, from its dynamic program."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.problem import Array, Problem
from restock.policies._base import Policy, View
from restock.problems.manifest import manifest_of, resolved


class DynamicProgram(Policy):
    """Choices by backward induction: over raw material and product of a plant, over the stock of a shelf.

    Args:
        problem: A plant (see `restock.solvers.production`), a shelf (`restock.solvers.minimal`), or one of another
            family whose manifest names an exact solver.

    Raises:
        InvalidInput: The problem's family names none.

    Attributes:
        value: What can be expected of an episode, and no policy can expect more.
    """

    name: ClassVar[str] = "dynamic-program"
    summary: ClassVar[str] = "the optimal choices, from backward induction over the few states there are"

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        exact = manifest_of(problem.family).exact
        if exact is None:
            raise InvalidInput("problem", problem.name, "must be of a family that is solved exactly", "Take a shelf.")
        solver = resolved(exact)
        self._optimum, self._states = solver.solve(self.problem), solver.states
        self.value: float = self._optimum.value

    def act(self, view: View) -> Array:
        """Return the choices of shape (B, 1)."""
        choices: Array = self._optimum.choices[view.t, self._states(view.now)].astype(np.float64)[:, None]
        return choices

    def parameters_in_words(self) -> dict[str, Any]:
        """Return the expected return of an episode."""
        return {"expected return": self.value}
