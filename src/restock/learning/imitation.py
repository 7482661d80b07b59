"""Imitation: a network learns to order as another policy does, by regression.

`bc` (behaviour cloning) plays the teacher once and fits its orders. `dagger` then lets the network play, asks
the teacher what it would have ordered there, adds that to what is known, and fits again: the network learns
where its own mistakes lead. Source: Ross, Gordon and Bagnell (2011), A reduction of imitation learning and
structured prediction to no-regret online learning, AISTATS.

A teacher may know more than the network: of a blind generalist, the mean curve; with `hindsight`, the future.
Where the network plays, hindsight is planned anew from every state that it comes to (`foresight`).
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pydantic

from restock.core.errors import InvalidInput
from restock.core.play import draw
from restock.core.problem import Array
from restock.core.validation import Spec, validated
from restock.evaluation.simulate import run as simulate
from restock.learning.run_folder import BEST, LAST, RunFolder
from restock.policies._base import Information, Policy, View
from restock.policies.registry import make_policy, policy_class
from restock.problems.network import NetworkProblem

ALGORITHMS = ("bc", "dagger")
HINDSIGHT = "hindsight"


class Imitation(Spec):
    """The hyper-parameters of imitation.

    Attributes:
        teacher: Whose orders are learnt.
        rounds: Of `dagger`: how often the teacher is asked, the first time included. `bc` has one.
        episodes: Shown in a round, of all problems together.
        steps: Gradient steps of a round.
        batch: Episodes of a step.
        rate: Learning rate at the start of a round; it falls to 0.
        held_out: Held-out paths.
    """

    teacher: str = "rolling"
    rounds: int = pydantic.Field(3, ge=1, le=1000)
    episodes: int = pydantic.Field(64, ge=1, le=100_000)
    steps: int = pydantic.Field(600, ge=1, le=1_000_000)
    batch: int = pydantic.Field(32, ge=1, le=100_000)
    rate: float = pydantic.Field(3e-3, gt=0.0, le=1.0)
    held_out: int = pydantic.Field(256, ge=2, le=100_000)


def numbers_of(algo: str, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hyper-parameters of a run, checked.

    Raises:
        InvalidInput: They do not hold, or the teacher cannot teach.
    """
    chosen = validated(Imitation, numbers, "")
    teaches = policy_class(chosen.teacher)
    if algo == "dagger" and "clairvoyant" in teaches.may_know and chosen.teacher != HINDSIGHT:
        mend = "Use bc, or hindsight as the teacher."
        raise InvalidInput("teacher", chosen.teacher, "its plan is for its own path, not for the network's", mend)
    return chosen.model_dump() | ({"rounds": 1} if algo == "bc" else {})


class Lesson(Policy):
    """A policy that plays, and notes what the teacher would order.

    Args:
        problem: What is played.
        teacher: Whose orders are noted.
        network: A `Deployed` that plays; None: the teacher plays.
        reader: A `Deployed` that reads views.
    """

    name = "lesson"
    may_know = ("informed", "blind", "clairvoyant")

    def __init__(self, problem: NetworkProblem, teacher: Policy, network: Any, reader: Any) -> None:
        super().__init__(problem, teacher.information)
        self._teacher, self._network, self._reader = teacher, network, reader

    def begin(self, episodes: int, seed: int, chance: Any) -> None:
        """Begin both."""
        self.states: list[Any] = []
        self.wanted: list[Array] = []
        self._teacher.begin(episodes, seed, chance)
        if self._network is not None:
            self._network.begin(episodes)

    def act(self, view: View) -> Array:
        """Return the orders of whoever plays, shape (B, E)."""
        self.states.append(self._reader.state(view))
        wanted = self._teacher.act(view)
        self.wanted.append(wanted)
        return wanted if self._network is None else self._network.orders(view)


