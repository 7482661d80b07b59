"""`fit` on the published scenarios: profit beside published means, and the time it takes.

Every policy is fitted, informed, on the mean curve of a scenario and on seeds of its own, and then judged
on the ten published seeds, with demand drawn as it is published. Figures in the table are shares of the
published hindsight optimum (agent Oracle), means over the ten seeds.
"""

from __future__ import annotations

import itertools
import os
import statistics
import sys
import time
from typing import Any

from rich.console import Console
from rich.table import Table

import restock
from benchmarks.scenarios import scenarios
from benchmarks.timing import Row

POLICIES: dict[str, dict[str, Any]] = {"base-stock": {}, "s-S": {"echelon": True}, "echelon-base-stock": {}}
TO_BEAT = ("(s,S)-I", "EchelonApprox-I")
BEST = "MSSP-I"


def measure() -> list[Row]:
    """Fit every policy on every scenario; prints the table, returns the times."""
    table = Table(title="Profit as a share of the published Oracle; fitted policies are informed")
    for column in ("scenario", *TO_BEAT, BEST, *POLICIES, "wins", "seconds"):
        table.add_column(column, justify="left" if column == "scenario" else "right")
    shares: dict[str, list[float]] = {name: [] for name in (*TO_BEAT, BEST, *POLICIES)}
    wins = dict.fromkeys(POLICIES, 0)
    wall: dict[str, list[float]] = {name: [] for name in POLICIES}
    spent: dict[str, list[float]] = {name: [] for name in POLICIES}
    goodwill = []
    for scenario in scenarios():
        problem, theirs = scenario.problem, scenario.means
        goodwill.append("goodwill" in scenario.groups)
        line, won = [], ""
        for name in (*TO_BEAT, BEST):
            shares[name].append(theirs[name] / theirs["Oracle"])
        for name, params in POLICIES.items():
            before, cpu = time.perf_counter(), time.process_time()
            found = restock.fit(problem, name, information="informed", **params)
            wall[name].append(time.perf_counter() - before)
            spent[name].append(time.process_time() - cpu)
            profit = scenario.judged(found.policy)
            shares[name].append(profit / theirs["Oracle"])
            better = profit > max(theirs[other] for other in TO_BEAT)
            wins[name] += better
            won += "+" if better else "-"
        line = [f"{shares[name][-1]:.3f}" for name in shares]
        seconds = "/".join(f"{wall[name][-1]:.0f}" for name in POLICIES)
        table.add_row(scenario.name, *line, won, seconds)
        print(f"  {scenario.name}: {' '.join(line)} {won} {seconds} s", file=sys.stderr)
    table.add_section()
    table.add_row("mean", *(f"{statistics.mean(values):.4f}" for values in shares.values()), "", "")
    under = [f"{statistics.mean(itertools.compress(values, goodwill)):.4f}" for values in shares.values()]
    table.add_row("mean under goodwill", *under, "", "")
    Console(width=max(150, Console().width), stderr=True).print(table)
    count = len(goodwill)
    return [
        Row(
            f"fit {name}: seconds a scenario (longest {max(wall[name]):.1f}; CPU {statistics.mean(spent[name]):.1f}, "
            f"longest {max(spent[name]):.1f}; load of the machine {os.getloadavg()[0]:.1f})",
            statistics.median(wall[name]),
            target="< 20 s",
            limit=f"beats {' and '.join(TO_BEAT)} in {wins[name]} of {count}; "
            f"{statistics.mean(shares[name]):.4f} of the Oracle; {os.cpu_count()} cores",
        )
        for name in POLICIES
    ]
