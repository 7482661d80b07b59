"""The charts of a comparison."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence

import numpy as np

from restock.core.problem import Array
from restock.core.wording import Curve, Wording
from restock.evaluation.compare import Comparison, Row
from restock.evaluation.windows import Windows
from restock.report.numbers import amount, decimals, places_for
from restock.report.palette import part_colours
from restock.report.svg import GREY, INK, Scale, Svg, ticks, width_of
from restock.report.words import kpi_name, parts_of, shown_rows

WIDE = 480.0
PANEL = (220.0, 140.0)
MOST_POINTS = 150  # of a line in a panel
DRAWN = 600  # episodes that are drawn one by one at most
FAR = 3.0  # a policy is drawn off the scale if it needs one so many times as large as the next best


def on_one_scale(sizes: Mapping[str, float], far: float = FAR) -> set[str]:
    """Return the names that fit one scale: the smallest, and each next one unless it dwarfs the previous ones."""
    kept: set[str] = set()
    largest = 0.0
    for name, size in sorted(sizes.items(), key=lambda item: item[1]):
        if len(kept) >= 2 and size > far * largest:
            break
        kept.add(name)
        largest = max(largest, size)
    return kept


def differences(comparison: Comparison, colours: Mapping[str, str], words: Wording) -> Svg:
    """Return each policy's profit minus that of the best: every episode a dot, mean and interval on top."""
    rows = [row for row in shown_rows(comparison) if row.difference is not None]
    best = comparison.row(comparison.reference).simulation.profit
    apart = {row.name: row.simulation.profit - best for row in rows}
    kept = on_one_scale({name: float(np.abs(values).max()) for name, values in apart.items()})
    values = np.concatenate([apart[name] for name in kept]) if kept else np.zeros(1)
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    room = 0.06 * (high - low or 1.0)
    top, step = 44.0, 54.0
    height = top + step * len(rows) + 46.0
    alt = f"Paired difference of each policy to {comparison.reference} on {comparison.problem.name}. " + " ".join(
        f"{row.name}: mean {amount(row.difference.mean, 1, True)}." for row in rows if row.difference is not None
    )
    picture = Svg(WIDE, height, alt)
    scale = Scale(low - room, high + room, 12.0, WIDE - 12.0)
    foot = top + step * len(rows)
    picture.foot_axis(scale, top - 8.0, foot, 6)
    picture.text(
        WIDE / 2.0,
        height - 6.0,
        f"{words.worth} minus that of {comparison.reference}, per {words.episode}",
        GREY,
        "middle",
    )
    zero = scale(0.0)
    picture.line([(zero, top - 8.0), (zero, foot)], INK, 1.2)
    near = "start" if zero < WIDE / 2.0 else "end"
    picture.text(
        zero + (5.0 if near == "start" else -5.0),
        top - 16.0,
        f"{comparison.reference} earns the same",
        INK,
        near,
        size=11.5,
    )
    for k, row in enumerate(rows):
        assert row.difference is not None
        y = top + step * k + 32.0
        colour = colours[row.name]
        label = f"{row.name}  {amount(row.difference.mean, places_for(row.difference), True)}"
        if row.name not in kept:
            picture.text(16.0, y - 14.0, label, colour, bold=True, halo=True)
            arrow = "\N{LEFTWARDS ARROW}" if row.difference.mean < 0.0 else "\N{RIGHTWARDS ARROW}"
            picture.text(16.0, y + 4.0, f"{arrow} far off this scale", GREY, size=11.5, halo=True)
            continue
        some = [float(apart[row.name][b]) for b in sample(comparison.episodes)]
        picture.dots([(scale(v), y + d) for v, d in zip(some, _spread(len(some)), strict=True)], 2.2, colour, 0.3)
        if math.isfinite(row.difference.low):
            ends = [(scale(scale.clip(end)), y) for end in (row.difference.low, row.difference.high)]
            picture.line(ends, colour, 5.0)
        picture.dots([(scale(scale.clip(row.difference.mean)), y)], 6.0, "#ffffff")
        picture.dots([(scale(scale.clip(row.difference.mean)), y)], 4.5, colour)
        picture.text(16.0, y - 14.0, label, colour, bold=True, halo=True)
    return picture


