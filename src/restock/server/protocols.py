"""uvicorn's connections, watched: each reports to `Connections`."""

from __future__ import annotations

import abc
import asyncio
import contextlib
import functools
import socket
from typing import Any, NamedTuple

from restock.server import alive
from restock.server.connections import Connections
from restock.server.limits import client_of
from restock.server.meter import Meter
from restock.server.needs_uvicorn import H11Protocol, WebSocketsSansIOProtocol, h11

PIECE = 4096  # bytes that are read in one go
MOST_FRAMES = 1024  # of a message of a socket
TOO_BIG = 1009  # why a socket is closed


class Watched(asyncio.Protocol):
    """What a connection reports, whichever protocol it speaks, and how it is read: piece by piece.

    Reading 256 KB of the smallest chunks or frames takes half a second, in which nobody else would be answered.

    Args:
        connections: All of the server.
        meter: Shares the time of the event loop among clients.
        **given: What uvicorn gives.
    """

    transport: asyncio.Transport
    client: tuple[str, int] | None

    def __init__(self, connections: Connections, meter: Meter, **given: Any) -> None:
        super().__init__(**given)
        self.all, self._meter = connections, meter
        self._rest = bytearray()  # what has come and was not read yet
        self._place: int | None = None  # in the queue of its client, while it waits to be read

    @property
    @abc.abstractmethod
    def ready(self) -> bool:
        """Whether more can be read now."""

    def connection_made(self, transport: Any) -> None:
        """Note whose connection it is."""
        super().connection_made(transport)
        self._client = f"reading {client_of(self.client[0] if self.client else '')}"  # apart from what is answered

    def data_received(self, data: bytes) -> None:
        """Read the data, or as much of it as there is time for, and the rest later."""
        self._meter.heard(id(self))
        if not self._rest and len(data) <= PIECE and self._meter.free(self._client) and self.ready:
            self.read(data)
            return
        self._rest += data
        self.transport.pause_reading()
        self.read_on()

    def read_on(self) -> None:
        """Read what has come in one of the next rounds."""
        if self._rest and self._place is None and self.ready:
            self._place = self._meter.later(self._client, self._read_rest)

    def read(self, data: bytes) -> None:
        """Read a piece."""
        super().data_received(data)

    def resume(self) -> None:
        """Let more come."""
        self.transport.resume_reading()

    def _read_rest(self) -> None:
        if self._rest and self.ready and not self._meter.left(self._client):
            self._meter.later(self._client, self._read_rest, self._place)
            return
        self._place = None
        while self._rest and self.ready and self._meter.left(self._client):
            piece = bytes(self._rest[:PIECE])
            del self._rest[:PIECE]
            self.read(piece)
        if self._rest:
            self.read_on()
        elif self.ready:
            self.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._rest.clear()
        self.all.leave(self.transport)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Start the clock of a client that does not read."""
        super().pause_writing()
        self.all.full(self.transport, True)

    def resume_writing(self) -> None:
        """Stop the clock, and read on."""
        super().resume_writing()
        self.all.full(self.transport, False)
        self.read_on()


class Http(Watched, H11Protocol):
    """An HTTP connection, until it becomes a socket.

    Args:
        connections: All of the server.
        meter: Shares the time in which connections are read among clients.
        names: By which it may be addressed; None: by any.
        **given: What uvicorn gives.
    """

    conn: alive.Heads

    def __init__(self, connections: Connections, meter: Meter, names: tuple[str, ...] | None, **given: Any) -> None:
        super().__init__(connections, meter, **given)
        self.conn = alive.Heads(self._answered)
        self._names = names
        self._behind = False  # whether what is read now came before the last request was answered
        self._may_answer = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection, or refuse it."""
        super().connection_made(transport)
        _send_at_once(transport)
        self._entered = self.all.enter(transport, self.client[0] if self.client else "")

    @property
    def ready(self) -> bool:
        """Whether more can be read now: what follows the head of a socket, before that is answered, never is."""
        return self.transport.get_protocol() is self and not self.transport.is_closing()

    def data_received(self, data: bytes) -> None:
        """Read the data, unless the connection was refused."""
        if self._entered and not self.transport.is_closing():
            self._behind = self._behind and bool(self._rest)
            self._unset_keepalive_if_required()  # it may take a while until the data are read
            super().data_received(data)

    def read(self, data: bytes) -> None:
        """Read a piece, and tell what it was."""
        self._may_answer = True
        super().read(data)
        self._tell(heard=self._may_answer or bool(self.conn.trailing_data[0]))

    def resume(self) -> None:
        """Let more come, unless the request that is answered has enough."""
        if not self.flow.read_paused:
            super().resume()

    def on_response_complete(self) -> None:
        """Wait for the next request, or handle one that has already arrived."""
        self._behind = True
        super().on_response_complete()
        self._behind = bool(self._rest)
        self._tell(heard=False)

    def _answered(self, request: h11.Request) -> bool:
        """Answer a health check here, one for each piece; those behind it wait for their turn like any request."""
        if not self._may_answer or self.flow.write_paused or not alive.is_plain(request, self._names):
            return False
        self._may_answer = False
        self.all.busy(self.transport)
        self.transport.write(self.conn.reply(self.server_state.default_headers))
        super().on_response_complete()
        self._behind = True
        return True

    def handle_websocket_upgrade(self, event: Any) -> None:
        """Become a socket, unless its head came before the last request was answered: nobody asks like that.

        The answer to that request would be the beginning of what the socket says.
        """
        if self._behind:
            self.send_400_response("A socket must be asked for after the last request was answered.")
            return
        super().handle_websocket_upgrade(event)
        self._rest.clear()
        if not self.transport.is_closing():
            self.transport.get_protocol().begin()  # type: ignore[attr-defined]

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

    @property
    def ready(self) -> bool:
        """Whether more can be read now: not while messages wait for their answer, or answers for being taken."""
        return not self.read_paused and self.writable.is_set() and not self.transport.is_closing()

    def begin(self) -> None:
        """Let frames come, unless the handshake still waits."""
        if not self._rest:
            self.resume()

    async def receive(self) -> Any:
        """Return the next message, and read on if it was the last."""
        message = await super().receive()
        self.read_on()
        return message

    async def send(self, message: Any) -> None:
        """Send a message; who closes the socket waits for the goodbye, which may have come."""
        await super().send(message)
        self.read_on()

    def handle_cont(self, event: Any) -> None:
        """Add a frame to its message, unless it has too many."""
        if self.close_sent:
            return
        if len(self.frames) < MOST_FRAMES:
            super().handle_cont(event)
            return
        self.frames = []
        self.conn.fail(TOO_BIG, f"a message has at most {MOST_FRAMES} frames")
        self.handle_parser_exception()

    def handle_connect(self, event: Any) -> None:
        """Note that the handshake holds; one that does not is not always answered."""
        super().handle_connect(event)
        self.all.busy(self.transport)


class Protocols(NamedTuple):
    """The protocols that uvicorn gives a connection: HTTP first, then that of sockets."""

    http: Any
    socket: Any


def protocols(connections: Connections, meter: Meter, names: tuple[str, ...] | None) -> Protocols:
    """Return the protocols of a server with these connections and names."""
    http = functools.partial(Http, connections, meter, names)
    return Protocols(http, functools.partial(Socket, connections, meter))


def _send_at_once(transport: asyncio.Transport) -> None:
    """Send small packets at once: head and body of a reply are two packets, and the second would wait 40 ms."""
    line = transport.get_extra_info("socket")
    if line is not None:
        with contextlib.suppress(OSError):  # a socket of a file has no such option
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
