"""What trained policies are held against: rules and look-ahead on the same 20 scenarios and seeds, untrained."""

from __future__ import annotations

from typing import Any

import restock
from benchmarks.learned.figure import Figure, group, synthetic
from restock.core.play import draw_each
from restock.evaluation.simulate import run

RULES: list[tuple[str, dict[str, Any]]] = [
    (name, {"information": information})
    for information in ("informed", "blind")
    for name in ("base-stock", "newsvendor", "echelon-base-stock", "rolling")
] + [("holt-base-stock", {})]
COMMAND = "python -m benchmarks.bench_learning yardsticks"


def figures() -> list[Figure]:
    """Shares of the published optimum."""
    found = []
    for name, params in RULES:
        ratios = {}
        for one in synthetic():
            policy = restock.make_policy(name, one.problem, **params)
            profit = run(one.problem, policy, draw_each(one.problem, list(one.seeds)), 0).profit
            ratios[one.name] = float(profit.mean()) / one.means["Oracle"]
        what = f"{name}, {params.get('information', 'blind')}"
        found.append(Figure(f"{what}: mean", group(ratios, "all"), None, "", None, COMMAND))
        found += [Figure(f"... {topology}", group(ratios, topology)) for topology in ("divergent", "serial")]
        found.append(Figure("... worst scenario", min(ratios.values())))
    return found
