"""The tasks that a server offers: the shipped ones, and the problem that it was started with."""

from __future__ import annotations

import asyncio
from typing import Any

from restock.core.errors import nearest
from restock.core.problem import Problem
from restock.envs.structured import StructuredEnvironment
from restock.problems.load import instance_of, load_problem, shipped
from restock.problems.manifest import ids, known, manifest_of
from restock.server.errors import Refused
from restock.server.schemas import schemas

ALL = "all"  # the split of every instance


def tasks() -> dict[str, str]:
    """Return the short names of instances, and these."""
    return {task: name for family in known().values() for task, name in family.tasks.items()}


def splits() -> list[str]:
    """Return the names of the splits: the families with published tasks, and all."""
    return [*(name for name, family in known().items() if family.tasks), ALL]


class Catalogue:
    """Problems by the name of their task.

    A client can name what is shipped, and nothing else: no file and no code of the machine.

    Args:
        default: What is played where no task is named; see `Settings.problem`.
        reward: Reward of the stores that are shipped; None: their own.
        alone: Whether nothing but the default can be played.

    Raises:
        InvalidInput: There is no such problem.

    Attributes:
        default: The name of the default task.
    """

    def __init__(self, default: Any, reward: str | None = None, alone: bool = False) -> None:
        self._reward, self._alone = reward, alone
        self._loaded: dict[str, Problem] = {}
        self._ready: dict[str, Problem] = {}
        self._offers: dict[str, dict[str, Any]] = {}
        self._schemas: dict[str, dict[str, dict[str, Any]]] = {}
        self._loading = asyncio.Lock()
        named = self.known(default) if isinstance(default, str) else None
        if named is not None:
            self.default = named
            self._default = self._shipped(named)
        else:
            self._default = load_problem(default)
            self.default = self._default.name
        self._own = named is None

    @staticmethod
    def known(task: str) -> str | None:
        """Return the shipped instance that a task names."""
        if task in tasks():
            return tasks()[task]
        if task in ids():
            return instance_of(task)
        return task if task in shipped() else None

    def names(self) -> list[str]:
        """Return the tasks, the default first."""
        return [self.default] if self._alone else list(dict.fromkeys([self.default, *shipped()]))

    def splits(self, split: str) -> list[str]:
        """Return the tasks of a split.

        Raises:
            Refused: There is no such split.
        """
        if split == ALL:
            return self.names()
        if split not in splits():
            raise Refused("UNKNOWN_TASK", f"there is no split {split!r}. {nearest(split, splits())}", "split", split)
        return [name for name in known()[split].tasks.values() if name in self.names()]

    def name(self, task: str | None) -> str:
        """Return the name of a task: None means the default; an environment id or a short name means its instance.

        Raises:
            Refused: There is no such task.
        """
        if task is None or (self._own and task == self.default):
            return self.default
        found = self.known(task)
        if found is None or (self._alone and found != self.default):
            offered = self.names() if self._alone else [*tasks(), *ids(), *self.names()]
            words = f"there is no task {task[:80]!r}. {nearest(task, offered)}"
            raise Refused("UNKNOWN_TASK", words, "task", task[:80])
        return found

    async def offers(self) -> list[dict[str, Any]]:
        """Return what the list of tasks says about every task."""
        return await asyncio.to_thread(lambda: [self.offer(name) for name in self.names()])

    def offer(self, name: str) -> dict[str, Any]:
        """Return what the list of tasks says about one task."""
        if name not in self._offers:
            problem = self.loaded(name)
            told = {"family": problem.family, "horizon": problem.horizon, "default": name == self.default}
            self._offers[name] = {"task": name, **told}
        return self._offers[name]

    def schemas(self, name: str) -> dict[str, dict[str, Any]]:
        """Return the schemas of a task, which are not to be changed."""
        if name not in self._schemas:
            self._schemas[name] = schemas(self.loaded(name))
        return self._schemas[name]

    def loaded(self, name: str) -> Problem:
        """Return the problem of a task, which may not be compiled yet.

        Args:
            name: As `name` tells it.
        """
        if name == self.default:
            return self._default
        if name not in self._loaded:
            self._loaded[name] = self._shipped(name)
        return self._loaded[name]

    def problem(self, name: str) -> Problem:
        """Return the problem of a task, compiled; this takes seconds the first time.

        Args:
            name: As `name` tells it.
        """
        if name not in self._ready:
            problem = self.loaded(name)
            env = StructuredEnvironment(problem)
            env.reset(seed=0)
            env.step({})
            self._ready[name] = problem
        return self._ready[name]

    async def ready(self, name: str) -> Problem:
        """Return the compiled problem without making others wait."""
        if name not in self._ready:
            async with self._loading:
                return await asyncio.to_thread(self.problem, name)
        return self._ready[name]

    def _shipped(self, name: str) -> Problem:
        chosen = self._reward is not None and manifest_of(shipped()[name]).money is not None
        return load_problem(name, reward=self._reward) if chosen else load_problem(name)
