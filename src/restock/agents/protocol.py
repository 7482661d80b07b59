"""Parsing of a reply into one JSON object, repaired if it is nearly JSON and only one object can be meant."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from restock.core.errors import InvalidInput

LONGEST = 200_000  # characters of a reply that are looked at
ASK = "Answer with one JSON object."
FENCE, REASONING, COMMA, QUOTES, WORDS, BRACES, TWICE = (
    "code fence", "reasoning left out", "trailing comma", "single quotes", "words of Python",
    "braces in the words", "object twice",
)  # fmt: skip
REPAIRS = (REASONING, FENCE, BRACES, TWICE, COMMA, QUOTES, WORDS)
_THOUGHT = r"think(?:ing)?|thought|reasoning"
_REASONING = re.compile(rf"(?:<(?:{_THOUGHT})>|\[THINK\])(.*?)(?:</(?:{_THOUGHT})>|\[/THINK\]|\Z)", re.S | re.I)
# What is left of a beginning that a template of the endpoint has swallowed, and gpt-oss's mark of its answer.
_AFTER = re.compile(rf"(?:</(?:{_THOUGHT})>|\[/THINK\]|<\|channel\|>final<\|message\|>)", re.S | re.I)
_FENCED = re.compile(r"```[^\n{]*(.*?)(?:```|\Z)", re.S)
_BRACE = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[{}]', re.S)
_BEGINS = re.compile(r"""\{\s*["'}]""")
_PYTHON = {"True": "true", "False": "false", "None": "null"}


def apart(text: str) -> tuple[str, str]:
    """Split a text into answer and reasoning, which stands between tags or before a closing one.

    Example:
        >>> apart('Ten or so.</think>{"orders": {}}')
        ('{"orders": {}}', 'Ten or so.')
    """
    thoughts: list[str] = []

    def keep(found: re.Match[str]) -> str:
        thoughts.append(found[1])
        return ""

    rest = _REASONING.sub(keep, text)
    for last in deque(_AFTER.finditer(rest), maxlen=1):
        thoughts.append(rest[: last.start()])
        rest = rest[last.end() :]
    return rest, "\n".join(thought.strip() for thought in thoughts if thought.strip())


def parse(reply: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the object in a reply and the repairs it needed, out of `REPAIRS`.

    Words around the object are no fault; words of a reasoning model between its tags do not count as the reply.
    Where braces stand in the words too, what stands in a code fence is the object; without one, there must be a
    single object, or the same one again. NaN, infinity and a name that is given twice are refused.

    Raises:
        InvalidInput: There is no object in it, or what there is cannot be repaired.

    Example:
        >>> parse('I buy ten. {"orders": {"a": 10}}')
        ({'orders': {'a': 10}}, ())
        >>> parse("{'orders': {'a': 10,}}")
        ({'orders': {'a': 10}}, ('trailing comma', 'single quotes'))
        >>> parse('{a few} I buy ten. {"orders": {"a": 10}}')
        ({'orders': {'a': 10}}, ('braces in the words',))
    """
    if len(reply) > LONGEST:
        raise InvalidInput("reply", reply, f"it is longer than {LONGEST} characters", ASK)
    text, _ = apart(reply)
    before = [] if text == reply else [REASONING]
    inside = _cut(text)
    if not inside:
        raise InvalidInput("reply", reply, "there is no JSON object in it", ASK)
    if any("```" in around for around in text.split(inside, 1)):
        before.append(FENCE)
    reason = ""
    for reading in (_strictly, _fenced, _mended, _scattered):
        try:
            found, repairs = reading(text if reading is _fenced else inside)
        except _NotJson as wrong:
            reason = reason or str(wrong)
        else:
            return found, tuple(dict.fromkeys((*before, *repairs)))
    raise InvalidInput("reply", inside, f"this is not valid JSON ({reason})", ASK)


Reading = tuple[dict[str, Any], tuple[str, ...]]


def _cut(text: str) -> str:
    """Return the text from the first { to the last }; empty if they are missing."""
    return text[text.find("{") : text.rfind("}") + 1] if "{" in text else ""


def _strictly(text: str) -> Reading:
    """Parse a text that is one strict JSON object."""
    return _object(text), ()


def _mended(text: str) -> Reading:
    """Parse a text that is one object once it is repaired."""
    repairs: list[str] = []
    for name, mend in _MENDS:
        mended = mend(text)
        if mended != text:
            text = mended
            repairs.append(name)
    return _strictly(text)[0], tuple(repairs)


def _either(text: str) -> Reading:
    """Parse a text that is one object as it stands or once repaired."""
    try:
        return _strictly(text)
    except _NotJson:
        return _mended(text)


def _fenced(text: str) -> Reading:
    """Return the object in the code fences of a text, whatever surrounds them."""
    found: list[Reading] = []
    for block in _FENCED.finditer(text):
        try:
            found.append(_either(_cut(block[1])))
        except _NotJson:
            continue
    data, repairs = _one(found)
    return data, (FENCE, *((BRACES,) if "{" in _FENCED.sub("", text) else ()), *repairs)


def _scattered(text: str) -> Reading:
    """Return the object in text with other braces: everything that begins like an object must be one."""
    found: list[Reading] = []
    braces: tuple[str, ...] = ()
    for piece in _groups(text):
        if _BEGINS.match(piece):
            found.append(_either(piece))
        else:
            braces = (BRACES,)
    data, repairs = _one(found)
    return data, (*braces, *repairs)


def _one(found: list[Reading]) -> Reading:
    """Return the only object found, which may be found more than once."""
    if not found:
        raise _NotJson("there is no object in it")
    data, repairs = found[-1]
    if any(one != data for one, _ in found):
        raise InvalidInput("reply", [one for one, _ in found], "there are several objects in it, which differ", ASK)
    return data, (*((TWICE,) if len(found) > 1 else ()), *repairs)


def _groups(text: str) -> Iterator[str]:
    """Return the texts between matching braces; braces in JSON strings do not count."""
    depth = start = 0
    for found in _BRACE.finditer(text):
        if found[0] == "{":
            start = found.start() if depth == 0 else start
            depth += 1
        elif found[0] == "}" and depth:
            depth -= 1
            if depth == 0:
                yield text[start : found.end()]
    if depth:
        raise _NotJson("a brace is not closed")


class _NotJson(Exception):
    """Raised when a text is not one strict JSON object."""


def _object(text: str) -> dict[str, Any]:
    """Parse a text strictly as an object."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for name, value in found:
            if name in data:
                raise InvalidInput(f"reply.{name}", value, "this name is given twice", "Give it once.")
            data[name] = value
        return data

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
    """Split a text into strings, with their quotes, and what is between them."""
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
    """Apply a change to what is between strings."""
    return lambda text: "".join(piece if quoted else change(piece) for quoted, piece in _pieces(text))


def _without_trailing_commas(text: str) -> str:
    """Remove commas before closing brackets, also after a string."""
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
