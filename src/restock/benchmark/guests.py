"""Entrants that are not policies: they decide elsewhere, and their decisions are replayed here.

Whoever brings them (a `Host`) says what they are and plays their tasks; what a task gives has the same form as
that of a policy, so tables and leaderboards need not know the difference.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pydantic

from restock.benchmark.entries import source_mark
from restock.benchmark.suite import MARK, Suite
from restock.core.validation import Spec

if TYPE_CHECKING:
    from restock.benchmark.task import Task


class Guest(Spec):
    """An entrant that is not a policy."""

    name: str = pydantic.Field(min_length=1, description="what tables call it")
    about: dict[str, Any] = pydantic.Field(description="everything that decides what its results say")
    chunk: None = pydantic.Field(None, description="all episodes of a scenario are one task")

    @property
    def mark(self) -> str:
        """A hash of the entrant, and of the code that replays its decisions."""
        text = json.dumps([self.about, source_mark("restock.evaluation.simulate")], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:MARK]


class Host(Protocol):
    """A provider of guests."""

    @property
    def guests(self) -> Sequence[Guest]:
        """The guests."""

    def check(self, suite: Suite) -> None:
        """Check, before anything is played, that the guests can play the suite.

        Raises:
            InvalidInput: One cannot.
        """

    def answers(
        self, tasks: Sequence[Task], folder: Path, jobs: int, tell: Callable[[str], None]
    ) -> Generator[tuple[Task, dict[str, Any]]]:
        """Return each task with its result (`result`) or the reason of its failure (`failed`), as they finish.

        Args:
            tasks: Of guests, to be done.
            folder: Where what they need to be resumed is kept.
            jobs: How many episodes side by side.
            tell: Called with what is being done.
        """
