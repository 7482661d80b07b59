"""From a reply to one JSON object: what is between the first { and the last }, repaired where it is nearly JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from restock.core.errors import InvalidInput

LONGEST = 200_000  # characters of a reply that are looked at
ASK = "Answer with one JSON object."
FENCE, REASONING, COMMA, QUOTES, WORDS = (
    "code fence", "reasoning left out", "trailing comma", "single quotes", "words of Python",
)  # fmt: skip
REPAIRS = (REASONING, FENCE, COMMA, QUOTES, WORDS)
_REASONING = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.S)
_PYTHON = {"True": "true", "False": "false", "None": "null"}


def parse(reply: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The object in a reply, and what had to be repaired, of `REPAIRS`.

    Words around the object are no fault; words of a reasoning model between its tags do not count as the reply.
    NaN, infinity and a name that is given twice are refused.

    Raises:
        InvalidInput: There is no object in it, or what there is cannot be repaired.

    Example:
        >>> parse('I buy ten. {"orders": {"a": 10}}')
        ({'orders': {'a': 10}}, ())
        >>> parse("{'orders': {'a': 10,}}")
        ({'orders': {'a': 10}}, ('trailing comma', 'single quotes'))
    """
    if len(reply) > LONGEST:
        raise InvalidInput("reply", reply, f"it is longer than {LONGEST} characters", ASK)
    text, repairs = reply, []
    if _REASONING.search(text):
        text = _REASONING.sub("", text)
        repairs.append(REASONING)
    first, last = text.find("{"), text.rfind("}")
    if first < 0 or last < first:
        raise InvalidInput("reply", reply, "there is no JSON object in it", ASK)
    if "```" in text[:first] or "```" in text[last:]:
        repairs.append(FENCE)
    text = text[first : last + 1]
    try:
        return _object(text), tuple(repairs)
    except _NotJson as wrong:
        reason = wrong
    for name, mend in _MENDS:
        mended = mend(text)
        if mended != text:
            text = mended
            repairs.append(name)
    try:
        return _object(text), tuple(repairs)
    except _NotJson:
        raise InvalidInput("reply", text, f"this is not valid JSON ({reason})", ASK) from None


class _NotJson(Exception):
    """Why a text is not one strict JSON object."""


def _object(text: str) -> dict[str, Any]:
    """The object that a text is, read strictly."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in found]
        for name in names:
            if names.count(name) > 1:
                raise InvalidInput(f"reply.{name}", dict(found)[name], "this name is given twice", "Give it once.")
        return dict(found)

    def constant(name: str) -> Any:
        raise InvalidInput("reply", name, "this is no number of JSON", "Write finite numbers.")

    try:
        found = json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except InvalidInput:
        raise
    except json.JSONDecodeError as error:
        raise _NotJson(f"{error.msg}, at character {error.pos + 1} of the object") from None
    except RecursionError:
        raise InvalidInput("reply", text, "it is nested too deeply", ASK) from None
    except ValueError:  # an integer of thousands of digits
        raise InvalidInput("reply", text, "there is a number in it that is too long", "Write usual numbers.") from None
    if not isinstance(found, dict):  # cannot be: the text begins and ends in braces
        raise _NotJson("it is no object")
    return found


def _pieces(text: str) -> list[tuple[bool, str]]:
    """The text cut into strings, with their quotes, and what is between them."""
    pieces: list[tuple[bool, str]] = []
    start = k = 0
    while k < len(text):
        quote = text[k]
        if quote not in "\"'":
            k += 1
            continue
        end = k + 1
        while end < len(text) and text[end] != quote:
            end += 2 if text[end] == "\\" else 1
        pieces += [(False, text[start:k]), (True, text[k : end + 1])]
        start = k = end + 1
    return [*pieces, (False, text[start:])]


def _between(change: Callable[[str], str]) -> Callable[[str], str]:
    """A change of what is between strings."""
    return lambda text: "".join(piece if quoted else change(piece) for quoted, piece in _pieces(text))


def _without_trailing_commas(text: str) -> str:
    """Commas before a closing bracket left out, also where a string stands before them."""
    return _between(lambda piece: re.sub(r",(\s*[}\]])", r"\1", piece))(text)


def _double_quoted(text: str) -> str:
    return "".join(
        json.dumps(piece[1:-1].replace("\\'", "'")) if quoted and piece[0] == "'" else piece
        for quoted, piece in _pieces(text)
    )


def _words_of_json(text: str) -> str:
    return _between(lambda piece: re.sub(r"\b(True|False|None)\b", lambda word: _PYTHON[word[0]], piece))(text)


_MENDS: tuple[tuple[str, Callable[[str], str]], ...] = (
    (COMMA, _without_trailing_commas),
    (QUOTES, _double_quoted),
    (WORDS, _words_of_json),
)