class Training:
    """A run of imitation, new or resumed from its last round.

    Args:
        problems: What is played.
        config: The run's configuration.
        held_out: What networks are judged on.
        folder: Where checkpoints go.
    """

    def __init__(
        self, problems: Sequence[NetworkProblem], config: Mapping[str, Any], held_out: Any, folder: RunFolder
    ) -> None:
        import torch

        from restock.learning.actors import actor_of

        self.numbers = validated(Imitation, config["training"], "training")
        self.problems, self.held_out, self.folder = problems, held_out, folder
        self.seed = int(config["seed"])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.actor = actor_of(config)
        strays = config["algo"] == "dagger"
        self.teachers = [_teacher(self.numbers.teacher, problem, strays) for problem in problems]
        self.done, self.best, self.cpu_seconds = 0, -math.inf, 0.0
        self.shown: tuple[Any, ...] = ()  # parts of states of shape (episodes, T, k), then orders
        if folder.has(LAST):
            content = folder.load(LAST)
            self.actor.load_state_dict(content["actor"])
            self.done, self.best = content["done"], content["best"]
            self.cpu_seconds, self.shown = content["cpu_seconds"], tuple(content["shown"])
            folder.keep(self.done)

    def run(self, tell: Callable[[Any, dict[str, float]], None] | None) -> None:
        """Learn to the end."""
        from restock.learning.pathwise import Report

        if not self.done:
            self.folder.record_start(self.held_out.example(self.actor))
        while self.done < self.numbers.rounds:
            began, clock = time.process_time(), time.perf_counter()
            self._show()
            loss = self._fit()
            profit, error = self.held_out.profit(self.actor)
            self.done += 1
            if profit >= self.best:
                self.best = profit
                self.folder.save(BEST, {"actor": self.actor.state_dict(), "round": self.done})
            self.cpu_seconds += time.process_time() - began
            seconds = time.perf_counter() - clock
            left, step = self.numbers.rounds - self.done, self.done * self.numbers.steps
            speed = self.numbers.steps / seconds
            report = Report(0, step, profit, self.best, math.nan, speed, self.cpu_seconds, left * seconds)
            gaps = self.held_out.gaps(profit)
            line = dataclasses.asdict(report) | {"standard_error": error} | self.held_out.lines | gaps
            self.folder.record(line | {"train/loss": loss}, self.held_out.example(self.actor))
            self.folder.save(
                LAST,
                {
                    "actor": self.actor.state_dict(),
                    "done": self.done,
                    "best": self.best,
                    "cpu_seconds": self.cpu_seconds,
                    "shown": list(self.shown) if left else [],
                },
            )
            if tell is not None:
                tell(report, gaps)

    def _show(self) -> None:
        """Play, and keep what the teacher wanted."""
        import torch

        from restock.learning.trained import Deployed

        each = -(-self.numbers.episodes // len(self.problems))
        self.actor.eval()
        for k, (problem, teacher) in enumerate(zip(self.problems, self.teachers, strict=True)):
            met = draw(problem, each, self.seed, f"lesson {self.done}, problem {k}")
            reader = Deployed(self.actor, problem)
            lesson = Lesson(problem, teacher, reader if self.done else None, reader)
            simulate(problem, lesson, met, 0)
            wanted = torch.as_tensor(np.stack(lesson.wanted, axis=1), dtype=torch.float32)
            new = (*(torch.stack(part, dim=1) for part in zip(*lesson.states, strict=True)), wanted)
            self.shown = tuple(map(torch.cat, zip(self.shown, new, strict=True))) if self.shown else new

    def _fit(self) -> float:
        """Regress the orders; returns the last mean squared error, in squares of a link's mean order."""
        import torch

        from restock.learning.tensor import State

        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.done)
        optimizer = torch.optim.Adam(self.actor.parameters(), lr=self.numbers.rate)
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, self.numbers.steps)
        *parts, wanted = self.shown
        scale = 1.0 / torch.clamp(wanted.mean(dim=(0, 1)), min=1.0)
        self.actor.train()
        loss = math.nan
        for _ in range(self.numbers.steps):
            rows = torch.randint(len(wanted), (self.numbers.batch,), generator=generator)
            batch = [part[rows] for part in parts]
            self.actor.begin(len(rows))
            orders = [self.actor(t, State(*(part[:, t] for part in batch))) for t in range(wanted.shape[1])]
            error = (((torch.stack(orders, dim=1) - wanted[rows]) * scale) ** 2).mean()
            optimizer.zero_grad(set_to_none=True)
            error.backward()
            torch.nn.utils.clip_grad_norm_(self.actor.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            loss = float(error.detach())
        return loss

    def in_words(self) -> dict[str, Any]:
        """Return the result so far, in words."""
        from restock.learning.networks import parameters_of

        return {
            "profit": self.best,
            "restarts": 1,
            "parameters": parameters_of(self.actor),
            "cpu_seconds": self.cpu_seconds,
            "threads": 1,
        }


def _teacher(name: str, problem: NetworkProblem, strays: bool) -> Policy:
    """Return the policy, told as much as it may be; asked where another one has strayed to, or not."""
    if name == HINDSIGHT and strays:
        from restock.learning.foresight import Foresight

        return Foresight(problem)
    level: Information | None = "informed" if "informed" in policy_class(name).may_know else None
    return make_policy(name, problem) if level is None else make_policy(name, problem, information=level)
