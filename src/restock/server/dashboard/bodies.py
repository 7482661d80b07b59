"""What forms send, read with the standard library: the extra for multipart bodies is not needed."""

from __future__ import annotations

from email import policy
from email.parser import BytesParser
from urllib.parse import parse_qsl

from restock.server.errors import Refused

MOST_FIELDS = 2000


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
        """Take in a value."""
        self[name] = value
        self.every.setdefault(name, []).append(value)


def read(body: bytes, kind: str) -> Sent:
    """The fields of a form.

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
        raise Refused("VALIDATION_ERROR", "The form cannot be read.") from None
    for name, value in pairs:
        found.add(name, value)
    return found


def _multipart(body: bytes, kind: str, found: Sent) -> None:
    try:
        head = b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n"
        message = BytesParser(policy=policy.HTTP).parsebytes(head + body)
        parts = list(message.iter_parts()) if message.is_multipart() else []
        for part in parts[:MOST_FIELDS]:
            name = part.get_param("name", header="content-disposition")
            data = part.get_payload(decode=True)
            if not isinstance(name, str) or not isinstance(data, bytes):
                continue
            file = part.get_filename()
            if file is not None:
                found.files[name] = file
            found.add(name, data.decode("utf-8"))
    except UnicodeDecodeError:
        raise Refused("VALIDATION_ERROR", "The file is no text in UTF-8.") from None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise Refused("VALIDATION_ERROR", "The form cannot be read.") from None
    if not parts:
        raise Refused("VALIDATION_ERROR", "The form cannot be read.")
