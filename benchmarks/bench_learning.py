"""The learning table: `python -m benchmarks learning`.

What training reaches on the published scenarios (as a share of the published optimum), on fresh seeds,
on lost-sales problems with published optima, blind, and with PPO; then what the recipes of the other
problems reach. Over an hour of one processor. Runs
are kept in runs/learning, so a table that was stopped goes on, and a finished one only plays.

    python -m benchmarks learning                 the whole table
    python -m benchmarks.bench_learning PART      its lines of one part: yardsticks, one-each, effects, family,
                                                  lost-sales, ppo, and of the recipes: sharing, cost, production,
                                                  store, minimal
    python -m benchmarks.bench_learning speed     the tensor form beside the text row by row
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from benchmarks.learned import generalists, lost_sales, one_each, recipes, tensor_speed, yardsticks
from benchmarks.learned.figure import Figure

PARTS: dict[str, Callable[[], list[Figure]]] = {
    "yardsticks": yardsticks.figures,
    "one-each": one_each.figures,
    "effects": generalists.effects,
    "family": generalists.family,
    "lost-sales": lost_sales.figures,
    "ppo": generalists.ppo,
    "sharing": recipes.sharing,
    "cost": recipes.cost,
    "production": recipes.production,
    "store": recipes.store,
    "minimal": recipes.minimal,
}


def measure() -> list[Figure]:
    """The lines of all parts."""
    return [figure for part in PARTS.values() for figure in part()]


def show(figures: list[Figure]) -> None:
    """The table, on the terminal."""
    table = Table(title="What training reaches: share of the hindsight optimum, or cost a period")
    for name in ("what", "figure", "95%", "target", "CPU-seconds", "command"):
        table.add_column(name, justify="left" if name in ("what", "command") else "right")
    for one in figures:
        half = "" if one.half is None else f"+- {one.half:.4f}"
        seconds = "" if one.cpu_seconds is None else f"{one.cpu_seconds:.0f}"
        table.add_row(one.what, f"{one.value:.4f}", half, one.target, seconds, one.command)
    Console(width=max(170, Console().width)).print(table)


if __name__ == "__main__":
    which = sys.argv[1] if len(sys.argv) > 1 else ""
    if which == "speed":
        tensor_speed.speed()
    elif which in PARTS:
        show(PARTS[which]())
    else:
        sys.exit(f"python -m benchmarks.bench_learning {'|'.join(PARTS)}|speed")
