"""The routes for watching a policy or a transcript, turn by turn."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from restock.agents.prompt import turn as said_to_model
from restock.core.errors import InvalidInput
from restock.core.problem import Problem
from restock.policies.registry import make_policy
from restock.server.dashboard import pages, picking, showing, transcripts
from restock.server.dashboard.charts import split
from restock.server.dashboard.contests import Clock, Show
from restock.server.dashboard.downloads import form_of, taken_away
from restock.server.dashboard.fields import chosen
from restock.server.dashboard.look import look
from restock.server.dashboard.measure import measured
from restock.server.dashboard.packing import Packed
from restock.server.dashboard.pictures import called, pictured
from restock.server.dashboard.repeating import agent_command, link, show_command
from restock.server.dashboard.room import PATIENCE, Room, as_json, courses, decision, seed_of, sums
from restock.server.dashboard.turns import Episode, played_by, replayed
from restock.server.dashboard.worst import faults, worst
from restock.server.errors import Refused
from restock.server.needs_server import APIRouter, Request, Response
from restock.server.settings import MOST_TRANSCRIPT


def watching(router: APIRouter, room: Room) -> None:
    """Add the routes."""
    shelf, catalogue, folder = room.shelf, room.hub.catalogue, room.hub.settings.runs

    @router.post("/shows")
    async def begin(request: Request) -> Response:
        sent = await pages.sent(request)
        task = catalogue.name(sent.get("task"))
        problem = catalogue.loaded(task)
        offered, mistakes = await room.policies(task), picking.Mistakes()
        seed = mistakes.tried("seed", lambda: seed_of(sent.get("seed", ""), problem), 0)
        name = mistakes.tried("policy", lambda: chosen("policy", sent.get("policy", ""), offered), "")
        if mistakes.told:
            return await picking.page(request, room, task, "shows", sent, mistakes.told)
        owner = pages.new_owner(request)
        show = shelf.put(owner, Show(task, f"{name} on {task}"))
        show.link = ("show", [("task", task), ("policy", name), ("seed", seed)])

        async def play() -> None:
            show.progress = "The problem is compiled; the first time that takes some seconds."
            show.problem = problem = await catalogue.ready(task)

            def job() -> None:
                clock = Clock(show, room.hub.settings.limits.work)
                policy = make_policy(name, problem)
                if policy.information != "blind":
                    show.informed = policy.information
                clock.tell(f"{name} plays.")
                show.episodes = (
                    played_by(problem, policy, seed, lambda done, of: clock.tell(f"{name} plays: {done} of {of}.")),
                )
                show.measures = measured(problem, [seed])
                show.command = show_command(room.hub, task, problem, name, seed)

            await room.work(job, long=True, item=show)

        show.begin(play)
        return pages.remember(pages.moved(request, f"/shows/{show.id}{_turn_in(sent)}"), request, owner)

    @router.get("/transcripts")
    async def listed(request: Request) -> Response:
        files = transcripts.in_folder(folder)
        if form := form_of(request):
            rows = [{"transcript": name} for name in files]
            return taken_away(form, "transcripts", lambda: {"transcripts": files}, lambda: rows)
        return pages.page(request, "transcripts", files=files, folder=folder)

    @router.post("/transcripts")
    async def take(request: Request) -> Response:
        sent = await pages.sent(request)
        name = sent.get("name", "")
        if name:
            text = transcripts.from_folder(folder, name, MOST_TRANSCRIPT)
        else:
            name, text = sent.files.get("file", ""), sent.get("file", "")
        if not name:
            raise Refused("VALIDATION_ERROR", "No transcript was chosen.")

        def read() -> tuple[transcripts.Recording, Packed]:
            recording = transcripts.recording(text, name[:80])
            return dataclasses.replace(recording, episodes=()), Packed(recording.episodes)

        found, episodes = await room.work(read)

        def match() -> tuple[tuple[str, Problem] | None, str]:
            matched = transcripts.problem_of(found, catalogue)
            return matched, "" if matched is None else agent_command(room.hub, *matched, found.run)

        matched, command = await room.work(match)
        owner = pages.new_owner(request)
        title = f"{found.model} on {found.problem}"
        show = Show(matched[0] if matched else catalogue.default, title, recorded=True)
        show.episodes, show.prices, show.chooses = episodes, found.prices, found.chooses
        if sent.get("name"):
            show.link = ("transcript", [("name", name)])
        show.command = command
        shelf.put(owner, show)
        if found.cut:
            show.remarks.append("The transcript is not finished, or longer than what is shown here.")
        if matched is None:
            show.task = found.problem
            show.remarks.append(
                "The problem that it was played on is not offered by this server, so nothing is recomputed: there is "
                "no policy beside it, and no bound."
            )
        else:

            async def measure() -> None:
                await catalogue.ready(matched[0])
                seeds = list(show.seeds)

                def again(clock: Clock, problem: Problem) -> Iterator[Episode]:
                    for number, one in enumerate(show.episodes, 1):
                        yield replayed(problem, one)
                        clock.tell(f"It is played again: episode {number} of {len(seeds)}.")

                def job() -> None:
                    clock = Clock(show, room.hub.settings.limits.work)
                    words = "The policies that it is measured by are played"
                    measures = measured(matched[1], seeds, lambda done, of: clock.tell(f"{words}: {done} of {of}."))
                    replay = Packed(again(clock, matched[1]))
                    show.measures, show.episodes, show.problem = measures, replay, matched[1]

                try:  # one episode takes as long as a game; several may take minutes
                    await room.work(job, long=len(seeds) > 1, item=show)
                except (InvalidInput, Refused) as error:
                    show.remarks.append(f"There is nothing to measure it by: {error}")

            show.progress = "The policies that it is measured by are played."
            show.begin(measure)
        return pages.remember(pages.moved(request, f"/shows/{show.id}{_turn_in(sent)}"), request, owner)

    @router.get("/shows/{id}")
    async def look_on(request: Request, id: str) -> Response:
        show = shelf.get(pages.owner_of(request), Show, id)
        if not await show.ready(PATIENCE):
            return pages.waiting(request, show.title, show)
        if form := form_of(request):
            rows, title = partial(showing.rows, show), show.title
            return await room.work(lambda: taken_away(form, title, partial(showing.document, show), rows))

        def made() -> Response:
            b = _place(request, "episode", len(show.episodes))
            episode = show.episodes[b]
            t = _place(request, "turn", len(episode.turns) + 1)
            seen, said = _seen(room, show, episode, b, t), _told(request, show, episode, b, t)
            return pages.page(request, "show", **seen, **said)

        return await room.work(made)


def _turn_in(sent: Mapping[str, str]) -> str:
    """Return the part of an address that says which turn a form asks for, if it does."""
    named = [
        (name, said) for name in ("episode", "turn") if (said := sent.get(name, "")).isdecimal() and said.isascii()
    ]
    return f"?{urlencode(named)}" if named else ""


def _told(request: Request, show: Show, episode: Episode, b: int, t: int) -> dict[str, Any]:
    """Return what is shown of a turn beyond observation and decision: replies, costs, links, commands."""
    turn = episode.turns[t - 1] if t else None
    wrong = faults(episode)
    shared = ""
    if show.link is not None:
        kind, fields = show.link
        place = [("episode", b + 1)] if len(show.seeds) > 1 else []
        shared = link(kind, [*fields, *place, ("turn", t)])
    return {
        "replies": showing.replies(show, turn) if turn else [],
        "spent": showing.facts(show, turn.counts) if turn else [],
        "spent_in_all": showing.facts(show, episode.counts),
        "worst": worst(show.measures, b, episode),
        "faults": len(wrong),
        "fault_before": max((k for k in wrong if k < t), default=None),
        "fault_next": min((k for k in wrong if k > t), default=None),
        "command": show.command,
        "shared": shared,
        "host": str(request.base_url).rstrip("/"),
    }


def _place(request: Request, name: str, count: int) -> int:
    """Return a position that an address names, counted from 0 (turns) or 1 (episodes)."""
    first = 1 if name == "episode" else 0
    said = request.query_params.get(name, str(first))
    if not (said.isascii() and said.isdigit() and len(said) < 8 and first <= int(said) < count + first):
        raise Refused("NOT_FOUND", f"There is no {name} {said[:20]!r}: there are {first} to {count + first - 1}.")
    return int(said) - first


def _seen(room: Room, show: Show, episode: Episode, b: int, t: int) -> dict[str, Any]:
    """Return what is shown of a turn: t periods are over, the t-th is described."""
    problem = show.problem
    about: dict[str, str] = {}
    if problem is not None:
        record = problem.records().observation_type
        about = {name: field.description or "" for name, field in record.model_fields.items()}
    count = len(episode.turns)
    horizon = problem.horizon if problem is not None else count
    turn = episode.turns[t - 1] if t else None
    own = showing.player(show, episode)
    address = f"/shows/{show.id}?" + (f"episode={b + 1}&" if len(show.seeds) > 1 else "")
    after = turn.after if turn is not None else episode.first
    before, call = [one.seen for one in episode.turns[:t]], called(problem, episode.scenes)
    return {
        "show": show,
        "b": b,
        "t": t,
        "count": count,
        "own": own,
        "horizon": horizon,
        "address": address,
        "turn": turn,
        "before": look(turn.seen if turn is not None else episode.first, about, before, call),
        "after": look(after, about, before, call) if after and t == count else None,
        "did": decision(turn.action, call) if turn else [],
        "wrote": as_json(turn.action) if turn else "",
        "split": split(turn.parts) if turn else [],
        "abreast": showing.abreast(show, b, t),
        "decided": partial(decision, call=call),
        "counted": () if problem is None else problem.records().counted(),
        "call": call,
        "sums": sums(show.measures, b, episode, t),
        "rival": show.measures.rival if show.measures else None,
        "charts": courses(show.measures, b, episode, own, t, horizon, True) if count else [],
        "pictures": pictured(problem, episode, t),
        "said": said_to_model(turn.seen, episode.note(t - 1)) if turn else said_to_model(episode.first),
        "system": room.system(show.task, problem) if problem is not None else None,
        "episode": episode,
        "grade": episode.grade if t == count else None,
        "seed": episode.seed,
    }
