"""Readable names of nodes and links, from the labels of fields: `2->1` is distributor 2 to retailer 1."""

from __future__ import annotations

from collections.abc import Iterable

from restock.core.scene import Place, Scene
from restock.core.wording import Wording
from restock.report.words import place_name

ARROW = "\N{RIGHTWARDS ARROW}"
WAY = "->"
SMALL = ("and", "of", "the", "to")  # words of a name without a capital letter
SEVERAL = " (from "  # behind the name of a market that several nodes serve


def arrowed(label: str) -> str:
    """Return a label with the way from one node to another drawn as an arrow."""
    return label.replace(WAY, f" {ARROW} ")


class Names:
    """The readable names of a problem's labels.

    Args:
        scene: Any moment of it.
        words: What the problem calls its things.
    """

    def __init__(self, scene: Scene, words: Wording) -> None:
        self._words = words
        self._places = {place.name.partition(SEVERAL)[0]: named(place) for place in scene.places}

    def of(self, label: str) -> str:
        """Return the name of a node or of a link."""
        return f" {ARROW} ".join(self._place(part) for part in label.split(WAY))

    def _place(self, label: str) -> str:
        return self._places.get(label) or place_name(label, self._words)


def named(place: Place) -> str:
    """Return the name of a node; a number alone gets its role in front."""
    return f"{place.role} {place.name}" if place.name.isdigit() else place.name.replace("_", " ")


def proper(name: str) -> str:
    """Return the proper name of an occasion: `black_friday` is Black Friday."""
    words = name.replace("_", " ").split()
    return " ".join(word if word in SMALL and k else word[:1].upper() + word[1:] for k, word in enumerate(words))


def kept_at(label: str, places: Iterable[str]) -> str | None:
    """Return the node with stock that a label is about: the buyer of a link, or the seller to a market; else None."""
    start, _, end = label.partition(WAY)
    return next((one for one in (end, start) if one in places), None)
