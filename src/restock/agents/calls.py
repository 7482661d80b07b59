"""Tool calls in replies, in the forms that models and endpoints use."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any

from restock.agents.protocol import parse
from restock.core.errors import InvalidInput

# Between tags, as Hermes and Qwen write it; behind a mark, as Mistral does: a list, or the name and the arguments.
_TAGGED = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.S)
_MARKED = re.compile(r"\[TOOL_CALLS\](.*?)(?=\[TOOL_CALLS\]|\Z)", re.S)
_NAMED = re.compile(r"\s*([\w.-]+)(?:\[CALL_ID\]\w+)?(?:\[ARGS\])?\s*(\{.*\})\s*\Z", re.S)


@dataclasses.dataclass(frozen=True)
class Call:
    """A tool that a model wants to use.

    Attributes:
        id: What the endpoint calls this use.
        name: Of the tool; empty where none is named.
        arguments: JSON, as the model wrote it.
    """

    id: str
    name: str
    arguments: str


def calls_of(message: Mapping[str, Any], turn: int) -> tuple[Call, ...]:
    """Return the calls that a message names as such.

    Args:
        message: As the API writes it, or wrote it when a model could call one function.
        turn: Of the conversation; what has no id gets one of it.

    Raises:
        TypeError: It is not what the API writes.
    """
    written = message.get("tool_calls") or []
    if not written and isinstance(message.get("function_call"), Mapping):
        written = [message["function_call"]]
    if not isinstance(written, list):
        raise TypeError("tool_calls")
    return tuple(_call(one, turn, k) for k, one in enumerate(written))


def calls_in(text: str, turn: int) -> tuple[str, tuple[Call, ...]]:
    """Split a text into what is not a tool call, and the tool calls in it."""
    for pattern in (_TAGGED, _MARKED):
        written = [one for found in pattern.finditer(text) for one in _written(found[1])]
        if written:
            return pattern.sub("", text).strip(), tuple(_call(one, turn, k) for k, one in enumerate(written))
    return text, ()


def _written(text: str) -> list[Mapping[str, Any]]:
    """Return the tool calls in a piece of text; none if it cannot be parsed."""
    named = _NAMED.match(text)
    if named:
        return [{"name": named[1], "arguments": named[2]}]
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        try:
            found, _ = parse(text)
        except InvalidInput:
            return []
    listed = found if isinstance(found, list) else [found]
    return [one for one in listed if isinstance(one, Mapping) and isinstance(one.get("name"), str)]


def _call(written: Any, turn: int, number: int) -> Call:
    if not isinstance(written, Mapping):
        raise TypeError("tool_calls")
    function = written["function"] if isinstance(written.get("function"), Mapping) else written
    arguments = function.get("arguments", function.get("parameters"))
    if not isinstance(arguments, str):
        arguments = "" if arguments is None else json.dumps(arguments)
    # Nine letters and digits: some endpoints take no other id.
    own = str(written.get("id") or f"call{turn % 1000:03d}{number % 100:02d}")
    return Call(clean(own), clean(str(function.get("name") or "")), clean(arguments))


def clean(text: str) -> str:
    """Return the text without halves of surrogate pairs, which a model may write but which cannot be sent."""
    return text.encode("utf-8", "replace").decode("utf-8")
