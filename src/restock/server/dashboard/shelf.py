"""What browsers have begun: each sees its own, and what nobody uses is put away."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from restock.core.errors import InvalidInput
from restock.server.errors import Refused, refused
from restock.server.hub import Hub
from restock.server.session import Session

MOST_OF_ONE = 12  # kept of one browser; another one puts the oldest away
VISITOR = re.compile(r"[0-9a-f]{32}")


class Item:
    """Something that a browser has begun, and that may take a while to be ready.

    Args:
        task: The task that it is about.

    Attributes:
        id: What its address says.
        owner: The browser, by what its cookie says.
        progress: How far the work is, in words.
        failure: Why there is nothing to see; None if nothing went wrong.
    """

    kind = "item"

    def __init__(self, task: str) -> None:
        self.id = secrets.token_hex(8)
        self.task = task
        self.owner = ""
        self.session: Session | None = None
        self.progress = ""
        self.failure: Refused | None = None
        self.dropped = False  # whoever works for it stops then
        self._work: asyncio.Task[None] | None = None

    def begin(self, work: Callable[[], Awaitable[None]]) -> None:
        """Start the work that makes it ready."""

        async def guarded() -> None:
            try:
                await work()
            except Refused as error:
                self.failure = error
            except InvalidInput as error:
                self.failure = refused(error)

        self._work = asyncio.get_running_loop().create_task(guarded())

    async def ready(self, patience: float) -> bool:
        """Wait a little; whether it is ready.

        Args:
            patience: Seconds.

        Raises:
            Refused: The work ended in an error that can be told.
        """
        if self._work is not None:
            done, _ = await asyncio.wait({self._work}, timeout=patience)
            if not done:
                return False
            self._work.result()
        if self.failure is not None:
            raise self.failure
        return True


Kept = TypeVar("Kept", bound=Item)


class Shelf:
    """All items of a server.

    Each takes the place of a session, so that the limits of the server (how many, how long idle) hold for them.

    Args:
        hub: Of the server.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._items: dict[str, Item] = {}

    def put(self, owner: str, item: Kept) -> Kept:
        """Keep an item of a browser.

        Raises:
            Refused: The server has too many sessions.
        """
        self._sweep()
        own = [one for one in self._items.values() if one.owner == owner]
        if len(own) >= MOST_OF_ONE:
            self._drop(own[0])
        item.owner, item.session = owner, self._hub.open()
        self._items[item.id] = item
        return item

    def get(self, owner: str, kind: type[Kept], id: str) -> Kept:
        """An item of a browser; from now on the last one used.

        Raises:
            Refused: There is none.
        """
        self._sweep()
        found = self._items.get(id)
        if not isinstance(found, kind) or not owner or not secrets.compare_digest(found.owner, owner):
            idle = self._hub.sessions.idle / 60.0
            message = (
                f"There is no such {kind.kind} in this browser. Perhaps it was left alone for {idle:g} minutes, was "
                f"put away for newer ones (a browser keeps {MOST_OF_ONE}), or was begun in another browser."
            )
            raise Refused("NOT_FOUND", message)
        assert found.session is not None
        self._hub.sessions.get(found.session.id)
        self._items[id] = self._items.pop(id)
        return found

    def of(self, owner: str, kind: type[Kept]) -> list[Kept]:
        """The items of a browser, the last one used first."""
        self._sweep()
        return [one for one in reversed(self._items.values()) if isinstance(one, kind) and one.owner == owner != ""]

    def every(self) -> list[Item]:
        """Return the items of all browsers."""
        self._sweep()
        return list(self._items.values())

    def drop(self, item: Item) -> None:
        """Put an item away."""
        if item.id in self._items:
            self._drop(item)

    def _drop(self, item: Item) -> None:
        item.dropped = True
        del self._items[item.id]
        if item.session is not None:
            self._hub.sessions.close(item.session.id)

    def _sweep(self) -> None:
        """Put away what was idle too long."""
        for item in list(self._items.values()):
            if item.session is None or item.session.id not in self._hub.sessions:
                self._drop(item)


def visitor(cookies: Any, name: str) -> str:
    """Who a browser is, by its cookie; empty if it has none."""
    said = cookies.get(name, "")
    return said if VISITOR.fullmatch(said) else ""
