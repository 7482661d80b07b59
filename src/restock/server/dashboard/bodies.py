"""Readers of submitted forms that need only the standard library, not the package for multipart bodies."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from restock.server.errors import Refused

MOST_FIELDS = 2000
LONGEST_HEAD = 4096  # bytes of the head of a part
UNREADABLE = "The form cannot be read."
_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s";,]{1,70}))', re.IGNORECASE)
_DISPOSITION = re.compile(r"^content-disposition:[ \t]*form-data[ \t]*;(.*)$", re.IGNORECASE | re.MULTILINE)
_PARAMETER = re.compile(r'(name|filename)=(?:"([^"\r\n]*)"|([^\s;"]+))|"[^"]*"', re.IGNORECASE)


class Sent(dict[str, str]):
    """Fields of a form by name, the last of each; `every` has all values of a name.

    Attributes:
        every: All values by name.
        files: Names of files by the names of their fields.
    """

    def __init__(self) -> None:
        super().__init__()
        self.every: dict[str, list[str]] = {}
        self.files: dict[str, str] = {}

    def add(self, name: str, value: str) -> None:
        """Add a value."""
        self[name] = value
        self.every.setdefault(name, []).append(value)


def read(body: bytes, kind: str) -> Sent:
    """Return the fields of a form.

    Args:
        body: As it was sent.
        kind: Its content type.

    Raises:
        Refused: It is no form, or has too many fields.
    """
    found = Sent()
    plain = kind.partition(";")[0].strip().lower()
    if plain == "multipart/form-data":
        _multipart(body, kind, found)
        return found
    if plain not in ("application/x-www-form-urlencoded", ""):
        raise Refused("VALIDATION_ERROR", f"This page takes forms, not {plain[:80]!r}.")
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise Refused("VALIDATION_ERROR", UNREADABLE) from None
    for name, value in pairs:
        found.add(name, value)
    return found


def _multipart(body: bytes, kind: str, found: Sent) -> None:
    """Read the parts of a form, in one pass: the parser of e-mail takes hours for some that no browser sends."""
    boundary = _BOUNDARY.search(kind)
    if boundary is None:
        raise Refused("VALIDATION_ERROR", UNREADABLE)
    mark = b"\r\n--" + (boundary[1] or boundary[2]).encode("latin-1", "replace")
    before, *parts = (b"\r\n" + body).split(mark, MOST_FIELDS + 1)
    if before or not parts or len(parts) > MOST_FIELDS:
        raise Refused("VALIDATION_ERROR", UNREADABLE)
    for part in parts:
        if part.startswith(b"--"):
            return
        head, _, data = part.partition(b"\r\n\r\n")
        said = _DISPOSITION.search(head.decode("latin-1")) if len(head) <= LONGEST_HEAD else None
        told = {} if said is None else _parameters(said[1])
        if "name" not in told:
            raise Refused("VALIDATION_ERROR", UNREADABLE)
        name = told["name"]
        if "filename" in told:
            found.files[name] = told["filename"]
        try:
            found.add(name, data.decode("utf-8"))
        except UnicodeDecodeError:
            raise Refused("VALIDATION_ERROR", "The file is no text in UTF-8.") from None
    raise Refused("VALIDATION_ERROR", UNREADABLE)  # it was cut short


def _parameters(said: str) -> dict[str, str]:
    """Return the name of a field, and that of its file, as browsers write them."""
    told = {one[1].lower(): one[2] or one[3] or "" for one in _PARAMETER.finditer(said) if one[1]}
    return {name: value.encode("latin-1").decode("utf-8", "replace") for name, value in told.items()}
