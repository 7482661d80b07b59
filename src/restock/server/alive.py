"""The health check, answered by the connection itself because monitors ask often.

What is plain about a request is known from its head alone: no body, no token, no page that it comes from. Any other
way to ask for `/health` goes through the guard, like any other request.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from restock.server import hosts, wire
from restock.server.needs_uvicorn import h11
from restock.server.replies import Health

PATH = "/health"
PLAIN = {b"host", b"user-agent", b"accept", b"accept-encoding"}  # headers that change nothing about the reply
KEPT = (b"connection", b"keep-alive")
_TARGET = PATH.encode()
_BODY = wire.dumps(Health().model_dump()).encode()
_HEADERS = [(b"content-length", str(len(_BODY)).encode()), (b"content-type", b"application/json")]


class Heads(h11.Connection):
    """The parser of a connection, which shows each request to `answered` before anybody else sees it.

    Args:
        answered: Whether the request was answered; it is over then.
    """

    def __init__(self, answered: Callable[[h11.Request], bool]) -> None:
        super().__init__(h11.SERVER)
        self._answered = answered

    def next_event(self) -> Any:
        """Return the next event that was not answered."""
        event = super().next_event()
        while type(event) is h11.Request and self._answered(event):
            event = super().next_event()
        return event

    def reply(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        """Return the reply to a health check, and wait for the next request.

        Args:
            headers: Those of every reply.
        """
        super().next_event()  # the end of a request that has no body
        said = self.send(_head(tuple(headers))) or b""
        said += self.send(h11.Data(data=_BODY)) or b""
        said += self.send(h11.EndOfMessage()) or b""
        self.start_next_cycle()
        return said


@functools.lru_cache(maxsize=1)
def _head(headers: tuple[tuple[bytes, bytes], ...]) -> h11.Response:
    """Return the head of the reply, the same for a second: then the date changes."""
    return h11.Response(status_code=200, headers=[*headers, *_HEADERS], reason=b"OK")


def is_plain(request: h11.Request, names: tuple[str, ...] | None) -> bool:
    """Return whether a request is a health check that needs no guard.

    Args:
        request: Its head.
        names: By which the server may be addressed; None: by any.
    """
    if request.target != _TARGET or request.method != b"GET" or request.http_version != b"1.1":
        return False
    headers = list(request.headers)
    named = [value for name, value in headers if name == b"host"]
    plain = all(name in PLAIN or (name, value.lower()) == KEPT for name, value in headers)
    return plain and len(named) == 1 and hosts.known(named[0].decode("latin-1"), names)
