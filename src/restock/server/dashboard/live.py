"""The route that shows who plays: for whoever runs the server."""

from __future__ import annotations

import time
from typing import Any

from restock.server.dashboard import pages
from restock.server.dashboard.contests import Contest, Game, Show
from restock.server.dashboard.downloads import form_of, taken_away
from restock.server.dashboard.room import Room
from restock.server.errors import Refused
from restock.server.needs_server import APIRouter, Request, Response
from restock.server.session import Session

SHOWN = 6  # letters of a session's id: enough to tell two apart, too few to play in one
LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host")


def live(router: APIRouter, room: Room) -> None:
    """Add the route."""
    hub = room.hub

    @router.get("/live")
    async def sessions(request: Request) -> Response:
        if hub.settings.token is None and not _from_here(request):
            message = (
                "Without a token the sessions are shown to this machine alone. Start the server with --token, and log "
                "in."
            )
            raise Refused("FORBIDDEN", message)
        found = _lines(room)
        if form := form_of(request):
            return taken_away(form, "sessions", lambda: {"sessions": found, "most": hub.sessions.most}, lambda: found)
        part = request.query_params.get("part") == "rows"
        template = "live_rows" if part else "live"
        return pages.page(request, template, sessions=found, most=hub.sessions.most)


def _from_here(request: Request) -> bool:
    """Whether a request comes from this machine, and through no proxy."""
    client = request.client.host if request.client is not None else ""
    return client in LOOPBACK and not any(name in request.headers for name in FORWARDED)


def _lines(room: Room) -> list[dict[str, Any]]:
    """One line a session: never its whole id, and never its seed, by which an agent could rehearse."""
    items = {item.session.id: item for item in room.shelf.every() if item.session is not None}
    now = time.monotonic()
    found = []
    for session in room.hub.sessions.every():
        item = items.get(session.id)
        kind, task = (item.kind, item.task) if item is not None else (_kind(session), session.task)
        periods: int | None = session.steps
        reward: float | None = session.total_reward
        if isinstance(item, Game):
            turns = item.episode.turns if hasattr(item, "table") else []
            periods, reward = len(turns), sum(turn.reward for turn in turns)
        elif isinstance(item, (Show, Contest)):
            periods = reward = None
        elif session.episode_id is None:
            periods = reward = None
        line = {"session": session.id[:SHOWN], "kind": kind, "task": task, "periods": periods, "total_reward": reward}
        found.append(line | {"idle_seconds": round(now - session.touched, 1)})
    return found


def _kind(session: Session) -> str:
    return "agent on a socket" if session.expire is not None else "agent"
