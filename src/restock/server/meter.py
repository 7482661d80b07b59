"""How the time of the event loop is shared: no client's work holds up that of others.

All requests and messages are answered by one loop, which goes over whatever is ready, again and again. Of one client it
does in each round only what takes a few milliseconds; what remains waits for the next one. A client may keep the
loop as busy as it likes, and whoever else asks is answered after a few rounds all the same.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from restock.server.limits import CLIENT

SHARE = 0.005  # seconds of a round; one piece of work more may begin before they are over
AT_ONCE = 16  # pieces of work that are looked at in one round; which of them have time left is told when they run


class Meter:
    """Who has had time in this round of the loop, and who waits for the next."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}  # when the first work of each client began in this round
        self._waiting: dict[str, deque[Callable[[], None]]] = {}
        self._round: asyncio.Handle | None = None

    def free(self, client: str) -> bool:
        """Return whether new work of a client may be done at once."""
        return client not in self._waiting and self.left(client)

    def left(self, client: str) -> bool:
        """Return whether a client has time left in this round."""
        now = time.perf_counter()
        began = self._began.setdefault(client, now)
        if self._round is None:
            self._round = asyncio.get_running_loop().call_soon(self._next)
        return now - began < SHARE

    def later(self, client: str, go_on: Callable[[], None]) -> None:
        """Go on with the work of a client in one of the next rounds, where it is to ask again whether time is left."""
        self._waiting.setdefault(client, deque()).append(go_on)
        if self._round is None:
            self._round = asyncio.get_running_loop().call_soon(self._next)

    async def turn(self) -> None:
        """Wait until the client whose request is answered has time left."""
        client = CLIENT.get()
        if self.free(client):
            return
        loop = asyncio.get_running_loop()
        while True:
            mine: asyncio.Future[None] = loop.create_future()
            self.later(client, lambda mine=mine: None if mine.done() else mine.set_result(None))  # type: ignore[misc]
            await mine
            if self.left(client):
                return

    def _next(self) -> None:
        """Begin a round."""
        loop = asyncio.get_running_loop()
        self._round = None
        self._began.clear()
        for client, queue in list(self._waiting.items()):
            for _ in range(min(AT_ONCE, len(queue))):
                loop.call_soon(queue.popleft())
            if not queue:
                del self._waiting[client]
        if self._waiting:
            self._round = loop.call_soon(self._next)
