"""Limits on guessing tokens: clients with the token are never delayed, clients that guess are slowed."""

from __future__ import annotations

import hmac
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeVar

from restock.server.errors import Refused

AT_ONCE, A_SECOND = 10, 0.5  # wrong tokens of one client: so many, then as often as this
AT_ONCE_IN_ALL, A_SECOND_IN_ALL = 100, 5.0  # of all clients together, however many addresses somebody has
MOST_KEPT = 10_000  # clients that are remembered
Kept = TypeVar("Kept")


class Allowance:
    """Tries that are restored over time.

    Args:
        most: At once.
        rate: That come back in a second.
        now: When it begins (seconds).
    """

    def __init__(self, most: float, rate: float, now: float) -> None:
        self._most, self._rate, self._left, self._at = most, rate, most, now

    def wait(self, now: float) -> float:
        """Return the seconds until the next try is allowed; 0 if it is allowed now."""
        self._left = min(self._most, self._left + self._rate * (now - self._at))
        self._at = now
        return max(0.0, (1.0 - self._left) / self._rate)

    def use(self) -> None:
        """Use up one try."""
        self._left -= 1.0


class Guesses:
    """A judge of tokens.

    A client (an address) that has sent the right token before is always heard, so that nobody at the same address can
    shut it out. One that has not is heard while it has tries left: what it sends beyond is not looked at, and may as
    well be the right one. A wrong token that is sent again is no new guess: a client that is set up wrongly, and asks
    in a loop, uses up nothing.

    Args:
        token: The right one.
        clock: Seconds.
    """

    def __init__(self, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._token = token.encode()
        self._clock = clock
        self._in_all = Allowance(AT_ONCE_IN_ALL, A_SECOND_IN_ALL, clock())
        self._of: OrderedDict[str, tuple[Allowance, bytes]] = OrderedDict()  # and what was tried last
        self._good: OrderedDict[str, None] = OrderedDict()

    def right(self, client: str, sent: Sequence[bytes]) -> bool:
        """Return whether one of the values that a client sends is the token.

        Args:
            client: Its address.
            sent: All that it sends in a request; nothing is no guess.

        Raises:
            Refused: It has guessed too often.
        """
        if not sent:
            return False
        now = self._clock()
        own, last = self._of.get(client) or (Allowance(AT_ONCE, A_SECOND, now), b"")
        said = b"\0".join(sent)
        wait = max(own.wait(now), self._in_all.wait(now))
        spent = wait > 0.0 and not hmac.compare_digest(said, last)
        if spent and client not in self._good:
            raise self._slower(wait)
        # All are compared, each in the same time: how long it takes says nothing of what is right.
        if any([hmac.compare_digest(self._token, one) for one in sent]):
            _keep(self._good, client, None)
            return True
        if spent:
            raise self._slower(wait)
        if not hmac.compare_digest(said, last):
            own.use()
            self._in_all.use()
        _keep(self._of, client, (own, said))
        return False

    @staticmethod
    def _slower(wait: float) -> Refused:
        seconds = math.ceil(wait)
        message = (
            f"too many wrong tokens were sent: wait {seconds} s, and send the one that the server was started with"
        )
        return Refused("TOO_MANY_TRIES", message, retry_after=seconds)


def _keep(kept: OrderedDict[str, Kept], client: str, what: Kept) -> None:
    """Remember a client's record, and forget the one not heard of for longest."""
    kept[client] = what
    kept.move_to_end(client)
    if len(kept) > MOST_KEPT:
        kept.popitem(last=False)
