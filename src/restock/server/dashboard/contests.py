"""Slow work for the pages: recorded episodes, games and comparisons, prepared beside the pages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from restock.agents.counts import Prices
from restock.agents.seat import Advised
from restock.core.problem import Problem
from restock.evaluation.compare import Comparison, Enough
from restock.policies._base import Policy
from restock.server.dashboard.measure import Measures
from restock.server.dashboard.packing import Packed
from restock.server.dashboard.shelf import Item
from restock.server.dashboard.turns import Episode, Table
from restock.server.errors import Refused


class Game(Item):
    """An episode played by hand."""

    kind = "game"
    problem: Problem
    table: Table
    measures: Measures

    def __init__(self, task: str, seed: int) -> None:
        super().__init__(task)
        self.seed = seed
        self.kept: Mapping[str, str] = {}  # what the form was filled in with last
        self.several, self.how = "", "policy"  # how many periods were last played at once, and who decided
        self.adviser: Advised | None = None  # the policy to beat, once it was asked
        self.hand = asyncio.Lock()  # one thing after another is played

    @property
    def episode(self) -> Episode:
        """The episode so far."""
        return self.table.episode


class Show(Item):
    """Episodes to watch turn by turn."""

    kind = "show"
    episodes: Sequence[Episode]
    problem: Problem | None = None
    measures: Measures | None = None
    about: Mapping[str, str] = {}

    def __init__(self, task: str, title: str, recorded: bool = False) -> None:
        super().__init__(task)
        self.title = title
        self.recorded = recorded  # by a model or by hand, not made by a policy here
        self.informed = ""  # what the one who plays knows, where that is more than a person does
        self.remarks: list[str] = []
        self.prices = Prices()
        self.chooses = False  # whether a model chose parameters of a policy, not actions
        self.command = ""  # that repeats it
        self.link: tuple[str, list[tuple[str, Any]]] | None = None  # what shows it again: see `repeating.link`

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of its episodes; empty while there are none."""
        episodes = getattr(self, "episodes", ())
        return episodes.seeds if isinstance(episodes, Packed) else tuple(one.seed for one in episodes)

    @property
    def size(self) -> int:
        """Bytes of what was sent that it keeps."""
        episodes = getattr(self, "episodes", ())
        return episodes.size if isinstance(episodes, Packed) else 0


class Contest(Item):
    """A comparison; `seed` is None if all policies meet the episodes of an earlier game."""

    kind = "comparison"
    problem: Problem
    comparison: Comparison
    policies: Mapping[str, Policy]

    def __init__(self, task: str, names: list[str], episodes: int, seed: int | None) -> None:
        super().__init__(task)
        self.names, self.episodes, self.seed = names, episodes, seed
        self.left_out: list[str] = []  # policies that were not finished in time


class Clock:
    """A clock that stops work that takes too long or that nobody waits for any more; it starts with the work.

    Args:
        item: What the work is for.
        seconds: How long it may take.

    Attributes:
        left_out: Policies of a comparison that were not finished in their part of it.
    """

    def __init__(self, item: Item, seconds: float) -> None:
        self._item, self._seconds = item, seconds
        self._end = time.monotonic() + seconds
        self._policy, self._until, self._finished = "", self._end, 0
        self.left_out: list[str] = []

    def tell(self, words: str) -> None:
        """Report progress.

        Raises:
            Refused: It is to stop.
        """
        self._item.progress = words
        if self._item.dropped:
            raise Refused("NOT_FOUND", "It expired before it was ready.")
        if time.monotonic() > self._end:
            raise self.late()

    def turn(self, policy: str, done: int, of: int) -> None:
        """Report the progress of a comparison; each policy gets its share of the remaining time.

        Args:
            policy: That runs.
            done: Steps, 100 for each policy.
            of: Steps in all.

        Raises:
            Enough: The policy is to be left out.
            Refused: Nobody waits for it any more.
        """
        now = time.monotonic()
        if policy != self._policy:
            left = max(1, of // 100 - done // 100)
            self._policy, self._until = policy, now + max(0.0, self._end - now) / left
            self._finished = 100 * (done // 100 + 1)
        self._item.progress = f"{policy}: {100 * done // max(of, 1)}% of the work."
        if self._item.dropped:
            raise Refused("NOT_FOUND", "It expired before it was ready.")
        if now > self._until and done < self._finished:
            self.left_out.append(policy)
            raise Enough(policy)

    def late(self) -> Refused:
        """Return the error for work that did not finish."""
        message = f"This took more than {self._seconds:g} s and was stopped. Choose fewer episodes, or a faster policy."
        return Refused("VALIDATION_ERROR", message)
