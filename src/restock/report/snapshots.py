"""One episode at several moments of training: stock over the periods, and missed demand."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from restock.core.problem import Array, Problem
from restock.core.wording import Curve
from restock.learning.snapshots import Snapshot
from restock.report.figures import MOST_POINTS, PANEL, coarse, grain
from restock.report.svg import GREY, INK, Point, Scale, Svg, ticks
from restock.report.words import place_name

MISSED = "#c0392b"  # demand not served at once, where it is of no place
PLACES = ("#14776a", "#b06009", "#2f6fb0", "#8a4f9e", "#78716c", "#4d7c0f")
FAR = 2.5  # what has so many times the stock of the best is drawn on a scale of its own
TALL, LOW, APART = 116.0, 62.0, 18.0  # heights of the first plot and of others, and what is between them
STRIP, LANE = 22.0, 10.0  # height of the foot, where what was missed is drawn: in one strip, or place by place


@dataclasses.dataclass(frozen=True)
class Plot:
    """One plot of a chart.

    Attributes:
        curve: What it shows.
        lines: Of each snapshot, shape (T + 1, lines).
        most: Top of the scale that they share.
        shared: Which snapshots share it.
        colours: Of the lines.
    """

    curve: Curve
    lines: Sequence[Array]
    most: float
    shared: set[int]
    colours: tuple[str, ...]


def charts(problem: Problem, snapshots: Sequence[Snapshot]) -> tuple[list[Svg], list[tuple[str, str]]]:
    """Return the charts of an episode at each snapshot, with missed demand below, and the key to the lines.

    Args:
        problem: What was played.
        snapshots: In the order of training.

    Returns:
        A chart for each, and (name, colour) of each line and of what was missed.
    """
    curves = [curve for curve in problem.curves() if not curve.lacking and curve.field in snapshots[0].fields]
    best = max(range(len(snapshots)), key=lambda k: (np.nan_to_num(snapshots[k].profit, nan=-np.inf), k))
    plots = [_plot(curve, snapshots, best) for curve in curves]
    key: list[tuple[str, str]] = []
    for plot in plots[:1]:
        labels = problem.labels()[plot.curve.field]
        names = [place_name(labels[k], problem.wording) for k in plot.curve.chosen(len(labels))]
        if len(names) > len(plot.colours):
            names = [f"all {problem.wording.places} together"]
        key += zip(names, plot.colours, strict=False)
    lanes = _lanes(problem, plots)
    missed = [missed_in(problem, shot) for shot in snapshots]
    if lanes is None:
        missed = [values.sum(axis=1, keepdims=True) for values in missed]
        key.append((problem.missed[1], MISSED))
    else:
        missed = [np.stack([values[:, which].sum(axis=1) for which, _ in lanes], axis=1) for values in missed]
    worst = max([float(values.max(initial=0.0)) for values in missed] + [1e-9])
    shades = [MISSED] if lanes is None else [colour for _, colour in lanes]
    found = [_chart(problem, plots, k, values, worst, shades) for k, values in enumerate(missed)]
    return found, key


def missed_in(problem: Problem, snapshot: Snapshot) -> Array:
    """Return the demand not served at once, shape (T, k)."""
    nothing = np.zeros((len(snapshot.fields["reward"]), 1))
    return snapshot.fields.get(problem.missed[0], nothing)


def _plot(curve: Curve, snapshots: Sequence[Snapshot], best: int) -> Plot:
    """Return the curve of each snapshot; one that dwarfs the best has its own scale."""
    values = [shot.fields[curve.field][:, curve.chosen(shot.fields[curve.field].shape[1])] for shot in snapshots]
    many = values[0].shape[1] > len(PLACES)
    lines = [each.sum(axis=1, keepdims=True) for each in values] if many else values
    upper = [float(each.max()) for each in lines]
    common = {k for k, size in enumerate(upper) if size <= FAR * max(upper[best], 1.0)}
    most = max([upper[k] for k in common] + [1.0])
    colours = PLACES[: lines[0].shape[1]] if curve.field == "on_hand" else (INK,)
    return Plot(curve, lines, most, common, colours)


def _lanes(problem: Problem, plots: Sequence[Plot]) -> list[tuple[list[int], str]] | None:
    """Return, for each drawn node that can miss demand, its entries and the colour of its line.

    None where that is one place, or cannot be told.
    """
    at = problem.missed_at()
    if at is None or not plots or plots[0].curve.field != "on_hand":
        return None
    plot = plots[0]
    places = plot.curve.chosen(len(problem.labels()["on_hand"]))
    if len(places) > len(plot.colours):
        return None
    found = [
        ([m for m, place in enumerate(at) if place == p], colour)
        for p, colour in zip(places, plot.colours, strict=True)
    ]
    found = [(entries, colour) for entries, colour in found if entries]
    return found if len(found) > 1 else None


def _chart(
    problem: Problem, plots: Sequence[Plot], which: int, missed: Array, worst: float, shades: Sequence[str]
) -> Svg:
    words, periods = problem.wording, len(missed)
    short = int(np.count_nonzero(missed.sum(axis=1) > 1e-9))
    strip = STRIP if len(shades) == 1 else LANE * len(shades) + 4.0
    heights = [TALL if k == 0 else LOW for k in range(len(plots))]
    height = 8.0 + sum(heights) + APART * max(len(plots) - 1, 0) + strip + 24.0
    told = ", ".join(plot.curve.title for plot in plots)
    alt = f"{told} over {periods} {words.periods}; {problem.missed[1]} in {short} of them"
    picture = Svg(PANEL[0], height, alt, 11.5)
    tops = [float(plot.lines[which].max(initial=1.0)) if which not in plot.shared else plot.most for plot in plots]
    left = max((picture.room_for(ticks(0.0, top, 4)) for top in tops), default=20.0) + 2.0
    along = Scale(0.0, float(periods), left, picture.width - 8.0)
    y = 8.0
    for k, (plot, top) in enumerate(zip(plots, tops, strict=True)):
        rise = Scale(min(0.0, float(plot.lines[which].min(initial=0.0))), top * 1.04, y + heights[k], y)
        picture.left_axis(rise, left, picture.width - 8.0, 4 if k == 0 else 2)
        for column, colour in zip(plot.lines[which].T, plot.colours, strict=False):
            picture.line(_way(column, along, rise), colour, 1.5)
        if k:
            picture.text(left, y - 2.5, f"{plot.curve.title} ({plot.curve.unit})", GREY, size=10.5, halo=True)
        if which not in plot.shared:
            picture.text(picture.width - 8.0, y + 3.0, "own scale", GREY, "end", halo=True)
        y += heights[k] + (APART if k + 1 < len(plots) else 0.0)
    foot = y + strip
    each = max((along.end - along.start) / periods - 0.6, 0.5)
    lane = strip - 3.0 if len(shades) == 1 else LANE
    for k, shade in enumerate(shades):
        base = foot if len(shades) == 1 else y + 4.0 + LANE * (k + 1)
        for t in np.flatnonzero(missed[:, k] > 1e-9).tolist():
            tall = 2.0 + (lane - 3.0) * float(missed[t, k]) / worst
            picture.box(along(t), base - tall, each, tall, shade)
    picture.line([(left, foot), (picture.width - 8.0, foot)], GREY, 0.8)
    picture.periods(along, periods, height - 8.0)
    return picture


def _way(values: Array, along: Scale, rise: Scale) -> list[Point]:
    """Return the stock as steps: it stays constant until the next period."""
    if len(values) > MOST_POINTS:
        apart = grain(len(values))
        places = coarse(np.arange(len(values), dtype=np.float64), apart)
        return [(along(t), rise(v)) for t, v in zip(places, coarse(values, apart), strict=True)]
    points: list[Point] = [(along(0.0), rise(float(values[0])))]
    for t, (before, now) in enumerate(zip(values[:-1].tolist(), values[1:].tolist(), strict=True), 1):
        points.append((along(float(t)), rise(before)))
        if now != before:
            points.append((along(float(t)), rise(now)))
    return points
