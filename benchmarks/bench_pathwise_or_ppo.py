"""Where pathwise training stops winning: one shop, a growing fixed order cost, about the same processor time.

    python -m benchmarks.bench_pathwise_or_ppo    three runs of 20 to 40 processor seconds for each of three costs

A fixed cost of an order is a step in profit, which has no pathwise gradient: it is smoothed while training goes
on. PPO needs no gradient of the dynamics. All are trained for the same shop and played on the same fresh
episodes; beside them stand the (s, S) policy with fitted parameters, and hindsight. Pathwise training begins at
the mean orders of (s, S), PPO corrects (s, S), both with its parameters from the formula; PPO over choices, where
nothing is a choice of its own, begins from nothing. Runs are kept in runs/pathwise-or-ppo.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

import restock
from restock.core.play import draw
from restock.core.problem import Array, Problem
from restock.evaluation.simulate import run
from restock.learning.train import train

RUNS = Path("runs/pathwise-or-ppo")
FIXED_COSTS = (0.0, 8.0, 24.0)
GEOMETRIC = {"name": "negative_binomial", "dispersion": 1.0}
EPISODES, SEED = 1000, 90_000
HINDSIGHT = 32  # episodes: with a fixed cost each is a mixed-integer program
NUMBERS: dict[str, dict[str, Any]] = {
    "pathwise": {"steps": 900, "restarts": 1, "cpu_seconds": None, "architecture": {"start": "s-S"}},
    "ppo": {"steps": 400_000, "residual": "s-S"},
    "maskable-ppo": {"steps": 400_000, "action": "discrete", "n_steps": 20, "batch_size": 640},
}


def shop(fixed_cost: float) -> Problem:
    """One shop, one supplier two periods away, mean demand of ten a period with a deviation as large, backlog."""
    network = {
        "name": "shop",
        "horizon": 20,
        "nodes": [{"id": "supplier"}, {"id": "shop", "initial_inventory": 40.0, "holding_cost": 0.05}],
        "links": [{"from": "supplier", "to": "shop", "lead_time": 2, "price": 1.0, "fixed_cost": fixed_cost}],
        "markets": [{"from": "shop", "to": "customers", "price": 2.0, "shortage_cost": 0.5}],
        "demand": {"mean": 10.0, "distribution": GEOMETRIC},
    }
    return restock.load_problem(network)


def main() -> None:
    """One line for each fixed cost."""
    for fixed_cost in FIXED_COSTS:
        problem = shop(fixed_cost)
        fitted = restock.fit(problem, "s-S", episodes=64, budget=300)
        policies = {"s-S": restock.make_policy("s-S", problem, **fitted.parameters)}
        seconds = {}
        for algo, numbers in NUMBERS.items():
            folder = RUNS / f"{algo}-{fixed_cost:g}"
            seconds[algo] = train(problem, folder, algo, **numbers)["cpu_seconds"]
            policies[algo] = restock.make_policy(str(folder), problem)
        episodes = draw(problem, EPISODES, SEED)
        few = draw(problem, HINDSIGHT, SEED)
        best = run(problem, restock.make_policy("hindsight", problem), few, 0).profit.mean()
        earned = {name: run(problem, policy, episodes, 0) for name, policy in policies.items()}
        words = [f"fixed cost {fixed_cost:g}: hindsight {best:.1f} ({HINDSIGHT} episodes)"]
        for name, simulation in earned.items():
            error = 1.96 * simulation.profit.std(ddof=1) / np.sqrt(EPISODES)
            placed = simulation.trajectory["shipped"][:, :, 0] > 1e-9  # (B, T)
            orders, timing = placed.sum(axis=1).mean(), _timing(placed.mean(axis=0))
            spent = f", {seconds[name]:.0f} CPU-seconds" if name in seconds else ""
            earned_by = f"{name} {simulation.profit.mean():.1f} +- {error:.1f}"
            words.append(f"{earned_by} ({orders:.1f} orders, timing {timing:.2f}{spent})")
        print("; ".join(words), file=sys.stderr, flush=True)


def _timing(share: Array) -> float:
    """How far the moments of orders answer to demand: 0, they are a timetable; 1, the period tells nothing.

    Args:
        share: Of episodes with an order in each period, shape (T,).
    """
    mean = float(share.mean())
    return float((share * (1.0 - share)).mean()) / max(mean * (1.0 - mean), 1e-9)


if __name__ == "__main__":
    main()
