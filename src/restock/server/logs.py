"""The server's log: repeated lines are thinned out, and nothing in them can control a terminal."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator

from restock.core.terminal import printable

MOST = 5  # lines of a kind in a while
WHILE = 10.0  # seconds
MOST_KINDS = 1000  # that are remembered
OTHERS = ("uvicorn.error", "asyncio")  # loggers of what runs the application
OWN = "restock.server"


class Kind:
    """Lines of one kind: since when, how many were logged, and how many left out."""

    def __init__(self, since: float) -> None:
        self.since, self.told, self.left_out = since, 0, 0


class Seldom(logging.Filter):
    """A filter that passes few records of a kind, and says with the next one how many it left out.

    What strangers can bring about as often as they like (a request that is none, a connection for which there is no
    file left) would fill a disk otherwise. A kind is the place in the code that logs, with the first line it says.
    """

    def __init__(self) -> None:
        super().__init__()
        self._kinds: dict[tuple[str, int, str], Kind] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record passes; its text is made safe for a terminal."""
        now, more = time.monotonic(), ""
        name = (record.pathname, record.lineno, str(record.msg).partition("\n")[0][:200])
        kind = self._kinds.get(name)
        if kind is None or now - kind.since > WHILE:
            if kind is not None and kind.left_out:
                more = f" (and {kind.left_out} more like this one before)"
            if len(self._kinds) >= MOST_KINDS:
                self._kinds.clear()
            kind = self._kinds[name] = Kind(now)
        if kind.told >= MOST:
            kind.left_out += 1
            return False
        kind.told += 1
        record.msg, record.args = printable(record.getMessage()) + more, None
        if record.exc_info:
            record.exc_text = printable(logging.Formatter().formatException(record.exc_info))
        return True


@contextlib.contextmanager
def seldom() -> Iterator[None]:
    """Thin out the log until the block ends."""
    kept = Seldom()
    own = [name for name in logging.root.manager.loggerDict if name.startswith(OWN)]
    loggers = [logging.getLogger(name) for name in (*OTHERS, *own)]
    for logger in loggers:
        logger.addFilter(kept)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(kept)
