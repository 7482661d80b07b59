"""Transcripts of agents, from the folder of runs or from a browser; nothing in them is trusted."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pydantic

from restock.agents.counts import Prices
from restock.agents.run import kept
from restock.agents.transcript import begins_one, lines_of
from restock.core.errors import InvalidInput
from restock.core.problem import Problem
from restock.problems.load import load_problem, shipped
from restock.problems.manifest import manifest_of
from restock.server.catalogue import Catalogue
from restock.server.dashboard.exchanges import Exchange, ReplyLine, ToolLine, counted, counts_of
from restock.server.dashboard.folders import Model, can_be_named, line_as
from restock.server.dashboard.turns import Episode, Turn

MOST_EPISODES = 20  # of a transcript that are shown
MOST_TURNS = 20_000
LONGEST_LINE = 1 << 20  # characters of a line but the first, which describes the problem
MOST_VALUES = 20_000  # of one line, names and entries of lists
MOST_OF_RUN = 200_000  # of a line that describes the problem
MOST_PARTS = 500_000  # objects and lists of all lines; Python needs a hundred bytes for what takes two in the file
MOST_LISTED = 50
PLACES = ("*.jsonl", "*/*.jsonl", "*/agents/*.jsonl")  # one run, those of several problems, those of a benchmark
LONGEST_NAME = 80


class _Line(pydantic.BaseModel):
    """The fields that are read from a line; others are ignored."""

    model_config = pydantic.ConfigDict(extra="ignore", allow_inf_nan=False)

    episode: int = pydantic.Field(ge=0)
    seen: dict[str, Any]


class _Begun(_Line):
    seed: int = pydantic.Field(ge=0)


class _Turn(_Line):
    period: int = pydantic.Field(ge=0)
    action: dict[str, Any]
    reward: float
    parts: dict[str, float] = {}
    faults: list[str] = []
    by: str = ""
    reply: str | None = None
    error: str | None = None

    counts: dict[str, Any] | None = None


class _End(_Line):
    grade: dict[str, float] | None = None


class _Mode(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="ignore")

    kind: str = "alone"


class _Settings(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="ignore", allow_inf_nan=False)

    mode: _Mode = _Mode()
    price_in: float | None = pydantic.Field(None, ge=0.0)
    price_out: float | None = pydantic.Field(None, ge=0.0)
    price_reasoning: float | None = pydantic.Field(None, ge=0.0)
    price_cached: float | None = pydantic.Field(None, ge=0.0)


class _Run(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="ignore")

    model: str
    problem: str
    seed: int
    described: dict[str, Any] | None = None
    settings: _Settings | None = None


@dataclasses.dataclass(frozen=True)
class Recording:
    """A transcript that has been read.

    Attributes:
        model: Who played.
        problem: What it says it played.
        described: The description that it gives of that.
        episodes: Those that are there, each with its seed.
        cut: Whether episodes or turns were left out.
        run: The first line, as it was read from the file.
        prices: Of a million tokens (money), as far as they are told.
        chooses: Whether the model chooses parameters of a policy, not actions.
    """

    model: str
    problem: str
    described: dict[str, Any] | None
    episodes: tuple[Episode, ...]
    cut: bool
    run: Mapping[str, Any]
    prices: Prices
    chooses: bool


def recording(text: str, name: str) -> Recording:
    """Read a transcript.

    Args:
        text: Of the file.
        name: Of the file.

    Raises:
        InvalidInput: It is none, or something in it is not as agents write it.
    """
    _check_size(text, name)
    lines, _, damaged = lines_of(text, name)
    run = _read(_Run, lines[0], 1, name)
    begun: dict[int, _Begun] = {}
    turns: dict[int, list[Turn]] = {}
    ends: dict[int, _End] = {}
    said: dict[int | None, list[Exchange]] = {}  # since the last turn, by the episode that a line names
    count, cut = 0, damaged
    for number, line in enumerate(lines, 1):
        most = MOST_OF_RUN if line["event"] == "run" else MOST_VALUES
        if holds_more(line, most):
            raise _too_large(name, f"line {number} must have at most {most:,} values")
        if line["event"] == "episode":
            one = _read(_Begun, line, number, name)
            begun[one.episode] = one
        elif line["event"] == "turn":
            turn = _read(_Turn, line, number, name)
            count += 1
            if count > MOST_TURNS:
                cut = True
                break
            exchanges = (*said.pop(None, ()), *said.pop(turn.episode, ()))
            turns.setdefault(turn.episode, []).append(_played(turn, exchanges))
        elif line["event"] == "reply":
            said.setdefault(_episode_in(line), []).append(Exchange(_read(ReplyLine, line, number, name)))
        elif line["event"] == "tool" and (there := said.get(_episode_in(line))):
            there[-1].tools.append(_read(ToolLine, line, number, name))
        elif line["event"] == "end":
            end = _read(_End, line, number, name)
            ends[end.episode] = end
    episodes = []
    for number in range(min(len(begun), MOST_EPISODES)):
        if number not in begun or number not in turns:
            break
        episodes.append(_episode(begun[number], turns[number], ends.get(number)))
        cut = cut or number not in ends
    if not episodes:
        raise InvalidInput("transcript", name, "no turn was played in it", "Choose another.")
    cut = cut or len(episodes) < len(begun)
    settings = run.settings or _Settings()
    return Recording(
        _named(run.model), _named(run.problem), run.described, tuple(episodes), cut, lines[0],
        Prices(settings.price_in, settings.price_out, settings.price_reasoning, settings.price_cached),
        settings.mode.kind == "parameters",
    )  # fmt: skip


def _check_size(text: str, name: str) -> None:
    """Check what can be checked of a transcript before its lines are parsed.

    Raises:
        InvalidInput: It is too large.
    """
    if text.count("{") + text.count("[") > MOST_PARTS:
        raise _too_large(name, f"it must have at most {MOST_PARTS:,} objects and lists")
    start = text.find("\n") + 1
    number = 1
    while start:
        number += 1
        end = text.find("\n", start)
        if (end if end >= 0 else len(text)) - start > LONGEST_LINE:
            raise _too_large(name, f"line {number} must have at most {LONGEST_LINE:,} characters")
        start = end + 1


def _too_large(name: str, problem: str) -> InvalidInput:
    return InvalidInput("transcript", name, problem, "Look at it on the machine itself, or choose another.")


def holds_more(data: Any, most: int) -> bool:
    """Return whether plain data has more values than so many, at any depth."""
    left, inside = most, [data]
    while inside and left >= 0:
        one = inside.pop()
        values = one.values() if isinstance(one, dict) else one
        left -= len(values)
        inside += [value for value in values if isinstance(value, (dict, list))]
    return left < 0


def problem_of(found: Recording, catalogue: Catalogue) -> tuple[str, Problem] | None:
    """Return the task and problem of a transcript if the server offers it; its spec is only compared.

    Args:
        found: The transcript.
        catalogue: What is offered.
    """
    said = _same(found.described)
    if found.described is None:
        return None
    if found.problem == catalogue.default:
        own = catalogue.problem(catalogue.default)
        if _same(kept(own)) == said:
            return found.problem, own
    name = catalogue.known(found.problem)
    if name is None:
        return None
    reward = found.described.get("reward")
    chosen = isinstance(reward, str) and manifest_of(shipped()[name]).money is not None
    for changes in ({}, {"reward": reward}) if chosen else ({},):
        try:
            problem = load_problem(name, **changes)
        except InvalidInput:
            continue
        if _same(kept(problem)) == said:
            return name, problem
    return None


def in_folder(folder: Path | None) -> list[str]:
    """Return the names of the transcripts in the folder of runs, newest first."""
    if folder is None or not folder.is_dir():
        return []
    places = (path for place in PLACES for path in folder.glob(place) if can_be_named(path.relative_to(folder)))
    newest = sorted(
        (path for path in places if path.is_file() and _inside(path, folder)),
        key=lambda path: (-path.stat().st_mtime, path.name),
    )
    listed = (path for path in newest if begins_one(path))
    return [path.relative_to(folder).as_posix() for path in itertools.islice(listed, MOST_LISTED)]


def _inside(path: Path, folder: Path) -> bool:
    """Return whether a path leads to the file it names and is no link elsewhere."""
    return not any(
        part.is_symlink() for part in (path, *path.parents) if part.is_relative_to(folder) and part != folder
    )


def from_folder(folder: Path | None, name: str, most: int) -> str:
    """Return the text of a transcript.

    Raises:
        InvalidInput: There is none of that name, or it is too large.
    """
    if folder is None or name not in in_folder(folder):
        raise InvalidInput("transcript", name, "there is no such transcript", "Choose one of the list.")
    path = folder / name
    if path.stat().st_size > most:
        raise InvalidInput("transcript", name, f"it has more than {most} bytes", "Choose a smaller one.")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InvalidInput("transcript", name, "it cannot be read", "Choose another.") from None


def _named(name: str) -> str:
    """Return a name in which nothing can control a terminal or a title."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:LONGEST_NAME])