def sample(episodes: int) -> list[int]:
    """Return the episodes that are drawn one by one: all, or evenly spaced ones."""
    count = min(episodes, DRAWN)
    return [k * (episodes - 1) // max(count - 1, 1) for k in range(count)]


def _spread(count: int) -> list[float]:
    """Return heights that keep neighbouring dots apart, the same each time."""
    return [(k * 0.618034 % 1.0 - 0.5) * 14.0 for k in range(count)]


def by_episode(comparison: Comparison, colours: Mapping[str, str], words: Wording, labels: Sequence[str]) -> Svg:
    """Return the profit of each policy in each episode, side by side: all move with the demand they share."""
    top_profit = max(float(row.simulation.profit.max()) for row in comparison.rows)
    needs = {row.name: top_profit - min(0.0, float(row.simulation.profit.min())) for row in comparison.rows}
    kept = on_one_scale(needs)
    shown = [row for row in comparison.rows if row.name in kept]
    values = np.concatenate([row.simulation.profit for row in shown])
    picture = Svg(
        WIDE, 300.0,
        f"{words.worth.capitalize()} of each policy in each {words.episode} on {comparison.problem.name}. The lines "
        f"rise and fall together, because all policies meet the same {words.chance}.",
    )  # fmt: skip
    low, high = min(0.0, float(values.min())), float(values.max())
    high += 0.05 * (high - low or 1.0)
    left, right, top, foot = picture.room_for(ticks(low, high, 5)) + 2.0, WIDE - 10.0, 12.0, 238.0
    rise = Scale(low, high, foot, top)
    along = Scale(0.0, max(comparison.episodes - 1.0, 1.0), left, right)
    picture.left_axis(rise, left, right, 5)
    for k, words_here in _few(labels):
        anchor = "start" if k == 0 else "end" if k == len(labels) - 1 else "middle"
        picture.text(along(k), foot + 17.0, words_here, GREY, anchor)
    for row in reversed(shown):
        bound = row.information == "clairvoyant"
        points = [(along(k), rise(float(row.simulation.profit[k]))) for k in sample(comparison.episodes)]
        if len(points) > 400:
            picture.dots(points, 1.3, colours[row.name], 0.5)
        else:
            picture.line(points, colours[row.name], 1.4 if bound else 2.0, "4 3" if bound else "")
    y = picture.key([(row.name, colours[row.name]) for row in shown], left, foot + 38.0)
    missing = [row.name for row in comparison.rows if row.name not in kept]
    if missing:
        y += 18.0
        picture.text(left, y, f"off the scale: {', '.join(missing)}", GREY, size=12.0)
    picture.height = y + 8.0
    return picture


def _few(labels: Sequence[str], most: int = 4) -> list[tuple[int, str]]:
    """Return some of the labels, evenly spaced, the first and the last among them."""
    count = len(labels)
    if count == 1:
        return [(0, labels[0])]
    places = sorted({round(k * (count - 1) / (min(most, count) - 1)) for k in range(min(most, count))})
    return [(k, labels[k]) for k in places]


def split(comparison: Comparison, words: Wording) -> Svg | None:
    """Return the parts of each policy's profit as stacked bars: gains above the line, costs below it.

    None where there is a single part, which says no more than the profit.
    """
    found = parts_of(comparison)
    shown = list(found[comparison.rows[0].name])
    if len(shown) < 2:
        return None
    bars = {
        name: ([(p, v) for p, v in parts.items() if v > 0.0], [(p, -v) for p, v in parts.items() if v < 0.0])
        for name, parts in found.items()
    }
    longest = {name: max(sum(v for _, v in bar) for bar in both) for name, both in bars.items()}
    kept = on_one_scale(longest)
    most = max(longest[name] for name in kept)
    shade = part_colours(comparison.problem.parts)
    told = "; ".join(
        f"{row.name} {', '.join(f'{kpi_name(p, words)} {amount(v)}' for p, v in found[row.name].items())}"
        for row in comparison.rows
    )
    step, top = 62.0, 8.0
    foot = top + step * len(comparison.rows)
    alt = f"Parts of the {words.worth} per {words.episode} on {comparison.problem.name}: {told}."
    picture = Svg(WIDE, foot, alt)
    scale = Scale(0.0, 1.12 * most or 1.0, 8.0, WIDE - 10.0)
    picture.foot_axis(scale, top, foot, 5)
    for k, row in enumerate(comparison.rows):
        y = top + step * k
        fits = row.name in kept
        picture.text(8.0, y + 13.0, row.name, INK, bold=True, halo=True)
        label = f"{words.worth} {amount(row.profit.mean)}" + ("" if fits else ", not to scale")
        picture.text(WIDE - 10.0, y + 13.0, label, INK, "end", halo=True)
        for line, bar in enumerate(bars[row.name]):
            x, high = 0.0, y + 18.0 + 18.0 * line
            for part, value in bar:
                # An enormous bar keeps its proportions, but is drawn only as long as the picture is wide.
                size = value if fits else value * 1.04 * most / longest[row.name]
                wide = scale(x + size) - scale(x)
                picture.box(scale(x), high, wide, 17.0, shade[part])
                inside = amount(value, decimals([value]) if most < 20.0 else 0)
                if wide > width_of(inside, 11.5) + 6.0:
                    picture.text(scale(x) + wide / 2.0, high + 12.5, inside, INK, "middle", size=11.5)
                x += size
    names = [(kpi_name(part, words), shade[part]) for part in shown]
    picture.height = 8.0 + picture.key(names, 8.0, foot + 38.0)
    return picture


def over_time(
    comparison: Comparison, curve: Curve, entries: Sequence[int], colours: Mapping[str, str], example: int
) -> list[tuple[Row, Svg]]:
    """Return a field over the periods for each policy: mean, the middle 80% of episodes, and one episode.

    Stocks begin with the start of the episode, flows with the first period. All charts have one scale,
    but for policies that would dwarf the others.

    Args:
        comparison: Of the policies.
        curve: What is drawn.
        entries: Those of its entries that are summed.
        colours: Of the policies.
        example: The one episode.
    """
    which = list(entries)
    total = {row.name: row.simulation.trajectory[curve.field][..., which].sum(axis=-1) for row in comparison.rows}
    upper = {name: float(max(np.percentile(v, 90, axis=0).max(), v[example].max())) for name, v in total.items()}
    kept = on_one_scale(upper, 2.0)
    common = max(upper[name] for name in kept)
    first = 0 if curve.field in comparison.rows[0].simulation.trajectory.stocks else 1
    charts = []
    for row in comparison.rows:
        own = row.name not in kept
        alt = f"{curve.title} under {row.name}"
        most = max(upper[row.name] if own else common, 1.0)
        chart = _panel(total[row.name], first, most, colours[row.name], alt, example)
        if own:
            chart.text(chart.width - 8.0, 11.0, "own scale", GREY, "end", halo=True)
        charts.append((row, chart))
    return charts


def _panel(values: Array, first: int, most: float, colour: str, alt: str, example: int) -> Svg:
    """Return one chart of `over_time`: values of shape (B, periods), the first of them in period `first`."""
    width, height = PANEL
    last = first + values.shape[1] - 1
    apart = grain(values.shape[1])
    places, values = coarse(np.arange(first, last + 1.0), apart), coarse(values, apart)
    mean, low, high = values.mean(axis=0), np.percentile(values, 10, axis=0), np.percentile(values, 90, axis=0)
    ends = f"mean {amount(float(mean[0]))} at first, {amount(float(mean[-1]))} at last"
    alt += f": {ends}, {amount(float(mean.max()))} at most"
    picture = Svg(width, height, alt, 11.5)
    left = picture.room_for(ticks(0.0, most, 4)) + 2.0
    rise = Scale(0.0, most * 1.04, height - 24.0, 8.0)
    along = Scale(0.0, float(last), left, width - 8.0)
    picture.left_axis(rise, left, width - 8.0, 4)
    picture.periods(along, last, height - 8.0)
    there = [(along(t), rise(v)) for t, v in zip(places, high, strict=True)]
    back = [(along(t), rise(v)) for t, v in zip(places, low, strict=True)]
    picture.area(there + back[::-1], colour, 0.2)
    one = [(along(t), rise(v)) for t, v in zip(places, values[example], strict=True)]
    picture.line(one, colour, 1.0, opacity=0.75)
    picture.line([(along(t), rise(v)) for t, v in zip(places, mean, strict=True)], colour, 2.4)
    return picture


def grain(count: int) -> int:
    """Return how many neighbouring periods are drawn as their mean."""
    return -(-count // MOST_POINTS)


def coarse(values: Array, apart: int) -> Array:
    """Return the means of groups of neighbours along the last axis."""
    if apart == 1:
        return values
    count = values.shape[-1]
    cuts = np.linspace(0, count, -(-count // apart), endpoint=False).astype(np.int64)
    counts = np.diff(np.append(cuts, count))
    return np.asarray(np.add.reduceat(values, cuts, axis=-1) / counts)


def series(windows: Windows, dates: Sequence[datetime.date], words: Wording) -> Svg:
    """Draw the whole series: every day, the mean of seven, the past that policies plan with, the starts of windows."""
    values = windows.series
    height, left, right, top, foot = 300.0, 36.0, WIDE - 8.0, 30.0, 230.0
    picture = Svg(
        WIDE, height,
        f"Demand on {len(values)} {words.periods}, {amount(float(values.mean()), 1)} a {words.period} on average, "
        f"between {amount(float(values.min()))} and {amount(float(values.max()))}.",
    )  # fmt: skip
    rise = Scale(0.0, float(values.max()) * 1.02, foot, top)
    along = Scale(0.0, len(values) - 1.0, left, right)
    edge = along(windows.past)
    picture.box(left, top, edge - left, foot - top, "#f6efe2")
    picture.left_axis(rise, left, right, 4)
    picture.text(left + 4.0, top - 10.0, "planning", GREY)
    picture.text(right, top - 10.0, f"{len(windows.starts)} windows to compare on", GREY, "end")
    picture.dots([(along(k), rise(v)) for k, v in enumerate(values)], 1.1, GREY, 0.45)
    smooth = np.convolve(values, np.ones(7) / 7.0, "valid")
    picture.line([(along(k + 3), rise(v)) for k, v in enumerate(smooth)], "#14776a", 1.6)
    for start in windows.starts:
        picture.line([(along(start), foot + 24.0), (along(start), foot + 31.0)], GREY, 0.8)
    for k, day in enumerate(dates):
        if day.day == 1 and day.month in (1, 7):
            x = along(k)
            picture.line([(x, foot), (x, foot + 4.0)], GREY, 1.0)
            picture.text(x, foot + 17.0, f"{day:%b %Y}", GREY, "middle", size=12.0)
    picture.text(left, foot + 48.0, "marks: first day of each window", GREY, size=12.0)
    picture.text(left, foot + 64.0, "dots: days; line: mean of seven days; units a day", GREY, size=12.0)
    return picture
