"""A line of the learning table, and the numbers behind it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

import restock
from benchmarks.scenarios import Played
from benchmarks.scenarios import scenarios as published
from restock.core.play import draw_each
from restock.evaluation.simulate import run

RUNS = Path("runs/learning")
Z = 1.96  # of a 95% interval


@dataclasses.dataclass(frozen=True)
class Figure:
    """One line.

    Attributes:
        what: What was measured.
        value: What came out.
        half: Half the width of its 95% interval; None where there is none.
        target: What was wanted.
        cpu_seconds: Of training, of the run that took longest.
        command: What makes this line alone.
    """

    what: str
    value: float
    half: float | None = None
    target: str = ""
    cpu_seconds: float | None = None
    command: str = ""


GROUPS: dict[str, Callable[[str], bool]] = {
    "all": lambda name: True,
    "goodwill": lambda name: "goodwill" in name,
    "divergent": lambda name: "divergent" in name,
    "serial": lambda name: "serial" in name,
}


def synthetic() -> list[Played]:
    """The 20 published scenarios whose demand is made of trend, season and shock."""
    return [one for one in published() if "trend" in one.name or "stationary" in one.name]


def ratio(one: Played, folder: Path) -> float:
    """Mean profit of a trained policy on the published seeds, as a share of the published optimum."""
    policy = restock.make_policy(str(folder), one.problem)
    profit = run(one.problem, policy, draw_each(one.problem, list(one.seeds)), 0).profit
    return float(profit.mean()) / one.means["Oracle"]


def group(ratios: Mapping[str, float], name: str) -> float:
    """Mean ratio of a group of scenarios."""
    return float(np.mean([value for scenario, value in ratios.items() if GROUPS[name](scenario)]))
