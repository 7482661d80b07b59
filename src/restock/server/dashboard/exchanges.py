"""What a model said in a period: replies, tool calls, their cost, and why any of them could not be used.

Transcripts are from outside: a line may have more fields than are read here, and may lack some.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pydantic

from restock.agents.counts import Counts, Prices
from restock.agents.protocol import parse
from restock.core.errors import InvalidInput
from restock.core.problem import Problem
from restock.report.numbers import amount

MOST_PARSED = 50  # replies of a period that are read again to tell why they could not be used
LONGEST_PARSED = 20_000  # characters of one of them
COUNTERS = ("repairs", "faults")
WITHOUT = ("fallback", "nothing")  # who decides where no answer of a model could be used
UNKNOWN = (
    "The object in it could not be carried out; the transcript keeps the reason of the last try only, which the "
    "model was told at each."
)


class ReplyLine(pydantic.BaseModel):
    """The fields that are read from a reply's line."""

    model_config = pydantic.ConfigDict(extra="ignore", allow_inf_nan=False)

    text: str | None = ""
    reasoning: str | None = None
    finish: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_reasoning: int | None = None
    counted: bool | None = None
    tries: int | None = None
    seconds: float | None = None
    calls: list[dict[str, Any]] | None = None


class ToolLine(pydantic.BaseModel):
    """The fields that are read from a tool's line."""

    model_config = pydantic.ConfigDict(extra="ignore")

    name: str | None = ""
    arguments: Any = ""
    told: Any = None


@dataclasses.dataclass(frozen=True)
class Call:
    """A tool call.

    Attributes:
        name: Of the tool.
        arguments: As the model wrote them.
        told: What it was told, as JSON; None where it was told nothing.
    """

    name: str
    arguments: str
    told: str | None


@dataclasses.dataclass
class Exchange:
    """A reply, and what the tools that it called returned.

    Attributes:
        line: As it was read.
        tools: Those that answered, in their order.
    """

    line: ReplyLine
    tools: list[ToolLine] = dataclasses.field(default_factory=list)

    @property
    def calls(self) -> list[Call]:
        """Every call; those after the last answered call have no result."""
        answered = [Call(one.name or "", _text(one.arguments), json.dumps(one.told)) for one in self.tools]
        rest = (self.line.calls or [])[len(answered) :]
        return answered + [Call(_text(one.get("name")), _text(one.get("arguments")), None) for one in rest]

    @property
    def answers(self) -> bool:
        """Whether this reply is an answer, with no tool used on the way."""
        return not self.tools

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**self.line.model_dump(exclude={"calls"}), "calls": [dataclasses.asdict(one) for one in self.calls]}


@dataclasses.dataclass(frozen=True)
class Said:
    """A reply as a page shows it.

    Attributes:
        exchange: What was said.
        attempt: Which try to answer it belongs to, from 1.
        repairs: What was repaired in it.
        wrong: Why it could not be used; empty where it was, and where it only calls tools.
    """

    exchange: Exchange
    attempt: int
    repairs: tuple[str, ...]
    wrong: str

    @property
    def facts(self) -> list[str]:
        """Its cost, in words."""
        line = self.exchange.line
        told = (
            (line.tokens_in, "tokens read"),
            (line.tokens_out, "written"),
            (line.tokens_reasoning, "of reasoning"),
            (line.seconds, "s"),
            (line.tries, "request" if line.tries == 1 else "requests"),
        )
        found = [f"{_number(value)} {words}" for value, words in told if value is not None]
        found += ["tokens not counted by the endpoint"] if line.counted is False else []
        return [*found, *([f"ended by {line.finish}"] if line.finish else [])]


def told_of(exchanges: Sequence[Exchange], error: str | None, problem: Problem | None, chooses: bool) -> list[Said]:
    """Return all replies of a period with what became of each.

    Args:
        exchanges: In their order.
        error: Why the last answer could not be used; None where it could.
        problem: What is played; None where it is not known.
        chooses: Whether the model chooses parameters, not actions.
    """
    last = max((k for k, one in enumerate(exchanges) if one.answers), default=-1)
    found, attempt = [], 1
    for k, one in enumerate(exchanges):
        if not one.answers:
            found.append(Said(one, attempt, (), ""))
            continue
        repairs, reason = _read(one, None if chooses else problem) if attempt <= MOST_PARSED else ((), "")
        used = k == last and error is None
        wrong = "" if used else error if k == last and error is not None else reason or UNKNOWN
        found.append(Said(one, attempt, repairs, wrong))
        attempt += 1
    return found


def counted(exchanges: Sequence[Exchange], by: str, error: str | None) -> Counts:
    """Return the counts of a period whose line does not give them."""
    counts = Counts(replies=len(exchanges), fallbacks=int(error is not None or by in WITHOUT))
    for one in exchanges:
        counts.requests += one.line.tries or 1
        counts.tokens_in += one.line.tokens_in or 0
        counts.tokens_out += one.line.tokens_out or 0
        counts.uncounted += one.line.counted is False
        counts.seconds += one.line.seconds or 0.0
        counts.suggestions += sum(isinstance(tool.told, dict) and "action" in tool.told for tool in one.tools)
    counts.retries = max(sum(one.answers for one in exchanges) - 1, 0)
    return counts


def counts_of(data: Mapping[str, Any]) -> Counts | None:
    """Return the counts that a line gives; None if it gives none."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(Counts):
        value = data.get(field.name)
        if isinstance(value, Mapping) and field.name in COUNTERS:
            found[field.name] = Counter({str(name): one for name, one in value.items() if _count(one)})
        elif _count(value) and field.name not in COUNTERS:
            found[field.name] = value
    return Counts(**found) if found else None


def _count(value: object) -> bool:
    """Return whether a value can be a count, or seconds."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf")


def spent(counts: Counts, prices: Prices) -> dict[str, Any]:
    """Return the counts and the cost of the tokens."""
    return {**counts.to_dict(), "cost": prices.cost(counts)}


def _read(one: Exchange, problem: Problem | None) -> tuple[tuple[str, ...], str]:
    """Return what is repaired in an answer, and why it cannot be used, as far as that is still known."""
    text = one.line.text or ""
    if len(text) > LONGEST_PARSED:
        return (), ""
    try:
        data, repairs = parse(text)
    except InvalidInput as error:
        return (), "it was cut off at the limit of tokens" if one.line.finish == "length" else str(error)
    if problem is None:
        return repairs, ""
    try:
        problem.records().decision(data)
    except InvalidInput as error:
        return repairs, str(error)
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):  # what a reply holds may be anything
        return repairs, ""
    return repairs, ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _number(value: float) -> str:
    return amount(value, 0 if isinstance(value, int) else 1 if value >= 0.95 else 3)
