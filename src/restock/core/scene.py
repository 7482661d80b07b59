"""Scenes, the pictures of a state: nodes that hold or want goods, and arrows along which goods move.

A problem describes its state as a `Scene`; `restock.envs.render` draws any scene, as text or image.
"""

from __future__ import annotations

import dataclasses

from restock.core.trajectory import tidy


@dataclasses.dataclass(frozen=True)
class Place:
    """Somewhere goods are kept, made or asked for.

    Attributes:
        name: What it is called.
        role: What it is: `source`, `factory`, `distributor`, `retailer`, `market`, or another word.
        stock: Units on hand; None where no stock is kept.
        full: Stock that fills the bar; 0 for no bar.
        figures: Named numbers to print (units).
        short: Units owed or lost here; above zero is shown as a warning.
        short_name: What `short` is called.
    """

    name: str
    role: str
    stock: float | None = None
    full: float = 0.0
    figures: tuple[tuple[str, float], ...] = ()
    short: float = 0.0
    short_name: str = "backlog"

    def __post_init__(self) -> None:
        """Tell what rounding has left of nothing as 0."""
        if self.stock is not None:
            object.__setattr__(self, "stock", float(tidy(self.stock, self.full)))
        told = tuple((name, float(tidy(value, 1.0))) for name, value in self.figures)
        object.__setattr__(self, "figures", told)
        object.__setattr__(self, "short", float(tidy(self.short, max((abs(value) for _, value in told), default=0.0))))


@dataclasses.dataclass(frozen=True)
class Arrow:
    """A way from one place to another.

    Attributes:
        start: Index of the place it leaves.
        end: Index of the place it reaches.
        arrivals: Units under way that arrive in 1, 2, ... periods, one number for each period of
            lead time.
        moved: Units that set out in the last period.
        full: Shipment drawn at full size (units).
    """

    start: int
    end: int
    arrivals: tuple[float, ...] = ()
    moved: float = 0.0
    full: float = 1.0

    @property
    def in_transit(self) -> float:
        """Units under way."""
        return sum(self.arrivals)


@dataclasses.dataclass(frozen=True)
class Scene:
    """Places, the arrows between them (without circles), and facts about the whole.

    Attributes:
        places: In any order; the layout follows the arrows.
        arrows: At most one from a place to another.
        facts: Named numbers for the headline.
    """

    places: tuple[Place, ...]
    arrows: tuple[Arrow, ...] = ()
    facts: tuple[tuple[str, float], ...] = ()
