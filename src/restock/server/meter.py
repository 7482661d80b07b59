"""How the time of the event loop is shared: no client's work holds up that of others.

All requests and messages are answered by one loop, which goes over whatever is ready, again and again. Of one client it
does in each round only what takes a few milliseconds; what remains waits for the next one. A client may keep the
loop as busy as it likes, and whoever else asks is answered after a few rounds all the same.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable

from restock.server.guard import App, Receive, Scope, Send
from restock.server.limits import CLIENT

SHARE = 0.01  # seconds of a round; one piece of work more may begin before they are over
REST = 4  # who has used up a round waits for the fourth after it: to be answered takes others a few
MOST_HEARD = 10_000  # connections, of which closed ones are not forgotten before a round ends
AT_ONCE = 16  # pieces of work that are looked at in one round; which of them have time left is told when they run


class Meter:
    """Who has had time in this round of the loop, and who waits for the next."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}  # when the first work of each client began in this round
        self._waiting: dict[str, list[tuple[int, Callable[[], None]]]] = {}  # heaps, by place
        self._places = itertools.count()
        self._heard: set[int] = set()  # connections that were heard in this round
        self._next: asyncio.Handle | None = None  # what ends this round, because somebody waits
        self._rounds = 0

    def heard(self, connection: int) -> None:
        """Note that a connection was heard: the loop hears each once in a round, so a second time begins another."""
        if connection in self._heard or len(self._heard) == MOST_HEARD:
            self._heard.clear()
            self._began.clear()
        self._heard.add(connection)

    def free(self, client: str) -> bool:
        """Return whether new work of a client may be done at once."""
        return client not in self._waiting and self.left(client)

    def left(self, client: str) -> bool:
        """Return whether a client has time left in this round."""
        now = time.perf_counter()
        began = self._began.setdefault(client, now)
        return now - began < SHARE

    def later(self, client: str, go_on: Callable[[], None], place: int | None = None) -> int:
        """Go on with the work of a client in one of the next rounds.

        Args:
            client: Whose work it is.
            go_on: Called then; it is to ask again whether time is left, and to wait on if none is.
            place: In its queue, where it has waited before; None: the last.

        Returns:
            The place.
        """
        place = next(self._places) if place is None else place
        heapq.heappush(self._waiting.setdefault(client, []), (place, go_on))
        if self._next is None:
            self._next = asyncio.get_running_loop().call_soon(self._go_on)
        return place

    async def turn(self) -> None:
        """Wait until the client whose request is answered has time left."""
        client = CLIENT.get()
        if self.free(client):
            return
        place: int | None = None
        while place is None or not self.left(client):
            mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            place = self.later(client, lambda mine=mine: mine.done() or mine.set_result(None), place)  # type: ignore[misc]
            await mine

    def _go_on(self) -> None:
        """End a round, and in some go on with what waits."""
        loop = asyncio.get_running_loop()
        self._began.clear()
        self._heard.clear()
        self._rounds += 1
        for client, queue in [*self._waiting.items()] if self._rounds % REST == 0 else ():
            for _ in range(min(AT_ONCE, len(queue))):
                loop.call_soon(heapq.heappop(queue)[1])
            if not queue:
                del self._waiting[client]
        self._next = loop.call_soon(self._go_on) if self._waiting else None


class Turns:
    """ASGI middleware in which requests wait for a turn of their client.

    Args:
        app: What answers them.
        meter: Shares the time of the event loop.
    """

    def __init__(self, app: App, meter: Meter) -> None:
        self._app, self._meter = app, meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, and pass the request on."""
        if scope["type"] == "http":
            await self._meter.turn()
        await self._app(scope, receive, send)
