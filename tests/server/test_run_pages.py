"""The pages of the folder of runs, the leaderboard, and the sessions: what they tell, and what they do not follow."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from restock.benchmark import leaderboard as benchmark
from restock.benchmark.leaderboard import leaderboard
from restock.report import standings as say
from restock.server.dashboard import folders
from tests.cli.running import run
from tests.server.browsing import Browser, words
from tests.server.serving import Running, serving

SECRET = "word that nobody outside may read"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served") / "runs"
    made = run("train", "serial", "--steps", "20", "--set", "held_out=8", "--out", str(folder / "trained"), "-q")
    assert made.code == 0, made.err
    made = run("bench", "--suite", "smoke", "-p", "base-stock", "-j", "1", "--out", str(folder / "smoke"), "-q")
    assert made.code == 0, made.err
    outside = folder.parent / "outside"
    shutil.copytree(folder / "trained", outside)
    (outside / "report.html").write_text(SECRET)
    (outside / "config.yaml").write_text((outside / "config.yaml").read_text() + f"\n# {SECRET}\n")
    (folder / "linked").symlink_to(outside)
    shutil.copytree(folder / "trained", folder / "leading")
    for name in ("metrics.jsonl", "report.html"):
        (folder / "leading" / name).unlink()
        (folder / "leading" / name).symlink_to(outside / name)
    shutil.copytree(folder / "trained", folder / "damaged")
    (folder / "damaged" / "metrics.jsonl").write_text('{"restart": 0, "step"\n')
    (folder / "notes.txt").write_text(SECRET)
    tuned = folder / "tuned"
    tuned.mkdir()
    (tuned / "tuning.yaml").write_text(
        "format: 1\nstartup: 2\npruning: true\nspace: {gamma: '0.9..1.0'}\n"
        "base: {algo: ppo, seed: 0, problem: {name: serial}}\n"
    )
    trials = [
        {"number": 0, "state": "complete", "value": 100.5, "fresh": 99.0, "seconds": 1.0, "values": {"gamma": 0.95}},
        {"number": 1, "state": "complete", "value": 120.5, "fresh": 98.0, "seconds": 1.0, "values": {"gamma": 0.99}},
        {"number": 2, "state": "failed", "value": None, "fresh": None, "seconds": 1.0, "values": {}},
    ]
    (tuned / "trials.jsonl").write_text("".join(json.dumps(one) + "\n" for one in trials))
    return folder


@contextlib.contextmanager
def changed(path: Path, text: str) -> Iterator[None]:
    """A file with another text, until the block ends."""
    before = path.read_text() if path.exists() else None
    path.write_text(text)
    try:
        yield
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before)


# runs ---------------------------------------------------------------------------------------------------


def test_all_runs_are_listed_with_what_they_are(browser: Browser):
    told = browser.get("/runs?format=json").json()["runs"]
    assert {one["run"]: one["kind"] for one in told} == {
        "trained": "training", "leading": "training", "damaged": "training", "smoke": "benchmark", "tuned": "tuning",
    }  # fmt: skip
    page = browser.get("/runs")
    assert "serial" in words(page) and "pathwise" in words(page) and "finished" in words(page)


def test_the_list_is_taken_away(browser: Browser):
    page = browser.get("/runs").text
    for form in ("csv", "json"):
        assert f'href="/runs?format={form}"' in page
    assert {row["run"] for row in csv.DictReader(io.StringIO(browser.get("/runs?format=csv").text))} >= {"trained"}


def test_a_damaged_run_says_so_and_breaks_no_list(browser: Browser):
    told = {one["run"]: one["wrong"] for one in browser.get("/runs?format=json").json()["runs"]}
    assert "metrics.jsonl" in told["damaged"] and not told["trained"]
    reply = browser.get("/runs/damaged")
    assert reply.status_code == 422 and "metrics.jsonl" in words(reply)


def test_a_training_run_shows_its_curve_its_worth_and_its_configuration(browser: Browser, runs: Path):
    page = browser.get("/runs/trained")
    said = words(page)
    for word in ("finished", "pathwise", "informed", "hindsight", "trained", "base-stock", "sharpness"):
        assert word in said, word
    assert "Profit on held-out episodes over the steps of training" in page.text
    data = browser.get("/runs/trained?format=json").json()
    lines = [json.loads(line) for line in (runs / "trained" / "metrics.jsonl").read_text().splitlines()]
    assert data["metrics"] == lines
    assert data["result"] == json.loads((runs / "trained" / "result.json").read_text())
    rows = list(csv.DictReader(io.StringIO(browser.get("/runs/trained?format=csv").text)))
    assert [float(row["profit"]) for row in rows] == [line["profit"] for line in lines]
    assert "restock evaluate" in said and "restock train --resume" in said


def test_a_search_shows_its_trials_best_first(browser: Browser):
    page = browser.get("/runs/tuned")
    table = re.findall(r'<th scope="row">(\d)</th>', page.text)
    assert table == ["1", "0", "2"]
    assert "2 complete, 1 failed" in words(page)


def test_a_report_is_shown_sealed(browser: Browser, runs: Path):
    with changed(runs / "trained" / "report.html", "<script>alert(1)</script><form action=/shows>"):
        reply = browser.get("/runs/trained/report")
    rules = reply.headers["content-security-policy"]
    assert "sandbox" in rules and "allow" not in rules and "default-src 'none'" in rules
    assert "script-src" not in rules and "form-action 'none'" in rules
    assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/runs/linked", "/runs/linked/report", "/runs/..%2foutside", "/runs/%2e%2e", "/runs/notes.txt", "/runs/nothing",
        "/runs/../outside/report", "/leaderboard?run=../smoke", "/leaderboard?run=trained", "/runs/%00",
    ],
)  # fmt: skip
def test_nothing_but_a_run_of_the_list_is_shown(browser: Browser, path: str):
    reply = browser.get(path)
    assert reply.status_code == 404
    assert SECRET not in reply.text


@pytest.mark.parametrize("path", ["/runs/leading", "/runs/leading/report", "/runs/leading?format=json"])
def test_a_file_that_leads_out_of_its_run_is_refused(browser: Browser, path: str):
    reply = browser.get(path)
    assert reply.status_code == 422
    assert "leads out" in words(reply) and SECRET not in reply.text


def test_what_is_no_file_keeps_nobody_waiting(browser: Browser, runs: Path):
    path = runs / "trained" / "versions.json"
    kept = path.read_text()
    path.unlink()
    os.mkfifo(path)
    try:
        assert browser.get("/runs/trained").status_code == 422
    finally:
        path.unlink()
        path.write_text(kept)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config.yaml", "a: &a [1, 2]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n"),
        ("config.yaml", "[" * 5000),
        ("config.yaml", "!!python/object/apply:os.system ['true']"),
        ("config.yaml", "- 1\n"),
        ("metrics.jsonl", '{"restart": "x", "step": 1}\n'),
        ("metrics.jsonl", '{"restart": 0, "step": 1, "profit": NaN, "baseline": 1}\n'),
        ("metrics.jsonl", "[1]\n"),
        ("result.json", "{"),
        ("evaluation/summary.json", "[" * 100_000),
    ],
)
def test_whatever_a_run_holds_is_shown_or_refused(browser: Browser, runs: Path, name: str, text: str):
    with changed(runs / "trained" / name, text):
        assert browser.get("/runs/trained").status_code == 422
        told = {one["run"]: one["wrong"] for one in browser.get("/runs?format=json").json()["runs"]}
    assert told["trained"] and not told["tuned"]


@pytest.mark.parametrize(
    "summary",
    [
        {}, {"problems": 3}, {"problems": [{"policies": [3, {}, {"name": ["x"], "profit": "much", "gap": 1e400}]}]},
        {"problems": [{"what": None, "policies": [{"name": "<script>alert(1)</script>", "profit": {"mean": 1}}]}]},
    ],
)  # fmt: skip
def test_an_evaluation_may_say_anything(browser: Browser, runs: Path, summary: Any):
    with changed(runs / "trained" / "evaluation" / "summary.json", json.dumps(summary)):
        reply = browser.get("/runs/trained")
    assert reply.status_code == 200
    assert "<script>alert" not in reply.text


def test_a_file_that_is_too_large_is_not_read(browser: Browser, runs: Path, monkeypatch: pytest.MonkeyPatch):
    with (runs / "trained" / "result.json").open("a") as file:
        whole = file.tell()
        file.truncate(folders.LARGEST + 1)
    try:
        reply = browser.get("/runs/trained")
    finally:
        os.truncate(runs / "trained" / "result.json", whole)
    assert reply.status_code == 422 and "bytes" in words(reply)


def test_a_run_that_names_code_runs_none(browser: Browser, runs: Path, tmp_path: Path):
    trap = tmp_path / "trap.py"
    trap.write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')\n")
    place = f"{trap}:Trap"
    config = f"format: 1\nalgo: {place}\nseed: 0\nproblem: {{place: '{place}', arguments: {{}}}}\n"
    with changed(runs / "trained" / "config.yaml", config):
        assert browser.get("/runs/trained").status_code == 200
    told = planned(browser, runs, lambda suite: suite["scenarios"][0].update(instance=place))
    assert "ships" in told and not (tmp_path / "sprung").exists()


def planned(browser: Browser, runs: Path, change: Callable[[Any], object]) -> str:
    """What the leaderboard says of a run whose suite was changed, hash and all."""
    data = json.loads((runs / "smoke" / "run.json").read_text())["data"]
    change(data["suite"])
    body = json.dumps(data, sort_keys=True)
    mark = hashlib.sha256(body.encode()).hexdigest()[:32]
    with changed(runs / "smoke" / "run.json", f'{{"format": 1, "sha256": "{mark}", "data": {body}}}\n'):
        reply = browser.get("/leaderboard?run=smoke")
    assert reply.status_code == 422
    return words(reply)


def test_a_suite_that_reads_a_file_or_has_no_end_is_refused(browser: Browser, runs: Path):
    series = {"series": {"file": "/etc/passwd", "column": "x"}}
    assert "reads a file" in planned(browser, runs, lambda suite: suite["scenarios"][0].update(demand=series))
    assert "more than" in planned(browser, runs, lambda suite: suite.update(scenarios=suite["scenarios"] * 200))
    assert "damaged" in planned(browser, runs, lambda suite: suite.update(scenarios=7))


def test_a_server_without_a_folder_says_so():
    with serving(problem="serial") as server:
        one = Browser(server)
        assert "no folder of runs" in words(one.get("/runs"))
        assert one.get("/runs/x").status_code == 404


# the leaderboard ---------------------------------------------------------------------------------------


def test_the_leaderboard_is_that_of_the_command(browser: Browser, runs: Path):
    page = browser.get("/leaderboard?run=smoke")
    board = leaderboard([runs / "smoke"])
    for cells in say.standings(board).rows:
        row = re.search(rf'<th scope="row">{re.escape(cells[0])}</th>(.*?)</tr>', page.text, re.S)
        assert row and re.findall(r"<td>(.*?)</td>", row[1]) == [cell.replace("<", "&lt;") for cell in cells[1:]]
    told = browser.get("/leaderboard?run=smoke&format=json").json()
    command = run("leaderboard", str(runs / "smoke"), "--json").document
    assert told["rows"] == command["rows"]
    assert told["suite_hash"] == command["suite_hash"]
    assert "restock leaderboard runs/smoke" in words(page)
    rows = list(csv.DictReader(io.StringIO(browser.get("/leaderboard?run=smoke&format=csv").text)))
    assert [row["policy"] for row in rows] == [row.name for row in board.rows]


@pytest.mark.parametrize(
    "path", ["/runs", "/runs/trained", "/runs/damaged", "/leaderboard?run=smoke", "/leaderboard?run=half"]
)
@pytest.mark.parametrize("form", ["", "json"])
def test_no_page_tells_where_on_the_machine_the_folder_lies(browser: Browser, runs: Path, path: str, form: str):
    shutil.copytree(runs / "smoke", runs / "half", dirs_exist_ok=True)
    (next((runs / "half" / "episodes").glob("hindsight*"))).write_text("{")
    try:
        reply = browser.get(path + (("&" if "?" in path else "?") + f"format={form}" if form else ""))
    finally:
        shutil.rmtree(runs / "half")
    assert str(runs.parent) not in reply.text
    assert reply.status_code == (422 if path.endswith(("half", "damaged")) else 200)


def test_without_runs_the_leaderboard_is_the_published_one(browser: Browser):
    page = browser.get("/leaderboard")
    board = benchmark.published_board("gym-invmgmt")
    assert page.status_code == 200
    for row in board.rows:
        assert row.shown in words(page)
    assert board.rows[0].information == "clairvoyant" or board.rows[0].rank == 1
    assert "No policy earned more than a proven bound" not in words(page)


# sessions ----------------------------------------------------------------------------------------------


def test_sessions_are_shown_without_what_lets_others_play_or_rehearse(pages: Running, browser: Browser):
    opened = pages.ask("POST", "/sessions", {"task": "minimal", "seed": 987654321}).json()
    id = opened["session_id"]
    pages.ask("POST", f"/sessions/{id}/step", {"action": {}})
    page = browser.get("/live")
    assert f'<th scope="row">{id[:6]}' in page.text
    assert id[:12] not in page.text and "987654321" not in page.text
    told = next(one for one in browser.get("/live?format=json").json()["sessions"] if one["session"] == id[:6])
    state = pages.ask("GET", f"/sessions/{id}/state").json()
    assert told["task"] == "minimal" and told["periods"] == 1
    assert told["total_reward"] == pytest.approx(state["total_reward"])
    assert 0.0 <= told["idle_seconds"] < 30.0
    assert set(told) == {"session", "kind", "task", "periods", "total_reward", "idle_seconds"}


def test_to_look_at_sessions_keeps_none_alive(pages: Running, browser: Browser):
    id = pages.ask("POST", "/sessions", {"task": "minimal"}).json()["session_id"]
    before = next(one for one in pages.hub.sessions.every() if one.id == id).touched
    browser.get("/live?part=rows")
    assert next(one for one in pages.hub.sessions.every() if one.id == id).touched == before


def test_games_count_as_sessions(browser: Browser):
    address = browser.game("serial")
    browser.post(f"{address}/period", {"period": "0"})
    told = [one for one in browser.get("/live?format=json").json()["sessions"] if one["kind"] == "game"]
    assert told[0]["periods"] == 1


def test_the_rows_look_again_by_themselves_and_are_only_rows(browser: Browser):
    page = browser.get("/live").text
    assert 'hx-trigger="every 3s"' in page
    part = browser.get("/live?part=rows", headers={"hx-request": "true"}).text
    assert "<html" not in part and 'id="said"' not in part


def test_sessions_are_for_who_has_the_token():
    with serving(problem="serial", token="secret") as server:
        assert httpx.get(server.url + "/live?format=json", trust_env=False).status_code == 401
        assert server.ask("GET", "/live?format=json").status_code == 200


def test_without_a_token_sessions_are_for_this_machine_alone(pages: Running):
    asked = pages.ask("GET", "/live", headers={"x-forwarded-for": "203.0.113.9", "accept": "text/html"})
    assert asked.status_code == 403
    assert "token" in asked.text
