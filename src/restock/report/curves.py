"""The charts of a training run: the learning curve and the algorithm's metrics."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from restock.core.wording import Wording
from restock.report.figures import PANEL, WIDE
from restock.report.numbers import amount
from restock.report.palette import FIXED, SPARE
from restock.report.svg import GREY, INK, PAPER, Scale, Svg, ticks

KEPT = "#14776a"  # the restart that the best network comes from
BEATEN = FIXED["base-stock"]  # the policy to beat, whatever it is
FAR = 3.0  # so many times the way from base-stock to hindsight is drawn below the lower of both
HIGH = "\N{SUPERSCRIPT MINUS}"
DIGITS = str.maketrans("0123456789", "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")

Line = Mapping[str, Any]  # of metrics.jsonl


def by_restart(lines: Sequence[Line]) -> dict[int, list[Line]]:
    """Group the lines by restart."""
    found: dict[int, list[Line]] = {}
    for line in lines:
        found.setdefault(int(line["restart"]), []).append(line)
    return found


def shades(lines: Sequence[Line]) -> dict[int, str]:
    """Return a colour for each restart; the one with the best network stands out."""
    best = max(reversed(lines), key=lambda line: float(line.get("profit", -math.inf)))["restart"]
    spare = iter(SPARE)
    return {k: KEPT if k == best else next(spare, GREY) for k in by_restart(lines)}


def learning(lines: Sequence[Line], baseline: str, limit: str | None, words: Wording) -> Svg:
    """Return the profit on held-out paths of each restart over the steps, beside the policy to beat and the bound.

    Args:
        lines: Of the metrics.
        baseline: Name of the policy to beat.
        limit: Name of the bound; None without one.
        words: What to call things.
    """
    marks = {limit: float(lines[-1]["bound"])} if limit is not None else {}
    marks[baseline] = base = float(lines[-1]["baseline"])
    bound = max(marks.values())
    judged = [line for line in lines if "profit" in line]
    best = max(reversed(judged), key=lambda line: float(line["profit"]))  # the last of the best is kept
    shade = shades(judged)
    values = [float(line["profit"]) for line in judged]
    floor = min(base, float(best["profit"])) - FAR * max(bound - min(base, float(best["profit"])), 1e-9)
    low, high = max(min([*values, *marks.values()]), floor), max([*values, *marks.values()])
    room = 0.06 * (high - low or 1.0)
    picture = Svg(
        WIDE, 372.0,
        f"{words.worth.capitalize()} on held-out episodes over the steps of training: at first "
        f"{amount(values[0], 1)}, at best {amount(float(best['profit']), 1)} at step {best['step']} "
        f"of restart {best['restart'] + 1}; "
        f"{', '.join(f'{name} {amount(value, 1)}' for name, value in marks.items())}.", 13.0,
    )  # fmt: skip
    rise = Scale(low - room, high + room, 236.0, 10.0)
    left, right = picture.room_for(ticks(rise.low, rise.high, 5)) + 4.0, WIDE - 12.0
    along = Scale(0.0, float(max(line["step"] for line in judged)), left, right)
    picture.left_axis(rise, left, right, 5)
    picture.foot_axis(along, 10.0, 236.0, 5, lines=False)
    picture.text((left + right) / 2.0, 273.0, "step", GREY, "middle")
    for name, value in marks.items():
        picture.line([(left, rise(value)), (right, rise(value))], FIXED.get(name, BEATEN), 1.6, "6 4")
    for k, group in by_restart(judged).items():
        points = [(along(float(one["step"])), rise(rise.clip(float(one["profit"])))) for one in group]
        if k == best["restart"]:
            errors = [1.96 * float(one.get("standard_error", 0.0)) for one in group]
            there = [
                (x, rise(rise.clip(float(o["profit"]) + e))) for (x, _), o, e in zip(points, group, errors, strict=True)
            ]
            back = [
                (x, rise(rise.clip(float(o["profit"]) - e))) for (x, _), o, e in zip(points, group, errors, strict=True)
            ]
            picture.area(there + back[::-1], shade[k], 0.15)
        picture.line(points, shade[k], 2.4 if k == best["restart"] else 1.6)
        picture.dots(points, 2.6, shade[k])
    x, y = along(float(best["step"])), rise(float(best["profit"]))
    picture.dots([(x, y)], 6.5, INK)
    picture.dots([(x, y)], 4.5, PAPER)
    picture.dots([(x, y)], 3.0, shade[best["restart"]])
    for name, value in marks.items():  # where the curves are far away
        ends = [abs(float(group[k]["profit"]) - value) for k in (0, -1) for group in by_restart(judged).values()]
        first = min(ends[: len(ends) // 2]) > min(ends[len(ends) // 2 :])
        spot, anchor = (left + 4.0, "start") if first else (right - 4.0, "end")
        colour, above = FIXED.get(name, BEATEN), -6.0 if value == bound else 16.0
        picture.text(spot, rise(value) + above, name, colour, anchor, True, 12.5, True)
    picture.height = 282.0
    if len(shade) > 1:
        names = [(f"restart {k + 1}", colour) for k, colour in shade.items()]
        picture.height = 10.0 + picture.key(names, left, 294.0)
    return picture


def panels(lines: Sequence[Line], names: Sequence[str]) -> list[tuple[str, str, Svg]]:
    """Return small charts of metrics that change: name, unit, chart."""
    shade = shades(lines)
    found = []
    for name in names:
        groups = {k: [line for line in group if name in line] for k, group in by_restart(lines).items()}
        values = [float(line[name]) for group in groups.values() for line in group]
        if len(values) < 2 or max(values) - min(values) <= 1e-12 * max(map(abs, values)):
            continue
        power = _power(max(map(abs, values)))
        unit = (
            ""
            if power == 0
            else f"\N{MULTIPLICATION SIGN} 10{HIGH if power < 0 else ''}{str(abs(power)).translate(DIGITS)}"
        )
        series = {
            k: [(float(line["step"]), float(line[name]) / 10.0**power) for line in group]
            for k, group in groups.items()
            if group
        }
        found.append((name, unit, _panel(name, series, shade)))
    return found


def _power(most: float) -> int:
    """Return the power of ten to take out of numbers so that few digits show them."""
    if most == 0.0 or 0.01 <= most < 1e6:
        return 0
    return math.floor(math.log10(most))


def _panel(name: str, series: Mapping[int, list[tuple[float, float]]], shade: Mapping[int, str]) -> Svg:
    width, height = PANEL
    values = [value for points in series.values() for _, value in points]
    picture = Svg(width, height, f"{name} over the steps, from {values[0]:.3g} to {values[-1]:.3g}", 11.5)
    low, high = min(values), max(values)
    room = 0.05 * (high - low)
    rise = Scale(low - room, high + room, height - 24.0, 8.0)
    left = picture.room_for(ticks(rise.low, rise.high, 4)) + 2.0
    along = Scale(0.0, max(step for points in series.values() for step, _ in points), left, width - 10.0)
    picture.left_axis(rise, left, width - 8.0, 4)
    for step in (0.0, along.high):
        picture.text(along(step), height - 8.0, amount(step), GREY, "start" if step == 0.0 else "end")
    for k, points in series.items():
        picture.line([(along(step), rise(value)) for step, value in points], shade[k], 1.6)
        if len(points) == 1:
            picture.dots([(along(points[0][0]), rise(points[0][1]))], 2.2, shade[k])
    return picture
