"""Items of each browser, such as games and comparisons; idle ones expire."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from restock.core.errors import InvalidInput
from restock.server.errors import Refused, refused
from restock.server.limits import CLIENT, Share, Weights
from restock.server.settings import Settings

MOST_OF_ONE = 12  # kept of one browser; another one puts the oldest away
VISITOR = re.compile(r"[0-9a-f]{32}")


class Item:
    """Something that a browser has begun and that may take a while to be ready.

    Args:
        task: The task that it is about.

    Attributes:
        id: What its address says.
        owner: The browser, by what its cookie says.
        client: Who has begun it.
        progress: How far the work is, in words.
        ahead: Pieces of work that are done before it; 0: it is being done, or waits for nothing.
        failure: Why there is nothing to see; None if nothing went wrong.
    """

    kind = "item"

    def __init__(self, task: str) -> None:
        self.id = secrets.token_hex(8)
        self.task = task
        self.owner = ""
        self.client = CLIENT.get()
        self.touched = time.monotonic()
        self.progress = ""
        self.ahead = 0
        self.failure: Refused | None = None
        self.dropped = False  # whoever works for it stops then
        self._work: asyncio.Task[None] | None = None

    @property
    def size(self) -> int:
        """Bytes of what was sent that it keeps."""
        return 0

    def begin(self, work: Callable[[], Awaitable[None]]) -> None:
        """Start the work that makes the item ready."""

        async def guarded() -> None:
            try:
                await work()
            except Refused as error:
                self.failure = error
            except InvalidInput as error:
                self.failure = refused(error)

        self._work = asyncio.get_running_loop().create_task(guarded())

    async def ready(self, patience: float) -> bool:
        """Wait a little, and return whether the item is ready.

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
    """All items of a server. They take no places of agents' sessions: each kind has a share of its own.

    Args:
        settings: Of the server.
    """

    def __init__(self, settings: Settings) -> None:
        limits = settings.limits
        self._idle = settings.idle
        self._games = Share("games and shows", limits.games, limits.games_of_one)
        self._comparisons = Share("comparisons", limits.comparisons, limits.comparisons_of_one)
        self._uploads = Weights("transcripts", limits.uploads, limits.uploads_of_one)
        self._items: dict[str, Item] = {}

    def __len__(self) -> int:
        return len(self._items)

    def put(self, owner: str, item: Kept) -> Kept:
        """Keep an item of a browser.

        Raises:
            Refused: There are too many of its kind, in all or of this client.
        """
        self.sweep()
        own = [one for one in self._items.values() if one.owner == owner]
        oldest = own[0] if len(own) >= MOST_OF_ONE else None
        share = self._share(item)
        others = [one for one in self._items.values() if one is not oldest]
        share.check((one.client for one in others if self._share(one) is share), item.client)
        if item.size:
            self._uploads.check(((one.client, one.size) for one in others), item.client, item.size)
        if oldest is not None:
            self.drop(oldest)
        item.owner = owner
        self._items[item.id] = item
        return item

    def get(self, owner: str, kind: type[Kept], id: str) -> Kept:
        """Return an item of a browser, which becomes the one used last.

        Raises:
            Refused: There is none.
        """
        self.sweep()
        found = self._items.get(id)
        if not isinstance(found, kind) or not owner or not secrets.compare_digest(found.owner, owner):
            idle = self._idle / 60.0
            message = (
                f"There is no such {kind.kind} in this browser. Perhaps it was left alone for {idle:g} minutes, was "
                f"put away for newer ones (a browser keeps {MOST_OF_ONE}), or was begun in another browser."
            )
            raise Refused("NOT_FOUND", message)
        found.touched = time.monotonic()
        self._items[id] = self._items.pop(id)
        return found

    def of(self, owner: str, kind: type[Kept]) -> list[Kept]:
        """Return the items of a browser, the last used first."""
        self.sweep()
        return [one for one in reversed(self._items.values()) if isinstance(one, kind) and one.owner == owner != ""]

    def every(self) -> list[Item]:
        """Return the items of all browsers."""
        self.sweep()
        return list(self._items.values())

    def drop(self, item: Item) -> None:
        """Drop an item and stop its work."""
        item.dropped = True
        self._items.pop(item.id, None)

    def sweep(self) -> None:
        """Drop the items that have been idle for too long."""
        now = time.monotonic()
        for item in [one for one in self._items.values() if now - one.touched > self._idle]:
            self.drop(item)

    async def watch(self) -> None:
        """Sweep for ever, since no further request may come."""
        while True:
            await asyncio.sleep(min(self._idle / 4.0, 30.0))
            self.sweep()

    def _share(self, item: Item) -> Share:
        return self._comparisons if item.kind == "comparison" else self._games


def visitor(cookies: Any, name: str) -> str:
    """Return the id of a browser from its cookie; empty if it has none."""
    said = cookies.get(name, "")
    return said if VISITOR.fullmatch(said) else ""
