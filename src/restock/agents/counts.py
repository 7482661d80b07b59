"""What is counted while a model plays."""

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
    seconds: float = 0.0

    def add(self, other: Counts) -> None:
        """Add what another counted."""
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Counts:
        """What `to_dict` told."""
        kept: dict[str, Any] = {
            name: Counter(value) if isinstance(value, Mapping) else value for name, value in data.items()
        }
        return cls(**kept)

    def to_dict(self) -> dict[str, Any]:
        """All by name, for JSON."""
        return vars(self) | {"repairs": dict(sorted(self.repairs.items())), "faults": dict(sorted(self.faults.items()))}


def cost(tokens_in: int, tokens_out: int, price_in: float | None, price_out: float | None) -> float | None:
    """What the tokens cost, at prices for a million of them; None where no price is known."""
    if price_in is None and price_out is None:
        return None
    return (tokens_in * (price_in or 0.0) + tokens_out * (price_out or 0.0)) / 1e6
