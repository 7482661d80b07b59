"""Judged play: the server chooses every episode, each is played once, and a file keeps the results."""

from __future__ import annotations

import dataclasses
import datetime
import json
import secrets
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from restock.core.checks import whole_number
from restock.core.errors import InvalidInput
from restock.core.holding import take
from restock.core.reading import once, read_text
from restock.core.streams import check_seed, episode_seeds
from restock.problems.manifest import manifest_of, resolved
from restock.server.errors import Refused

if TYPE_CHECKING:
    from restock.core.problem import Problem
    from restock.envs.structured import StructuredEnvironment

FORMAT = 1
MOST_EPISODES = 100_000
GRADED = ("score", "profit", "floor", "ceiling", "unclamped")  # of a store


@dataclasses.dataclass(frozen=True)
class Judging:
    """How a server judges whoever plays.

    Attributes:
        results: File of JSON lines that the results are appended to.
        episodes: How many episodes there are in all, for all clients together.
        seed: Of the episodes, those of `restock simulate --seed`; None: that of the file, or one that is drawn.
    """

    results: Path
    episodes: int = 1
    seed: int | None = None

    def __post_init__(self) -> None:
        whole_number("episodes", self.episodes, example=20)
        if self.episodes > MOST_EPISODES:
            raise InvalidInput("episodes", self.episodes, f"must be at most {MOST_EPISODES}", "Judge fewer.")
        if self.seed is not None:
            check_seed(self.seed)


