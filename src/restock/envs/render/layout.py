"""The positions of the nodes of a scene: columns by echelon, rows with few crossings.

The layered drawing of Sugiyama, Tagawa and Toda (1981): columns by distance from the markets, rows
by barycentre sweeps. Arrows that pass a column reserve a row there, so they never run behind a box.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from functools import lru_cache
from graphlib import TopologicalSorter

SWEEPS = 12
PASSING = 0.45  # height of a row reserved for a passing arrow, as a share of a place's row


@dataclasses.dataclass(frozen=True)
class Layout:
    """Positions on a grid.

    Attributes:
        columns: Column of each place, 0 on the left.
        heights: Vertical centre of each place, 0 at the top of its column and 1 at its foot.
        ways: For each arrow, the (column, height) points it passes between its ends.
        rows: Most places in one column.
    """

    columns: tuple[int, ...]
    heights: tuple[float, ...]
    ways: tuple[tuple[tuple[int, float], ...], ...]
    rows: int

    @property
    def width(self) -> int:
        """The number of columns."""
        return max(self.columns) + 1


@lru_cache(maxsize=16)
def layout(count: int, arrows: tuple[tuple[int, int], ...]) -> Layout:
    """Lay out `count` nodes joined by arrows (start, end) without circles."""
    columns = _columns(count, arrows)
    width = max(columns) + 1
    column_of = list(columns)  # of every point: places first, then the passing points of arrows
    chains: list[list[int]] = []
    for start, end in arrows:
        passing = range(columns[start] + 1, columns[end])
        points = list(range(len(column_of), len(column_of) + len(passing)))
        column_of.extend(passing)
        chains.append([start, *points, end])
    before: list[list[int]] = [[] for _ in column_of]
    after: list[list[int]] = [[] for _ in column_of]
    for chain in chains:
        for a, b in itertools.pairwise(chain):
            after[a].append(b)
            before[b].append(a)
    order = [[p for p, c in enumerate(column_of) if c == column] for column in range(width)]
    order = _swept(order, before, after)

    height = [0.5] * len(column_of)
    for column in order:
        weights = [1.0 if p < count else PASSING for p in column]
        top, whole = 0.0, sum(weights)
        for p, weight in zip(column, weights, strict=True):
            height[p] = (top + weight / 2.0) / whole
            top += weight
    ways = tuple(tuple((column_of[p], height[p]) for p in chain[1:-1]) for chain in chains)
    rows = max(sum(p < count for p in column) for column in order)
    return Layout(tuple(columns), tuple(height[:count]), ways, rows)


def _columns(count: int, arrows: Sequence[tuple[int, int]]) -> list[int]:
    """Return columns in which each arrow runs to the right and each node stands as near the markets as possible."""
    ends: dict[int, set[int]] = {place: set() for place in range(count)}
    for start, end in arrows:
        ends[start].add(end)
    distance = [0] * count
    for place in TopologicalSorter(ends).static_order():
        distance[place] = max((distance[end] + 1 for end in ends[place]), default=0)
    return [max(distance) - d for d in distance]


def _swept(order: list[list[int]], before: list[list[int]], after: list[list[int]]) -> list[list[int]]:
    """Return the order with the fewest crossings found by barycentre sweeps."""
    best, fewest = order, _crossings(order, after)
    for sweep in range(SWEEPS):
        if fewest == 0:
            break
        rightward = sweep % 2 == 0
        order = _sweep(order, before if rightward else after, rightward)
        crossings = _crossings(order, after)
        if crossings < fewest:
            best, fewest = order, crossings
    return best


def _sweep(order: list[list[int]], neighbours: list[list[int]], rightward: bool) -> list[list[int]]:
    """Sort each column by the mean rank of its neighbours in the column just sorted."""
    result = list(order)
    columns = range(1, len(order)) if rightward else range(len(order) - 2, -1, -1)
    for c in columns:
        fixed = result[c - 1 if rightward else c + 1]
        rank = {p: (k + 0.5) / len(fixed) for k, p in enumerate(fixed)}
        own = {p: (k + 0.5) / len(result[c]) for k, p in enumerate(result[c])}
        centre = {}
        for p in result[c]:
            ranks = [rank[q] for q in neighbours[p] if q in rank]
            centre[p] = sum(ranks) / len(ranks) if ranks else own[p]
        result[c] = sorted(result[c], key=lambda p: centre[p])
    return result


def _crossings(order: list[list[int]], after: list[list[int]]) -> int:
    """Count the pairs of arrows that cross between neighbouring columns."""
    total = 0
    for left, right in itertools.pairwise(order):
        rank = {p: k for k, p in enumerate(right)}
        ends = [r for p in left for r in sorted(rank[q] for q in after[p] if q in rank)]
        total += sum(a > b for k, a in enumerate(ends) for b in ends[k + 1 :])
    return total
