"""What takes a while: shows of an episode, games, and comparisons; each made ready beside the pages."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from restock.core.problem import Problem
from restock.evaluation.compare import Comparison
from restock.policies._base import Policy
from restock.server.dashboard.measure import Measures
from restock.server.dashboard.shelf import Item
from restock.server.dashboard.turns import Episode, Table
from restock.server.errors import Refused

LONGEST_WORK = 180.0  # seconds; a policy that solves a plan every period can take hours


class Game(Item):
    """An episode that is played by hand."""

    kind = "game"
    problem: Problem
    table: Table
    measures: Measures

    def __init__(self, task: str, seed: int) -> None:
        super().__init__(task)
        self.seed = seed
        self.kept: Mapping[str, str] = {}  # what the form was filled in with last

    @property
    def episode(self) -> Episode:
        """What was played so far."""
        return self.table.episode


class Show(Item):
    """Episodes to watch, turn by turn."""

    kind = "show"
    episodes: tuple[Episode, ...]
    problem: Problem | None = None
    measures: Measures | None = None
    about: Mapping[str, str] = {}

    def __init__(self, task: str, title: str, recorded: bool = False) -> None:
        super().__init__(task)
        self.title = title
        self.recorded = recorded  # by a model or by hand, not made by a policy here
        self.informed = ""  # what the one who plays knows, where that is more than a person does
        self.remarks: list[str] = []
        self.prices: tuple[float | None, float | None] = (None, None)  # of a million tokens read and written
        self.chooses = False  # whether a model chose parameters of a policy, not actions
        self.command = ""  # that repeats it
        self.link: tuple[str, list[tuple[str, Any]]] | None = None  # what shows it again: see `repeating.link`


class Contest(Item):
    """A comparison; `seed` is None where all meet the episodes of what was played before."""

    kind = "comparison"
    problem: Problem
    comparison: Comparison
    policies: Mapping[str, Policy]

    def __init__(self, task: str, names: list[str], episodes: int, seed: int | None) -> None:
        super().__init__(task)
        self.names, self.episodes, self.seed = names, episodes, seed


class Clock:
    """Stops work that takes too long or that nobody waits for any more.

    Args:
        item: What the work is for.
    """

    def __init__(self, item: Item) -> None:
        self._item = item
        self._end = time.monotonic() + LONGEST_WORK

    def tell(self, words: str) -> None:
        """Say how far it is.

        Raises:
            Refused: It is to stop.
        """
        self._item.progress = words
        if self._item.dropped:
            raise Refused("NOT_FOUND", "It was put away before it was ready.")
        if time.monotonic() > self._end:
            minutes = LONGEST_WORK / 60.0
            message = (
                f"This took more than {minutes:g} minutes and was stopped. Choose fewer episodes, or a faster policy."
            )
            raise Refused("VALIDATION_ERROR", message)
