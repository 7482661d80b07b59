"""Run the benchmarks: `python -m benchmarks [--json] [PART ...]`; `--help` lists the parts.

Those of the server are commands of their own: `python -m benchmarks.bench_http`, `.bench_server`, `.bench_mcp` and
`.storm_server`.

`error_rates` counts how often comparisons of equal policies call a difference clear. Without a
part named: those that take minutes. `make bench` adds the learning table, which takes an hour.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import sys
from importlib import import_module
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

from benchmarks import bench_learning
from benchmarks.learned.figure import Figure
from benchmarks.timing import Row

PARTS = ("wrappers", "step", "vector", "rollout", "policy", "start", "memory", "sharing", "production", "retail")
MORE = ("fit", "look_ahead", "sb3", "error_rates")  # minutes, so only when named
LEARNING = "learning"  # an hour, and a table of its own


def machine() -> str:
    """What this ran on."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("numba", "numpy", "gymnasium", "gym-invmgmt"))
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {packages}"


def amount(value: float | None, unit: str) -> str:
    """A time or a size in a unit one can read."""
    if value is None:
        return ""
    if unit == "bytes":
        return f"{value / 1024:.1f} KiB"
    if unit == "share":
        return f"{100 * value:.2g}%"
    for scale, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if value >= scale:
            return f"{value / scale:.3g} {name}"
    return f"{value / 1e-9:.3g} ns"


def show(rows: list[Row]) -> None:
    """The table, on the terminal."""
    table = Table(
        title="restock beside gym-invmgmt 0.2.1, in turn in one run: medians, and the quartiles of the ratio",
        caption=machine(),
    )
    for name in ("what", "restock", "peer", "ratio", "spread", "target", "limited by"):
        table.add_column(name, justify="left" if name in ("what", "limited by") else "right")
    for row in rows:
        spread = ""
        if row.low is not None and row.high is not None:
            spread = f"{row.low:.0f}-{row.high:.0f}" if row.ratio is not None else f"{row.low:.2f}-{row.high:.2f} s"
        ratio = "" if row.ratio is None else f"{row.ratio:.3g}x" if row.ratio < 10 else f"{row.ratio:.0f}x"
        ours, theirs = amount(row.ours, row.unit), amount(row.peer, row.unit)
        table.add_row(row.what, ours, theirs, ratio, spread, row.target, row.limit)
    Console(width=max(150, Console().width)).print(table)


def main() -> int:
    """Measure the parts asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    usual = f"one of {', '.join((*PARTS, *MORE, LEARNING))}; without any: the first {len(PARTS)}"
    parser.add_argument("parts", nargs="*", choices=[*PARTS, *MORE, LEARNING, []], metavar="PART", help=usual)
    parser.add_argument("--json", action="store_true", help="one JSON document in place of the table")
    arguments = parser.parse_args()
    rows: list[Row] = []
    figures: list[Figure] = []
    for part in arguments.parts or PARTS:
        print(f"measuring {part} ...", file=sys.stderr)
        found = import_module(f"benchmarks.bench_{part}").measure()
        rows += [one for one in found if isinstance(one, Row)]
        figures += [one for one in found if isinstance(one, Figure)]
    if arguments.json:
        document = {
            "machine": machine(),
            "rows": [dataclasses.asdict(row) for row in rows],
            "learning": [dataclasses.asdict(figure) for figure in figures],
        }
        print(json.dumps(document, indent=2))
        return 0
    if rows:
        show(rows)
    if figures:
        bench_learning.show(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
