"""Models of the replies, for the description of the interface, and the responses made from them."""

from __future__ import annotations

from typing import Any, Literal

import pydantic

from restock.server import wire
from restock.server.errors import STATUS, Refused
from restock.server.needs_server import JSONResponse


class StrictReply(pydantic.BaseModel):
    """A reply that has no other fields than these."""

    model_config = pydantic.ConfigDict(extra="forbid")


class Finding(pydantic.BaseModel):
    """One thing that is wrong with a request."""

    type: str
    loc: list[str | int]
    msg: str
    input: Any = None


class Refusal(pydantic.BaseModel):
    """The reply to a rejected request; nothing was changed."""

    code: str = pydantic.Field(description="one of a few words for programs, VALIDATION_ERROR for instance")
    message: str = pydantic.Field(description="what is wrong and what to do about it")
    field: str | None = pydantic.Field(None, description="the field that it is about")
    value: str | None = pydantic.Field(None, description="what was given there, shortened")
    mend: str | None = pydantic.Field(None, description="what to write instead")
    detail: list[Finding] | str | None = pydantic.Field(None, description="all findings, where there are several")


class Seen(StrictReply):
    """An observation, and what OpenEnv sends beside it."""

    observation: dict[str, Any] = pydantic.Field(description="what is known; its fields are told by GET /schema")
    reward: float | None = pydantic.Field(description="reward of the period")
    done: bool = pydantic.Field(description="whether the episode is over")
    metadata: dict[str, Any] | None = pydantic.Field(None, description="what else is told about the period")


class Opened(Seen):
    """A new session and its first observation."""

    session_id: str = pydantic.Field(description="what the routes of the session are called by")
    task: str = pydantic.Field(description="what is played")


class Health(StrictReply):
    """Whether the server runs."""

    status: Literal["healthy"] = "healthy"


class Metadata(StrictReply):
    """What the server offers."""

    name: str
    description: str
    readme_content: str | None = None
    version: str | None = None
    author: str | None = None
    documentation_url: str | None = None


class Schemas(StrictReply):
    """JSON schemas of a problem's records."""

    action: dict[str, Any]
    observation: dict[str, Any]
    state: dict[str, Any]
    reset_observation: dict[str, Any]


class Reply(JSONResponse):
    """A JSON response."""

    def render(self, content: Any) -> bytes:
        """Return the content as JSON."""
        return wire.dumps(content).encode()


def failed(error: Refused) -> Reply:
    """Return the response for an error."""
    found = error.findings()
    return Reply({**error.data(), **({"detail": found} if found else {})}, error.status, error.headers)


# What any route may answer: the guard, the connections, an error inside.
EVERYWHERE = (
    "UNAUTHORIZED", "FORBIDDEN", "TOO_SLOW", "TOO_LARGE", "TOO_MANY_TRIES", "INTERNAL_ERROR", "CAPACITY_REACHED",
)  # fmt: skip


def may_fail(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Return the responses of a route that may reject with these codes, for its description."""
    by_status: dict[int | str, list[str]] = {}
    for code in dict.fromkeys((*EVERYWHERE, *codes)):
        by_status.setdefault(STATUS[code], []).append(code)
    return {status: {"model": Refusal, "description": ", ".join(names)} for status, names in by_status.items()}
