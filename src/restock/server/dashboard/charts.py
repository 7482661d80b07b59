"""The charts of the pages, as SVG without style attributes, which the pages' security policy forbids."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence

from restock.report.numbers import amount, decimals
from restock.report.palette import FIXED
from restock.report.periods import MOST, WINDOW
from restock.report.svg import GREY, INK, PAPER, Scale, Svg, ticks, width_of

OWN, RIVAL, BEST = "#14776a", "#2f6fb0", FIXED["hindsight"]
GAIN, LOSS = "#14776a", "#b3412f"
WIDE, HIGH = 420.0, 226.0


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of a chart: what adds up to it, period by period; or a level that is the same in all of them."""

    name: str
    values: Sequence[float]
    colour: str
    dash: str = ""
    width: float = 2.0
    level: float | None = None


def course(title: str, lines: Sequence[Line], horizon: int, now: int | None = None) -> Svg:
    """Draw cumulative sums over the periods.

    Args:
        title: What is summed.
        lines: The first is drawn on top.
        horizon: Periods of an episode.
        now: A period to mark.
    """
    sums = {
        line.name: [0.0, *itertools.accumulate(line.values)] if line.level is None else [line.level] for line in lines
    }
    every = [value for points in sums.values() for value in points]
    low, high = min(every), max(every)
    if high - low < 1e-9:
        high = low + 1.0
    room = 0.06 * (high - low)
    told = "; ".join(f"{line.name} {amount(sums[line.name][-1], decimals(every))}" for line in lines)
    played = max(len(points) for points in sums.values()) - 1
    picture = Svg(WIDE, HIGH, f"{title}, summed over {played} of {horizon} periods: {told}.", 12.0)
    rise = Scale(low - room, high + room, HIGH - 38.0, 24.0)
    left = picture.room_for(ticks(rise.low, rise.high, 5)) + 2.0
    reach = horizon if horizon <= MOST else min(WINDOW * max(1, math.ceil(played / WINDOW)), horizon)
    along = Scale(0.0, float(reach), left, WIDE - 14.0)
    picture.left_axis(rise, left, WIDE - 14.0, 5)
    for t in sorted({0, reach // 3, 2 * reach // 3, reach}):
        picture.text(along(float(t)), HIGH - 20.0, str(t), GREY, "middle")
    picture.text((left + WIDE - 14.0) / 2.0, HIGH - 5.0, "periods played", GREY, "middle", size=11.5)
    picture.text(2.0, 13.0, title, GREY, size=11.5)
    if now is not None:
        picture.line([(along(float(now)), 22.0), (along(float(now)), HIGH - 38.0)], INK, 1.0, "2 3")
    for line in reversed(lines):
        if line.level is not None:
            ends = [(left, rise(line.level)), (WIDE - 14.0, rise(line.level))]
            picture.line(ends, line.colour, line.width, line.dash)
            continue
        points = [(along(float(t)), rise(value)) for t, value in enumerate(sums[line.name])]
        if len(points) > 1:
            picture.line(points, line.colour, line.width, line.dash)
        spot = min(now, len(points) - 1) if now is not None else len(points) - 1
        picture.dots([points[spot]], 5.0, PAPER)
        picture.dots([points[spot]], 3.6, line.colour)
    return picture


def split(parts: Mapping[str, float]) -> list[tuple[str, float, Svg]]:
    """Draw the parts of a reward: name, amount and a bar, to the right for gains and to the left for losses."""
    shown = {name: value for name, value in parts.items() if abs(value) > 1e-12}
    most = max((abs(value) for value in shown.values()), default=1.0)
    found = []
    for name, value in shown.items():
        bar = Svg(120.0, 12.0, f"{name} {amount(value, 2, True)}")
        bar.line([(60.0, 0.0), (60.0, 12.0)], GREY, 1.0)
        size = max(58.0 * abs(value) / most, 1.0)
        bar.box(60.0 if value > 0.0 else 60.0 - size, 2.0, size, 8.0, GAIN if value > 0.0 else LOSS)
        found.append((name, value, bar))
    return found


def standings(
    rows: Sequence[tuple[str, float, float, float, str]], of: str, limit: tuple[str, float] | None = None
) -> Svg:
    """Return the means with their intervals, one below the other.

    Args:
        rows: Name, mean, low and high end (not a number where there is no interval) and colour of each.
        of: What the means are of.
        limit: Name and place of a line that none of them crosses.
    """
    ends = [value for _, *values, _ in rows for value in values if value == value]
    ends += [] if limit is None else [limit[1]]
    low, high = min(ends), max(ends)
    room = 0.05 * (high - low or abs(high) or 1.0)
    step, top = 44.0, 8.0 if limit is None else 26.0
    places = decimals([mean for _, mean, *_ in rows])
    named = [(name, mean) for name, mean, *_ in rows] + ([] if limit is None else [limit])
    told = "; ".join(f"{name} {amount(mean, places)}" for name, mean in named)
    picture = Svg(WIDE, top + step * len(rows) + 44.0, f"{of}: {told}.", 12.0)
    foot = top + step * len(rows)
    scale = Scale(low - room, high + room, 14.0, WIDE - 14.0)
    picture.foot_axis(scale, top, foot, 5)
    picture.text(WIDE / 2.0, picture.height - 4.0, of, GREY, "middle", size=11.5)
    if limit is not None:
        name, place = limit
        picture.line([(scale(place), top - 8.0), (scale(place), foot)], BEST, 1.6, "5 4")
        wide = width_of(name, 12.0)
        picture.text(min(max(scale(place) - wide / 2.0, 8.0), WIDE - wide - 14.0), 13.0, name, BEST, bold=True)
    for k, (name, mean, least, most, colour) in enumerate(rows):
        y = top + step * k + 31.0
        if least == least:
            picture.line([(scale(least), y), (scale(most), y)], colour, 5.0)
        picture.dots([(scale(mean), y)], 6.0, PAPER)
        picture.dots([(scale(mean), y)], 4.5, colour)
        label = f"{name}  {amount(mean, places)}"
        wide = 1.08 * width_of(label, 12.0)
        x = min(max(scale(mean) - wide / 2.0, 8.0), WIDE - wide - 16.0)
        picture.text(x, y - 13.0, label, colour, bold=True, halo=True)
    return picture
