"""A queue of slow work: one job at a time, and clients take turns."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from restock.server.dashboard.shelf import Item
from restock.server.errors import Refused
from restock.server.limits import CLIENT

Result = TypeVar("Result")


class Ticket:
    """A job that waits for its turn.

    Args:
        client: Whose it is.
        item: What it is for; it is told how many pieces come first.
    """

    def __init__(self, client: str, item: Item | None) -> None:
        self.client, self.item = client, item
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Queue:
    """A queue that runs one job at a time, beside the event loop.

    A client that has much to do waits for those that have little: of every client first the first piece is done, then
    of every client the second one, and so on.
    """

    def __init__(self) -> None:
        self._waiting: list[Ticket] = []
        self._at_work: Ticket | None = None
        self._served: dict[str, int] = {}  # when each client had its last turn, as long as anybody waits

    async def work(self, job: Callable[[], Result], item: Item | None = None) -> Result:
        """Run a job when its turn comes.

        Args:
            job: What to do, in a thread.
            item: What it is for.

        Raises:
            Refused: It was put away meanwhile.
        """
        ticket = Ticket(CLIENT.get() if item is None else item.client, item)
        self._waiting.append(ticket)
        self._go_on()
        try:
            await ticket.turn
            return await asyncio.to_thread(job)
        finally:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            if self._at_work is ticket:
                self._at_work = None
            self._go_on()

    def _go_on(self) -> None:
        """Start the next job if none is running, and tell the others how many come before them."""
        for ticket in [one for one in self._waiting if one.item is not None and one.item.dropped]:
            self._waiting.remove(ticket)
            if not ticket.turn.done():
                ticket.turn.set_exception(Refused("NOT_FOUND", "It expired before its turn came."))
        order = self._order()
        if self._at_work is None and order:
            self._at_work = order.pop(0)
            self._waiting.remove(self._at_work)
            self._served[self._at_work.client] = 1 + max(self._served.values(), default=0)
            if self._at_work.item is not None:
                self._at_work.item.ahead = 0
            self._at_work.turn.set_result(None)
        elif self._at_work is None:
            self._served.clear()
        for k, ticket in enumerate(order):
            if ticket.item is not None:
                ticket.item.ahead = k + 1

    def _order(self) -> list[Ticket]:
        """Return the waiting jobs in the order in which they will run."""
        rounds: Counter[str] = Counter()
        places = []
        for k, ticket in enumerate(self._waiting):
            places.append((rounds[ticket.client], self._served.get(ticket.client, 0), k))
            rounds[ticket.client] += 1
        return [self._waiting[k] for *_, k in sorted(places)]
