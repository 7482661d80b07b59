"""Sampled paths of demand for training, as mean and deviation."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from restock.core.problem import Array
from restock.demand import laws
from restock.problems.load import load_problem
from restock.problems.network import NetworkProblem

HELD_OUT = "held out"  # stream of the paths that no gradient step sees
SEEDS_OF_A_RUN = 1 << 32


@dataclasses.dataclass(frozen=True)
class Paths:
    """Demand of a batch of episodes at a goodwill of 1.

    Attributes:
        mean: Shape (B, T, M) (units/period).
        stray: Demand less mean, shape (B, T, M) (units/period).
        carry: 1 where unmet demand waits, shape (B,).
        feels: 1 where goodwill moves demand, shape (B,).
    """

    mean: Array
    stray: Array
    carry: Array
    feels: Array


class Chance(abc.ABC):
    """A distribution of paths."""

    @abc.abstractmethod
    def batch(self, seed: int, number: int, count: int) -> Paths:
        """Return the paths of gradient step `number` of a stream: a function of its arguments alone."""


class OneProblem(Chance):
    """The demand of one problem.

    Args:
        problem: Under goodwill it must not be drawn period by period (see `trainable`).
    """

    def __init__(self, problem: NetworkProblem) -> None:
        self.problem = problem

    def batch(self, seed: int, number: int, count: int) -> Paths:
        """See `Chance.batch`."""
        return paths_of(self.problem, range(first := path_seed(seed, number, count), first + count))


class Several(Chance):
    """The demand of several problems on one network, equally often in every batch.

    Args:
        problems: They may differ in demand and in whether unmet demand waits.
    """

    def __init__(self, problems: Sequence[NetworkProblem]) -> None:
        self.problems = tuple(problems)

    def batch(self, seed: int, number: int, count: int) -> Paths:
        """See `Chance.batch`."""
        first, kinds = path_seed(seed, number, count), len(self.problems)
        parts = []
        for k, problem in enumerate(self.problems):
            # Where the batch cannot be shared out evenly, every step leaves out others.
            rows = range((k + number) % kinds, count, kinds)
            if len(rows):
                parts.append(paths_of(problem, [first + row for row in rows]))
        return Paths(*(np.concatenate(column) for column in zip(*(dataclasses.astuple(p) for p in parts), strict=True)))


def trainable(problem: NetworkProblem) -> NetworkProblem:
    """Return the problem with demand drawn from a counter stream where its distribution has quantiles."""
    demand = problem.spec.demand
    if demand.sampler == "inverse" or not problem.demand.distribution.has_quantiles:
        return problem
    found: Any = load_problem(problem, demand=demand.model_copy(update={"sampler": "inverse"}))
    return found  # type: ignore[no-any-return]


def path_seed(seed: int, number: int, count: int) -> int:
    """First episode seed of a step of a stream: streams are 2**64 apart, and beyond all seeds of `episode_seeds`."""
    return (seed + 1) * SEEDS_OF_A_RUN * SEEDS_OF_A_RUN + number * count


def paths_of(problem: NetworkProblem, seeds: Sequence[int]) -> Paths:
    """Return the first episodes of these seeds, as they are at a goodwill of 1."""
    vectors = problem.source(seeds).next(np.arange(len(seeds)))
    held = (problem.held[name] for name in ("mean", "draw"))
    mean, draw = (vectors[:, place].reshape((len(seeds), *shape)) for place, shape in held)
    demand = problem.demand
    if demand.state_dependent:
        floor = np.maximum(mean, demand.least_mean)
        draw = quantiles(problem, draw, floor)
    ones = np.ones(len(seeds))
    return Paths(mean, draw - mean, ones * float(problem.spec.backlog), ones * float(demand.state_dependent))


def quantiles(problem: NetworkProblem, uniform: Array, mean: Array) -> Array:
    """Return the quantiles of demand at means, both of shape (B, T, M)."""
    from restock.demand.compiled_distribution import own_function
    from restock.demand.rowwise import numpy_demand

    demand, law = problem.demand, problem.demand.distribution
    assert law.law != laws.GIVEN
    flat: Array = numpy_demand(
        law.law, mean.ravel(), law.spread, law.power, demand.noise_scale, uniform.ravel(), own_function(law)
    )
    return flat.reshape(mean.shape)
