"""The information shown beside the form of a decision, so that nobody has to look it up elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from restock.core.scene import Arrow, Place, Scene
from restock.report.naming import WAY, named, proper
from restock.report.numbers import quantity


def beside(scene: Scene, label: str, call: Callable[[str], str]) -> tuple[str, ...]:
    """Return what stands beside a row: stock, deliveries and demand, always with the same number of lines for a row.

    Args:
        scene: How things stand.
        label: A place, or a way to one.
        call: What to call a label.
    """
    start, _, end = label.partition(WAY)
    k = _find(scene, end or start, call)
    if k is None or scene.places[k].stock is None:
        return ()
    place, figures = scene.places[k], dict(scene.places[k].figures)
    reaching = [arrow for arrow in scene.arrows if arrow.end == k]
    if end:
        reaching = [arrow for arrow in reaching if arrow.start == _find(scene, start, call)]
    coming = figures.get("coming", sum(arrow.in_transit for arrow in reaching))
    lines = [f"{quantity(place.stock or 0.0)} in stock", f"{quantity(coming)} coming"]
    asked = _asked(scene, k)
    if asked is not None:
        lines.append(asked)
    elif "demand" in figures:
        lines.append(f"demand {quantity(figures['demand'])}, {_short(place.short, place)}")
    elif "expected" in figures:
        lines += [f"expected {quantity(figures['expected'])}", _short(place.short, place)]
    elif "shipped" in figures:
        lines.append(f"sent {quantity(figures['shipped'])}")
    return tuple(lines)


def standing(scene: Scene) -> list[tuple[str, str]]:
    """Return what stands above the form: facts about the whole, and stock and demand where these say it all."""
    found = [_fact(name, value) for name, value in scene.facts]
    markets = [place for place in scene.places if place.role == "market"]
    stocks = [place for place in scene.places if place.stock is not None]
    if len(stocks) <= 2:
        found += [("stock" if len(stocks) == 1 else place.name, quantity(place.stock or 0.0)) for place in stocks]
    if len(markets) == 1:
        found += [(name, quantity(value)) for name, value in markets[0].figures]
        found.append((markets[0].short_name, quantity(markets[0].short)))
    return found


def _fact(name: str, value: float) -> tuple[str, str]:
    """Return one fact of a scene; how far away an occasion is comes under its name."""
    for before, days in (("days to ", int(value)), ("days left of ", -1)):
        if name.startswith(before):
            return proper(name.removeprefix(before)), until(days)
    return name, quantity(value)


def until(days: int) -> str:
    """Return how far away an occasion of two days is, from the days between the next period and its first."""
    if days < -1:
        return "over"
    return "last day" if days == -1 else "begins today" if days == 0 else f"in {days} day{'s' if days > 1 else ''}"


def _find(scene: Scene, label: str, call: Callable[[str], str]) -> int | None:
    names = (label, call(label))
    return next((k for k, place in enumerate(scene.places) if place.name in names or named(place) in names), None)


def _asked(scene: Scene, k: int) -> str | None:
    """Return the demand of the markets that a node serves; None if it serves none."""
    served = [scene.places[arrow.end] for arrow in scene.arrows if _sells(scene, arrow, k)]
    if not served:
        return None
    demand = sum(dict(market.figures).get("demand", 0.0) for market in served)
    short = sum(market.short for market in served)
    return f"demand {quantity(demand)}, {_short(short, served[0])}"


def _sells(scene: Scene, arrow: Arrow, k: int) -> bool:
    return arrow.start == k and scene.places[arrow.end].role == "market"


def _short(units: float, place: Place) -> str:
    return f"{quantity(units)} {'owed' if place.short_name == 'backlog' else place.short_name}"
