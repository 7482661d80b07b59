"""The routes for comparisons."""

from __future__ import annotations

import contextlib
import math
from typing import Any

from restock.agents.judge import Again
from restock.evaluation.compare import Comparison, Enough, compare
from restock.policies.registry import list_policies, make_policy
from restock.report.documents import comparison_document, comparison_rows
from restock.report.palette import colours
from restock.report.tables import summary, words_of
from restock.report.words import answer, bound_told, shown_rows, warnings
from restock.server.dashboard import pages, picking
from restock.server.dashboard.bodies import Sent
from restock.server.dashboard.charts import standings
from restock.server.dashboard.contests import Clock, Contest, Game, Show
from restock.server.dashboard.downloads import form_of, taken_away
from restock.server.dashboard.fields import chosen
from restock.server.dashboard.repeating import compare_command, link
from restock.server.dashboard.room import PATIENCE, Room, seed_of, whole
from restock.server.dashboard.turns import decisions_of
from restock.server.errors import Refused
from restock.server.needs_server import APIRouter, Request, Response

MOST_EPISODES = 1000
MOST_POLICIES = 8


def comparing(router: APIRouter, room: Room) -> None:
    """Add the routes."""
    shelf, catalogue = room.shelf, room.hub.catalogue

    @router.post("/comparisons")
    async def begin(request: Request) -> Response:
        sent = await pages.sent(request)
        task = catalogue.name(sent.get("task"))
        problem = catalogue.loaded(task)
        offered = await room.policies(task)
        owner, mistakes = pages.new_owner(request), picking.Mistakes()
        none: list[str] = []
        names = mistakes.tried("policy", lambda: [chosen("policy", one, offered) for one in _asked(sent)], none)
        own = [one for one in room.own(owner, task) if one.id in sent.every.get("own", [])]
        if "policy" not in mistakes.told and not names and not own:
            mistakes.told["policy"] = "Nothing was chosen to compare: choose at least one policy."
        if len(names) + len(own) > MOST_POLICIES:
            mistakes.told["policy"] = f"At most {MOST_POLICIES} can be compared at once."
        seeds: list[int] = []
        seed: int | None = None
        if own:
            seeds = mistakes.tried("own", lambda: _common(own), [])
            episodes, problem_of_own = len(seeds), own[0].problem
        else:
            seed = mistakes.tried("seed", lambda: seed_of(sent.get("seed", ""), problem), 0)
            text = sent.get("episodes", "100")
            episodes = mistakes.tried("episodes", lambda: whole("episodes", text, 1, MOST_EPISODES), 1)
            problem_of_own = None
        if mistakes.told:
            return await picking.page(request, room, task, "comparisons", sent, mistakes.told)
        called = [*names, *(_called(one) for one in own)]
        contest = shelf.put(owner, Contest(task, called, episodes, seed))

        async def run() -> None:
            contest.progress = "The problem is compiled; the first time that takes some seconds."
            ready = await catalogue.ready(task)
            contest.problem = ready if problem_of_own is None else problem_of_own

            def job() -> None:
                clock = Clock(contest, room.hub.settings.limits.work)
                policies: dict[str, Any] = {name: make_policy(name, contest.problem) for name in names}
                for one in own:
                    by_seed = {episode.seed: episode for episode in _episodes(one)}
                    decisions = decisions_of(contest.problem, [by_seed[s] for s in seeds])
                    policies[_free(_called(one), policies)] = Again(contest.problem, decisions)
                with contextlib.suppress(Enough):
                    contest.comparison = compare(
                        contest.problem, policies, episodes, seed or 0, seeds=seeds or None, progress=clock.turn
                    )
                if policies.keys() <= set(clock.left_out):  # a bound alone is no comparison
                    raise clock.late()
                contest.left_out = clock.left_out

            await room.work(job, long=True, item=contest)

        contest.begin(run)
        return pages.remember(pages.moved(request, f"/comparisons/{contest.id}"), request, owner)

    @router.get("/comparisons/{id}")
    async def show(request: Request, id: str) -> Response:
        contest = shelf.get(pages.owner_of(request), Contest, id)
        if not await contest.ready(PATIENCE):
            return pages.waiting(request, f"A comparison on {contest.task}", contest)
        found = contest.comparison
        name = f"comparison on {contest.task}"
        if form := form_of(request):
            data = comparison_document(found)
            return taken_away(form, name, lambda: data, lambda: comparison_rows(data))
        shade = colours([row.name for row in found.rows])
        shown, told = shown_rows(found), bound_told(found)
        rows = [(row.name, row.profit.mean, row.profit.low, row.profit.high, shade[row.name]) for row in shown]
        limit = ("bound", found.bound.mean) if told and found.bound is not None and found.bound_proven else None
        return pages.page(
            request, "comparison", contest=contest, said=answer(found), warnings=warnings(found), bound=told,
            table=summary(found), knows={row.name: row.information for row in found.rows}, shade=shade,
            meanings=words_of(found), reference=found.reference, explore=_plotly(),
            picture=standings(rows, "return of an episode, mean and 95% interval", limit),
            host=str(request.base_url).rstrip("/"), **_again(room, contest),
        )  # fmt: skip

    @router.get("/comparisons/{id}/episodes")
    async def every(request: Request, id: str) -> Response:
        contest = shelf.get(pages.owner_of(request), Contest, id)
        if not await contest.ready(PATIENCE):
            return pages.moved(request, f"/comparisons/{id}")
        data = _data(contest.comparison)
        if form := form_of(request):
            name = f"episodes of a comparison on {contest.task}"
            return taken_away(form, name, lambda: data, lambda: _episode_rows(data))
        return pages.page(request, "episodes", rules=pages.DRAWING, contest=contest, data=data)


