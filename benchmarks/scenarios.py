"""The scenarios of the published benchmark, for the parts that play policies on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np

from restock.benchmark.published import load_published
from restock.benchmark.suite import load_suite
from restock.core.play import draw_each
from restock.core.problem import Problem
from restock.evaluation.simulate import run
from restock.policies import Policy

SUITE = "gym-invmgmt"


@dataclasses.dataclass(frozen=True)
class Played:
    """One scenario.

    Attributes:
        name: As the suite calls it.
        groups: Groups that it belongs to: its topology, `goodwill` or `no goodwill`, ...
        problem: Ready to be simulated.
        seeds: The published seeds.
        means: Published mean profit by agent, `Oracle` among them.
    """

    name: str
    groups: tuple[str, ...]
    problem: Problem
    seeds: tuple[int, ...]
    means: Mapping[str, float]

    def judged(self, policy: Policy) -> float:
        """Mean profit on the published seeds, each episode by itself."""
        profit = [run(self.problem, policy, draw_each(self.problem, [seed]), seed).profit[0] for seed in self.seeds]
        return float(np.mean(profit))


def scenarios() -> Iterator[Played]:
    """All 22."""
    suite, rows = load_suite(SUITE), load_published(SUITE).rows
    for one in suite.scenarios:
        means = {row.name: row.profit[one.name] for row in rows if one.name in row.profit}
        yield Played(one.name, tuple(one.groups), one.problem(), tuple(suite.seeds), means)
