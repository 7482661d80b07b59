"""Further fields and headers of requests to a model, from the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from restock.core.errors import InvalidInput

Body = Annotated[
    list[str] | None,
    typer.Option(
        "--body",
        metavar="NAME=JSON",
        help="One more field of every request: reasoning_effort=low, top_p=0.9, "
        """'response_format={"type": "json_object"}'. Repeatable.""",
    ),
]
Headers = Annotated[
    list[str] | None,
    typer.Option(
        "--header",
        metavar="'NAME: VALUE'",
        help="One more header of every request; written nowhere. Repeatable.",
    ),
]


def read_body(given: Sequence[str] | None) -> dict[str, Any]:
    """Parse further fields: JSON, or else the text as it stands.

    Raises:
        InvalidInput: One is not NAME=JSON, or is given twice.
    """
    found: dict[str, Any] = {}
    for one in given or ():
        name, value = _cut("--body", one, "=", "top_p=0.9", found)
        try:
            found[name] = json.loads(value, object_pairs_hook=_once)
        except (ValueError, RecursionError) as error:
            if isinstance(error, InvalidInput) or value[:1] in ("{", "[", '"'):
                raise InvalidInput("--body", one, "must be NAME=JSON", """Write {"type": "text"}.""") from None
            found[name] = value
    return found


def read_headers(given: Sequence[str] | None) -> dict[str, str]:
    """Parse further headers.

    Raises:
        InvalidInput: One is not NAME: VALUE, or is given twice.
    """
    found: dict[str, str] = {}
    for one in given or ():
        name, value = _cut("--header", one, ":", "'X-Title: restock'", {key.lower(): key for key in found})
        found[name] = value
    return found


def _cut(option: str, text: str, mark: str, example: str, known: dict[str, Any]) -> tuple[str, str]:
    """Split at a mark; the error does not repeat the text, which may hold a secret."""
    name, there, value = (piece.strip() for piece in text.partition(mark))
    if not there or not name:
        raise InvalidInput(option, name[:20], f"must be a name, {mark!r} and a value", f"Write {example}.")
    if (name if mark == "=" else name.lower()) in known:
        raise InvalidInput(option, name, "must be given once", "Leave one of them out.")
    return name, value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Parse a JSON object in which no name stands twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InvalidInput("--body", [name for name, _ in pairs], "a name is given twice", "Give it once.")
    return found
