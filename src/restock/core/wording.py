"""A problem's vocabulary, and the fields worth a picture, for tables, charts and reports."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Wording:
    """What to call things.

    Attributes:
        system: What is simulated: a network, a store, ...
        episode: One episode.
        episodes: Several.
        period: One period.
        periods: Several.
        place: What has a stock of its own: a node, a location, a product, ...
        places: Several.
        worth: What the rewards of an episode add up to: profit where they are money, else reward.
        counted: What that counts; nothing needs to be said of a profit.
        sees: What a policy knows when it decides.
        chance: What nobody knows in advance.
        fewer: How a lack of a part of the reward is told: `less`, or `fewer` of what is counted.
        parts: Names of parts of the reward that are not clear by themselves.
        figures: Names of key figures likewise, and what each is.
    """

    system: str = "problem"
    episode: str = "episode"
    episodes: str = "episodes"
    period: str = "period"
    periods: str = "periods"
    place: str = "place"
    places: str = "places"
    worth: str = "reward"
    counted: str = ""
    sees: str = "stock and past demand"
    chance: str = "demand"
    fewer: str = "less"
    parts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    figures: Mapping[str, tuple[str, str]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Curve:
    """A recorded field that pictures draw over the periods.

    Attributes:
        field: Its name.
        title: What it is, as a heading.
        entries: Those that are drawn; None: all.
        apart: Whether the entries are things of different kinds, which have no sum.
        unit: Of the numbers.
        lacking: Whether it is demand that waits or is lost, and not what is there.
    """

    field: str
    title: str
    entries: tuple[int, ...] | None = None
    apart: bool = False
    unit: str = "units"
    lacking: bool = False

    def chosen(self, count: int) -> list[int]:
        """Return the entries that are drawn, of so many."""
        return list(range(count)) if self.entries is None else list(self.entries)
