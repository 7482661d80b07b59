"""The routes for playing by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from restock.agents.prompt import turn as said_to_model
from restock.core.errors import InvalidInput
from restock.server.dashboard import fields, pages, picking, showing
from restock.server.dashboard.beside import standing
from restock.server.dashboard.charts import split
from restock.server.dashboard.contests import Game, Show
from restock.server.dashboard.downloads import form_of, taken_away
from restock.server.dashboard.entering import entered
from restock.server.dashboard.forms import Form
from restock.server.dashboard.helping import AS_POLICY, OWN, REPEAT, advised, play_on
from restock.server.dashboard.look import look
from restock.server.dashboard.measure import measured
from restock.server.dashboard.pictures import called, pictured
from restock.server.dashboard.room import PATIENCE, SAME, Room, courses, decision, seed_of, sums, whole
from restock.server.dashboard.turns import Table
from restock.server.errors import Refused
from restock.server.needs_server import APIRouter, Request, Response

SEVERAL = 5  # periods that are played at once unless somebody says otherwise


def playing(router: APIRouter, room: Room) -> None:
    """Add the routes."""
    shelf, catalogue = room.shelf, room.hub.catalogue

    @router.post("/games")
    async def begin(request: Request) -> Response:
        sent = await pages.sent(request)
        name, mistakes = catalogue.name(sent.get("task")), picking.Mistakes()
        seed = mistakes.tried("seed", lambda: seed_of(sent.get("seed", ""), catalogue.loaded(name)), 0)
        if mistakes.told:
            return await picking.page(request, room, name, "games", sent, mistakes.told)
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
        if wanted := form_of(request):
            return await taken(game, wanted)
        form = _form(game)
        if "filled" in request.query_params and not game.table.over:
            return await filled(request, game, form)
        return _page(request, room, game, form)

    async def taken(game: Game, wanted: str) -> Response:
        shown = showing.of_game(game)
        rows, data = partial(showing.rows, shown), partial(showing.document, shown)
        return await room.work(lambda: taken_away(wanted, shown.title, data, rows))

    @router.get("/games/{id}/turns")
    async def turns(request: Request, id: str) -> Response:
        return await taken(await room.game(request, id), form_of(request) or "json")

    @router.post("/games/{id}/filled")
    async def fill(request: Request, id: str) -> Response:
        game = shelf.get(pages.owner_of(request), Game, id)
        if not await game.ready(PATIENCE) or request.headers.get("hx-request") != "true":
            return pages.moved(request, f"/games/{id}?filled")
        return _page(request, room, game, _form(game)) if game.table.over else await filled(request, game, _form(game))

    async def filled(request: Request, game: Game, form: Form) -> Response:
        async with game.hand:
            fields.fill(form, await room.work(lambda: advised(game)))
        rows = [f"{box.label}: {box.value}" for box in form.boxes() if box.value not in ("", "0")]
        said = f"Filled in as {game.measures.rival} would: {'; '.join(rows) or 'nothing'}."
        return _page(request, room, game, form, said=said)

    @router.post("/games/{id}/period")
    async def play(request: Request, id: str) -> Response:
        game = await room.game(request, id)
        sent = await pages.sent(request)
        form = _form(game)
        async with game.hand:
            if late := _late(game, sent):
                return _page(request, room, game, form, 409, late)
            try:
                action = entered(form, sent, game.table.seat.table.records, game.table.seat.table.played)
                game.table.play(action, OWN)
            except InvalidInput as error:
                if not form.error and not any(box.error for box in form.boxes()):
                    fields.blame(form, error)
                return _page(request, room, game, form, 422, "Nothing was played: see what is marked.")
            game.kept = dict(sent)
        if request.headers.get("hx-request") != "true":
            return pages.moved(request, f"/games/{id}")
        return _page(request, room, game, _form(game))

    @router.post("/games/{id}/several")
    async def play_several(request: Request, id: str) -> Response:
        game = await room.game(request, id)
        sent = await pages.sent(request)
        how = fields.chosen("how", sent.get("how", AS_POLICY), (AS_POLICY, REPEAT))
        game.several, game.how = sent.get("periods", "")[:20], how  # which stay in the form
        async with game.hand:
            before = len(game.episode.turns)
            if late := _late(game, sent):
                return _page(request, room, game, _form(game), 409, late)
            try:
                most = game.problem.horizon
                count = most - before if "to_end" in sent else whole("periods", game.several, 1, most)
                if how == REPEAT and not before:
                    raise Refused("VALIDATION_ERROR", "No period has been played, so there is no decision to repeat.")
            except (InvalidInput, Refused) as error:
                return _page(request, room, game, _form(game), 422, f"Nothing was played. {error}")
            stopped = await room.work(lambda: play_on(game, count, how))
        if stopped is None and request.headers.get("hx-request") != "true":
            return pages.moved(request, f"/games/{id}")
        return _page(request, room, game, _form(game), note=stopped, since=before)

    @router.post("/games/{id}/show")
    async def review(request: Request, id: str) -> Response:
        game = await room.game(request, id)
        shown = Show(game.task, f"your game on {game.task}, seed {game.seed}")
        shown.episodes, shown.problem, shown.measures = (game.table.graded(),), game.problem, game.measures
        shelf.put(game.owner, shown)
        return pages.moved(request, f"/shows/{shown.id}?turn=1")


def _form(game: Game) -> Form:
    """Return the form for the next period."""
    form = fields.form_of(game.problem, game.episode.scenes[-1])
    fields.carry(form, game.kept)
    return form


def _late(game: Game, sent: Mapping[str, str]) -> str | None:
    """Return why what was sent belongs to no period that can be played; None if it does."""
    t = len(game.episode.turns)
    if not game.table.over and sent.get("period", str(t)) == str(t):
        return None
    over = "The episode is over" if game.table.over else f"Period {t + 1} is the next one now"
    return f"{over}: what was sent was for another period, and nothing was played."


def _page(
    request: Request, room: Room, game: Game, form: Form, status: int = 200, note: str | None = None,
    said: str = "", since: int | None = None,
) -> Response:  # fmt: skip
    """Return the page of a game.

    Args:
        request: What it answers.
        room: Of the server.
        game: What is played.
        form: For the next period.
        status: Of the reply.
        note: What went wrong.
        said: What is said aloud instead of what a period brought.
        since: Periods that had been played before several were.
    """
    episode, problem = game.table.graded(), game.problem
    t, over = len(episode.turns), game.table.over
    seen = episode.seen(t)
    record = problem.records().observation_type
    about = {name: field.description or "" for name, field in record.model_fields.items()}
    last = episode.turns[-1] if episode.turns else None
    call = called(problem, episode.scenes)
    by_policy = sum(turn.by != OWN for turn in episode.turns)
    given: dict[str, Any] = {
        "game": game,
        "t": t,
        "over": over,
        "horizon": problem.horizon,
        "seen": look(seen, about, [turn.seen for turn in episode.turns], call),
        "standing": standing(episode.scenes[t]),
        "form": form,
        "last": last,
        "split": split(last.parts) if last else [],
        "did": decision(last.action, call) if last else [],
        "sums": sums(game.measures, 0, episode, t),
        "charts": courses(game.measures, 0, episode, OWN, t, problem.horizon, over) if t else [],
        "pictures": pictured(problem, episode, t),
        "system": room.system(game.task, problem),
        "said_to_model": said_to_model(seen, episode.note(t)),
        "history": _history(game, call),
        "counted": problem.records().counted(),
        "call": call,
        "grade": episode.grade,
        "note": note,
        "announced": said,
        "since": since if since is not None and since < t - 1 else None,
        "gained": sum(episode.rewards[since:]) if since is not None else 0.0,
        "by_policy": by_policy,
        "same": SAME,
        "several": game.several or str(SEVERAL),
        "how": game.how,
    }
    return pages.page(request, "game", status, **given)


def _history(game: Game, call: Callable[[str], str]) -> list[dict[str, Any]]:
    """Return all periods played, the latest first."""
    rival = game.measures.tracks[0].rival[0]
    found, own, other = [], 0.0, 0.0
    for t, turn in enumerate(game.episode.turns):
        own += turn.reward
        other += float(rival[t])
        row = {"t": t + 1, "by": turn.by, "did": decision(turn.action, call), "reward": turn.reward}
        found.append({**row, "own": own, "rival": other})
    return found[::-1]
