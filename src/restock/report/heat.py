"""Heat maps: colours for amounts, tiles, and the key."""

from __future__ import annotations

import math

import numpy as np

from restock.core.problem import Array
from restock.report.numbers import amount
from restock.report.svg import GREY, INK, PAPER, Scale, Svg, ticks

LEVELS = 32  # shades
RAMP = ("#f8f5ec", "#bcd9c3", "#46a092", "#17616f", "#0f2f44")
PANEL = (330.0, 285.0)
LARGEST_DOT = 3.6
SEAM = 0.4  # by which rows overlap, so that no gap shows where the picture is scaled


def shade(share: float) -> str:
    """Return the colour of a share of the largest amount."""
    share = min(max(share, 0.0), 1.0)
    place = round(share * (LEVELS - 1)) / (LEVELS - 1) * (len(RAMP) - 1)
    k = min(int(place), len(RAMP) - 2)
    ends = [[int(colour[a : a + 2], 16) for a in (1, 3, 5)] for colour in RAMP[k : k + 2]]
    return "#" + "".join(f"{round(a + (b - a) * (place - k)):02x}" for a, b in zip(*ends, strict=True))


def heat_map(
    across: Array, upwards: Array, values: Array, most: float, dots: Array, labels: tuple[str, str], alt: str
) -> Svg:
    """Return a map of amounts.

    Args:
        across: Centres of the columns, evenly spaced, shape (P,).
        upwards: Centres of the rows, shape (Q,).
        values: Shape (Q, P); NaN leaves a cell blank.
        most: What the darkest colour stands for.
        dots: Places to mark, shape (V, 2); the more often a place comes, the larger its dot.
        labels: Of the axes, across and upwards.
        alt: What the picture shows.
    """
    picture = Svg(*PANEL, alt, 12.0)
    x_edges, y_edges = edges(across), edges(upwards)
    left = picture.room_for(ticks(float(y_edges[0]), float(y_edges[-1]), 5)) + 2.0
    right, top, foot = PANEL[0] - 8.0, 24.0, PANEL[1] - 40.0
    along = Scale(float(x_edges[0]), float(x_edges[-1]), left, right)
    rise = Scale(float(y_edges[0]), float(y_edges[-1]), foot, top)
    picture.left_axis(rise, left, right, 5)
    picture.foot_axis(along, top, foot, 6)
    rows: dict[str, list[tuple[float, float, float, float]]] = {}
    for q in range(len(upwards)):
        y, height = rise(float(y_edges[q + 1])), rise(float(y_edges[q])) - rise(float(y_edges[q + 1]))
        for first, last, colour in _runs(values[q], most):
            start = along(float(x_edges[first]))
            rows.setdefault(colour, []).append((start, y, along(float(x_edges[last])) - start, height + SEAM))
    for colour in sorted(rows):
        picture.tiles(rows[colour], colour)
    _mark(picture, dots, along, rise)
    picture.text((left + right) / 2.0, PANEL[1] - 6.0, labels[0], GREY, "middle")
    picture.text(2.0, 13.0, labels[1], GREY)
    return picture


def key(most: float, clipped: bool, unit: str) -> Svg:
    """Return the key to the colours."""
    picture = Svg(330.0, 40.0, f"Colours from 0 to {amount(most, 1)} {unit}.", 12.0)
    scale = Scale(0.0, most, 12.0, 262.0)
    wide = (scale.end - scale.start) / LEVELS
    for k in range(LEVELS):
        picture.tiles([(scale.start + k * wide, 4.0, wide + 0.3, 12.0)], shade(k / (LEVELS - 1)))
    picture.foot_axis(scale, 4.0, 16.0, 5, lines=False)
    if clipped:
        picture.text(268.0, 15.0, "and more", GREY, size=10.5)
    return picture


def edges(centres: Array) -> Array:
    """Return the edges of the cells around evenly spaced centres, shape (P + 1,)."""
    half = (centres[1] - centres[0]) / 2.0
    return np.append(centres - half, centres[-1] + half)


def _runs(values: Array, most: float) -> list[tuple[int, int, str]]:
    """Return the stretches of a row that have one colour: first, end, colour."""
    found: list[tuple[int, int, str]] = []
    for k, value in enumerate(values):
        if not math.isfinite(value):
            continue
        colour = shade(float(value) / most if most > 0.0 else 0.0)
        if found and found[-1][1] == k and found[-1][2] == colour:
            found[-1] = (found[-1][0], k + 1, colour)
        else:
            found.append((k, k + 1, colour))
    return found


def _mark(picture: Svg, dots: Array, along: Scale, rise: Scale) -> None:
    """Mark the states where the policy was asked: a disc per point of a grid of pixels, its area by frequency."""
    inside = [
        (along(float(x)), rise(float(y)))
        for x, y in dots
        if along.low <= x <= along.high and rise.low <= y <= rise.high
    ]
    counts: dict[tuple[float, float], int] = {}
    for x, y in inside:
        place = round(x / 6.0) * 6.0, round(y / 6.0) * 6.0
        counts[place] = counts.get(place, 0) + 1
    if not counts:
        return
    largest = max(counts.values())
    by_size: dict[float, list[tuple[float, float]]] = {}
    for place, count in sorted(counts.items()):
        radius = round(2.0 * max(LARGEST_DOT * math.sqrt(count / largest), 0.9)) / 2.0
        by_size.setdefault(radius, []).append(place)
    for radius, places in sorted(by_size.items()):
        picture.dots(places, radius + 0.7, PAPER, 0.75)
        picture.dots(places, radius, INK, 0.8)
