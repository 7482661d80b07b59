"""A state as plain text."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from restock.core.scene import Scene
from restock.envs.render.view import View, money

BAR = 20  # characters of a full bar


def as_text(view: View) -> str:
    """Return the state as text: clock and reward, then a line per node and per arrow.

    Args:
        view: The moment to show.
    """
    scene = view.scene
    head = [view.problem.name, view.clock, f"reward {money(view.last_reward)}", f"total {money(view.total)}"]
    head += [f"{name} {amount:.3g}" for name, amount in scene.facts]
    blocks = [["   ".join(head)], _stock_lines(scene), _arrow_lines(scene), _market_lines(scene)]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _stock_lines(scene: Scene) -> list[str]:
    rows = [["place", "role", "on hand", ""]]
    for place in scene.places:
        if place.stock is not None:
            filled = round(BAR * min(1.0, place.stock / place.full)) if place.full > 0.0 else 0
            bar = "#" * filled + "." * (BAR - filled) if place.full > 0.0 else ""
            rows.append([place.name, place.role, units(place.stock), bar])
    return _aligned(rows, {2}) if len(rows) > 1 else []


def _arrow_lines(scene: Scene) -> list[str]:
    rows = [["link", "shipped", "in transit", "arriving (periods ahead: units)"]]
    for arrow in scene.arrows:
        end = scene.places[arrow.end]
        if end.role == "market":
            continue
        arriving = "  ".join(f"{k}: {units(amount)}" for k, amount in enumerate(arrow.arrivals, 1) if amount > 0.0)
        way = f"{scene.places[arrow.start].name} -> {end.name}"
        rows.append([way, units(arrow.moved), units(arrow.in_transit), arriving])
    return _aligned(rows, {1, 2}) if len(rows) > 1 else []


def _market_lines(scene: Scene) -> list[str]:
    markets = [place for place in scene.places if place.role == "market"]
    if not markets:
        return []
    rows = [["market", *(name for name, _ in markets[0].figures), markets[0].short_name]]
    rows += [[place.name, *(units(amount) for _, amount in place.figures), units(place.short)] for place in markets]
    return _aligned(rows, range(1, len(rows[0])))


def units(amount: float) -> str:
    """Return a quantity to one decimal place."""
    return f"{amount:,.1f}".removesuffix(".0")


def _aligned(rows: Sequence[Sequence[str]], right: Collection[int]) -> list[str]:
    """Return the rows as columns of equal width, those with numbers flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [cell.rjust(widths[k]) if k in right else cell.ljust(widths[k]) for k, cell in enumerate(row)]
        lines.append("  ".join(cells).rstrip())
    return lines
