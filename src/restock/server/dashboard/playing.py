"""The routes for playing by hand."""

from __future__ import annotations

from typing import Any

from restock.agents.prompt import turn as said_to_model
from restock.core.errors import InvalidInput
from restock.server.dashboard import fields, pages
from restock.server.dashboard.charts import split
from restock.server.dashboard.contests import Game, Show
from restock.server.dashboard.look import look
from restock.server.dashboard.measure import measured
from restock.server.dashboard.room import PATIENCE, Room, courses, decision, seed_of, sums
from restock.server.dashboard.turns import Table
from restock.server.needs_server import APIRouter, Request, Response

OWN = "you"


def playing(router: APIRouter, room: Room) -> None:
    """Add the routes."""
    shelf, catalogue = room.shelf, room.hub.catalogue

    @router.post("/games")
    async def begin(request: Request) -> Response:
        sent = await pages.sent(request)
        name = catalogue.name(sent.get("task"))
        seed = seed_of(sent.get("seed", ""), catalogue.loaded(name))
        owner = pages.new_owner(request)
        game = shelf.put(owner, Game(name, seed))

        async def deal() -> None:
            game.progress = "The problem is compiled; the first time that takes some seconds."
            game.problem = await catalogue.ready(name)
            game.progress = "The policies that the game is measured by are played."
            game.measures = await room.work(lambda: measured(game.problem, [seed]), item=game)
            game.table = Table(game.problem, seed)

        game.begin(deal)
        return pages.remember(pages.moved(request, f"/games/{game.id}"), request, owner)

    @router.get("/games/{id}")
    async def show(request: Request, id: str) -> Response:
        game = shelf.get(pages.owner_of(request), Game, id)
        if not await game.ready(PATIENCE):
            return pages.waiting(request, f"{game.task}, by hand", game)
        form = fields.form_of(game.problem)
        fields.carry(form, game.kept)
        return _page(request, room, game, form)

    @router.post("/games/{id}/period")
    async def play(request: Request, id: str) -> Response:
        game = shelf.get(pages.owner_of(request), Game, id)
        if not await game.ready(PATIENCE):
            return pages.moved(request, f"/games/{id}")
        sent = await pages.sent(request)
        form = fields.form_of(game.problem)
        t = len(game.episode.turns)
        if game.table.over or sent.get("period", str(t)) != str(t):
            over = "The episode is over" if game.table.over else f"Period {t + 1} is the next one now"
            note = f"{over}: what was sent was for another period, and nothing was played."
            return _page(request, room, game, form, 409, note)
        try:
            game.table.play(fields.action_of(form, sent), OWN)
        except InvalidInput as error:
            if not any(box.error for box in form.boxes()):
                fields.blame(form, error)
            return _page(request, room, game, form, 422, "Nothing was played: see what is marked below.")
        game.kept = dict(sent)
        if request.headers.get("hx-request") != "true":
            return pages.moved(request, f"/games/{id}")
        form = fields.form_of(game.problem)
        fields.carry(form, game.kept)
        return _page(request, room, game, form)

    @router.post("/games/{id}/show")
    async def review(request: Request, id: str) -> Response:
        game = shelf.get(pages.owner_of(request), Game, id)
        if not await game.ready(PATIENCE):
            return pages.moved(request, f"/games/{id}")
        shown = Show(game.task, f"your game on {game.task}, seed {game.seed}")
        shown.episodes, shown.problem, shown.measures = (game.table.graded(),), game.problem, game.measures
        shelf.put(game.owner, shown)
        return pages.moved(request, f"/shows/{shown.id}?turn=1")


def _page(
    request: Request, room: Room, game: Game, form: fields.Form, status: int = 200, note: str | None = None
) -> Response:
    episode, problem = game.episode, game.problem
    t, over = len(episode.turns), game.table.over
    graded = game.table.graded() if over else episode
    seen = episode.seen(t)
    record = problem.records().observation_type
    about = {name: field.description or "" for name, field in record.model_fields.items()}
    last = episode.turns[-1] if episode.turns else None
    given: dict[str, Any] = {
        "game": game,
        "t": t,
        "over": over,
        "horizon": problem.horizon,
        "seen": look(seen, about),
        "form": form,
        "last": last,
        "split": split(last.parts) if last else [],
        "did": decision(last.action) if last else [],
        "sums": sums(game.measures, 0, episode, t),
        "charts": courses(game.measures, 0, episode, OWN, t, problem.horizon, over) if t else [],
        "system": room.system(game.task, problem),
        "said": said_to_model(seen, episode.note(t)),
        "history": _history(game),
        "grade": graded.grade,
        "note": note,
    }
    return pages.page(request, "game", status, **given)


def _history(game: Game) -> list[dict[str, Any]]:
    """All periods played, the last first."""
    rival = game.measures.tracks[0].rival[0]
    found, own, other = [], 0.0, 0.0
    for t, turn in enumerate(game.episode.turns):
        own += turn.reward
        other += float(rival[t])
        found.append({"t": t + 1, "did": decision(turn.action), "reward": turn.reward, "own": own, "rival": other})
    return found[::-1]
