"""The routes for the folder of runs: trainings, searches and benchmarks."""

from __future__ import annotations

import datetime
import shlex
from typing import Any
from urllib.parse import quote

from restock.core.errors import InvalidInput
from restock.server.dashboard import pages
from restock.server.dashboard.downloads import form_of, taken_away
from restock.server.dashboard.folders import Entry, file_in, listed, run_in
from restock.server.dashboard.room import Room
from restock.server.dashboard.training_runs import told
from restock.server.errors import Refused
from restock.server.needs_server import APIRouter, Request, Response

REPORT = "report.html"
MOST_ROWS = 300  # of a table on a page; its file has all
# A report is shown as a page of nobody: no script runs in it, and it reaches nothing of this server.
SEALED = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'"


def runs(router: APIRouter, room: Room) -> None:
    """Add the routes."""
    folder = room.hub.settings.runs
    kept: dict[Entry, dict[str, Any]] = {}  # lines of the list, until something in a run changes

    def lines() -> list[dict[str, Any]]:
        now = {one: kept.get(one) or _line(one) for one in listed(folder)}
        kept.clear()
        kept.update(now)
        return list(now.values())

    @router.get("/runs")
    async def every(request: Request) -> Response:
        found = await room.work(lines)
        if form := form_of(request):
            return taken_away(form, "runs", lambda: {"runs": found}, lambda: found)
        return pages.page(request, "runs", runs=found, folder=folder)

    @router.get("/runs/{name}")
    async def one(request: Request, name: str) -> Response:
        entry = await room.work(lambda: run_in(folder, name))
        if entry.kind == "benchmark":
            return pages.moved(request, f"/leaderboard?run={quote(entry.name, safe='')}")
        found = await room.work(lambda: told(entry))
        if form := form_of(request):
            return await room.work(lambda: taken_away(form, entry.name, lambda: found.data, lambda: found.rows))
        return pages.page(
            request, "run", run=found, kind=entry.kind, when=_when(entry), most=MOST_ROWS,
            report=file_in(entry, REPORT) is not None, commands=_commands(entry, found.data),
        )  # fmt: skip

    @router.get("/runs/{name}/report")
    async def report(request: Request, name: str) -> Response:
        entry = await room.work(lambda: run_in(folder, name))
        path = file_in(entry, REPORT)
        if path is None:
            raise Refused("NOT_FOUND", f"The run {entry.name!r} has no report.")
        headers = {
            "content-security-policy": SEALED,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cache-control": "no-store",
        }
        return Response(path.read_bytes(), media_type="text/html; charset=utf-8", headers=headers)


def _line(entry: Entry) -> dict[str, Any]:
    """Return a run in the list; for a damaged run, what is wrong with it."""
    line: dict[str, Any] = {"run": entry.name, "kind": entry.kind, "changed": _when(entry)}
    if entry.kind == "benchmark":
        return {**line, "status": "", "wrong": ""}
    try:
        found = told(entry)
    except InvalidInput as error:
        return {**line, "status": "", "wrong": str(error)}
    facts = dict(found.facts)
    line |= {name: facts[name] for name in ("problem", "algorithm") if name in facts}
    return {**line, "status": found.status, "wrong": ""}


def _commands(entry: Entry, data: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the commands that repeat or resume a run on its own machine."""
    path = entry.place
    if entry.kind == "tuning":
        best = ("Evaluate its best policy", shlex.join(["restock", "evaluate", f"{path}/best"]))
        return [best] if file_in(entry, "best/config.yaml") is not None else []
    summary = data.get("evaluation") or {}
    count = summary.get("episodes")
    again = [
        shlex.join(["mkdir", f"{path}-again"]),
        shlex.join(["cp", f"{path}/config.yaml", f"{path}-again/"]),
        shlex.join(["restock", "train", "--resume", f"{path}-again"]),
    ]
    judged = ["restock", "evaluate", path]
    judged += ["--episodes", str(count), "--seed", str(summary.get("seed", 0))] if isinstance(count, int) else []
    return [("Train it again", " && ".join(again)), ("Evaluate it", shlex.join(judged))]


def _when(entry: Entry) -> str:
    return f"{datetime.datetime.fromtimestamp(entry.changed, datetime.UTC):%Y-%m-%d %H:%M} UTC"
