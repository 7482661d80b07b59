"""Training by the pathwise gradient of profit over sampled futures.

The dynamics are differentiable almost everywhere, so the gradient of an episode's profit by the
weights of a policy network is exact: no value function, no exploration, no likelihood ratios. This is
hindsight differentiable policy optimisation (Alvo, Russo, Kanoria 2023, arXiv:2306.11246).

Two things need care. Demand that answers to goodwill is sampled as mean + stray with the stray held
constant, so its value is exact and the gradient goes through the mean; and the event "somebody was left
unserved" is smoothed to 1 - exp(-k unmet), k growing while training goes on. Fixed order costs are
smoothed alike. What is evaluated, on held-out paths, is always the policy under the true dynamics.

A run is a function of its configuration: paths are read from counter streams at the number of the
step, so a run that is stopped and resumed ends in exactly the same weights.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.problem import Array
from restock.core.validation import validated
from restock.learning.actors import actor_of
from restock.learning.config import Architecture, Pathwise
from restock.learning.held_out import HeldOut
from restock.learning.memory import Belief
from restock.learning.needs_torch import torch
from restock.learning.networks import parameters_of
from restock.learning.paths import Chance, Paths
from restock.learning.run_folder import BEST, LAST, RunFolder
from restock.learning.start import plans
from restock.learning.tensor import TensorNetwork
from restock.learning.threads import one_thread
from restock.problems.network import NetworkProblem

FIRST = 0.25  # share of the steps in which the learning rate rises
FEWEST = 5  # steps that the schedule of the learning rate can be laid over


@dataclasses.dataclass(frozen=True)
class Report:
    """An evaluation, for whoever shows progress; profits are means an episode on held-out paths.

    Attributes:
        restart: Which, from 0.
        step: Gradient steps of this restart.
        profit: Of the policy as it is.
        best: Of the best so far, earlier restarts included.
        training: Of the last training batch.
        steps_per_second: Gradient steps.
        cpu_seconds: Spent so far.
        seconds_left: Estimate of the rest.
    """

    restart: int
    step: int
    profit: float
    best: float
    training: float
    steps_per_second: float
    cpu_seconds: float
    seconds_left: float


Tell = Callable[[Report, dict[str, float]], None]


class Training:
    """A run of pathwise training, new or resumed.

    Args:
        problem: What is trained for (see `paths.trainable`).
        chance: The paths.
        config: The run's configuration, as its folder keeps it.
        held_out: What policies are evaluated on.
        folder: Where checkpoints go.
    """

    def __init__(
        self,
        problem: NetworkProblem,
        chance: Chance,
        config: Mapping[str, Any],
        numbers: Pathwise,
        held_out: HeldOut,
        folder: RunFolder,
    ) -> None:
        self.tensors = TensorNetwork(problem)
        self.chance, self.config, self.numbers, self.held_out, self.folder = chance, config, numbers, held_out, folder
        self.seed = int(config["seed"])
        began = time.process_time()
        self.start = None if folder.has(LAST) else self._plans(problem)
        self.restart = 0
        self.step = 0
        self.best = -math.inf
        self.restart_best = -math.inf
        self.stale = 0
        self.lines = 0
        self.cpu_seconds = time.process_time() - began
        self.done = False
        self._begin_restart()
        if folder.has(LAST):
            self._resume(folder.load(LAST))

    def run(self, tell: Tell | None = None) -> None:
        """Train to the end; if stopped at any moment, a new `Training` in the folder resumes."""
        with one_thread():
            began = time.process_time() - self.cpu_seconds
            if not self.lines:
                self.folder.record_start(self.held_out.example(self.actor))
            mark, since = time.perf_counter(), self.step
            while not self.done:
                profit = self._gradient_step()
                self.step += 1
                self.cpu_seconds = time.process_time() - began
                over = self.numbers.cpu_seconds is not None and self.cpu_seconds >= self.numbers.cpu_seconds
                if self.step % self.numbers.evaluate_every and self.step < self.numbers.steps and not over:
                    continue
                speed = (self.step - since) / max(time.perf_counter() - mark, 1e-9)
                report = self._evaluate(profit, speed)
                if over:
                    self.done = True
                elif self.step >= self.numbers.steps or self.stale >= self.numbers.patience:
                    self._next_restart()
                self.cpu_seconds = time.process_time() - began
                self._save()
                if tell is not None:
                    tell(dataclasses.replace(report, cpu_seconds=self.cpu_seconds), self.held_out.gaps(report.profit))
                mark, since = time.perf_counter(), self.step

    # one step ---------------------------------------------------------------------------------------

    def _gradient_step(self) -> float:
        """Change the weights once; returns the mean profit of the batch."""
        paths = self.chance.batch(self.seed * 1000 + self.restart, self.step, self.numbers.batch)
        profit = self.profit(paths, self._sharpness())[:, self.numbers.warm_up :].sum(dim=1)
        # Paths of high demand weigh no more than others.
        worth = torch.as_tensor(1.0 / np.maximum(paths.mean.sum(axis=(1, 2)), 1e-9), dtype=profit.dtype)
        loss = -(profit * worth).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.actor.parameters(), self.numbers.gradient_norm)
        if not math.isfinite(float(norm)):
            rate = self.numbers.peak_rate
            raise InvalidInput("peak_rate", rate, "training went astray (infinite gradient)", "Write a smaller one.")
        self._learnt = {
            "train/learning_rate": float(self.schedule.get_last_lr()[0]),
            "train/loss": float(loss.detach()),
            "train/gradient_norm": float(norm),
            "train/sharpness": self._sharpness(),
        }
        self.optimizer.step()
        self.schedule.step()
        return float(profit.detach().mean())

    def profit(self, paths: Paths, sharpness: float) -> Any:
        """Return the profit of each period under the network, shape (B, T), with its graph."""
        tensors = self.tensors
        mean, stray = (torch.as_tensor(part, dtype=tensors.dtype) for part in (paths.mean, paths.stray))
        state = tensors.start(paths.carry, paths.feels)
        self.actor.begin(len(mean))
        happened = []
        for t in range(mean.shape[1]):
            state, record = tensors.step(t, state, self.actor(t, state), mean[:, t], stray[:, t], sharpness)
            happened.append(record)
        return tensors.profit(torch.stack(happened), sharpness)

    def _sharpness(self) -> float:
        """Return the sharpness, interpolated between the two given on a logarithmic scale over the steps."""
        first, last = self.numbers.sharpness
        return float(first * (last / first) ** (self.step / self.numbers.steps))

    def _plans(self, problem: NetworkProblem) -> Array | None:
        """The orders that training begins at, see `start.plans`; None where the network has no place for them."""
        network, begins = actor_of(self.config), validated(Architecture, self.config["architecture"], "").begins
        if network.plan is None or begins is None:
            return None
        judged: Any = self.held_out.problems
        curves = network.memory.known if isinstance(network.memory, Belief) else None
        return plans([problem] if len(judged) == 1 else judged, curves, begins)

    # restarts and checkpoints ---------------------------------------------------------------------------

    def _begin_restart(self) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed * 1000 + self.restart)
            self.actor = actor_of(self.config)
        if self.start is not None:
            assert self.actor.plan is not None
            self.actor.plan.begin_at(self.start)
        numbers = self.numbers
        self.optimizer = torch.optim.Adam(self.actor.parameters(), lr=numbers.peak_rate)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, numbers.peak_rate, total_steps=max(numbers.steps, FEWEST), pct_start=FIRST
        )
        self.step = self.stale = 0
        self.restart_best = -math.inf

    def _next_restart(self) -> None:
        if self.restart + 1 >= self.numbers.restarts:
            self.done = True
            return
        self.restart += 1
        self._begin_restart()

    def _evaluate(self, training: float, speed: float) -> Report:
        profit, error = self.held_out.profit(self.actor)
        self.stale = 0 if profit > self.restart_best else self.stale + 1
        self.restart_best = max(profit, self.restart_best)
        if profit >= self.best:
            self.best = profit
            self.folder.save(BEST, {"actor": self.actor.state_dict(), "restart": self.restart, "step": self.step})
        left = (self.numbers.restarts - self.restart) * self.numbers.steps - self.step
        seconds = left / speed
        if self.numbers.cpu_seconds is not None:
            seconds = min(seconds, max(self.numbers.cpu_seconds - self.cpu_seconds, 0.0))
        report = Report(self.restart, self.step, profit, self.best, training, speed, self.cpu_seconds, seconds)
        line = dataclasses.asdict(report) | {"standard_error": error} | self.held_out.lines
        self.folder.record(line | self.held_out.gaps(profit) | self._learnt, self.held_out.example(self.actor))
        self.lines += 1
        return report

    def _save(self) -> None:
        self.folder.save(
            LAST,
            {
                "actor": self.actor.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
                "start": None if self.start is None else torch.as_tensor(self.start),
                "progress": {name: getattr(self, name) for name in _PROGRESS},
            },
        )

    def _resume(self, content: Mapping[str, Any]) -> None:
        self.restart = content["progress"]["restart"]
        self.start = None if content["start"] is None else content["start"].numpy()
        self._begin_restart()
        self.actor.load_state_dict(content["actor"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.schedule.load_state_dict(content["schedule"])
        for name in _PROGRESS:
            setattr(self, name, content["progress"][name])
        self.folder.keep(self.lines)

    def in_words(self) -> dict[str, Any]:
        """Return the result so far, in words."""
        return {
            "profit": self.best,
            "restarts": self.restart + 1,
            "parameters": parameters_of(self.actor),
            "cpu_seconds": self.cpu_seconds,
            "threads": 1,
        }


_PROGRESS = ("restart", "step", "best", "restart_best", "stale", "lines", "cpu_seconds", "done")
