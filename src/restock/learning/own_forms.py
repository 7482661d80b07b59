"""What an agent sees and does in any problem: the forms that its environment has."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core.errors import InvalidInput
from restock.core.problem import Array, Problem, choose
from restock.envs import spaces
from restock.learning.preparation import RATES, Floats, Forms, Preparation, corrected
from restock.policies._base import Information, View

CHOICES = 21  # of `discrete` where the problem has no such form: from nothing to the most


class OwnForms(Forms):
    """The forms of a problem that is no network; see `Forms`.

    What is observed must be a part of what is recorded, for that is what a policy is shown.

    Args:
        problem: Any.
        preparation: The forms.
        information: What the agent may know; the policy it corrects knows no more.

    Raises:
        InvalidInput: The problem has no such form, or the policy to correct cannot be had.
    """

    def __init__(self, problem: Problem, preparation: Preparation, information: Information) -> None:
        if preparation.recent:
            raise InvalidInput("recent", preparation.recent, "only supply networks have this form", "Leave it out.")
        kind = str(preparation.action)
        if preparation.residual is not None:
            if kind != "normalized" or "quantity" not in problem.action_kinds:
                problem_with = f"decisions of {problem.name} in the form {kind} cannot be corrected"
                raise InvalidInput("residual", preparation.residual, problem_with, "Use action: normalized.")
            self.ground = corrected(preparation.residual, problem, information)
        self._levels = kind == "discrete" and kind not in problem.action_kinds
        if self._levels and "normalized" not in problem.action_kinds:
            mend = f"Use {' or '.join(problem.action_kinds)}."
            raise InvalidInput("action", kind, f"{problem.name} cannot be played by one choice", mend)
        self.native = "quantity" if self.ground is not None else "normalized" if self._levels else kind
        choose(self.native, problem.action_kinds, "action")
        choose(str(preparation.observation), problem.observation_kinds, "observation")
        self._action = problem.action_form(self.native)
        more = len(self._action.labels) if self.ground is not None else 0
        super().__init__(problem, preparation, problem.observation_form(str(preparation.observation)), more)
        self.problem = problem
        self.reward_scale = preparation.reward_scale or 1.0
        self._reach = preparation.span * RATES * (self._action.high - self._action.low)
        self._wanted: Array | None = None
        self._tables = problem.tables(self._action, self.form)
        self._columns = problem.layout.columns

    def action_space(self) -> Any:
        """Return the environment's space, or one choice for all numbers together."""
        if self._levels:
            from gymnasium.spaces import Discrete

            return Discrete(CHOICES)
        if self.ground is not None:
            from gymnasium.spaces import Box

            return Box(-1.0, 1.0, (len(self._reach),), np.float32)
        return spaces.action_space(self._action)

    def native_actions(self, actions: Any, wanted: Array | None = None) -> Any:
        """Return the actions in the environment's own form.

        Args:
            actions: Of the agent, shape (B, ...).
            wanted: Decisions of the policy that is corrected, shape (B, D).
        """
        if wanted is not None:
            return np.clip(wanted + actions * self._reach, self._action.low, self._action.high)
        if not self._levels:
            return actions
        share = 2.0 * np.asarray(actions, dtype=np.float32).reshape(-1, 1) / (CHOICES - 1) - 1.0
        return np.repeat(share, len(self._action.labels), axis=1)

    def complete(self, own: Floats, wanted: Array | None) -> Floats:
        """The observation with the decisions of the policy that is corrected beside it, as shares of the largest."""
        if wanted is None:
            return own
        return np.concatenate([own, (wanted / self._action.most).astype(np.float32)], axis=1)

    def begin(self, episodes: int, problem: Problem) -> None:
        """See `Forms.begin`."""
        if self.ground is not None:
            self.ground.begin(episodes, 0, None)

    def look(self, view: View) -> Floats:
        """See `Forms.look`."""
        memory, tables = self._rows(view), self._tables
        seen = np.empty((len(memory), len(self.form.labels)), np.float32)
        self.problem.kernels.shown(view.t, tables.ints, tables.floats, memory, seen)
        if self.ground is not None:
            self._wanted = self.ground.act(view)
        return self.complete(seen, self._wanted)

    def decided(self, actions: Any, view: View) -> Array:
        """See `Forms.decided`."""
        memory, tables = self._rows(view), self._tables
        asked = np.asarray(self.native_actions(actions, self._wanted), dtype=np.float64).reshape(len(memory), -1)
        self.problem.kernels.decided(tables.ints, tables.floats, memory, asked)
        return memory[:, self._columns[self.problem.decision]]

    def masks(self, view: View) -> NDArray[np.bool_]:
        """See `Forms.masks`."""
        some = self.problem.masks(view.now)
        if some is not None and not self._levels:
            return some
        form = self._action
        count = CHOICES if self._levels else int((form.high + 1).sum())
        return np.ones((len(next(iter(view.now.values()))), count), dtype=np.bool_)

    def _rows(self, view: View) -> Array:
        """Return memory rows with all that is recorded, and nothing of the episodes."""
        memory = np.tile(self._tables.fresh, (len(next(iter(view.now.values()))), 1))
        for name, columns in self._columns.items():
            memory[:, columns] = view.now[name]
        return memory