def _played(turn: _Turn, exchanges: tuple[Exchange, ...]) -> Turn:
    """Return a turn, as yet without the observation after it."""
    counts = counts_of(turn.counts) if turn.counts is not None else None
    if counts is None and exchanges:
        counts = counted(exchanges, turn.by, turn.error)
    return Turn(
        turn.seen, turn.action, {}, turn.reward, turn.parts, tuple(turn.faults), turn.by[:LONGEST_NAME], turn.reply,
        turn.error, exchanges, counts,
    )  # fmt: skip


def _episode(begun: _Begun, turns: list[Turn], end: _End | None) -> Episode:
    after = [turn.seen for turn in turns[1:]] + [end.seen if end is not None else {}]
    made = [dataclasses.replace(one, after=then) for one, then in zip(turns, after, strict=True)]
    return Episode(begun.seed, begun.seen, made, end.grade if end is not None else None)


def _episode_in(line: Mapping[str, Any]) -> int | None:
    """Return the episode of a line; None if it names none."""
    said = line.get("episode")
    return said if isinstance(said, int) else None


def _read(kind: type[Model], line: dict[str, Any], number: int, name: str) -> Model:
    return line_as(kind, line, number, "transcript", name, "Choose a transcript that restock agent wrote.")


def _same(data: Any) -> str:
    return json.dumps(data, sort_keys=True, default=str)
