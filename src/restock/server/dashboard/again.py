"""The page behind a shared link: it says what the link shows, and starts it only when its button is pressed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from restock.server.dashboard import pages, transcripts
from restock.server.dashboard.comparing import MOST_EPISODES
from restock.server.dashboard.fields import chosen
from restock.server.dashboard.repeating import AGAIN
from restock.server.dashboard.room import Room, seed_of, whole
from restock.server.errors import Refused
from restock.server.needs_server import APIRouter, Request, Response

Fields = list[tuple[str, str]]
MOST_TURN = 10_000_000
FORMS = {"comparison": "/comparisons", "show": "/shows", "transcript": "/transcripts"}


def again(router: APIRouter, room: Room) -> None:
    """Add the route."""
    readers: dict[str, Callable[[Room, Request], Awaitable[tuple[str, Fields]]]] = {
        "comparison": _comparison, "show": _show, "transcript": _transcript,
    }  # fmt: skip

    @router.get(AGAIN)
    async def ask(request: Request) -> Response:
        kind = request.query_params.get("kind", "")
        if kind not in readers:
            message = f"kind must be comparison, show or transcript, got {kind[:40]!r}"
            raise Refused("VALIDATION_ERROR", message, "kind", kind[:40])
        words, fields = await readers[kind](room, request)
        return pages.page(request, "again", words=words, fields=fields, form=FORMS[kind])


async def _comparison(room: Room, request: Request) -> tuple[str, Fields]:
    asked = request.query_params
    task = room.hub.catalogue.name(asked.get("task"))
    problem = room.hub.catalogue.loaded(task)
    known = await room.policies(task)
    names = [chosen("policy", one, known) for one in dict.fromkeys(asked.getlist("policy"))]
    if not names:
        raise Refused("VALIDATION_ERROR", "policy must be named at least once", "policy")
    episodes = whole("episodes", asked.get("episodes", "100"), 1, MOST_EPISODES)
    seed = seed_of(asked.get("seed", ""), problem)
    words = f"A comparison of {', '.join(names)} on {task}: {episodes} episodes, drawn from seed {seed}."
    fields = [("task", task), *(("policy", name) for name in names)]
    return words, [*fields, ("episodes", str(episodes)), ("seed", str(seed))]


async def _show(room: Room, request: Request) -> tuple[str, Fields]:
    asked = request.query_params
    task = room.hub.catalogue.name(asked.get("task"))
    problem = room.hub.catalogue.loaded(task)
    name = chosen("policy", asked.get("policy", ""), await room.policies(task))
    seed = seed_of(asked.get("seed", ""), problem)
    words = f"{name} on {task}, the episode of seed {seed}."
    return words, [("task", task), ("policy", name), ("seed", str(seed)), *_place(request)]


async def _transcript(room: Room, request: Request) -> tuple[str, Fields]:
    name = request.query_params.get("name", "")
    if name not in transcripts.in_folder(room.hub.settings.runs):
        raise Refused("NOT_FOUND", f"There is no transcript {name[:80]!r} in the folder of runs of this server.")
    return f"The transcript {name}.", [("name", name), *_place(request)]


def _place(request: Request) -> Fields:
    """Return the episode and the turn that a link names."""
    named = [name for name in ("episode", "turn") if name in request.query_params]
    return [(name, str(whole(name, request.query_params[name], 0, MOST_TURN))) for name in named]
