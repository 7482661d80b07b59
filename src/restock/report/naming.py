"""Places and ways as people name them, from the labels of a problem's fields: `2->1` is distributor 2 to retailer 1."""

from __future__ import annotations

from collections.abc import Iterable

from restock.core.scene import Place, Scene
from restock.core.wording import Wording
from restock.report.words import place_name

ARROW = "\N{RIGHTWARDS ARROW}"
WAY = "->"
SMALL = ("and", "of", "the", "to")  # words of a name without a capital letter
SEVERAL = " (from "  # behind the name of a market that several nodes serve


class Names:
    """What to call the labels of a problem.

    Args:
        scene: Any moment of it.
        words: What the problem calls its things.
    """

    def __init__(self, scene: Scene, words: Wording) -> None:
        self._words = words
        self._places = {place.name.partition(SEVERAL)[0]: named(place) for place in scene.places}

    def of(self, label: str) -> str:
        """Return the name of a place, or of a way from one to another."""
        return f" {ARROW} ".join(self._place(part) for part in label.split(WAY))

    def _place(self, label: str) -> str:
        return self._places.get(label) or place_name(label, self._words)


def named(place: Place) -> str:
    """Return a place by its name; a number says nothing by itself, so its role stands before it."""
    return f"{place.role} {place.name}" if place.name.isdigit() else place.name.replace("_", " ")


def proper(name: str) -> str:
    """Return the name of an occasion as it is written: `black_friday` is Black Friday."""
    words = name.replace("_", " ").split()
    return " ".join(word if word in SMALL and k else word[:1].upper() + word[1:] for k, word in enumerate(words))


def kept_at(label: str, places: Iterable[str]) -> str | None:
    """Which of the places with stock a label is about: who orders along a way, or who serves a market; else None."""
    start, _, end = label.partition(WAY)
    return next((one for one in (end, start) if one in places), None)
