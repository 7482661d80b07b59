"""Counts of what a model uses and what goes wrong while it plays."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass
class Counts:
    """Sums over periods, episodes, or a whole run.

    Attributes:
        replies: Of the model.
        repairs: Replies that were nearly JSON and were repaired, by what was wrong.
        unreadable: Replies without usable JSON.
        rejected: Replies whose object is no answer: a wrong field, name or number.
        retries: Replies that were asked for because the one before could not be used.
        fallbacks: Periods (or choices of parameters) that were decided without the model, as it gave no usable answer.
        suggestions: Times a policy was asked.
        faults: What went wrong in periods that were played, by the problem's own names.
        requests: To the endpoint, those included that had to be repeated.
        tokens_in: Tokens read by the model.
        tokens_out: Tokens written.
        tokens_reasoning: Of those written, the tokens of its reasoning.
        tokens_cached: Of those read, the tokens that the endpoint had kept.
        uncounted: Replies whose tokens the endpoint does not count, so that they are missing in these sums.
        charged: Money that the endpoint says it took.
        seconds: Waited for the model.
    """

    replies: int = 0
    repairs: Counter[str] = dataclasses.field(default_factory=Counter)
    unreadable: int = 0
    rejected: int = 0
    retries: int = 0
    fallbacks: int = 0
    suggestions: int = 0
    faults: Counter[str] = dataclasses.field(default_factory=Counter)
    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_reasoning: int = 0
    tokens_cached: int = 0
    uncounted: int = 0
    charged: float = 0.0
    seconds: float = 0.0

    def add(self, other: Counts) -> None:
        """Add other counts."""
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Counts:
        """Return the counts that `to_dict` wrote."""
        kept: dict[str, Any] = {
            name: Counter(value) if isinstance(value, Mapping) else value for name, value in data.items()
        }
        return cls(**kept)

    def to_dict(self) -> dict[str, Any]:
        """Return all by name, for JSON."""
        return vars(self) | {"repairs": dict(sorted(self.repairs.items())), "faults": dict(sorted(self.faults.items()))}


@dataclasses.dataclass(frozen=True)
class Prices:
    """Prices of a million tokens; None if unknown.

    Attributes:
        read: Of tokens read.
        written: Of tokens written.
        reasoning: Of tokens of reasoning; None for that of tokens written.
        cached: Of tokens read that the endpoint had kept; None for that of tokens read.
    """

    read: float | None = None
    written: float | None = None
    reasoning: float | None = None
    cached: float | None = None

    def cost(self, counts: Counts) -> float | None:
        """Return the cost of the tokens; without prices, what the endpoint reports, or None if it reports nothing."""
        if all(price is None for price in dataclasses.astuple(self)):
            return counts.charged or None
        read, written = self.read or 0.0, self.written or 0.0
        reasoning = written if self.reasoning is None else self.reasoning
        cached = read if self.cached is None else self.cached
        return (
            (counts.tokens_in - counts.tokens_cached) * read
            + counts.tokens_cached * cached
            + (counts.tokens_out - counts.tokens_reasoning) * written
            + counts.tokens_reasoning * reasoning
        ) / 1e6
