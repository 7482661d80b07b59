"""Errors of requests as clients see them: a code, a sentence and, if there is one, the field."""

from __future__ import annotations

from typing import Any

from restock.core.errors import InvalidInput, shown

STATUS = {
    "INVALID_JSON": 400,
    "UNKNOWN_TYPE": 400,
    "UNAUTHORIZED": 401,
    "FORBIDDEN": 403,
    "JUDGED": 403,
    "NOT_FOUND": 404,
    "UNKNOWN_TASK": 404,
    "UNKNOWN_SESSION": 404,
    "METHOD_NOT_ALLOWED": 405,
    "TOO_SLOW": 408,
    "NO_EPISODE": 409,
    "EPISODE_OVER": 409,
    "EPISODE_UNDER_WAY": 409,
    "NO_EPISODE_LEFT": 409,
    "SESSION_IN_USE": 409,
    "TOO_LARGE": 413,
    "VALIDATION_ERROR": 422,
    "TOO_MANY_TRIES": 429,
    "INTERNAL_ERROR": 500,
    "CAPACITY_REACHED": 503,
}
INTERNAL = "this is an error in the server; what led to it was logged there"


class Refused(Exception):
    """A rejected request; nothing was changed.

    Attributes:
        code: One of `STATUS`, or IDLE_TIMEOUT, which only a socket tells.
        message: What is wrong, and what to do about it.
        field: The field that it is about.
        value: What was given there, shortened.
        mend: What to write instead.
        last: Whether the connection ends with the reply, for nobody knows where the next request begins.
        more: What else belongs to this code.
    """

    def __init__(
        self,
        code: str,
        message: str,
        field: str | None = None,
        value: str | None = None,
        mend: str | None = None,
        *,
        last: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.field, self.value, self.mend, self.more = code, message, field, value, mend, more
        self.last = last or code == "TOO_SLOW"

    @property
    def status(self) -> int:
        """The HTTP status of the code."""
        return STATUS[self.code]

    @property
    def headers(self) -> dict[str, str]:
        """The HTTP headers of the code."""
        found = {"connection": "close"} if self.last else {}
        if "retry_after" in self.more:
            found["retry-after"] = str(self.more["retry_after"])
        return found | ({"www-authenticate": "Bearer"} if self.code == "UNAUTHORIZED" else {})

    def data(self) -> dict[str, Any]:
        """Return the reply for a client, as plain data."""
        said = {"code": self.code, "message": self.message}
        about = {"field": self.field, "value": self.value, "mend": self.mend}
        return {**said, **{name: text for name, text in about.items() if text is not None}, **self.more}

    def findings(self) -> list[dict[str, Any]]:
        """Return the error in the form in which OpenEnv lists invalid data."""
        if self.code != "VALIDATION_ERROR":
            return []
        where = [] if self.field is None else self.field.split(".")
        return [{"type": "invalid_input", "loc": where, "msg": self.message, "input": self.value}]


def refused(error: InvalidInput) -> Refused:
    """Return invalid input as the error for a client."""
    return Refused("VALIDATION_ERROR", str(error), error.field, shown(error.value), error.mend)
