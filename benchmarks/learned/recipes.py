"""The recipes of the tutorial problems, as presets of `restock train`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

import restock
from benchmarks.learned.figure import RUNS, Figure, Z
from restock.learning.train import train

FIRST = 70_000  # first seed of the episodes that nothing was trained or chosen on
SEEDS, FRESH, UNSEEN = 5, 100, 10
WEIGHT = 0.01  # reward lost per unit of cost in the cost-weighted variant
RULE = "tuned-price-and-cover"  # of the store
LEVEL = 20  # of the base-stock policy whose cost is to be beaten
COMMAND = "python -m benchmarks.bench_learning {}"


def sharing() -> list[Figure]:
    """PPO on the tutorial scenario: five seeds, fresh episodes, and missions that were never seen."""
    worst, elsewhere, seconds, steps = [], [], [], []
    for seed in range(SEEDS):
        folder, result = _trained("sharing", "ppo", seed)
        seconds.append(float(result["cpu_seconds"]))
        steps.append(int(result["steps"]))
        worst.append(_fill("sharing", folder, FRESH))
        others = [_fill(restock.load_problem("sharing", seed=1000 + k), folder, 10) for k in range(UNSEEN)]
        elsewhere.append(min(others))
        print(f"seed {seed}: fill {worst[-1]:.6f}, unseen missions at worst {elsewhere[-1]:.4f}", file=sys.stderr)
    what, command = f"PPO on the tutorial scenario, {SEEDS} seeds, {max(steps)} steps", COMMAND.format("sharing")
    return [
        Figure(
            f"{what}: fill rate of {FRESH} fresh episodes, worst seed", min(worst), None, "1", max(seconds), command
        ),
        Figure("... mean of the seeds", float(np.mean(worst)), None, "1"),
        Figure(f"... on {UNSEEN} draws of missions never seen, worst draw", min(elsewhere), None, ">= .99"),
    ]


def cost() -> list[Figure]:
    """PPO with cost in its reward, beside the base-stock policy that the tutorial measured."""
    problem = restock.load_problem("sharing", cost_weight=WEIGHT)
    numbers = {"steps": 560_000, "evaluate_every": 40_000}
    folder, result = _trained("sharing", "ppo", 0, problem, f"-cost-{WEIGHT:g}", **numbers)
    mine = restock.simulate(problem, str(folder), FRESH, FIRST).kpis
    theirs = restock.simulate(problem, restock.make_policy("base-stock", problem, levels=LEVEL), FRESH, FIRST).kpis
    what = f"PPO with cost in the reward ({WEIGHT:g} a unit)"
    return [
        Figure(f"{what}: fill rate", float(mine["fill_rate"].mean()), None, "1", float(result["cpu_seconds"]),
               COMMAND.format("cost")),
        Figure(f"... cost, as a share of base-stock's with S = {LEVEL}",
               float(mine["cost"].mean() / theirs["cost"].mean()), None, "< 1"),
    ]  # fmt: skip


def production() -> list[Figure]:
    """DQN on the plant: three seeds, a thousand test episodes of 50 periods."""
    test = restock.load_problem("production", max_steps=50)
    returns, gains, seconds, half = [], [], [], 0.0
    for seed in range(3):
        problem = restock.load_problem("production", max_steps=300)
        folder, result = _trained("production", "dqn", seed, problem)
        played = restock.simulate(test, str(folder), 1000, FIRST)
        returns.append(float(played.profit.mean()))
        gains.append(float(played.kpis["cash_gain"].mean()))
        seconds.append(float(result["cpu_seconds"]))
        half = max(half, Z * float(played.profit.std(ddof=1)) / np.sqrt(1000))
        print(f"seed {seed}: {returns[-1]:.2f}, cash {gains[-1]:+.4f}, {seconds[-1]:.0f} CPU-seconds", file=sys.stderr)
    best = float(restock.simulate(test, "dynamic-program", 1000, FIRST).profit.mean())
    return [
        Figure("DQN on the plant, T = 50, 1000 test episodes: mean return, worst of 3 seeds", min(returns), half,
               ">= -1960", max(seconds), COMMAND.format("production")),
        Figure("... gain on the cash at the start, worst seed", min(gains), None, ">= .14"),
        Figure("... the dynamic program on the same episodes", best),
    ]  # fmt: skip


def store() -> list[Figure]:
    """PPO that corrects the tuned rule of the store, on draws of delivery times that nothing was trained on."""
    folder, result = _trained("retail-medium", "ppo", 0)
    mine, rule = (restock.simulate("retail-medium", name, 48, FIRST).profit for name in (str(folder), RULE))
    apart, what = mine - rule, "PPO on the store (medium)"
    half = Z * float(apart.std(ddof=1)) / np.sqrt(len(apart))
    command = COMMAND.format("store")
    return [
        Figure(f"{what}: profit", float(mine.mean()), None, "", float(result["cpu_seconds"]), command),
        Figure(f"... more than {RULE} on the same 48 draws", float(apart.mean()), half, "> 0"),
    ]


def minimal() -> list[Figure]:
    """PPO and DQN on the smallest problem, whose optimum is 99.9."""
    found = []
    for algo in ("ppo", "dqn"):
        folder, result = _trained("minimal", algo, 0, **({"steps": 60_000} if algo == "dqn" else {"steps": 100_000}))
        profit = restock.simulate("minimal", str(folder), 1000, FIRST).profit
        half = Z * float(profit.std(ddof=1)) / np.sqrt(1000)
        seconds, what = float(result["cpu_seconds"]), f"{algo.upper()} on the smallest problem"
        found.append(Figure(what, float(profit.mean()), half, ">= 97.9", seconds, COMMAND.format("minimal")))
    return found


def _trained(
    name: str, algo: str, seed: int, problem: Any = None, about: str = "", **numbers: Any
) -> tuple[Path, dict[str, Any]]:
    folder = RUNS / f"{name}-{algo}-{seed}{about}"
    return folder, train(name if problem is None else problem, folder, algo, seed, **numbers)


def _fill(problem: Any, folder: Path, episodes: int) -> float:
    """Missions served, of those that there were."""
    played = restock.simulate(problem, str(folder), episodes, FIRST)
    filled, short = (float(played.trajectory[name].sum()) for name in ("filled", "stockouts"))
    return filled / (filled + short)
