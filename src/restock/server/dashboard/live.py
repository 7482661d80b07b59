"""The list of who is playing, for whoever runs the server."""

from __future__ import annotations

import time
from typing import Any

from restock.core.loopback import LOOPBACK
from restock.server.dashboard import pages
from restock.server.dashboard.contests import Game
from restock.server.dashboard.downloads import form_of, taken_away
from restock.server.dashboard.room import Room
from restock.server.errors import Refused
from restock.server.needs_server import APIRouter, Request, Response

SHOWN = 6  # letters of a session's id: enough to tell two apart, too few to play in one
Played = tuple[int | None, float | None]  # periods, and the reward in all
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
    """Return whether a request comes from this machine and through no proxy."""
    client = request.client.host if request.client is not None else ""
    return client in LOOPBACK and not any(name in request.headers for name in FORWARDED)


def _lines(room: Room) -> list[dict[str, Any]]:
    """Return one line for each session of an agent and for each item on a page.

    Never the whole id, by which others could play in it, and never the seed, by which an agent could rehearse.
    """
    now, found = time.monotonic(), []
    for item in room.shelf.every():
        turns = item.episode.turns if isinstance(item, Game) and hasattr(item, "table") else None
        played: Played = (None, None) if turns is None else (len(turns), sum(turn.reward for turn in turns))
        found.append(_line(item.id, item.kind, item.task, played, now - item.touched))
    for session in room.hub.sessions.every():
        played = (None, None) if session.episode_id is None else (session.steps, session.total_reward)
        kind = "agent" if session.expire is None else "agent on a socket"
        found.append(_line(session.id, kind, session.task, played, now - session.touched))
    return found


def _line(id: str, kind: str, task: str, played: Played, idle: float) -> dict[str, Any]:
    periods, reward = played
    line = {"session": id[:SHOWN], "kind": kind, "task": task, "periods": periods, "total_reward": reward}
    return line | {"idle_seconds": round(idle, 1)}
