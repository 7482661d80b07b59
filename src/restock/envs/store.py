"""The store for agents that speak: actions and observations as records instead of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from restock.core.errors import InvalidInput
from restock.core.trajectory import Trajectory
from restock.envs.single import Environment
from restock.problems.load import load_problem
from restock.problems.retail import RetailProblem
from restock.problems.retail.structured import Action, Observation, decision, observation


class Store:
    """A store that takes an `Action` (or a mapping with its fields) and tells an `Observation`.

    The same days as in the Gymnasium environment, which is kept in `environment`.

    Args:
        problem: A store, or anything `load_problem` takes.
        **changes: What to change in it, as for `load_problem`.

    Raises:
        InvalidInput: It is no store, or a change does not hold.

    Example:
        >>> store = Store("restock/Retail-v0", task="easy")
        >>> store.reset(seed=1).updated_inventory["groceries"]
        [(20, 5)]
        >>> store.step({"buy_quantities": {"groceries": 40}, "delivery_method": "fast"}).updated_deliveries
        [{'groceries': (40, 2)}]
    """

    def __init__(self, problem: Any = "restock/Retail-v0", **changes: Any) -> None:
        loaded = load_problem(problem, **changes)
        if not isinstance(loaded, RetailProblem):
            raise InvalidInput(
                "problem", loaded.name, "this is no store", "Give restock/Retail-v0 or one of its tasks."
            )
        self.problem = loaded
        self.environment = Environment(loaded)

    def reset(self, seed: int | None = None, exogenous: Mapping[str, Any] | None = None) -> Observation:
        """Begin an episode; see `Environment.reset`.

        Raises:
            InvalidInput: Bad seed or recorded information; the running episode goes on unchanged.
        """
        self.environment.reset(seed=seed, options=None if exogenous is None else {"exogenous": exogenous})
        return observation(self.problem, self.trajectory)

    def step(self, action: Action | Mapping[str, Any]) -> Observation:
        """Play a day.

        Raises:
            InvalidInput: Something in the action cannot be, or the last day is over; nothing is changed then.
        """
        self.environment.step(decision(self.problem, action))
        return observation(self.problem, self.trajectory)

    @property
    def trajectory(self) -> Trajectory:
        """What has happened so far."""
        return self.environment.trajectory
