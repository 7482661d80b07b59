"""One blind policy for each topology, which has to find out which demand it meets."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import restock
from benchmarks.learned.figure import RUNS, Figure, Z, group, ratio, synthetic
from restock.core.play import draw
from restock.evaluation.simulate import run
from restock.learning.config import Family
from restock.learning.regimes import Members
from restock.learning.train import train

TOPOLOGIES = ("divergent", "serial")
PATHWISE: dict[str, Any] = {"batch": 256, "restarts": 1, "evaluate_every": 200, "patience": 100, "cpu_seconds": None}
MEMBERS, EPISODES, STREAM = 100, 10, 1


def effects() -> list[Figure]:
    """Trained for the eight combinations of trend, season and shock."""
    ratios, seconds = _trained("pathwise", "effects", PATHWISE | {"steps": 6000})
    command = "python -m benchmarks.bench_learning effects"
    return [
        Figure("pathwise, blind, eight combinations of effects: mean", group(ratios, "all"), None, ">= .95", seconds,
               command),
        *(Figure(f"... {name}", group(ratios, name)) for name in TOPOLOGIES),
    ]  # fmt: skip


def family() -> list[Figure]:
    """Trained for a broad family of demand; also played on members of the family that are drawn afresh."""
    ratios, seconds = _trained("pathwise", "family", PATHWISE | {"steps": 5000})
    command = "python -m benchmarks.bench_learning family"
    fresh = np.concatenate([_on_members(name) for name in TOPOLOGIES])
    half = Z * float(fresh.std(ddof=1)) / np.sqrt(len(fresh))
    mean = group(ratios, "all")
    return [
        Figure("pathwise, blind, broad family of demand: mean", mean, None, ">= .90", seconds, command),
        *(Figure(f"... {name}", group(ratios, name)) for name in TOPOLOGIES),
        Figure(f"... on {MEMBERS} fresh members of the family", float(fresh.mean()), half, f">= {mean - 0.05:.3f}"),
    ]


def ppo() -> list[Figure]:
    """PPO of stable-baselines3 with the preset, blind, eight combinations of effects."""
    ratios, seconds = _trained("ppo", "effects", {"steps": 1_500_000})
    command = "python -m benchmarks.bench_learning ppo"
    return [
        Figure("PPO, blind, 1.5 million steps a topology: mean", group(ratios, "all"), None, "> .745", seconds,
               command),
        *(Figure(f"... {name}", group(ratios, name)) for name in TOPOLOGIES),
    ]  # fmt: skip


def _trained(algo: str, kind: str, numbers: dict[str, Any]) -> tuple[dict[str, float], float]:
    """Ratios by scenario, and processor seconds of the longer training."""
    ratios: dict[str, float] = {}
    seconds = []
    for topology in TOPOLOGIES:
        folder = RUNS / f"{topology}-{algo}-{kind}"
        result = train(topology, folder, algo, regimes={"kind": kind}, tell=_tell, **numbers)
        seconds.append(float(result["cpu_seconds"]))
        for one in synthetic():
            if one.name.startswith(topology):
                ratios[one.name] = ratio(one, folder)
                print(f"{one.name}: {ratios[one.name]:.4f}", file=sys.stderr)
        print(f"{topology}: {seconds[-1]:.0f} CPU-seconds", file=sys.stderr)
    return ratios, max(seconds)


def _on_members(topology: str) -> np.ndarray:
    """Share of hindsight's profit that the generalist earns with each fresh member of its family."""
    shares = []
    network: Any = restock.load_problem(topology)
    for problem in Members(network, Family()).problems(MEMBERS, STREAM):
        episodes = draw(problem, EPISODES, 0)
        best = run(problem, restock.make_policy("hindsight", problem), episodes, 0).profit.sum()
        policy = restock.make_policy(str(RUNS / f"{topology}-pathwise-family"), problem)
        shares.append(run(problem, policy, episodes, 0).profit.sum() / best)
    return np.array(shares)


def _tell(report: Any, gaps: dict[str, float]) -> None:
    print(f"step {report.step}: {report.profit:.2f}, {report.cpu_seconds:.0f} CPU-seconds", file=sys.stderr)
