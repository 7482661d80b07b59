"""`fit` on the published scenarios: profit beside published means, and the time it takes.

Every policy is fitted, informed, on the mean curve of a scenario and on seeds of its own, and then judged
on the ten published seeds, with demand drawn as it is published. Figures in the table are shares of the
published hindsight optimum (agent Oracle), means over the ten seeds.
"""

from __future__ import annotations

import csv
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import restock
from benchmarks.timing import Row
from restock.core.play import draw
from restock.evaluation.simulate import run
from tests.problems.network.peer import our_demand

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
POLICIES: dict[str, dict[str, Any]] = {"base-stock": {}, "s-S": {"echelon": True}, "echelon-base-stock": {}}
TO_BEAT = ("(s,S)-I", "EchelonApprox-I")
BEST = "MSSP-I"


def published() -> dict[str, dict[str, float]]:
    """Published mean profit by scenario and agent."""
    means: dict[str, dict[str, float]] = {}
    with (GOLDEN / "gym_invmgmt_means.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            means.setdefault(row["scenario_key"], {})[row["agent"]] = float(row["profit"])
    return means


def problem_of(config: dict[str, Any]) -> Any:
    """The problem of a published configuration."""
    return restock.load_problem(
        {"network": "divergent", "serial": "serial"}[config["scenario"]],
        demand=our_demand(config["demand_config"]),
        horizon=config["num_periods"],
        backlog=config["backlog"],
    )


def judged(problem: Any, policy: Any, seeds: list[int]) -> float:
    """Mean profit on the published seeds."""
    return float(np.mean([run(problem, policy, draw(problem, 1, seed), seed).profit[0] for seed in seeds]))


def measure() -> list[Row]:
    """Fit every policy on every scenario; prints the table, returns the times."""
    data = json.loads((GOLDEN / "gym_invmgmt_scenarios.json").read_text(encoding="utf-8"))
    scenarios = [one for one in data["scenarios"] if one["block"] != "C_MARL"]  # those repeat others
    means = published()
    table = Table(title="Profit as a share of the published Oracle; fitted policies are informed")
    for column in ("scenario", *TO_BEAT, BEST, *POLICIES, "wins", "seconds"):
        table.add_column(column, justify="left" if column == "scenario" else "right")
    shares: dict[str, list[float]] = {name: [] for name in (*TO_BEAT, BEST, *POLICIES)}
    wins = dict.fromkeys(POLICIES, 0)
    wall: dict[str, list[float]] = {name: [] for name in POLICIES}
    spent: dict[str, list[float]] = {name: [] for name in POLICIES}
    for scenario in scenarios:
        key = scenario["scenario_key"]
        problem, theirs = problem_of(scenario["core_env_kwargs"]), means[key]
        line, won = [], ""
        for name in (*TO_BEAT, BEST):
            shares[name].append(theirs[name] / theirs["Oracle"])
        for name, params in POLICIES.items():
            before, cpu = time.perf_counter(), time.process_time()
            found = restock.fit(problem, name, information="informed", **params)
            wall[name].append(time.perf_counter() - before)
            spent[name].append(time.process_time() - cpu)
            profit = judged(problem, found.policy, data["seeds"])
            shares[name].append(profit / theirs["Oracle"])
            better = profit > max(theirs[other] for other in TO_BEAT)
            wins[name] += better
            won += "+" if better else "-"
        line = [f"{shares[name][-1]:.3f}" for name in shares]
        seconds = "/".join(f"{wall[name][-1]:.0f}" for name in POLICIES)
        table.add_row(key.split("|", 1)[1].removesuffix("|MARL:False"), *line, won, seconds)
        print(f"  {key}: {' '.join(line)} {won} {seconds} s", file=sys.stderr)
    table.add_section()
    table.add_row("mean", *(f"{statistics.mean(values):.4f}" for values in shares.values()), "", "")
    goodwill = [k for k, one in enumerate(scenarios) if "GW:True" in one["scenario_key"]]
    under = [f"{statistics.mean(values[k] for k in goodwill):.4f}" for values in shares.values()]
    table.add_row("mean under goodwill", *under, "", "")
    Console(width=max(150, Console().width), stderr=True).print(table)
    count = len(scenarios)
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
