"""Limits on connections: how many may be open, and how long each may keep the server waiting.

uvicorn ends a kept connection that stays silent after a reply, and nothing else. Here are the other ways to hold one
for nothing: to say nothing at all, to send a head byte by byte, to take no reply, to vanish without a word. A request
whose body does not arrive is refused by the guard, which knows what it is for.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import Iterator

from restock.server import wire
from restock.server.errors import Refused
from restock.server.limits import Limits, client_of

LEAST_MOST = 2048  # connections where nothing else is said
SHARE_OF_ONE = 0.75
AT_ONCE = 32  # connections that are accepted before the first of them is looked at; asyncio has four such lots in hand
OTHER_FILES = 256  # that a process has open besides: those lots, those that are turned away, files
MOST_TURNED_AWAY = 64  # connections that are being told that there is no place
GOODBYE = 1.0  # seconds for a client to read that
LEAST_SWEEP, MOST_SWEEP = 0.05, 1.0  # seconds between two looks at all connections
NEVER = math.inf


class Door:
    """What is known about one connection.

    Attributes:
        client: Whose it is.
        due: When it is ended unless a request has come by then (seconds of the loop's clock).
        stuck: When it is ended unless some of what waits to be sent was taken by then.
    """

    def __init__(self, transport: asyncio.Transport, client: str, due: float) -> None:
        self.transport, self.client, self.due, self.stuck = transport, client, due, NEVER
        self.heard = False  # whether some of a request has come that is not complete


class Connections:
    """All open connections of a server.

    Where there is no place for another one, the connection goes that has waited longest for a request; one that is
    answered, or is a socket that plays, never does. So what is silent cannot shut out what asks.

    Args:
        limits: See `Limits`.
        sessions: Episodes that may be under way at once.
    """

    def __init__(self, limits: Limits, sessions: int) -> None:
        self.limits = limits
        self.most = files_for(limits.connections or max(LEAST_MOST, 2 * sessions))
        self.most_of_one = limits.connections_of_one or max(1, round(SHARE_OF_ONE * self.most))
        self._doors: dict[asyncio.Transport, Door] = {}
        self._idle: dict[Door, None] = {}  # those that wait for a request, longest first
        self._of: Counter[str] = Counter()
        self._turned_away: dict[asyncio.Transport, float] = {}
        self._sweep: asyncio.TimerHandle | None = None
        shortest = min(limits.head, limits.reply, 4.0 * GOODBYE) / 4.0
        self._every = min(max(shortest, LEAST_SWEEP), MOST_SWEEP)

    def __len__(self) -> int:
        return len(self._doors)

    def __iter__(self) -> Iterator[asyncio.Transport]:
        return iter(list(self._doors))

    def enter(self, transport: asyncio.Transport, address: str) -> bool:
        """Accept a connection, or refuse it if the server is full.

        Args:
            transport: The connection.
            address: Of the other end.
        """
        loop = asyncio.get_running_loop()
        if self._sweep is None:
            self._sweep = loop.call_later(self._every, self._look)
        client = client_of(address)
        full = self._of[client] >= self.most_of_one
        if (full or len(self._doors) >= self.most) and not self._make_room(client if full else None):
            self._turn_away(transport, loop.time())
            return False
        door = Door(transport, client, loop.time() + self.limits.head)
        self._doors[transport] = door
        self._idle[door] = None
        self._of[client] += 1
        return True

    def leave(self, transport: asyncio.Transport) -> None:
        """Forget a closed connection."""
        self._turned_away.pop(transport, None)
        door = self._doors.pop(transport, None)
        if door is not None:
            self._idle.pop(door, None)
            self._of[door.client] -= 1
            if not self._of[door.client]:
                del self._of[door.client]

    def busy(self, transport: asyncio.Transport) -> None:
        """Mark a connection as busy: a request has come or a socket has begun, so it may take its time."""
        if (door := self._doors.get(transport)) is not None:
            door.due, door.heard = NEVER, False
            self._idle.pop(door, None)

    def idle(self, transport: asyncio.Transport, heard: bool) -> None:
        """Mark a connection as waiting for a request.

        Args:
            transport: The connection.
            heard: Whether some of it has come; the first byte starts the clock, and no other one moves it.
        """
        if (door := self._doors.get(transport)) is not None:
            self._idle.setdefault(door)
            door.heard = door.heard or heard
            if heard and door.due == NEVER:
                door.due = asyncio.get_running_loop().time() + self.limits.head

    def full(self, transport: asyncio.Transport, full: bool) -> None:
        """Note whether the other end reads what is sent to it."""
        if (door := self._doors.get(transport)) is not None:
            door.stuck = asyncio.get_running_loop().time() + self.limits.reply if full else NEVER

    def _make_room(self, client: str | None) -> bool:
        """End the connection that has waited longest for a request, of one client or of all; return whether one was."""
        door = next((one for one in self._idle if client is None or one.client == client), None)
        if door is None:
            return False
        transport = door.transport
        self.leave(transport)
        transport.abort()
        return True

    def _turn_away(self, transport: asyncio.Transport, now: float) -> None:
        """Refuse a connection and close it once the client has had time to read the reply."""
        if len(self._turned_away) >= MOST_TURNED_AWAY:
            transport.abort()
            return
        self._turned_away[transport] = now + GOODBYE
        error = Refused("CAPACITY_REACHED", "The server has as many connections as it takes. Try again later.")
        transport.write(_reply("503 Service Unavailable", error, retry=1))
        with contextlib.suppress(OSError, NotImplementedError):
            transport.write_eof()

    def _look(self) -> None:
        """Close the connections that have exceeded their time."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for transport in [one for one, until in self._turned_away.items() if until <= now]:
            transport.abort()
        for door in list(self._doors.values()):
            if door.stuck <= now:  # what it has not taken by now it never will
                door.transport.abort()
            elif door.transport.is_closing():
                if door.stuck == NEVER:  # its end is waited for as long as for any other reply
                    door.stuck = now + self.limits.reply
            elif door.due <= now:
                if door.heard:
                    error = Refused("TOO_SLOW", f"the head of a request must arrive within {self.limits.head:g} s")
                    door.transport.write(_reply("408 Request Timeout", error))
                door.transport.close()
        waits = self._doors or self._turned_away
        self._sweep = loop.call_later(self._every, self._look) if waits else None


def files_for(wanted: int) -> int:
    """Raise the limit of open files and return how many connections may be open, at most `wanted`."""
    try:
        import resource
    except ImportError:  # Windows, where there is no such limit
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = math.inf if hard == resource.RLIM_INFINITY else hard
    needed = int(min(wanted + OTHER_FILES, most))
    if soft != resource.RLIM_INFINITY and soft < needed:
        with contextlib.suppress(ValueError, OSError):  # some systems promise more than they give
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
            soft = needed
    given = math.inf if soft == resource.RLIM_INFINITY else soft
    return int(max(1, min(wanted, max(given - OTHER_FILES, given // 2))))


def _reply(status: str, error: Refused, retry: int | None = None) -> bytes:
    """Return a whole reply for a request that is handled no further."""
    body = wire.dumps(error.data()).encode()
    after = "" if retry is None else f"retry-after: {retry}\r\n"
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{after}"
    return f"{head}connection: close\r\n\r\n".encode() + body