class Book:
    """The results of a judged server, written as they arise. An existing file is continued.

    Args:
        judging: See `Judging`.
        task: What is played.
        problem: The problem of the task.

    Raises:
        InvalidInput: The file cannot be written, belongs to another server, task or seed, or holds something else; or
            there is more than one episode of a store whose demand is the same in all.
    """

    def __init__(self, judging: Judging, task: str, problem: Problem) -> None:
        if judging.episodes > 1 and getattr(getattr(problem, "spec", None), "demand_stream", None) == "task":
            what = f"must be 1: the demand of {task} is the same in every episode, so that a second one is known"
            mend = "Judge one, or serve a store with `demand_stream: seed`."
            raise InvalidInput("episodes", judging.episodes, what, mend)
        self._path, self._task, self._most = judging.results, task, judging.episodes
        self._file = self._opened()
        try:
            lines = read_lines(self._path)
            self._file.truncate(len(_whole(self._path).encode()))
            plan = lines[0] if lines else self._planned(judging.seed)
            for field, given in (("task", task), ("seed", judging.seed)):
                if given is not None and plan[field] != given:
                    what = f"must be {plan[field]!r}, as in {self._path}"
                    raise InvalidInput(field, given, what, "Name another file of results.")
        except BaseException:
            self._file.close()
            raise
        self._begun = sum(line["event"] == "begin" for line in lines)
        self._seeds = episode_seeds(plan["seed"], self._most)

    def room(self) -> None:
        """Check that an episode is left.

        Raises:
            Refused: All have been begun.
        """
        if self._begun >= self._most:
            raise Refused("NO_EPISODE_LEFT", f"all episodes of this server have been played: {self._most}")

    def begin(self, player: str | None) -> Entry:
        """Begin the next episode.

        Args:
            player: Who plays it, by their own words.

        Raises:
            Refused: There is none.
        """
        self.room()
        entry = Entry(self, self._begun, self._seeds[self._begun], self._task, player)
        self.write("begin", entry.told())
        self._begun += 1
        return entry

    def write(self, event: str, told: dict[str, Any]) -> None:
        """Append a line."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self._file.write(json.dumps({"event": event, "at": now, **told}) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _opened(self) -> IO[str]:
        try:
            file = self._path.open("a", encoding="utf-8")
        except OSError as error:
            what = f"cannot be written ({error.strerror or error})"
            raise InvalidInput("judged", str(self._path), what, "Name another file.") from None
        if not take(file):
            file.close()
            raise InvalidInput("judged", str(self._path), "must not be in use by another server", "Name another file.")
        return file

    def _planned(self, seed: int | None) -> dict[str, Any]:
        plan = {"format": FORMAT, "task": self._task, "seed": secrets.randbelow(2**53) if seed is None else seed}
        self.write("plan", plan)
        return plan


class Entry:
    """One judged episode.

    Args:
        book: That it is written in.
        number: Of the episode, counted from 0.
        seed: Of the episode.
        task: What is played.
        player: Who plays it, by their own words.
    """

    def __init__(self, book: Book, number: int, seed: int, task: str, player: str | None) -> None:
        self.number, self.seed = number, seed
        self._book, self._task, self._player = book, task, player
        self._began = time.monotonic()

    def told(self) -> dict[str, Any]:
        """Return what is known about it when it begins."""
        return {"episode": self.number, "player": self._player, "task": self._task, "seed": self.seed}

    def end(self, env: StructuredEnvironment, periods: int, total: float) -> None:
        """Record its result; if it was given up, its remaining periods are played without decisions.

        So nobody who breaks off while ahead is better off than whoever stops to decide.

        Args:
            env: What was played, to its end or not.
            periods: How many were played.
            total: The sum of their rewards.
        """
        told: dict[str, Any] = {"finished": env.done, "periods": periods}
        nothing = env.action_type()
        while not env.done:
            total += env.step(nothing).reward
        told |= {"return": total, **graded(env, told["finished"])}
        self._book.write("end", {**self.told(), **told, "seconds": round(time.monotonic() - self._began, 3)})


def graded(env: StructuredEnvironment, finished: bool) -> dict[str, float | None]:
    """Return the profit of a store's episode, whatever its reward is, and what it is graded by; no value for others.

    Args:
        env: What was played, to its end.
        finished: Whether the client played all of it; if not, the score is the lowest.
    """
    found: dict[str, float | None] = dict.fromkeys(GRADED)
    named = manifest_of(env.problem.family).grader
    if named is None:
        return found
    grader = resolved(named)
    found |= {"profit": float(env.played.now("total_profit")[0]), "score": None if finished else grader.LEAST}
    try:
        by = grader.scale(env.problem, env.trajectory.exogenous["demand"])
    except InvalidInput:  # there is nothing between floor and ceiling
        return found
    profit = found["profit"] or 0.0
    found |= {"floor": by.floor, "ceiling": by.ceiling, "unclamped": by.unclamped(profit)}
    return found | ({"score": by.score(profit)} if finished else {})


def results(path: str | Path) -> list[dict[str, Any]]:
    """Return the results of the episodes of a judged server, in the order in which they began.

    An episode that was given up, or is under way, or was when its server was killed, has `finished` false.

    Args:
        path: File of the results.

    Raises:
        InvalidInput: There is no such file, or it holds something else.
    """
    unknown = {"finished": False, **dict.fromkeys(("periods", "return", *GRADED, "seconds"))}
    found: dict[int, dict[str, Any]] = {}
    for line in read_lines(Path(path))[1:]:
        told = {name: value for name, value in line.items() if name not in ("event", "at")}
        found[line["episode"]] = {**unknown, **told}
    return list(found.values())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a results file, without one that was cut short when the server was killed.

    Raises:
        InvalidInput: There is no such file, or it holds something else.
    """
    try:
        lines = [json.loads(line, object_pairs_hook=once) for line in _whole(path).splitlines()]
        if lines and (lines[0]["event"] != "plan" or lines[0]["format"] != FORMAT):
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError):
        what = "must be the results of a judged server"
        raise InvalidInput("judged", str(path), what, "Name another file.") from None
    return lines


def _whole(path: Path) -> str:
    text = read_text(path, "judged", "JSON lines")
    return text[: text.rfind("\n") + 1]
