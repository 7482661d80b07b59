"""Limits on how much of a server one connection, one client and one kind of work may use."""

from __future__ import annotations

import contextvars
import dataclasses
import ipaddress
from collections.abc import Iterable

from restock.core.checks import whole_number
from restock.core.errors import InvalidInput
from restock.server.errors import Refused

MEGABYTE = 1024 * 1024
LONGEST = 24 * 3600.0  # seconds
CLIENT: contextvars.ContextVar[str] = contextvars.ContextVar("client", default="")  # whose request is answered
NETWORK_OF_ONE = 64  # bits of an IPv6 address that a household or a host is given


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a server allows; a client is an address.

    Attributes:
        connections: Connections at once; None: 2048, or twice the sessions. Fewer where the process may not open so
            many files.
        connections_of_one: Of them, of one client; None: three quarters.
        head: Seconds for the head of a request, from its first byte or from the beginning of the connection.
        body: Seconds for the body of a request.
        reply: Seconds in which a client must take some of what was sent to it.
        bodies: Bytes of bodies that are held at once, all requests together.
        sessions_of_one: Episodes of agents under way at once, of one client; None: all there may be.
        games: Games and shows on the pages, while somebody looks at them; they take no place of an agent.
        games_of_one: Of them, of one client.
        comparisons: Comparisons, likewise: ready, computed or waiting.
        comparisons_of_one: Of them, of one client.
        uploads: Bytes of transcripts that are kept for the pages, compressed.
        uploads_of_one: Of them, of one client.
        work: Seconds of computing after which a comparison stops with what is finished, and a show stops.
    """

    connections: int | None = None
    connections_of_one: int | None = None
    head: float = 10.0
    body: float = 30.0
    reply: float = 30.0
    bodies: int = 64 * MEGABYTE
    sessions_of_one: int | None = None
    games: int = 256
    games_of_one: int = 128
    comparisons: int = 64
    comparisons_of_one: int = 24
    uploads: int = 256 * MEGABYTE
    uploads_of_one: int = 64 * MEGABYTE
    work: float = 180.0

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.type == "float":
                number = isinstance(value, (int, float)) and not isinstance(value, bool)
                if not (number and 0.0 < value <= LONGEST):
                    problem = f"must be a number of seconds above 0, at most {LONGEST:g}"
                    raise InvalidInput(field.name, value, problem, f"The default is {field.default}.")
            elif value is not None:
                whole_number(field.name, value, example=64)


class Share:
    """A number of places, and how many of them one client may have.

    Args:
        what: Takes the places, in the plural.
        most: How many there are.
        of_one: How many one client may have; None: all.
    """

    def __init__(self, what: str, most: int, of_one: int | None = None) -> None:
        self.what, self.most, self._of_one = what, most, most if of_one is None else min(of_one, most)

    def check(self, holders: Iterable[str], client: str) -> None:
        """Check that a client may take one more place.

        Args:
            holders: The clients of all places that are taken.
            client: Who asks.

        Raises:
            Refused: All are taken, or all that it may have.
        """
        taken = list(holders)
        if len(taken) >= self.most:
            message = f"Server at capacity: {len(taken)}/{self.most} {self.what}. Try again later."
            raise Refused("CAPACITY_REACHED", message)
        if taken.count(client) >= self._of_one:
            message = f"Your address has {self._of_one} {self.what} here, which is its share of {self.most}: end one."
            raise Refused("CAPACITY_REACHED", message)


class Weights:
    """A number of bytes, and how many of them one client may have.

    Args:
        what: Takes the bytes, in the plural.
        most: How many there are.
        of_one: How many one client may have.
    """

    def __init__(self, what: str, most: int, of_one: int) -> None:
        self.what, self.most, self._of_one = what, most, min(of_one, most)

    def check(self, held: Iterable[tuple[str, int]], client: str, size: int) -> None:
        """Check that a client may have so many bytes more.

        Args:
            held: Clients, and the bytes of each thing of theirs that is kept.
            client: Who asks.
            size: Bytes more.

        Raises:
            Refused: They would be too many, in all or of this client.
        """
        total = own = size
        for holder, weight in held:
            total += weight
            own += weight if holder == client else 0
        if total > self.most:
            message = f"Server at capacity: it keeps at most {self.most} bytes of {self.what}. Try again later."
            raise Refused("CAPACITY_REACHED", message)
        if own > self._of_one:
            message = f"Your address would have {own} bytes of {self.what} here, and may have {self._of_one}."
            raise Refused("CAPACITY_REACHED", f"{message} Those that nobody looks at are put away.")


def client_of(address: str) -> str:
    """Return the client of an address: an IPv6 address counts with its network, because one host has all of it."""
    if ":" not in address:
        return address
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found), NETWORK_OF_ONE), strict=False))
