"""Any problem with actions and observations as records instead of arrays, for language models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from restock.core.records import Records
from restock.core.trajectory import PlayedSoFar, Trajectory
from restock.core.validation import Spec
from restock.envs.single import Environment
from restock.problems.load import load_problem


class StructuredEnvironment:
    """A problem that takes actions as records (or mappings of their fields) and returns observations as records.

    The same periods as in the Gymnasium environment, which is kept in `environment`; quantities are in physical
    units, and none is cut off at the bounds of an action space.

    Args:
        problem: A problem, or anything `load_problem` takes.
        **changes: What to change in it, as for `load_problem`.

    Raises:
        InvalidInput: There is no such problem, or a change does not hold.

    Attributes:
        problem: What is played.
        records: How its actions and observations are written; see `restock.core.records`.
        environment: What plays it.

    Example:
        >>> store = StructuredEnvironment("restock/Retail-v0", task="easy")
        >>> store.reset(seed=1).updated_inventory["groceries"]
        [(20, 5)]
        >>> store.step({"buy_quantities": {"groceries": 40}, "delivery_method": "fast"}).updated_deliveries
        [{'groceries': (40, 2)}]
        >>> plant = StructuredEnvironment("restock/Production-v0")
        >>> plant.reset(seed=1).done, plant.step({"choice": "buy"}).raw_material
        (False, 1.0)
    """

    def __init__(self, problem: Any, **changes: Any) -> None:
        self.problem = load_problem(problem, **changes)
        self.records: Records = self.problem.records()
        seen = "flat" if "flat" in self.problem.observation_kinds else None
        self.environment = Environment(self.problem, action=self.records.form, observation=seen)
        self._shape = self.environment.action_space.shape

    @property
    def action_type(self) -> type[Spec]:
        """The pydantic model of an action."""
        return self.records.action_type

    @property
    def observation_type(self) -> type[Spec]:
        """The pydantic model of an observation."""
        return self.records.observation_type

    def reset(self, seed: int | None = None, exogenous: Mapping[str, Any] | None = None) -> Any:
        """Begin an episode; see `Environment.reset`.

        Returns:
            An observation of `observation_type`.

        Raises:
            InvalidInput: Bad seed or recorded information; the running episode goes on unchanged.
        """
        self.environment.reset(seed=seed, options=None if exogenous is None else {"exogenous": exogenous})
        return self.observe()

    def step(self, action: Spec | Mapping[str, Any]) -> Any:
        """Play a period.

        Returns:
            An observation of `observation_type`.

        Raises:
            InvalidInput: Something in the action cannot be, or the episode is over; nothing is changed then.
        """
        self.advance(action)
        return self.observe()

    def advance(self, action: Spec | Mapping[str, Any]) -> None:
        """Play a period without looking at it."""
        decision = self.records.decision(action)
        self.environment.step(decision.reshape(self._shape) if self._shape else int(decision[0]))

    def observe(self) -> Any:
        """Return the present observation, of the class `observation_type`."""
        return self.records.observation(self.environment.played)

    @property
    def played(self) -> PlayedSoFar:
        """A view of the trajectory so far; see `Environment.played`."""
        return self.environment.played

    @property
    def period(self) -> int:
        """The period about to be played."""
        return self.environment.period

    @property
    def done(self) -> bool:
        """Whether the episode is over."""
        return self.played.done

    @property
    def trajectory(self) -> Trajectory:
        """The trajectory so far."""
        return self.environment.trajectory

    def explain(self) -> str:
        """Return the problem, and the fields of its actions and observations, in words."""
        return f"{self.problem.explain()}\n\n{self.records.words()}"
