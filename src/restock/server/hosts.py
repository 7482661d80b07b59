"""The names by which a server may be addressed.

A page of somebody else can give its own name the address of this machine, and its scripts may then read what the
server says: the browser takes both for one site. The server sees it by the name in the request, which is not one of
its own. An address needs no such check, for no page from elsewhere has it as its name.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from restock.core.errors import InvalidInput
from restock.core.loopback import LOOPBACK

NAMES_OF_LOOPBACK = tuple(f"[{name}]" if ":" in name else name for name in LOOPBACK)  # as requests write them
ANY = "*"
ADDRESSES = "(addresses)"  # stands for all of them among the names
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:,/@\[\]]*)(?::[0-9]*)?")
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?")


def hosts_of(host: str, allowed: Iterable[str]) -> tuple[str, ...] | None:
    """Return the names of a server that listens at a host; None means any name.

    Args:
        host: What it listens at. Beyond this machine any address means it, for it may have others in front.
        allowed: Names that it has besides, those of a proxy for instance; `*`: any.

    Raises:
        InvalidInput: Something there is no name.
    """
    names = [_checked(one) for one in allowed]
    if ANY in names:
        return None
    own = () if host in LOOPBACK else (ADDRESSES, *([] if is_address(host) else [host.lower()]))
    return tuple(dict.fromkeys((*NAMES_OF_LOOPBACK, *own, *names)))


def known(header: str, hosts: tuple[str, ...] | None) -> bool:
    """Return whether a Host header names this server."""
    name = name_in(header)
    return hosts is None or name in hosts or (ADDRESSES in hosts and is_address(name.strip("[]")))


def name_in(header: str) -> str:
    """Return the name in a Host header, without the port; empty if the header is anything else."""
    found = _HOST.fullmatch(header)
    return "" if found is None else found[1].lower().removesuffix(".")


def is_address(name: str) -> bool:
    """Return whether this is an IP address, not a name."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _checked(name: str) -> str:
    found = name_in(name.strip())
    plain = found == name.strip().lower().removesuffix(".")
    if found == ANY or (plain and (_NAME.fullmatch(found) or is_address(found.strip("[]")))):
        return found
    problem = "must be the name of a host, without scheme, port and path"
    raise InvalidInput("allow_host", name, problem, "Write for instance play.example.org, or * for any.")
