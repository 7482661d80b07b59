"""Ids of sessions: none can be guessed, and one whose episode has not begun takes no memory."""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict

MOST_ENDED = 20_000  # ended ids that are remembered; an older one counts as never begun
HALF = 32  # characters of an id before its signature


class Tickets:
    """An issuer of signed ids, which it recognises by their signature, so that unused ids take no memory."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._ended: OrderedDict[str, None] = OrderedDict()

    def issue(self) -> str:
        """Return a new id."""
        own = secrets.token_hex(HALF // 2)
        return own + self._signature(own)

    def holds(self, id: str) -> bool:
        """Return whether an id was issued here, and has not ended."""
        signed = hmac.compare_digest(id[HALF:].encode("utf-8", "surrogatepass"), self._signature(id[:HALF]).encode())
        return signed and id not in self._ended

    def end(self, id: str) -> None:
        """Revoke an id."""
        if self.holds(id):
            self._ended[id] = None
            if len(self._ended) > MOST_ENDED:
                self._ended.popitem(last=False)

    def _signature(self, own: str) -> str:
        return hmac.digest(self._key, own.encode("utf-8", "surrogatepass"), "sha256").hex()[:HALF]
