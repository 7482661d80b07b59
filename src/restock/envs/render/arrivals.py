"""The calendar of arrivals: how much reaches each node, and when."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from restock.core.scene import Scene
from restock.envs.render import canvas
from restock.envs.render.canvas import FAINT, GREY, INK, TRANSIT, WHITE, Canvas, mixed
from restock.envs.render.view import units

ROW = 24.0  # height of a row (pixels)
CELLS = (40.0, 76.0)  # least and most width of a cell
TITLES = 200.0  # most room for the row titles
SUM = 96.0  # room for the last column
MOST_ROWS = 16
MOST_PERIODS = 14

Row = tuple[str, tuple[float, ...], float]  # title, units by period ahead, a full shipment


def calendar_rows(scene: Scene) -> list[Row]:
    """Return one row per link with a lead time; one per node if those are too many; none if these are too."""
    moving = [arrow for arrow in scene.arrows if arrow.arrivals]
    names = [place.name for place in scene.places]
    if len(moving) <= MOST_ROWS:
        return [(f"{names[a.start]} to {names[a.end]}", a.arrivals, a.full) for a in moving]
    ends = sorted({arrow.end for arrow in moving})
    if len(ends) > MOST_ROWS:
        return []
    rows = []
    for end in ends:
        into = [arrow for arrow in moving if arrow.end == end]
        sums = np.zeros(max(len(arrow.arrivals) for arrow in into))
        for arrow in into:
            sums[: len(arrow.arrivals)] += arrow.arrivals
        rows.append((f"to {names[end]}", tuple(sums.tolist()), max(arrow.full for arrow in into)))
    return rows


def calendar_size(rows: Sequence[Row]) -> tuple[float, float]:
    """Return the least width and the height of the calendar (pixels)."""
    if not rows:
        return 0.0, 0.0
    return _titles(rows) + CELLS[0] * min(MOST_PERIODS, _longest(rows)) + SUM, ROW * (len(rows) + 2)


def draw_calendar(picture: Canvas, rows: Sequence[Row], margin: float, top: float) -> None:
    """Draw the arrivals of each of the next periods; later ones are summed in the last column."""
    shown = min(_longest(rows), MOST_PERIODS)
    left = margin + _titles(rows)
    cell = min(CELLS[1], max(CELLS[0], (picture.width - margin - left - SUM) / shown))
    sums = left + cell * shown + SUM / 2.0
    picture.text(margin, top + ROW / 2, "Arrivals: units due so many periods from now", 13, INK)
    head = top + ROW * 1.5
    for k in range(shown):
        more = "+" if k == shown - 1 and _longest(rows) > shown else ""
        picture.text(left + cell * (k + 0.5), head, f"{k + 1}{more}", 11, GREY, "mm")
    picture.text(sums, head, "in transit", 11, GREY, "mm")
    for r, (title, arrivals, full) in enumerate(rows):
        y = top + ROW * (r + 2)
        picture.text(margin, y + ROW / 2, title, 12, room=left - margin - 8)
        cells = [*arrivals[: shown - 1], sum(arrivals[shown - 1 :])]
        for k, amount in enumerate(cells[: len(arrivals)]):
            shade = min(0.8, 0.1 + 0.7 * amount / full) if amount > 0.0 else 0.0
            picture.box(left + cell * k + 1, y + 2, cell - 2, ROW - 4, mixed(TRANSIT, shade) if shade else FAINT)
            if amount > 0.0:
                ink = WHITE if shade > 0.7 else INK
                picture.text(left + cell * (k + 0.5), y + ROW / 2, units(amount), 11, ink, "mm")
        picture.text(sums, y + ROW / 2, units(sum(arrivals)), 12, TRANSIT, "mm")


def _longest(rows: Sequence[Row]) -> int:
    return max(len(arrivals) for _, arrivals, _ in rows)


def _titles(rows: Sequence[Row]) -> float:
    """Return the width of the row titles."""
    return min(TITLES, max(canvas.text_width(title, 12) for title, _, _ in rows) + 24.0)
