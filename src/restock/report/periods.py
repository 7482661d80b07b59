"""One episode over its periods: small charts of stock, demand, orders and backlog."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from restock.core.problem import Array, Problem
from restock.core.scene import Scene
from restock.core.trajectory import Trajectory
from restock.core.wording import Curve
from restock.report.figures import coarse, grain
from restock.report.naming import Names, kept_at
from restock.report.numbers import quantity
from restock.report.snapshots import PLACES
from restock.report.svg import INK, Scale, Svg, ticks

PANEL = (270.0, 150.0)
MOST = 120  # periods of an episode that are drawn while it is played; of a longer one the last `WINDOW`
WINDOW = 60
ASKED = Curve("demand", "Demand")
BOUGHT = (Curve("ordered", "Orders"), Curve("bought", "Bought"), Curve("converted", "Converted"))


@dataclasses.dataclass(frozen=True)
class Over:
    """Charts of an episode.

    Attributes:
        panels: Title, unit and picture of each.
        key: Name and colour of each place; empty where its lines are of one place or of all together.
    """

    panels: list[tuple[str, str, Svg]]
    key: list[tuple[str, str]]


def over_periods(problem: Problem, record: Trajectory, scene: Scene, until: int) -> Over:
    """Return the charts of an episode, each with a line per node with stock, or one in all if those are many.

    Args:
        problem: What is played.
        record: What has happened; all of it is drawn.
        scene: Any moment of it, for the names of its places.
        until: Periods that are over in the picture; what comes behind them is only hinted at.
    """
    curves = problem.curves()
    stock = next((curve for curve in curves if curve.field == "on_hand"), None)
    places = record.labels("on_hand") if "on_hand" in record else ()
    shade = dict(zip(places, PLACES, strict=False)) if len(places) <= len(PLACES) else {}
    shown = [ASKED, *BOUGHT]
    if stock is not None:
        whole = len(stock.chosen(len(places))) == len(places)  # and drawn place by place it is not drawn together
        title = stock.title.partition(",")[0] if shade and whole else stock.title
        shown.insert(0, dataclasses.replace(stock, title=title))
    owed = any(place.short_name == "backlog" for place in scene.places if place.role == "market")
    lacking = (curve for curve in curves if curve.lacking and curve.field in record)
    shown += [curve for curve in lacking if owed == (curve.field == "backlog")]
    shown += [curve for curve in curves if not curve.lacking and curve.field != "on_hand"]
    panels = []
    for curve in shown:
        if curve.field in record:
            lines = _lines(record, curve, shade)
            first = 0 if curve.field in record.stocks else 1
            panels.append((curve.title, curve.unit, _panel(problem, curve.title, lines, first, until)))
    known = Names(scene, problem.wording)
    key = [(known.of(name), colour) for name, colour in shade.items()] if len(shade) > 1 else []
    return Over(panels, key)


def _lines(record: Trajectory, curve: Curve, shade: dict[str, str]) -> list[tuple[Array, str]]:
    """Return values (T,) and colour of each line: by node, else their sum."""
    values, labels = record[curve.field], record.labels(curve.field)
    which = curve.chosen(len(labels))
    homes = {k: kept_at(labels[k], shade) for k in which}
    found = [
        (values[:, [k for k, home in homes.items() if home == place]].sum(axis=1), colour)
        for place, colour in shade.items()
        if place in homes.values()
    ]
    return found or [(values[:, which].sum(axis=1), INK)]


def _panel(problem: Problem, title: str, lines: Sequence[tuple[Array, str]], first: int, until: int) -> Svg:
    width, height = PANEL
    span = problem.horizon if until >= problem.horizon or problem.horizon <= MOST else WINDOW
    start = max(until - span, 0)
    now = max(until - first, -1)  # place of the last value that is over
    every = np.concatenate([values[max(start - first, 0) :] for values, _ in lines])
    low, most = min(float(every.min(initial=0.0)), 0.0), max(float(every.max(initial=0.0)), 1.0)
    told = ", ".join(quantity(float(values[now])) for values, _ in lines) if now >= 0 else "nothing yet"
    picture = Svg(
        width, height, f"{title} over {until} of {problem.horizon} {problem.wording.periods}: {told} now", 12.0
    )
    left = picture.room_for(ticks(low, most, 4)) + 2.0
    rise = Scale(low, most * 1.06, height - 26.0, 8.0)
    along = Scale(float(start), float(start + span), left, width - 10.0)
    picture.left_axis(rise, left, width - 10.0, 4)
    picture.periods(along, start + span, height - 9.0, start)
    for values, colour in lines:
        times = np.arange(first, first + len(values), dtype=float)
        shown = (times >= start) & (times <= start + span)
        apart = grain(int(shown.sum())) or 1
        points = zip(coarse(times[shown], apart), coarse(values[shown], apart), strict=True)
        way = [(float(t), along(float(t)), rise(float(value))) for t, value in points]
        over = [(x, y) for t, x, y in way if t <= until]
        if len(way) > len(over):
            picture.line([(x, y) for t, x, y in way if t >= until - apart], colour, 1.5, "2 4")
        if len(over) > 1:
            picture.line(over, colour, 2.0)
        if now >= 0:
            picture.dots([(along(float(first + now)), rise(float(values[now])))], 3.0, colour)
    return picture
