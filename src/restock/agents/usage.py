"""The tokens of an answer as the endpoint counts them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Usage:
    """The tokens and the money that an answer took.

    Attributes:
        tokens_in: Tokens read; 0 where the endpoint does not say.
        tokens_out: Tokens written, those of the reasoning included.
        tokens_reasoning: Of the tokens written, those of the reasoning.
        tokens_cached: Of the tokens read, those that the endpoint had kept.
        charged: What the endpoint says that it cost; 0 where it does not say.
        counted: Whether the endpoint says how many tokens were read and written.
    """

    tokens_in: int = 0
    tokens_out: int = 0
    tokens_reasoning: int = 0
    tokens_cached: int = 0
    charged: float = 0.0
    counted: bool = False

    def after(self, earlier: Usage) -> Usage:
        """Return the sum of this and of earlier answers that could not be used; whether it is counted stays."""
        names = [field.name for field in dataclasses.fields(self) if field.name != "counted"]
        return dataclasses.replace(self, **{name: getattr(self, name) + getattr(earlier, name) for name in names})


def usage_of(data: Mapping[str, Any]) -> Usage:
    """Return the usage in an answer; values that are no counts are 0."""
    usage = mapping(data.get("usage"))
    told = [usage.get(f"{name}_tokens") for name in ("prompt", "completion", "total")]
    read, written, total = (_count(value) for value in told)
    thought = _count(mapping(usage.get("completion_tokens_details")).get("reasoning_tokens"))
    kept = _count(mapping(usage.get("prompt_tokens_details")).get("cached_tokens"))
    if thought and (thought > written or total == read + written + thought):  # some count it beside the rest
        written += thought
    return Usage(
        read, written, thought, min(kept or _count(usage.get("prompt_cache_hit_tokens")), read),
        _amount(usage.get("cost")) or 0.0, all(_amount(value) is not None for value in told[:2]),
    )  # fmt: skip


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a value that should be a mapping; an empty one in place of anything else."""
    return value if isinstance(value, Mapping) else {}


def _count(value: Any) -> int:
    return int(_amount(value) or 0)


def _amount(value: Any) -> float | None:
    """Return a valid number of tokens or amount of money; None for other values, infinite and negative ones."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0.0 <= number < 1e12 else None
