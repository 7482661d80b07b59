"""Which demand a generalist is trained for: combinations of effects, or a broad family."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from restock.core import streams
from restock.core.problem import Array
from restock.demand.effects import Effects
from restock.demand.spec import Goodwill, Prior
from restock.learning.config import Family, Regimes
from restock.learning.paths import Chance, OneProblem, Paths, Several, path_seed
from restock.problems.load import load_problem
from restock.problems.network import NetworkProblem

EVERY_EFFECT = Effects.model_validate(list(Effects.model_fields))
WAVE = 30.0  # periods of the family's wave
CURVES = 500  # of a belief about the family
JUDGED = 16  # members of the family that policies are judged on


def general(problem: NetworkProblem) -> NetworkProblem:
    """Return the problem a generalist is made for: the configured mean without effects, goodwill possible."""
    prior = problem.prior()
    demand = prior.spec.demand
    changes = {"goodwill": demand.goodwill or Goodwill(), "sampler": "inverse"}
    found: Any = load_problem(prior, demand=demand.model_copy(update=changes))
    return found  # type: ignore[no-any-return]


def combinations(problem: NetworkProblem) -> list[NetworkProblem]:
    """Return the eight combinations of effects, each with and without goodwill and with backlog and lost sales."""
    demand = problem.spec.demand
    own = {name: getattr(demand.effects, name) or getattr(EVERY_EFFECT, name) for name in Effects.model_fields}
    found: list[Any] = []
    for on in itertools.product((False, True), repeat=len(own)):
        effects = Effects(**{name: own[name] for name, there in zip(own, on, strict=True) if there})
        for goodwill, backlog in itertools.product((None, demand.goodwill or Goodwill()), (True, False)):
            changes = {"effects": effects, "goodwill": goodwill, "sampler": "inverse"}
            found.append(load_problem(problem, demand=demand.model_copy(update=changes), backlog=backlog))
    return found


class Members(Chance):
    """Paths of a family, each of another member.

    Args:
        problem: What is the same for all.
        family: Their ranges.
    """

    def __init__(self, problem: NetworkProblem, family: Family) -> None:
        self.problem, self.family = problem, family
        self._prior = problem.demand.mean  # (T, M)
        self._level = float(self._prior.mean())

    def batch(self, seed: int, number: int, count: int) -> Paths:
        """See `Chance.batch`."""
        generator = streams.generator(path_seed(seed, number, count), "family of demand")
        curves, noise = self.curves(generator, count)
        demand = self.problem.demand
        mean = np.maximum(curves[:, :, None] * self._prior, demand.least_mean)
        drawn = demand.distribution.draw(generator, mean)
        stray = demand.strayed(drawn, mean, noise[:, None, None]) - mean
        u = generator.random((2, count))
        return Paths(mean, stray, 1.0 * (u[0] < self.family.backlog), 1.0 * (u[1] < self.family.goodwill))

    def curves(self, generator: np.random.Generator, count: int) -> tuple[Array, Array]:
        """Mean demand of members as factors on the prior, shape (count, T), and their noise, shape (count,)."""
        family, t = self.family, np.arange(self.problem.horizon)
        there = generator.random((3, count, 1)) < family.there

        def between(ends: list[float]) -> Array:
            return generator.uniform(ends[0], ends[1], (count, 1))

        trend = 1.0 + there[0] * between(family.slope) * t
        phase = between([0.0, WAVE])
        wave = 1.0 + there[1] * between(family.amplitude) * np.sin(2.0 * np.pi * (t + phase) / WAVE)
        time = np.floor(between([0.0, float(len(t))]))
        jump = np.where(there[2] & (t >= time), between(family.shock), 1.0)
        level = between(family.level) / self._level
        noise = between(family.noise_scale)[:, 0]
        return level * trend * wave * jump, noise

    def problems(self, count: int, seed: int = 0) -> list[NetworkProblem]:
        """Return members as problems of their own, the same for the same seed."""
        generator = streams.generator(seed, "members of a family")
        curves, noise = self.curves(generator, count)
        u = generator.random((2, count))
        base = self.problem.spec.demand
        found: list[Any] = []
        for k in range(count):
            series = np.maximum(curves[k][:, None] * self._prior, self.problem.demand.least_mean)
            changes = {
                "mean": None,
                "series": series.tolist(),
                "prior": Prior(mean=self._prior.mean(axis=0).tolist()),
                "noise_scale": float(noise[k]),
                "distribution": self.problem.demand.distribution,
                "goodwill": (base.goodwill or Goodwill()) if u[1][k] < self.family.goodwill else None,
                "sampler": "inverse",
            }
            backlog = bool(u[0][k] < self.family.backlog)
            found.append(load_problem(self.problem, demand=base.model_copy(update=changes), backlog=backlog))
        return found


def chance_of(problem: NetworkProblem, regimes: Regimes | None) -> tuple[Chance, list[NetworkProblem]]:
    """Return what is trained on, and the problems that policies are judged on."""
    if regimes is None:
        return OneProblem(problem), [problem]
    if regimes.kind == "effects":
        problems = combinations(problem)
        return Several(problems), problems
    members = Members(problem, regimes.family)
    return members, members.problems(JUDGED)


def curves_of(problem: NetworkProblem, regimes: Regimes | None) -> tuple[Array, Array]:
    """Return the curves of a belief, as factors on the prior mean, shape (C, T), and their noise, shape (C,)."""
    prior = problem.prior().demand.mean
    if regimes is not None and regimes.kind == "family":
        return Members(problem, regimes.family).curves(streams.generator(0, "curves of a belief"), CURVES)
    means = [problem.demand.mean] if regimes is None else [one.demand.mean for one in combinations(problem)]
    factors = [(mean.sum(axis=1) / np.maximum(prior.sum(axis=1), 1e-9)) for mean in means]
    curves = np.unique(np.round(factors, 12), axis=0)
    return curves, np.ones(len(curves))
