"""The geometry of an image: sizes, box positions, the lines of the arrows.

All of it depends on the network only, never on the state, so an episode's frames match.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

import numpy as np

from restock.core.scene import Arrow
from restock.envs.render import canvas
from restock.envs.render.layout import Layout

MARGIN = 28.0
HEAD = 92.0  # height of the headline
SPACE = 20.0  # between the network and what follows
LEAST = 860.0  # least width inside the margins
TAG = (46.0, 15.0)  # room kept for the number on an arrow


@dataclasses.dataclass(frozen=True)
class Style:
    """Sizes for networks up to some number of columns and rows (pixels)."""

    columns: int
    rows: int
    box: tuple[float, float]
    gap: tuple[float, float]
    stretch: float  # added to a gap for each period of lead time across it
    letter: int


STYLES = (
    Style(6, 6, (152, 68), (76, 40), 9.0, 13),
    Style(9, 14, (90, 40), (64, 16), 6.0, 11),
    Style(20, 48, (56, 20), (64, 8), 4.0, 9),
    Style(10**9, 10**9, (14, 8), (24, 4), 2.0, 0),
)


Way = list[canvas.Point]


@dataclasses.dataclass(frozen=True)
class Frame:
    """The positions of everything in a picture."""

    layout: Layout
    style: Style
    lefts: tuple[float, ...]  # left edge of each column (pixels)
    top: float
    tall: float  # height of the network
    width: int
    height: int

    def centre(self, column: int, height: float) -> tuple[float, float]:
        """Return the pixel position of a point of the layout."""
        return self.lefts[column] + self.style.box[0] / 2.0, self.top + height * self.tall


def frame_of(plan: Layout, arrows: Sequence[Arrow], below: tuple[float, float]) -> Frame:
    """Return the frame for a layout with a block of at least this width and height below it."""
    style = next(s for s in STYLES if plan.width <= s.columns and plan.rows <= s.rows)
    gaps = np.full(plan.width - 1, style.gap[0])
    for arrow in arrows:
        first, last = plan.columns[arrow.start], plan.columns[arrow.end]
        wanted = style.gap[0] + style.stretch * min(len(arrow.arrivals), 14) / (last - first)
        gaps[first:last] = np.maximum(gaps[first:last], wanted)
    drawn = plan.width * style.box[0] + gaps.sum()
    inside = max(LEAST, below[0], drawn)
    stretched = min(4.0, (inside - drawn + gaps.sum()) / gaps.sum()) if plan.width > 1 else 1.0
    lefts = np.concatenate([[0.0], np.cumsum(gaps * stretched + style.box[0])])
    lefts += MARGIN + (inside - lefts[-1] - style.box[0]) / 2.0
    tall = max(150.0, plan.rows * (style.box[1] + style.gap[1]))
    height = HEAD + 8.0 + tall + (SPACE + below[1] if below[1] else 0.0)
    return Frame(
        plan, style, tuple(lefts.tolist()), HEAD + 8.0, tall,
        _even(inside + 2.0 * MARGIN), _even(height + MARGIN),
    )  # fmt: skip


def _even(size: float) -> int:
    """Round up to a multiple of 16, which every video codec accepts."""
    return 16 * math.ceil(size / 16)


def ways_of(frame: Frame, arrows: Sequence[Arrow]) -> list[Way]:
    """Return the line of each arrow, from the right edge of one box to the left edge of the next.

    Arrows that share a box leave and reach it one above the other, in the order of their far ends.
    """
    plan, (wide, high) = frame.layout, frame.style.box
    leaving: dict[int, list[tuple[float, int]]] = {}
    reaching: dict[int, list[tuple[float, int]]] = {}
    for i, (arrow, passing) in enumerate(zip(arrows, plan.ways, strict=True)):
        first = passing[0][1] if passing else plan.heights[arrow.end]
        last = passing[-1][1] if passing else plan.heights[arrow.start]
        leaving.setdefault(arrow.start, []).append((first, i))
        reaching.setdefault(arrow.end, []).append((last, i))
    shift = np.zeros((2, len(arrows)))
    for side, group in enumerate((leaving, reaching)):
        for ends in group.values():
            for k, (_, i) in enumerate(sorted(ends)):
                shift[side, i] = high * 0.7 * ((k + 0.5) / len(ends) - 0.5)

    ways = []
    for i, (arrow, passing) in enumerate(zip(arrows, plan.ways, strict=True)):
        x, y = frame.centre(plan.columns[arrow.start], plan.heights[arrow.start])
        stops = [(x + wide / 2.0, y + shift[0, i])]
        for column, height in passing:
            x, y = frame.centre(column, height)
            stops += [(x - wide / 2.0, y), (x + wide / 2.0, y)]
        x, y = frame.centre(plan.columns[arrow.end], plan.heights[arrow.end])
        stops.append((x - wide / 2.0 - 3.0, y + shift[1, i]))
        points: Way = []
        for a, b in itertools.pairwise(stops):
            points += canvas.curve(a, b)
        ways.append(points)
    return ways


def tags_of(ways: Sequence[Way]) -> list[canvas.Point]:
    """Return where the number of each arrow stands: above its beginning, else above another stretch of it."""
    taken: list[canvas.Point] = []
    for way in ways:
        side = min(0.5, TAG[0] / 2.0 / (way[-1][0] - way[0][0]))
        best, most = (0.0, 0.0), -1.0
        for x, on in canvas.along(way, (side, 0.5, 0.35, 0.65, 1.0 - side)):
            y = on - 12.0
            apart = min((max(abs(x - a) / TAG[0], abs(y - b) / TAG[1]) for a, b in taken), default=1.0)
            if min(apart, 1.0) > most:
                best, most = (x, y), min(apart, 1.0)
        taken.append(best)
    return taken
