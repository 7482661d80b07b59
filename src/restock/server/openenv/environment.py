"""The problems as an environment class of OpenEnv, for its own server and for use within a process."""

from __future__ import annotations

import functools
from typing import Any

from restock import __version__
from restock.server.catalogue import splits as split_names
from restock.server.errors import Refused
from restock.server.hub import Hub
from restock.server.openenv.models import RestockState, models_for
from restock.server.openenv.needs_openenv import Action, Environment, EnvironmentMetadata, Observation, Rubric
from restock.server.routes import ABOUT, NAME
from restock.server.session import Session
from restock.server.settings import Settings


class Part(Rubric):
    """One part of the reward.

    Args:
        name: What it is called in the problem.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.amount = 0.0

    def forward(self, action: Any, observation: Any) -> float:
        """Return its amount in the last period."""
        return self.amount


class Contribution(Rubric):
    """The reward as the problem states it, and its parts, which add up to it (see `named_rubrics()`).

    Args:
        parts: Names of the parts.
    """

    def __init__(self, parts: tuple[str, ...]) -> None:
        super().__init__()
        for name in parts:
            setattr(self, name, Part(name))

    def tell(self, amounts: dict[str, float]) -> None:
        """Note the parts of the last period."""
        for name, part in self.named_children():
            part.amount = amounts.get(name, 0.0)

    def forward(self, action: Any, observation: Any) -> float:
        """Return the reward of the observation."""
        for _, part in self.named_children():
            part(action, observation)
        return float(observation.reward)


class RestockEnvironment(Environment[Any, Any, RestockState]):
    """Any problem of restock as an environment of OpenEnv; each instance plays one episode at a time.

    Args:
        problem: What is played where `reset` names no task; see `Settings.problem`.
        reward: Reward of the published stores; see `Settings.reward`.

    Raises:
        InvalidInput: There is no such problem.

    Example:
        >>> env = RestockEnvironment("easy")
        >>> env.reset(seed=1).updated_inventory["groceries"]
        [(20, 5)]
        >>> env.step(env.action_type(buy_quantities={"toys": 5})).current_day, env.state.step_count
        (1, 1)
    """

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self, problem: Any = "medium", reward: str = "decomposed") -> None:
        self._hub = _shared(problem, reward) if isinstance(problem, str) else Hub(Settings(problem, reward))
        self._session = Session(self._hub.catalogue.default)
        super().__init__(rubric=None)
        self._meet(self._hub.catalogue.default)

    def _meet(self, name: str) -> Any:
        """Set the task to play, with its classes and its rubric."""
        problem = self._hub.catalogue.problem(name)
        self.action_type, self.observation_type = models_for(problem)
        self.rubric = Contribution(problem.parts)
        return problem

    def reset(self, seed: int | None = None, episode_id: str | None = None, **asked: Any) -> Any:
        """Begin an episode.

        Args:
            seed: Of the episode; None: that of the task, or any.
            episode_id: What to call it; None: anything.
            **asked: `task`, or `split` and `index`.

        Returns:
            An observation of `observation_type`.

        Raises:
            Refused: Something in it cannot be; the running episode goes on.
        """
        name, said = self._hub.meant(self._session, {"seed": seed, "episode_id": episode_id, **asked})
        told = self._session.reset(name, self._meet(name), said.seed, said.episode_id)
        return self._observation(told)

    def step(self, action: Any, timeout_s: float | None = None, **asked: Any) -> Any:
        """Play a period.

        Returns:
            An observation of `observation_type`.

        Raises:
            Refused: The action cannot be, or no episode is under way; nothing is changed then.
        """
        told = self._session.step(action.model_dump() if isinstance(action, Action) else action)
        seen = self._observation(told)
        if isinstance(self.rubric, Contribution):
            self.rubric.tell(self._session.env.played.parts)
            seen.reward = self._apply_rubric(action, seen)
        return seen

    def _observation(self, told: dict[str, Any]) -> Observation:
        return self.observation_type(**{**told["observation"], "reward": told["reward"], "done": told["done"]})

    @property
    def state(self) -> RestockState:
        """The state of the episode, besides the observation."""
        return RestockState(**self._session.state())

    def get_metadata(self) -> EnvironmentMetadata:
        """Return the description of the environment."""
        return EnvironmentMetadata(name=NAME, description=ABOUT, version=__version__)

    # tasks: the protocol `TaskProvider` of OpenEnv ------------------------------------------------------

    def list_splits(self) -> list[dict[str, str]]:
        """Return the splits of the tasks."""
        return [{"name": name, "type": "test"} for name in split_names()]

    def list_tasks(self, split: str) -> list[dict[str, Any]]:
        """Return the tasks of a split."""
        return [{"id": task, "split": split, "index": k} for k, task in enumerate(self._tasks(split))]

    def num_tasks(self, split: str) -> int:
        """Return the number of tasks of a split."""
        return len(self._tasks(split))

    def get_task(self, split: str, index: int) -> dict[str, Any]:
        """Return a task of a split.

        Raises:
            IndexError: There are fewer.
        """
        if not 0 <= index < self.num_tasks(split):
            raise IndexError(f"the split {split} has {self.num_tasks(split)} tasks")
        return self.list_tasks(split)[index]

    def get_task_range(self, split: str, start: int | None = None, stop: int | None = None) -> list[dict[str, Any]]:
        """Return the tasks of a slice of a split."""
        return self.list_tasks(split)[start:stop]

    def _tasks(self, split: str) -> list[str]:
        try:
            return self._hub.catalogue.splits(split)
        except Refused as error:
            raise IndexError(error.message) from None


@functools.cache
def _shared(problem: str, reward: str) -> Hub:
    """Return what all environments of the same task share; none of them changes it."""
    return Hub(Settings(problem, reward))
