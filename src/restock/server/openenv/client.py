"""A typed client of OpenEnv for the problems of restock."""

from __future__ import annotations

from typing import Any

from restock.server.openenv.models import RestockState, models_for
from restock.server.openenv.needs_openenv import Action, EnvClient, Observation, StepResult


class RestockEnv(EnvClient[Any, Any, RestockState]):
    """Plays over the WebSocket of a server; observations are of the classes in `models`.

    Args:
        base_url: Address of the server (``http://localhost:8000``).
        task: What is played where `reset` names no task; None: what the server was started with, whose
            observations are given as they come, until a `reset` names a task.
        token: The word that the server asks for, if it does.
        **given: As for `EnvClient`.

    Raises:
        InvalidInput: There is no such task.

    Example::

        with RestockEnv("http://localhost:8000", task="easy").sync() as env:
            seen = env.reset(seed=1)
            while not seen.done:
                seen = env.step({"buy_quantities": {"toys": 5}})
                print(seen.observation.current_day, seen.reward)
    """

    def __init__(self, base_url: str, task: str | None = None, token: str | None = None, **given: Any) -> None:
        if token is not None:
            given["headers"] = {**(given.get("headers") or {}), "Authorization": f"Bearer {token}"}
        super().__init__(base_url=base_url, **given)
        self._task = task
        self._observation = None if task is None else _observation_of(task)

    async def _reset_async(self, **asked: Any) -> StepResult[Any]:
        task = asked.get("task", asked.get("task_name", self._task))
        if task is not None:
            seen = _observation_of(task)
            asked.setdefault("task", task)
            self._observation, self._task = seen, task
        elif "index" in asked or "split" in asked:
            self._observation = None
        return await super()._reset_async(**asked)

    def _step_payload(self, action: Any) -> dict[str, Any]:
        """Return the fields of an action, given as a record, as an action of OpenEnv or as a mapping."""
        if isinstance(action, Action):
            return dict(action.model_dump(mode="json", exclude={"metadata"}))
        if hasattr(action, "model_dump"):
            return dict(action.model_dump(mode="json"))
        return dict(action)

    def _parse_result(self, payload: dict[str, Any]) -> StepResult[Any]:
        """Return observation, reward and done of a reply; reward and done are in the observation too."""
        reward, done = payload.get("reward"), payload.get("done", False)
        seen: Any = {**payload.get("observation", {}), "reward": reward, "done": done}
        if self._observation is not None:
            seen = self._observation.model_validate(seen)
        return StepResult(observation=seen, reward=reward, done=done, metadata=payload.get("metadata"))

    def _parse_state(self, payload: dict[str, Any]) -> RestockState:
        """Return the state of a reply."""
        state: RestockState = RestockState.model_validate(payload)
        return state


def _observation_of(task: str) -> type[Observation]:
    from restock.problems.load import load_problem
    from restock.server.catalogue import Catalogue

    return models_for(load_problem(Catalogue.known(task) or task))[1]
