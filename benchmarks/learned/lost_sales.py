"""Lost sales with a lead time, beside the published optimal cost.

Optima: Zipkin (2008), Old and new methods for lost-sales inventory systems, Operations Research 56(5).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

import restock
from benchmarks.learned.figure import RUNS, Figure, Z
from restock.core.play import draw
from restock.evaluation.simulate import run
from restock.learning.train import train

GEOMETRIC = {"name": "negative_binomial", "dispersion": 1.0}
# Mean 5: lead time, cost of a unit short, distribution, optimal long-run average cost.
CASES: tuple[tuple[int, float, Any, float], ...] = (
    (4, 4.0, "poisson", 4.73),
    (4, 39.0, "poisson", 10.79),
    (4, 19.0, GEOMETRIC, 22.95),
    (2, 9.0, GEOMETRIC, 15.50),
)
NETWORK: dict[str, Any] = {"calendar": False, "hidden": [64, 64]}
NUMBERS: dict[str, Any] = {"steps": 1000, "restarts": 1, "warm_up": 20, "cpu_seconds": 120.0}
HORIZON, LONG, WARM_UP = 60, 1060, 60


def figures() -> list[Figure]:
    """Trained on episodes of 60 periods, played for a million."""
    found = []
    for lead, penalty, law, optimum in CASES:
        words = law if isinstance(law, str) else "geometric"
        folder = RUNS / f"lost-sales-{lead}-{penalty:g}-{words}"
        result = train(problem(lead, penalty, law, HORIZON), folder, architecture=NETWORK, **NUMBERS)
        cost, error = long_run_cost(problem(lead, penalty, law, LONG), folder)
        what = f"lost sales, {words}, p {penalty:g}, L {lead}: cost (optimum {optimum})"
        command = "python -m benchmarks.bench_learning lost-sales"
        print(f"{what}: {cost:.4f} +- {Z * error:.4f}, ratio {cost / optimum:.4f}", file=sys.stderr)
        found.append(Figure(what, cost, Z * error, f"<= {1.01 * optimum:.3f}", float(result["cpu_seconds"]), command))
    return found


def problem(lead: int, penalty: float, law: Any, horizon: int) -> restock.Problem:
    """A shop that loses what it cannot serve; an order of period t is there at the start of period t + lead."""
    network = {
        "name": "lost-sales",
        "horizon": horizon,
        "backlog": False,
        "nodes": [{"id": "supplier"}, {"id": "shop", "initial_inventory": 0.0, "holding_cost": 1.0}],
        "links": [{"from": "supplier", "to": "shop", "lead_time": lead, "price": 0.0}],
        "markets": [{"from": "shop", "to": "customers", "price": 0.0, "shortage_cost": penalty}],
        "demand": {"mean": 5.0, "distribution": law},
    }
    return restock.load_problem(network)


def long_run_cost(long: restock.Problem, folder: Path, episodes: int = 1000) -> tuple[float, float]:
    """Mean cost of a period under whole orders after a warm-up, and its standard error over independent episodes."""
    policy = restock.make_policy(str(folder), long, integer=True)
    rewards = run(long, policy, draw(long, episodes, 10_000), 0).trajectory.rewards
    cost = -rewards[:, WARM_UP:].mean(axis=1)
    return float(cost.mean()), float(cost.std(ddof=1) / np.sqrt(len(cost)))
