"""The settings that a server is started with."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from restock.core.checks import whole_number
from restock.core.errors import InvalidInput
from restock.server.judged import Judging
from restock.server.limits import Limits

MOST_SESSIONS = 100_000
LEAST_BODY = 1024
MOST_BODY = 64 * 1024 * 1024
MOST_TRANSCRIPT = 8 * 1024 * 1024  # bytes of one that a page takes, with the form around it
LONGEST_IDLE = 30 * 24 * 3600.0


def check_token(token: str, field: str = "token") -> str:
    """Return the token.

    Args:
        token: What clients are to send.
        field: What errors call it.

    Raises:
        InvalidInput: No header could tell it.
    """
    if not (token.isascii() and token.isprintable() and token.strip()):
        shown = "(hidden)" if token else token
        mend = "Choose one, or leave it out to ask for none."
        raise InvalidInput(field, shown, "must be a word of printable ASCII characters", mend)
    return token


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of a server.

    Attributes:
        problem: The problem that is played where a client names no task: a problem, or what `load_problem` takes.
        reward: Reward of the published stores: `decomposed`, `readme` or `profit`.
        token: Clients must send it as `Authorization: Bearer TOKEN`; None: everybody may play.
        max_sessions: Episodes that may be under way at once.
        idle: A session that nobody has used for so long is closed (seconds).
        max_body: Largest request and largest message of a WebSocket (bytes).
        runs: Folder whose transcripts (*.jsonl) the pages offer to watch; None: none.
        hosts: Names that a request may address the server by; None: any. See `restock.server.hosts`.
        limits: What one connection, one client and one kind of work may take.
        judged: How who plays is judged, on episodes that the server chooses; None: clients choose task and seed.
    """

    problem: Any = "retail-medium"
    reward: str = "decomposed"
    token: str | None = None
    max_sessions: int = 64
    idle: float = 1800.0
    max_body: int = 65536
    runs: Path | None = None
    hosts: tuple[str, ...] | None = None
    judged: Judging | None = None
    limits: Limits = dataclasses.field(default_factory=Limits)

    def __post_init__(self) -> None:
        whole_number("max_sessions", self.max_sessions, example=64)
        whole_number("max_body", self.max_body, example=65536)
        if self.max_sessions > MOST_SESSIONS:
            raise InvalidInput("max_sessions", self.max_sessions, f"must be at most {MOST_SESSIONS}", "Allow fewer.")
        if not LEAST_BODY <= self.max_body <= MOST_BODY:
            problem = f"must be {LEAST_BODY} to {MOST_BODY} bytes"
            raise InvalidInput("max_body", self.max_body, problem, "Write for instance 65536.")
        number = isinstance(self.idle, (int, float)) and not isinstance(self.idle, bool)
        if not (number and 0.0 < self.idle <= LONGEST_IDLE):
            problem = f"must be above 0 and at most {LONGEST_IDLE:g} seconds"
            raise InvalidInput("idle", self.idle, problem, "Write for instance 1800.")
        if self.token is not None:
            check_token(self.token)
        if self.reward not in ("decomposed", "readme", "profit"):
            raise InvalidInput("reward", self.reward, "there is no such reward", "Known: decomposed, readme, profit.")
