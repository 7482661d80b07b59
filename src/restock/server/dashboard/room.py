"""What the routes of the pages share."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from restock.agents import prompt
from restock.core.problem import Problem
from restock.policies.registry import make_policy, playable, yardsticks
from restock.report.numbers import alike, exact
from restock.server.dashboard import pages
from restock.server.dashboard.charts import BEST, OWN, RIVAL, Line, course
from restock.server.dashboard.contests import Game, Show
from restock.server.dashboard.fields import number, plain
from restock.server.dashboard.look import told
from restock.server.dashboard.measure import Measures
from restock.server.dashboard.pictures import Pictures, at_start, pictured
from restock.server.dashboard.queue import Queue
from restock.server.dashboard.shelf import Item, Shelf
from restock.server.dashboard.turns import Episode, played_by
from restock.server.errors import Refused
from restock.server.hub import Hub
from restock.server.needs_server import Request
from restock.server.session import MOST_SEED as MOST_SEED

PATIENCE = 1.5  # seconds that a page waits for its content, before it says that it is being made
EXAMPLE = 0  # seed of the episode that the page of a problem shows
SAME = 1e-9  # a difference below that is rounding
LARGEST_DRAWN = 10_000  # seeds that are drawn here are short, for they are told to people
Result = TypeVar("Result")


class Room:
    """The server, the items of each browser, and the queues of work.

    Args:
        hub: Of the server.
    """

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.shelf = Shelf(hub.settings)
        self._short, self._long = Queue(), Queue()
        self._systems: dict[str, str] = {}
        self._playable: dict[str, list[str]] = {}
        self._openings: dict[str, Pictures] = {}
        self._examples: dict[str, Pictures] = {}

    async def work(self, job: Callable[[], Result], long: bool = False, item: Item | None = None) -> Result:
        """Run a job beside the event loop: one short job and one long one at a time.

        Args:
            job: What to do.
            long: Whether it may take minutes; nobody waits for that who only wants to begin a game.
            item: What it is for; its page tells how many come first.
        """
        return await (self._long if long else self._short).work(job, item)

    async def policies(self, task: str) -> list[str]:
        """Return the policies that can play a task."""
        if task not in self._playable:
            problem = self.hub.catalogue.loaded(task)
            self._playable[task] = await asyncio.to_thread(playable, problem)
        return self._playable[task]

    async def opening(self, task: str, problem: Problem) -> Pictures:
        """Return the nodes of a task before an episode."""
        if task not in self._openings:
            self._openings[task] = await self.work(lambda: at_start(problem, EXAMPLE))
        return self._openings[task]

    async def example(self, task: str, problem: Problem) -> tuple[str, Pictures]:
        """Return how an episode of a task goes under the policy to beat, and the name of that policy."""
        rival, _ = yardsticks(problem.family)
        if task not in self._examples:

            def play() -> Pictures:
                episode = played_by(problem, make_policy(rival, problem), EXAMPLE)
                return pictured(problem, episode, len(episode.turns))

            self._examples[task] = await self.work(play)
        return rival, self._examples[task]

    async def game(self, request: Request, id: str) -> Game:
        """Return a game of a browser once it can be played.

        Raises:
            Refused: The browser has no such game.
            Moved: It is still being made.
        """
        game = self.shelf.get(pages.owner_of(request), Game, id)
        if not await game.ready(PATIENCE):
            raise pages.Moved(f"/games/{id}")
        return game

    def own(self, owner: str, task: str) -> list[Game | Show]:
        """Return the episodes of a task that a browser has finished by hand or has a transcript of, to be compared."""
        games: list[Game | Show] = [
            game for game in self.shelf.of(owner, Game)
            if game.task == task and hasattr(game, "measures") and game.table.over
        ]  # fmt: skip
        shows = [
            show
            for show in self.shelf.of(owner, Show)
            if show.task == task and show.recorded and show.problem is not None and show.seeds
        ]
        return [*games, *shows]

    @staticmethod
    def seed_for(problem: Problem) -> int:
        """Return the proposed seed: that of the spec, else any."""
        own = getattr(getattr(problem, "spec", None), "seed", None)
        return own if isinstance(own, int) else secrets.randbelow(LARGEST_DRAWN)

    def system(self, task: str, problem: Problem) -> str:
        """Return the system prompt of a model, which a person may read."""
        if task not in self._systems:
            self._systems[task] = prompt.system_prompt(problem.prior())
        return self._systems[task]


def seed_of(text: str, problem: Problem) -> int:
    """Return a seed that a user wrote; an empty one means a new seed.

    Raises:
        Refused: It is none.
    """
    if not text.strip():
        return Room.seed_for(problem)
    return whole("seed", text, 0, MOST_SEED)


def whole(name: str, text: str, least: int, most: int) -> int:
    """Return an integer that a user wrote.

    Raises:
        InvalidInput: It is no number.
        Refused: It is not whole, or out of range.
    """
    found = number(text, name)
    if not isinstance(found, int) or not least <= found <= most:
        message = f"{plain(name).capitalize()} must be an integer, {least} to {most}."
        raise Refused("VALIDATION_ERROR", message, name, text[:80])
    return found


def courses(measures: Measures | None, b: int, episode: Episode, own: str, t: int, horizon: int, whole: bool) -> Any:
    """Return the charts of an episode: cumulative sums beside those of others.

    Args:
        measures: None where there are none.
        b: Place of the episode among those measured.
        episode: What was played.
        own: What to call who plays.
        t: Periods that are shown as played.
        horizon: Periods of an episode.
        whole: Whether the whole episode may be shown, and the plan that knows everything.
    """
    found = []
    played = len(episode.turns)
    tracks = measures.tracks if measures is not None else ()
    for track in tracks:
        values = track.of(episode)
        lines = [Line(own, values if whole else values[:t], OWN, width=2.6)]
        if measures is not None and measures.rival != own:
            rival = track.rival[b].tolist()
            lines.append(Line(measures.rival, rival if whole else rival[:t], RIVAL))
        if track.best is not None and track.bound is not None and whole:
            if track.carried_out(b):
                lines.append(Line("hindsight", track.best[b].tolist(), BEST, "5 4", 1.6))
            else:
                lines.append(Line("bound of the whole episode", [], BEST, "2 4", 1.6, float(track.bound[b])))
        title = "cumulative reward" if track.name == "reward" else "cumulative profit (money)"
        found.append((course(title, lines, horizon, t if whole and t < played else None), lines))
    if not found:
        lines = [Line(own, episode.rewards, OWN, width=2.6)]
        found.append((course("cumulative reward", lines, horizon, t if t < played else None), lines))
    return found


def sums(measures: Measures | None, b: int, episode: Episode, t: int) -> list[dict[str, Any]]:
    """Return the sums after t periods by track (own, rival, regret), with decimals in which they add up."""
    if measures is None:
        return [
            {
                "name": "reward",
                "own": sum(episode.rewards[:t]),
                "rival": None,
                "regret": None,
                "bound": None,
                "told": "",
                "places": 0,
            }
        ]
    found = []
    for track in measures.tracks:
        own, rival = sum(track.of(episode)[:t]), float(track.rival[b, :t].sum())
        regret, bound = track.regret(b, episode, t), None if track.bound is None else float(track.bound[b])
        differences = [*([own - rival] if abs(own - rival) > SAME else []), *([] if regret is None else [regret])]
        row = {"name": track.name, "own": own, "rival": rival, "regret": regret, "bound": bound}
        row |= {"told": track.regret_told(b, episode, t), "proven": track.proven, "places": alike([own, *differences])}
        found.append(row)
    return found


def decision(action: dict[str, Any], call: Callable[[str], str] = str) -> list[tuple[str, list[str]]]:
    """Return a decision in words: field by field, without what is zero.

    Args:
        action: What was decided.
        call: What to call places and ways.
    """
    found = []
    for field, value in action.items():
        if isinstance(value, dict):
            items = [f"{call(name)}: {_decided(one)}" for name, one in value.items() if one != 0]
        else:
            items = [_decided(value)] if value is not None else []
        if items:
            found.append((plain(field), items))
    return found


def _decided(value: Any) -> str:
    """Return one thing that was decided, a number as it was played."""
    return exact(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else told(value)


def as_json(action: dict[str, Any]) -> str:
    """Return a decision as a model writes it."""
    return json.dumps(action)
