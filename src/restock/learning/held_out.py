"""Held-out paths: what policies under training are judged by, and the lines they are judged against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from restock.core.play import Episodes, draw
from restock.core.problem import Array, Problem
from restock.evaluation.simulate import run
from restock.learning.family import learning_of
from restock.learning.paths import HELD_OUT
from restock.learning.trained import Decides, Deployed
from restock.policies._base import Information, Policy, View
from restock.policies.registry import make_policy, policy_class, yardsticks

MOST_SOLVED = 16  # episodes whose hindsight optimum is computed, of all problems together


class Candidate(Policy):
    """The network under training, as it would be deployed."""

    name = "candidate"
    may_know = ("informed", "blind")

    def __init__(self, problem: Problem, information: Information, deployed: Decides, integer: bool) -> None:
        super().__init__(problem, information)
        self._deployed, self._integer = deployed, integer

    def begin(self, episodes: int, seed: int, chance: Any) -> None:
        """Forget what was seen of earlier episodes."""
        self._deployed.begin(episodes)

    def act(self, view: View) -> Array:
        """Return the orders of shape (B, E)."""
        orders = self._deployed.orders(view)
        return np.round(orders) if self._integer else orders


class HeldOut:
    """Episodes of one or several problems, the same number of each.

    Args:
        problems: Under their true dynamics.
        count: Episodes in all, at the least.
        information: What the policy may know.
        warm_up: First periods whose profit does not count.
        stream: What the episodes are drawn for; the same ones in every run.
    """

    def __init__(
        self,
        problems: Sequence[Problem],
        count: int,
        information: Information,
        warm_up: int,
        stream: str = HELD_OUT,
    ) -> None:
        each = max(2, -(-count // len(problems)))
        self.problems = tuple(problems)
        self.information: Information = information
        self.warm_up = warm_up
        self._episodes: list[Episodes] = [draw(p, each, k, stream) for k, p in enumerate(problems)]
        self._weights = [1.0 / learning_of(p).worth() for p in problems]
        mean = float(np.mean([1.0 / w for w in self._weights]))
        self._weights = [w * mean for w in self._weights]
        self.lines: dict[str, float] = {}

    def earned(self, actor: Any, integer: bool = False) -> Array:
        """Return the profit of every episode under the network."""
        actor.eval()
        earned = self.earned_by(lambda problem: Candidate(problem, self.information, Deployed(actor, problem), integer))
        actor.train()
        return earned

    def earned_by(self, make: Callable[[Any], Policy]) -> Array:
        """Return the profit of every episode under the policies that `make` makes, one for each problem."""
        parts = [
            self._profit(problem, make(problem), episodes)
            for problem, episodes in zip(self.problems, self._episodes, strict=True)
        ]
        return np.concatenate(parts)

    def example(self, actor: Any) -> dict[str, Array]:
        """Return the first episode under the network, by name, as a trajectory has it."""
        actor.eval()
        episode = self.example_by(lambda p: Candidate(p, self.information, Deployed(actor, p), False))
        actor.train()
        return episode

    def example_by(self, make: Callable[[Any], Policy]) -> dict[str, Array]:
        """Return the first episode of the first problem under the policy that `make` makes."""
        problem = self.problems[0]
        return run(problem, make(problem), self._episodes[0].rows(slice(0, 1)), 0).trajectory.episode(0)

    def profit(self, actor: Any, integer: bool = False) -> tuple[float, float]:
        """Return the mean profit of an episode under the network, and its standard error."""
        earned = self.earned(actor, integer)
        return float(earned.mean()), float(earned.std(ddof=1) / np.sqrt(len(earned)))

    def compute_lines(self) -> dict[str, float]:
        """Return the mean profit of the policy to beat, and what the bound adds to it on some of the same paths."""
        base, more = [], []
        solve = max(1, MOST_SOLVED // len(self.problems))
        solved = set(np.random.default_rng(0).permutation(len(self.problems))[:MOST_SOLVED].tolist())
        for k, (problem, episodes) in enumerate(zip(self.problems, self._episodes, strict=True)):
            baseline, bound = yardsticks(problem.family)
            theirs = self._profit(problem, knowing(baseline, problem, self.information), episodes)
            base.append(theirs)
            if k in solved and bound is not None:
                best = self._limit(problem, make_policy(bound, problem), episodes.rows(slice(0, solve)))
                more.append((best - theirs[: len(best)]).mean())
        # The baseline on the same paths takes the luck of those few out of the bound.
        earned = float(np.concatenate(base).mean())
        self.lines = {"baseline": earned} | ({"bound": earned + float(np.mean(more))} if more else {})
        return self.lines

    def gaps(self, profit: float) -> dict[str, float]:
        """Return how far the profit is above the baseline and below the bound, as shares of those."""
        found = {}
        if "baseline" in self.lines:
            found["above_baseline"] = _share(profit - self.lines["baseline"], self.lines["baseline"])
        if "bound" in self.lines:
            found["below_bound"] = _share(self.lines["bound"] - profit, self.lines["bound"])
        return found

    def _profit(self, problem: Problem, policy: Policy, episodes: Episodes) -> Array:
        simulation = run(problem, policy, episodes, 0)
        earned: Array = simulation.trajectory.rewards[..., self.warm_up :].sum(axis=-1) * self._weight(problem)
        return earned

    def _limit(self, problem: Problem, policy: Policy, episodes: Episodes) -> Array:
        """Return the proven bound in whole episodes, if there is one; else what the policy earns."""
        if self.warm_up:
            return self._profit(problem, policy, episodes)
        return run(problem, policy, episodes, 0).limit * self._weight(problem)

    def _weight(self, problem: Problem) -> float:
        return self._weights[next(k for k, one in enumerate(self.problems) if one is problem)]


def knowing(name: str, problem: Problem, information: Information) -> Policy:
    """Return a policy that knows as much as the one that is measured by it, where it can choose."""
    levels = policy_class(name, problem.family).may_know
    return make_policy(name, problem, **({"information": information} if len(levels) > 1 else {}))


def _share(part: float, whole: float) -> float:
    return part / max(abs(whole), 1e-9)
