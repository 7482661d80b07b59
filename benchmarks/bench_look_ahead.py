"""Look-ahead on the published scenarios: profit beside the hindsight optimum, and the time of a decision.

Ratios are over all ten published seeds. Times are of `rolling` (informed) and of the published
stochastic agent re-implemented on the same program (`published-mssp`, built once, HiGHS in place of
CBC), the two in turn on the same episode of every scenario.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import restock
from benchmarks.scenarios import scenarios
from benchmarks.timing import Row, quartiles
from restock.core.play import draw_each
from restock.evaluation.simulate import run

OURS = {"rolling-I": ("rolling", "informed"), "rolling": ("rolling", "blind")}
ROUNDS = 3


def decide(problem: Any, policy: Any, seed: int) -> Callable[[], float]:
    """Seconds for one decision, the mean over an episode; building the program is not counted."""

    def timed() -> float:
        policy.begin(1, seed, None)
        begin = time.perf_counter()
        run(problem, policy, draw_each(problem, [seed]), seed)
        return (time.perf_counter() - begin) / problem.horizon

    timed()
    return timed


def measure() -> list[Row]:
    """Both policies on every scenario; prints the ratios, returns the times."""
    means: dict[str, Mapping[str, float]] = {}
    with_goodwill = []
    ratios: dict[str, dict[str, float]] = {name: {} for name in OURS}
    pairs: list[tuple[float, float]] = []
    for scenario in scenarios():
        problem, key = scenario.problem, scenario.name
        means[key] = scenario.means
        with_goodwill += [key] if "goodwill" in scenario.groups else []
        for name, (policy, level) in OURS.items():
            made = restock.make_policy(policy, problem, information=level)
            ratios[name][key] = scenario.judged(made) / scenario.means["Oracle"]
        both = [
            decide(problem, restock.make_policy(name, problem), scenario.seeds[0])
            for name in ("rolling", "published-mssp")
        ]
        each = np.median([[timed() for timed in both] for _ in range(ROUNDS)], axis=0)
        pairs.append((float(each[0]), float(each[1])))
        print(f"{key}: rolling-I {ratios['rolling-I'][key]:.4f}, rolling {ratios['rolling'][key]:.4f}", file=sys.stderr)
    show(ratios, means, with_goodwill)
    faster = [mssp / ours for ours, mssp in pairs]
    ours, mssp = (float(np.mean([pair[k] for pair in pairs])) for k in (0, 1))
    return [
        Row(
            "a decision of rolling (informed) and of published-mssp, mean of 22 scenarios",
            ours, mssp, mssp / ours, *quartiles(faster), ">= 5x", "HiGHS; the spread is over scenarios",
        )
    ]  # fmt: skip


def show(ratios: dict[str, dict[str, float]], means: Mapping[str, Mapping[str, float]], goodwill: list[str]) -> None:
    """The ratios to the hindsight optimum, beside the best published agents of each level."""
    table = Table(title="share of the hindsight optimum, mean over scenarios (ten seeds each)")
    for column in ("policy", "all 22", "goodwill (8)", "no goodwill (14)", "worst"):
        table.add_column(column, justify="left" if column == "policy" else "right")
    every = dict(ratios)
    for agent in ("MSSP-I", "DLP-I", "MSSP"):
        every[f"{agent} (published)"] = {key: row[agent] / row["Oracle"] for key, row in means.items()}
    for name, row in every.items():
        under = [value for key, value in row.items() if key in goodwill]
        without = [value for key, value in row.items() if key not in goodwill]
        parts = (list(row.values()), under, without)
        table.add_row(name, *(f"{np.mean(part):.4f}" for part in parts), f"{min(row.values()):.4f}")
    Console(width=max(100, Console().width)).print(table)
