"""uvicorn's connections, watched: each reports to `Connections`."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
from typing import Any, NamedTuple

from restock.server import alive
from restock.server.connections import Connections
from restock.server.needs_uvicorn import H11Protocol, WebSocketsSansIOProtocol, h11


class Watched(asyncio.Protocol):
    """What a connection reports, whichever protocol it speaks.

    Args:
        connections: All of the server.
        **given: What uvicorn gives.
    """

    transport: asyncio.Transport

    def __init__(self, connections: Connections, **given: Any) -> None:
        super().__init__(**given)
        self.all = connections

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.all.leave(self.transport)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Start the clock of a client that does not read."""
        super().pause_writing()
        self.all.full(self.transport, True)

    def resume_writing(self) -> None:
        """Stop the clock."""
        super().resume_writing()
        self.all.full(self.transport, False)


class Http(Watched, H11Protocol):
    """An HTTP connection, until it becomes a socket.

    Args:
        connections: All of the server.
        names: By which it may be addressed; None: by any.
        **given: What uvicorn gives.
    """

    conn: alive.Heads

    def __init__(self, connections: Connections, names: tuple[str, ...] | None, **given: Any) -> None:
        super().__init__(connections, **given)
        self.conn = alive.Heads(self._answered)
        self._names = names
        self._may_answer = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection, or refuse it."""
        super().connection_made(transport)
        _send_at_once(transport)
        self._entered = self.all.enter(transport, self.client[0] if self.client else "")

    def data_received(self, data: bytes) -> None:
        """Read the data, unless the connection was refused."""
        if self._entered and not self.transport.is_closing():
            self._may_answer = True
            super().data_received(data)
            self._tell(heard=self._may_answer or bool(self.conn.trailing_data[0]))

    def on_response_complete(self) -> None:
        """Wait for the next request, or handle one that has already arrived."""
        super().on_response_complete()
        self._tell(heard=False)

    def _answered(self, request: h11.Request) -> bool:
        """Answer a health check here, one for each packet; those behind it wait for their turn like any request."""
        if not self._may_answer or self.flow.write_paused or not alive.is_plain(request, self._names):
            return False
        self._may_answer = False
        self.all.busy(self.transport)
        self.transport.write(self.conn.reply(self.server_state.default_headers))
        super().on_response_complete()
        return True

    def _tell(self, heard: bool) -> None:
        if self.transport.get_protocol() is not self:  # it is a socket now
            return
        if self.cycle is None or self.cycle.response_complete:
            self.all.idle(self.transport, heard)
        else:
            self.all.busy(self.transport)


class Socket(Watched, WebSocketsSansIOProtocol):
    """A connection that has become a socket; uvicorn pings it, and closes it if it does not answer."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give the handshake no more time than the head of a request."""
        super().connection_made(transport)
        self.all.idle(self.transport, heard=True)

    def handle_connect(self, event: Any) -> None:
        """Note that the handshake holds; one that does not is not always answered."""
        super().handle_connect(event)
        self.all.busy(self.transport)


class Protocols(NamedTuple):
    """The protocols that uvicorn gives a connection: HTTP first, then that of sockets."""

    http: Any
    socket: Any


def protocols(connections: Connections, names: tuple[str, ...] | None) -> Protocols:
    """Return the protocols of a server with these connections and names."""
    return Protocols(functools.partial(Http, connections, names), functools.partial(Socket, connections))


def _send_at_once(transport: asyncio.Transport) -> None:
    """Send small packets at once: head and body of a reply are two packets, and the second would wait 40 ms."""
    line = transport.get_extra_info("socket")
    if line is not None:
        with contextlib.suppress(OSError):  # a socket of a file has no such option
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
