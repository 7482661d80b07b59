"""A chat completion assembled from a stream of events."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

JOINED = ("content", "reasoning_content", "reasoning", "refusal")  # fields that come in pieces


def looks_streamed(text: str) -> bool:
    """Return whether a body is a stream of events, whatever its content type."""
    return text.lstrip().startswith(("data:", "event:", ":"))


def whole(text: str) -> dict[str, Any]:
    """Assemble the completion of a stream of events.

    Raises:
        ValueError: It breaks off, or is no such stream.
    """
    message: dict[str, Any] = {}
    calls: dict[int, dict[str, str]] = {}
    told: dict[str, Any] = {}
    finish, done = None, False
    for line in re.split("[\r\n]+", text):
        name, _, data = line.partition(":")
        if name.strip() != "data" or not data.strip():
            continue
        if data.strip() == "[DONE]":
            done = True
            break
        event = json.loads(data)
        if not isinstance(event, Mapping):
            raise ValueError("an event is no object")
        told |= {name: event[name] for name in ("error", "usage") if event.get(name)}
        choices = event.get("choices")
        for choice in choices[:1] if isinstance(choices, list) else ():
            told |= {"error": choice["error"]} if choice.get("error") else {}
            finish = choice.get("finish_reason") or finish
            part = choice.get("delta") or choice.get("message") or {}
            for field in JOINED:
                if part.get(field):
                    message[field] = message[field] + part[field] if field in message else part[field]
            for k, call in enumerate(part.get("tool_calls") or ()):
                _join(calls.setdefault(call.get("index", k), {"id": "", "name": "", "arguments": ""}), call)
    if not done and finish is None and "error" not in told:
        raise ValueError("the stream breaks off")
    message["tool_calls"] = list(calls.values())
    return {**told, "choices": [{"message": message, "finish_reason": finish}]}


def _join(known: dict[str, str], piece: Mapping[str, Any]) -> None:
    """Add a piece of a tool call to the earlier pieces."""
    function = piece.get("function") or {}
    known["id"] = known["id"] or piece.get("id") or ""
    known["name"] = known["name"] or function.get("name") or ""
    arguments = function.get("arguments")
    known["arguments"] += arguments if isinstance(arguments, str) else json.dumps(arguments) if arguments else ""