def _asked(sent: Sent) -> list[str]:
    return list(dict.fromkeys(sent.every.get("policy", [])))


def _plotly() -> bool:
    """Return whether plotly is installed."""
    from importlib.util import find_spec

    return find_spec("plotly") is not None


def _data(comparison: Comparison) -> dict[str, Any]:
    """Return the return of every policy in every episode, for the interactive chart."""
    shade = colours([row.name for row in comparison.rows])
    return {
        "seeds": list(comparison.seeds),
        "policies": [
            {
                "name": row.name,
                "colour": shade[row.name],
                "values": [value if math.isfinite(value) else None for value in row.simulation.profit.tolist()],
            }
            for row in comparison.rows
        ],
    }


def _episode_rows(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row per episode and one column per policy."""
    values = {one["name"]: one["values"] for one in data["policies"]}
    return [{"seed": seed, **{name: each[k] for name, each in values.items()}} for k, seed in enumerate(data["seeds"])]


def _again(room: Room, contest: Contest) -> dict[str, Any]:
    """Return the command that repeats a comparison and the link to it; neither includes what was played by hand."""
    found = contest.comparison
    known = list_policies(contest.problem.family)
    names = [name for name in contest.names if name in known]
    command = compare_command(
        room.hub, contest.task, contest.problem, names, contest.episodes, contest.seed, found.seeds
    )  # fmt: skip
    if contest.seed is None:
        return {"command": command if names else "", "shared": ""}
    asked = [*(("policy", name) for name in names), ("episodes", contest.episodes), ("seed", contest.seed)]
    return {"command": command, "shared": link("comparison", [("task", contest.task), *asked])}


def _episodes(one: Game | Show) -> list[Any]:
    return [one.episode] if isinstance(one, Game) else list(one.episodes)


def _called(one: Game | Show) -> str:
    return f"you, seed {one.seed}" if isinstance(one, Game) else one.title.partition(" on ")[0]


def _free(name: str, taken: Any) -> str:
    found, number = name, 2
    while found in taken:
        found, number = f"{name} #{number}", number + 1
    return found


def _common(own: list[Game | Show]) -> list[int]:
    """Return the seeds of the episodes that all of them played, in the order of the first policy.

    Raises:
        Refused: There is none.
    """
    played = [[one.seed] if isinstance(one, Game) else one.seeds for one in own]
    common = [seed for seed in dict.fromkeys(played[0]) if all(seed in seeds for seeds in played[1:])]
    if not common:
        raise Refused("VALIDATION_ERROR", "What was chosen was played with different seeds: it has no common episode.")
    return common
