"""The route of the leaderboard: of the benchmarks in the folder of runs, or of published results."""

from __future__ import annotations

import dataclasses
import json
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from restock.benchmark import leaderboard as benchmark
from restock.benchmark.standing import Leaderboard
from restock.core.errors import InvalidInput
from restock.problems.load import shipped
from restock.problems.manifest import ids
from restock.report import board as drawing
from restock.report import standings as say
from restock.server.dashboard import pages
from restock.server.dashboard.downloads import form_of, taken_away
from restock.server.dashboard.folders import Entry, check_size, file_in, listed, run_in, text_in
from restock.server.dashboard.room import Room
from restock.server.needs_server import APIRouter, Request, Response

PUBLISHED = "gym-invmgmt"
MOST_RUNS = 8
MOST_SCENARIOS = 500
Key = tuple[tuple[str, float], ...]


def standing(router: APIRouter, room: Room) -> None:
    """Add the route."""
    folder = room.hub.settings.runs
    kept: dict[Key, Leaderboard] = {}

    def made(entries: list[Entry]) -> Leaderboard:
        """Return the board of runs; the last board is kept until something in its runs changes."""
        key = tuple((one.name, _newest(one)) for one in entries)
        if key not in kept:
            board = _board(entries)
            kept.clear()
            kept[key] = board
        return kept[key]

    @router.get("/leaderboard")
    async def board(request: Request) -> Response:
        names = list(dict.fromkeys(request.query_params.getlist("run")))[:MOST_RUNS]
        offered = await room.work(lambda: [one for one in listed(folder) if one.kind == "benchmark"])
        entries = [run_in(folder, name, "benchmark") for name in names]
        found = await room.work(lambda: made(entries))
        if form := form_of(request):
            return taken_away(form, f"leaderboard {found.suite.name}", found.to_dict, lambda: _rows(found))
        words = ["restock", "leaderboard", *(one.place for one in entries)]
        named = (("Standings", say.standings), ("By group", say.by_group), ("By scenario", say.by_scenario))
        tables = [(title, table) for title, make in named if (table := make(found)) is not None]
        return pages.page(
            request, "leaderboard", board=found, tables=tables, kinds=drawing.kinds(found),
            warnings=say.warnings(found), said=say.answer(found), close=say.close_calls(found), notes=say.notes(found),
            picture=drawing.ratios(found), meanings=drawing.meanings(found), chosen=names,
            offered=[one.name for one in offered],
            command=shlex.join(words) if entries else "", host=str(request.base_url).rstrip("/"),
            shared=f"/leaderboard?{urlencode([('run', name) for name in names])}" if names else "/leaderboard",
        )  # fmt: skip


def _board(entries: list[Entry]) -> Leaderboard:
    """Return the leaderboard of runs, or of the published results if there are none.

    Raises:
        InvalidInput: A run is damaged, or its suite names anything but problems of restock and numbers.
    """
    if not entries:
        return benchmark.published_board(PUBLISHED)
    for entry in entries:
        check_size(entry, sorted((entry.path / "episodes").glob("*.json")))
        _only_data(entry)
    try:
        board = benchmark.leaderboard([entry.path for entry in entries])
    except InvalidInput as error:  # it tells the place on this machine
        raise InvalidInput(error.field, Path(str(error.value)).name, error.problem, error.mend) from None
    return dataclasses.replace(board, versions={k.rpartition("/")[2]: v for k, v in board.versions.items()})


def _only_data(entry: Entry) -> None:
    """Check that nothing in the plan of a run leads to code or to other files.

    Raises:
        InvalidInput: Something does, or the plan is damaged.
    """
    try:
        suite = json.loads(text_in(entry, "run.json") or "")["data"]["suite"]
        scenarios = [dict(one) for one in suite["scenarios"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidInput("run", "run.json", "this file is damaged", "Restore the folder.") from None
    if len(scenarios) > MOST_SCENARIOS:
        problem = f"its suite has more than {MOST_SCENARIOS} scenarios"
        raise InvalidInput("run", entry.name, problem, "Use restock leaderboard on the machine itself.")
    for scenario in scenarios:
        instance = scenario.get("instance")
        if isinstance(instance, str) and instance not in shipped() and instance not in ids():
            problem = "this is no problem that restock ships, and a page loads nothing else"
            raise InvalidInput("run", instance, problem, "Use restock leaderboard on the machine itself.")
        if _names_a_file(scenario):
            problem = "this suite reads a file, and a page reads none but those of the run"
            raise InvalidInput("run", entry.name, problem, "Use restock leaderboard on the machine itself.")


def _names_a_file(value: Any) -> bool:
    """Return whether the data name a file to be read or code to be loaded."""
    if isinstance(value, dict):
        named = any(name in value and isinstance(value[name], str) for name in ("file", "place"))
        return named or any(map(_names_a_file, value.values()))
    return isinstance(value, list) and any(map(_names_a_file, value))


def _newest(entry: Entry) -> float:
    path = file_in(entry, "run.json")
    times = [0.0 if path is None else path.stat().st_mtime]
    times += [one.lstat().st_mtime for one in (entry.path / "episodes").glob("*.json")]
    return max(times)


def _rows(board: Leaderboard) -> list[dict[str, Any]]:
    """Return one row per policy."""
    found = []
    for row in board.rows:
        line: dict[str, Any] = {"policy": row.name, "rank": row.rank, "published": row.published}
        line |= {"information": row.information, "scenarios": row.scenarios, "decision_seconds": row.decision_seconds}
        for name, value in (("ratio", row.ratio), ("middle", row.middle)):
            ends = {} if value is None else dataclasses.asdict(value)
            line |= {name: ends.get("mean"), f"{name}_low": ends.get("low"), f"{name}_high": ends.get("high")}
        lead = row.lead
        line |= {"ahead_of": None if lead is None else lead.over, "p": None if lead is None else lead.p}
        found.append(line | {f"scenario: {name}": value for name, value in row.by_scenario.items()})
    return found
