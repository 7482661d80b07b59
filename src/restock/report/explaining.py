"""The page that explains a policy: its orders by state, and the observations it uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from restock.core.writing import write_whole
from restock.evaluation.explain import Explanation
from restock.evaluation.influence import Influence
from restock.evaluation.order_maps import OrderMap
from restock.evaluation.responses import Response
from restock.evaluation.stats import Estimate
from restock.report.heat import heat_map, key
from restock.report.markup import Part, page
from restock.report.markup import parts as filled
from restock.report.naming import WAY, arrowed
from restock.report.numbers import amount, decimals, interval, places_for
from restock.report.palette import colours
from restock.report.svg import GREY, INK, Scale, Svg, ticks, width_of
from restock.report.tables import Table
from restock.report.words import listed

WIDE = 480.0
OPEN = 1  # links whose maps are shown without a click
FEW = 4  # names in a sentence
TINY = 1e-9
CUTS = (0.1, 0.5, 0.9)  # shares of the visited positions that lie below the columns drawn as lines


def write_explanation(explanation: Explanation, path: str | Path, command: str = "") -> Path:
    """Write the explanation as one self-contained HTML file: the whole file, or none.

    Args:
        explanation: See `restock.explain`.
        path: The file.
        command: The command that repeats it.

    Raises:
        InvalidInput: The file cannot be written.
    """
    title = f"What {explanation.policy.name} does on {explanation.problem.name}"
    told = sentences(explanation) or [f"{explanation.policy.name}: {explanation.policy.summary}."]
    text = page(title, parts(explanation, command), [("", " ".join(told))])
    return write_whole(path, lambda file: file.write_text(text, encoding="utf-8"))


def parts(explanation: Explanation, command: str = "") -> list[Part]:
    """Return heading and content (HTML) of each finding, for this page or another.

    Args:
        explanation: See `restock.explain`.
        command: The command that repeats it.
    """
    links = _links(explanation)
    return filled(
        "explanation",
        of=explanation,
        links=links,
        opened=OPEN,
        left_out=len(explanation.problem.links) - len(links),
        looks=_looks(explanation) if explanation.influences else None,
        beside=colours(list(explanation.beside)),
        command=command,
    )


# in words -----------------------------------------------------------------------------------------


def sentences(explanation: Explanation) -> list[str]:
    """Return the findings in their shortest form."""
    found = []
    name = explanation.policy.name
    used, idle = _by_use(explanation.influences)
    clear = [one for one in used if one.loss.low > 0.0]
    if clear:
        first = clear[0]
        found.append(
            f"Misled about {first.name}, {name} loses most: {_plain(first.loss)} of profit an episode "
            f"({interval(first.loss, places_for(first.loss))})."
        )
    if len(clear) > 1:
        found.append(f"Then {listed([f'{one.name} ({_plain(one.loss)})' for one in clear[1:4]])}.")
    if idle:
        found.append(f"It pays no attention to {_idle(explanation)}.")
    for one in explanation.responses[:1]:
        ends = {who: (-change[0].mean, -change[-1].mean) for who, change in one.change.items()}
        told = [f"{who} by {amount(a, 2)} and {amount(b, 2)}" for who, (a, b) in ends.items()]
        found.append(
            f"On {arrowed(one.link)} in period {one.period}, one unit more on hand, or just ordered, lowers the order "
            f"of {listed(told)}."
        )
    return found


def _plain(value: Estimate) -> str:
    return amount(value.mean, places_for(value))


def _by_use(influences: Sequence[Influence]) -> tuple[list[Influence], list[Influence]]:
    """Separate the groups that move an order or the profit from those that do not."""
    used = [one for one in influences if abs(one.change.mean) > TINY or abs(one.loss.mean) > TINY]
    return used, [one for one in influences if one not in used]


def _idle(explanation: Explanation) -> str:
    """Return the observations that the policy does not use, in few words."""
    _, idle = _by_use(explanation.influences)
    if len(idle) > FEW:
        return f"{len(idle)} of the {len(explanation.influences)} things that were tried"
    return listed([one.name for one in idle])


# what it orders -----------------------------------------------------------------------------------


def _links(explanation: Explanation) -> list[dict[str, Any]]:
    """Return the maps and responses of each link."""
    shades = colours([explanation.policy.name, *explanation.beside])
    return [
        {
            "name": arrowed(link),
            "maps": [_map(one) for one in explanation.maps if one.link == link],
            "responses": [_response(one, shades) for one in explanation.responses if one.link == link],
        }
        for link in dict.fromkeys(one.link for one in explanation.maps)
    ]


def _map(one: OrderMap) -> dict[str, Any]:
    """Return a map of each policy, in the same colours."""
    every = np.concatenate([orders[np.isfinite(orders)] for orders in one.orders.values()])
    most = float(every.max(initial=0.0))
    usual = float(np.quantile(every, 0.97)) if every.size else 0.0
    clipped = usual > 0.0 and most > 1.5 * usual
    most = max(usual if clipped else most, TINY)
    buyer = one.link.split(WAY)[1]
    labels = (f"inventory position of {buyer} (units)", "period")
    if one.kind == "split":
        labels = (labels[0], f"of it under way on {arrowed(one.link)} (units)")
    alt = f"on {one.link} by {labels[0]} and {labels[1]}"
    pictures = [
        (name, heat_map(one.position, one.other, orders, most, one.visited[:, :2], labels,
                        f"Orders of {name} {alt}: {_spoken(one, orders)}."))
        for name, orders in one.orders.items()
    ]  # fmt: skip
    shades = colours(list(one.orders))
    return {
        "of": one, "pictures": pictures, "key": key(most, clipped, "units ordered"), "slopes": _slopes(one),
        "cuts": _cuts(one, shades), "shades": shades,
    }  # fmt: skip


def _spoken(one: OrderMap, orders: np.ndarray) -> str:
    """Return a map in words, for readers who cannot see it."""
    known = [k for k in range(orders.shape[1]) if np.isfinite(orders[:, k]).any()]
    ends = [known[0], known[-1]] if known else []
    told = [f"about {amount(float(np.nanmean(orders[:, k])), 1)} at {amount(float(one.position[k]))}" for k in ends]
    return ", ".join(told) or "no states"


def _slopes(one: OrderMap) -> Table:
    return Table(
        "Mean over the cells that were visited, each as often as it was (units ordered).",
        ("the order changes by", "with a unit more in the position", "with a unit of it moved from the shelf to the "
         "pipeline"),
        tuple(
            (name, amount(on_hand, 2, True), amount(under_way, 3, True))
            for name, (on_hand, under_way) in one.slopes.items()
        ),
    )  # fmt: skip


def _cuts(one: OrderMap, shades: Mapping[str, str]) -> list[tuple[str, Svg]]:
    """Return the orders along three columns of a map: at one position, by the units in transit."""
    if one.kind != "split":
        return []
    at = {int(np.abs(one.position - q).argmin()) for q in np.quantile(one.visited[:, 0], CUTS)}
    most = max(float(np.nanmax(orders[:, sorted(at)], initial=0.0)) for orders in one.orders.values())
    panels = []
    for k in sorted(at):
        where = amount(float(one.position[k]), 0 if float(one.position[k]).is_integer() else 1)
        told = [f"{name} {_ends(orders[:, k])}" for name, orders in one.orders.items()]
        picture = Svg(330.0, 215.0, f"Orders at a position of {where}, by what is under way: {'; '.join(told)}.", 12.0)
        rise = Scale(0.0, 1.05 * most or 1.0, 172.0, 10.0)
        left = picture.room_for(ticks(rise.low, rise.high, 4)) + 2.0
        along = Scale(float(one.other[0]), float(one.other[-1]), left, 312.0)
        picture.left_axis(rise, left, 312.0, 4)
        picture.foot_axis(along, 10.0, 172.0, 6)
        for name, orders in one.orders.items():
            points = [(along(float(x)), rise(float(y))) for x, y in zip(one.other, orders[:, k], strict=True)
                      if np.isfinite(y)]  # fmt: skip
            if points:
                picture.line(points, shades[name], 2.2)
        picture.text((left + 312.0) / 2.0, 209.0, f"of it under way on {arrowed(one.link)} (units)", GREY, "middle")
        panels.append((where, picture))
    return panels


def _ends(values: np.ndarray) -> str:
    known = values[np.isfinite(values)]
    return f"{amount(float(known[0]), 1)} to {amount(float(known[-1]), 1)}" if len(known) else "none"


def _response(one: Response, shades: Mapping[str, str]) -> tuple[Svg, Response]:
    """Return the change of the order with one unit more, by where the unit is."""
    ends = "; ".join(
        f"{name}: {amount(change[0].mean, 2)} on hand, {amount(change[-1].mean, 2)} just ordered"
        for name, change in one.change.items()
    )
    picture = Svg(WIDE, 270.0, f"Change of the order on {one.link} with one unit more. {ends}.", 12.5)
    values = [end for change in one.change.values() for e in change for end in (e.low, e.high) if np.isfinite(end)]
    low, high = min([-1.0, *values]), max([0.0, *values])
    scale = Scale(low - 0.06, high + 0.06, 206.0, 12.0)
    left = picture.room_for(ticks(scale.low, scale.high, 5)) + 2.0
    along = Scale(-0.4, len(one.places) - 0.6, left, WIDE - 8.0)
    picture.left_axis(scale, left, WIDE - 8.0, 5)
    for k, place in enumerate(one.places):
        words = "on hand" if place < 0 else "today" if place == 0 else f"in {place}"
        if len(one.places) <= 8 or k % 2 == 0:
            picture.text(along(k), 224.0, words, GREY, "middle")
    picture.text((left + WIDE) / 2.0, 240.0, "where the unit is: arriving ... (periods)", GREY, "middle")
    for name, change in one.change.items():
        points = [(along(k), scale(e.mean)) for k, e in enumerate(change)]
        for (x, _), e in zip(points, change, strict=True):
            if np.isfinite(e.low):
                picture.line([(x, scale(e.low)), (x, scale(e.high))], shades[name], 1.2)
        picture.line(points, shades[name], 2.2)
        picture.dots(points, 3.2, shades[name])
    x = left
    for name in one.change:
        picture.box(x, 252.0, 12.0, 10.0, shades[name], round_=2.0)
        picture.text(x + 17.0, 261.0, name, INK, size=12.0)
        x += 31.0 + width_of(name, 12.0)
    return picture, one


# what it looks at ---------------------------------------------------------------------------------


def _looks(explanation: Explanation) -> dict[str, Any]:
    """Return what it costs not to know what the policy uses, and how far orders move; empty if it uses nothing."""
    used, idle = _by_use(explanation.influences)
    if not used:
        return {}
    name = explanation.policy.name
    ordered = float(explanation.order.sum())
    places = decimals([one.loss.mean for one in used])
    fine = decimals([one.change.mean for one in used])
    header = ("told wrongly", "profit lost", "95% interval", "orders move by")
    rows = tuple(
        (one.name, amount(one.loss.mean, places), interval(one.loss, places), amount(one.change.mean, fine))
        for one in used
    )
    losses = f"Profit that {name} loses in an episode if it is misled about one thing"
    changes = f"Mean absolute change of the orders of {name} if it is told something else about one thing"
    return {
        "losses": bars([(one.name, one.loss) for one in used], losses, colours([name])[name]),
        "changes": bars([(one.name, one.change) for one in used], changes, GREY),
        "profit": _plain(explanation.profit),
        "ordered": amount(ordered, decimals([ordered])),
        "idle": listed([one.name for one in idle]),
        "table": Table("Per episode, and units a period.", header, rows),
    }


def bars(values: Sequence[tuple[str, Estimate]], alt: str, colour: str) -> Svg:
    """Return a bar for each estimate, its interval on it, the name above."""
    step, top = 34.0, 6.0
    foot = top + step * len(values)
    ends = [end for _, e in values for end in (e.mean, e.low, e.high) if np.isfinite(end)]
    low, high = min(0.0, *ends), max(0.0, *ends)
    room = 0.14 * (high - low or 1.0)
    told = "; ".join(f"{name} {amount(e.mean, places_for(e))}" for name, e in values)
    picture = Svg(WIDE, foot + 24.0, f"{alt}: {told}.", 12.5)
    scale = Scale(low - (room if low < 0.0 else 0.0), high + room, 10.0, WIDE - 10.0)
    picture.foot_axis(scale, top, foot, 6)
    for k, (name, e) in enumerate(values):
        y = top + step * k
        x, zero = scale(e.mean), scale(0.0)
        picture.box(min(x, zero), y + 17.0, max(abs(x - zero), 0.8), 12.0, colour)
        if np.isfinite(e.low):
            picture.line([(scale(e.low), y + 23.0), (scale(e.high), y + 23.0)], INK, 1.4)
        picture.text(max(zero, 10.0) + 3.0, y + 13.0, name, INK, bold=True, halo=True)
        picture.text(max(scale(e.high) if np.isfinite(e.high) else x, zero) + 6.0, y + 27.5,
                     amount(e.mean, places_for(e)), INK, halo=True, size=11.5)  # fmt: skip
    return picture
