"""Parsing of the chat completions that endpoints really send."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any

from restock.agents.calls import Call, calls_in, calls_of, clean
from restock.agents.protocol import apart
from restock.agents.stream import looks_streamed, whole
from restock.agents.usage import Usage, mapping, usage_of
from restock.agents.wire import Answered, Trouble
from restock.core.terminal import printable

ANSWERS = "it answers "  # and its status
SAID = 400  # characters of what an endpoint says that are told
REASONING = ("reasoning_content", "reasoning", "thinking")  # fields that endpoints keep it in


@dataclasses.dataclass(frozen=True)
class Reply:
    """A reply of the model.

    Attributes:
        text: What the model wrote, without its reasoning; empty where it wrote nothing.
        calls: Tools it wants to use.
        tokens_in: Tokens read, as the endpoint counts them; 0 where it does not.
        tokens_out: Tokens written, those of the reasoning included.
        tries: Requests it took; more than 1 where an endpoint was busy or sent what could not be read.
        seconds: From the first request to the answer.
        finish: Why it ended, `stop`, `length` or `content_filter`.
        reasoning: What the model wrote for itself; empty where the endpoint does not tell it.
        reasoning_field: The field of the message that it came in; empty where it stood in the text.
        tokens_reasoning: Of the tokens written, those of the reasoning.
        tokens_cached: Of the tokens read, those that the endpoint had kept.
        charged: What the endpoint says that it cost; 0 where it does not say.
        counted: Whether the endpoint says how many tokens were read and written.
    """

    text: str
    calls: tuple[Call, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0
    tries: int = 1
    seconds: float = 0.0
    finish: str = "stop"
    reasoning: str = ""
    reasoning_field: str = ""
    tokens_reasoning: int = 0
    tokens_cached: int = 0
    charged: float = 0.0
    counted: bool = True

    def after(self, earlier: Usage, tries: int, seconds: float) -> Reply:
        """Return the reply with what earlier answers took that could not be used."""
        own = Usage(**{field.name: getattr(self, field.name) for field in dataclasses.fields(Usage)})
        return dataclasses.replace(self, tries=tries, seconds=seconds, **dataclasses.asdict(own.after(earlier)))


def read(answered: Answered, offered: bool = False, turn: int = 0) -> Reply:
    """Parse the reply.

    Args:
        answered: What came back.
        offered: Whether the model was offered tools: then a call that it wrote into its text counts.
        turn: Of the conversation; a call without an id gets one of it.

    Raises:
        Trouble: There is none; it says what the answer took all the same.
    """
    try:
        return _reply(answered, offered, turn)
    except Trouble as trouble:
        trouble.usage = _spent(answered)
        raise


def _spent(answered: Answered) -> Usage:
    """Return the usage that stands in an answer without a reply, as far as it can be read."""
    try:
        return usage_of(_data(answered.body))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return Usage()


def _reply(answered: Answered, offered: bool, turn: int) -> Reply:
    if not 200 <= answered.status < 300:
        raise Trouble(f"{ANSWERS}{answered.status}{_said(answered)}", answered.status, answered.wait)
    try:
        data = _data(answered.body)
        _fail(data.get("error") or (data if data.get("object") == "error" else None), answered)
        choice = _first(data.get("choices"))
        finish = choice.get("finish_reason")
        _fail(choice.get("error") or ("an error ended it" if finish == "error" else None), answered)
        message = mapping(choice.get("message"))
        if not message:
            raise ValueError("it has no message")
        text, reasoning, field = _texts(message)
        calls = calls_of(message, turn)
        if offered and not calls:
            text, calls = calls_in(text, turn)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        words = f"what it answers is no chat completion ({_line(error)}){_said(answered)}"
        raise Trouble(words, None, answered.wait) from None
    spent = dataclasses.asdict(usage_of(data))
    return Reply(text, calls, finish=str(finish or "stop"), reasoning=reasoning, reasoning_field=field, **spent)


def _data(body: bytes) -> Mapping[str, Any]:
    """Return the object in a body; bytes that are not UTF-8 are replaced, since the JSON around them may be valid."""
    text = body.decode("utf-8-sig", "replace")
    data = whole(text) if looks_streamed(text) else json.loads(text)
    if not isinstance(data, Mapping):
        raise TypeError("no object")
    return data


def _first(choices: Any) -> Mapping[str, Any]:
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        raise ValueError("it has no choices")
    found: Mapping[str, Any] = choices[0]
    return found


def _fail(error: Any, answered: Answered) -> None:
    """Raise the error in an answer, if it holds one; its code counts as a status."""
    if not error:
        return
    code = error.get("code") if isinstance(error, Mapping) else None
    status = int(code) if isinstance(code, (int, str)) and re.fullmatch("[45][0-9][0-9]", str(code)) else None
    words = f"{ANSWERS}{answered.status} with an error{f' {status}' if status else ''}{_colon(_words(error))}"
    raise Trouble(words, status, answered.wait)


def _texts(message: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the text of a message, its reasoning, and the field of that."""
    text, thought = _parts(message.get("content"))
    rest, inside = apart(text or _beside(message, "refusal"))
    field = next((name for name in REASONING if _beside(message, name)), "")
    told = _beside(message, field)
    reasoning = "\n".join(piece.strip() for piece in (told, thought, inside) if piece.strip())
    return clean(rest), clean(reasoning), field


