"""What only the endpoint may know: keys and headers, taken out of whatever it sends back."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from restock.agents.completion import Reply
from restock.agents.wire import Answered

SHORTEST = 8  # characters: anything shorter could be a word of an answer
HIDDEN = "[hidden]"


class Secrets:
    """Texts that are kept and printed nowhere.

    Args:
        values: Such texts; those of fewer than `SHORTEST` characters are no secrets.

    Example:
        >>> Secrets(["Bearer sk-12345678"]).out_of("no such key: sk-12345678")
        'no such key: [hidden]'
    """

    def __init__(self, values: Iterable[str]) -> None:
        pieces = {piece for value in values for piece in (value.strip(), value.strip().rpartition(" ")[2])}
        self._found = sorted((one for one in pieces if len(one) >= SHORTEST), key=len, reverse=True)

    def out_of(self, value: Any) -> Any:
        """Return text, or plain data with texts in it, without the secrets."""
        if isinstance(value, str):
            for secret in self._found:
                value = value.replace(secret, HIDDEN)
            return value
        if isinstance(value, Mapping):
            return {self.out_of(name): self.out_of(entry) for name, entry in value.items()}
        return [self.out_of(entry) for entry in value] if isinstance(value, (list, tuple)) else value

    def answered(self, answered: Answered) -> Answered:
        """Return an answer without the secrets, however its JSON writes them, before anything of it is cut short."""
        text = self.out_of(answered.body.decode("utf-8", "replace"))
        try:
            data = json.loads(text)
            without = self.out_of(data)
        except (ValueError, RecursionError):
            data = without = None
        if without != data:
            text = json.dumps(without)
        changed = text.encode("utf-8", "replace") if HIDDEN in text else answered.body
        headers = {name: self.out_of(value) for name, value in answered.headers.items()}
        return dataclasses.replace(answered, body=changed, headers=headers)

    def reply(self, reply: Reply) -> Reply:
        """Return a reply without the secrets: a stream may have sent them in pieces."""
        calls = tuple(type(call)(**self.out_of(dataclasses.asdict(call))) for call in reply.calls)
        texts = {name: self.out_of(getattr(reply, name)) for name in ("text", "reasoning", "finish")}
        return dataclasses.replace(reply, calls=calls, **texts)


def of_address(address: str) -> list[str]:
    """Return what may be secret in an address: its password, as it is sent too, and the values of its query."""
    parts = urlsplit(address)
    found = [value for _, value in parse_qsl(parts.query)]
    if parts.password:
        name, word = unquote(parts.username or ""), unquote(parts.password)
        found += [parts.password, word, base64.b64encode(f"{name}:{word}".encode()).decode()]
    return found
