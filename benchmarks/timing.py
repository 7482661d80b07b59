"""Timing two things against each other: A B A B ... in one run, so that a slow spell hits both."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: What was measured.
        ours: Median time of ours (seconds), or the amount where `unit` says so.
        peer: Median time of the peer; None without one.
        ratio: Median over rounds of peer / ours.
        low, high: Quartiles of the ratio over rounds.
        target: What the ratio (or the amount) should reach; None without one.
        limit: What limits ours.
        unit: `s` for times.
    """

    what: str
    ours: float
    peer: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    target: str = ""
    limit: str = ""
    unit: str = "s"


def quartiles(values: list[float]) -> tuple[float, float]:
    """The spread that half of the rounds stay within."""
    low, _, high = statistics.quantiles(values, n=4)
    return low, high


def interleaved(
    what: str,
    ours: Callable[[], int],
    peer: Callable[[], int],
    rounds: int = 25,
    target: str = "",
    limit: str = "",
) -> Row:
    """Time both in turn; each callable runs some units of work and returns how many."""
    ours()
    peer()
    times: list[tuple[float, float]] = []
    for _ in range(rounds):
        pair = []
        for run in (ours, peer):
            begin = time.perf_counter()
            units = run()
            pair.append((time.perf_counter() - begin) / units)
        times.append((pair[0], pair[1]))
    ratios = [b / a for a, b in times]
    return Row(
        what,
        statistics.median(a for a, _ in times),
        statistics.median(b for _, b in times),
        statistics.median(ratios),
        *quartiles(ratios),
        target,
        limit,
    )