def _beside(message: Mapping[str, Any], field: str) -> str:
    """Return the text of an optional field; empty if it holds anything else."""
    found = message.get(field)
    return "".join(_parts(found)) if isinstance(found, (str, list)) else ""


def _parts(content: Any) -> tuple[str, str]:
    """Return the text and the reasoning of content that is text or a list of parts.

    Raises:
        TypeError: It is neither.
    """
    if content is None or isinstance(content, str):
        return content or "", ""
    if isinstance(content, Mapping):
        if not {"type", "text"} & content.keys():  # the answer itself, read already
            return json.dumps(content), ""
        content = [content]
    if not isinstance(content, list):
        raise TypeError("content is no text")
    texts, thoughts = [], []
    for part in content:
        if isinstance(part, Mapping) and part.get("type") in REASONING:
            thoughts += [_parts(part.get(name))[0] for name in (*REASONING, "text")]
        elif isinstance(part, Mapping):
            texts += [part[name] for name in ("text", "refusal") if isinstance(part.get(name), str)]
        else:
            texts.append(_parts(part)[0])
    return "".join(texts), "".join(thoughts)


def _said(answered: Answered) -> str:
    """Return the endpoint's explanation of its status, with a colon in front."""
    if 300 <= answered.status < 400:
        return _colon(f"it sends on to {answered.headers.get('location')}")
    text = answered.body.decode("utf-8", "replace").strip()
    try:
        return _colon(_words(json.loads(text)))
    except (ValueError, RecursionError):
        title = re.search(r"<title>(.*?)</title>", text[:10_000], re.S | re.I)
        return _colon(title[1] if title else text[:SAID] if not text.startswith("<") else "")


def _words(told: Any) -> str:
    """Return the message of an error, whatever its form."""
    if isinstance(told, str):
        return told
    if isinstance(told, list):
        return "; ".join(filter(None, (_words(one) for one in told[:3])))
    if not isinstance(told, Mapping):
        return ""
    raw = mapping(told.get("metadata")).get("raw")  # what the provider said to the router in between
    found = (_words(told.get(name)) for name in ("error", "message", "detail", "msg"))
    return "; ".join(filter(None, (next(filter(None, found), ""), raw if isinstance(raw, str) else "")))


def _colon(words: str) -> str:
    line = _line(words)
    return f": {line}" if line else ""


def _line(words: Any) -> str:
    """Return the text on one line, shortened, without control sequences."""
    return " ".join(printable(clean(str(words))).split())[:SAID]
