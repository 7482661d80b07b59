"""What the pages tell of a transcript and of a comparison, how it is taken away, repeated and shared."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from restock.agents.modes import Mode
from restock.agents.play import Settings
from restock.agents.run import run_agent
from restock.evaluation.compare import compare
from restock.evaluation.simulate import simulate
from restock.policies.registry import make_policy
from restock.problems.load import load_problem
from restock.report.numbers import amount, decimals
from restock.server.dashboard import exchanges
from tests.cli.running import run
from tests.server.browsing import Browser, words
from tests.server.serving import Running

SEED = 7
PRICES = {"price_in": 100.0, "price_out": 300.0}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    tool = Settings(mode=Mode("tool", ("base-stock",), calls=2), **PRICES)  # type: ignore[arg-type]
    run_agent("serial", "stand-in:follower", seed=SEED, settings=tool, out=folder / "follower.jsonl")
    run_agent("serial", "stand-in:malformed", seed=SEED, settings=Settings(**PRICES), out=folder / "malformed.jsonl")
    run_agent("serial", "stand-in:sloppy", seed=SEED, out=folder / "sloppy.jsonl")
    return folder


def lines_of(runs: Path, name: str, event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (runs / name).read_text().splitlines()]
    return [line for line in lines if line["event"] == event]


def watched(browser: Browser, name: str) -> str:
    """Begin to watch a transcript of the folder; its address."""
    reply = browser.post("/transcripts", {"name": name})
    assert reply.status_code == 200, reply.text
    return reply.url.path


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# every try, every call of a tool, and what it cost -------------------------------------------------------


def test_a_turn_tells_every_call_of_a_tool_and_what_it_told(browser: Browser, runs: Path):
    said = words(browser.get(f"{watched(browser, 'follower.jsonl')}?turn=3"))
    call = lines_of(runs, "follower.jsonl", "tool")[2]
    assert call["name"] in said
    for part in ('"policy": "base-stock"', json.dumps(call["told"])[:40]):
        assert part in said, part


def test_a_turn_tells_tokens_seconds_requests_and_price(browser: Browser, runs: Path):
    turn = lines_of(runs, "follower.jsonl", "turn")[2]
    counts = turn["counts"]
    page = browser.get(f"{watched(browser, 'follower.jsonl')}?turn=3")
    data = browser.get(page.url.path + "?format=json").json()
    told = data["episodes"][0]["turns"][2]["spent"]
    assert {name: told[name] for name in ("tokens_in", "tokens_out", "requests", "replies", "suggestions")} == {
        name: counts[name] for name in ("tokens_in", "tokens_out", "requests", "replies", "suggestions")
    }
    assert told["seconds"] == pytest.approx(turn["seconds"])
    assert told["cost"] == pytest.approx((counts["tokens_in"] * 100.0 + counts["tokens_out"] * 300.0) / 1e6)
    assert f"{counts['tokens_in']:,}" in words(page) and f"{counts['tokens_out']:,}" in words(page)


@pytest.mark.parametrize("name", ["follower.jsonl", "malformed.jsonl", "sloppy.jsonl"])
def test_totals_of_an_episode_are_those_of_its_transcript(browser: Browser, runs: Path, name: str):
    end = lines_of(runs, name, "end")[0]
    data = browser.get(f"{watched(browser, name)}?format=json").json()
    told = data["episodes"][0]["spent"]
    counts = end["counts"]
    for field in ("replies", "requests", "retries", "unreadable", "rejected", "fallbacks", "suggestions"):
        assert told[field] == counts[field], field
    assert told["repairs"] == counts["repairs"]
    assert (told["tokens_in"], told["tokens_out"]) == (counts["tokens_in"], counts["tokens_out"])
    assert told["cost"] == (None if end["cost"] is None else pytest.approx(end["cost"]))


def test_every_try_stands_there_with_why_it_could_not_be_used(browser: Browser, runs: Path):
    replies = lines_of(runs, "malformed.jsonl", "reply")[:3]
    page = browser.get(f"{watched(browser, 'malformed.jsonl')}?turn=1")
    said = words(page)
    assert said.count("It could not be used") >= 3
    for reply in replies:
        assert " ".join(reply["text"].split())[:20] in said


def test_repairs_are_told_at_their_reply(browser: Browser, runs: Path):
    turn = lines_of(runs, "sloppy.jsonl", "turn")[0]
    said = words(browser.get(f"{watched(browser, 'sloppy.jsonl')}?turn=1"))
    assert turn["repairs"]
    assert f"Repaired: {', '.join(turn['repairs'])}" in said


def test_lines_with_more_and_with_less_are_read(browser: Browser, runs: Path):
    lines = [json.loads(line) for line in (runs / "follower.jsonl").read_text().splitlines()]
    for line in lines:
        if line["event"] == "reply":
            line["reasoning"], line["tokens_reasoning"] = "<b>first</b> I count", 12
            line["tokens_in"] = None
            del line["tries"], line["seconds"], line["finish"]
        if line["event"] == "tool":
            line["told"] = None
    text = "\n".join(json.dumps(line) for line in lines) + "\n"
    reply = browser.post("/transcripts", files={"file": ("mine.jsonl", text.encode())})
    said = browser.get(f"{reply.url.path}?turn=2")
    assert said.status_code == 200
    assert "&lt;b&gt;first&lt;/b&gt; I count" in said.text and "<b>first" not in said.text


# the worst turn -------------------------------------------------------------------------------------------


def test_the_worst_turn_is_the_one_that_lost_most_to_the_plan_that_is_the_bound(browser: Browser, runs: Path):
    address = watched(browser, "malformed.jsonl")
    rewards = [turn["reward"] for turn in lines_of(runs, "malformed.jsonl", "turn")]
    plan = simulate("serial", "hindsight", seeds=[episode_seed(runs)]).trajectory.rewards[0]
    losses = [float(best) - own for best, own in zip(plan, rewards, strict=True)]
    worst = losses.index(max(losses)) + 1
    page = browser.get(address)
    link = re.search(r'<a[^>]*href="([^"]*)"[^>]*>\s*Worst turn', page.text)
    assert link and link[1].endswith(f"turn={worst}")
    at = browser.get(f"{address}?turn={worst}")
    assert f"lost most to hindsight: {amount(max(losses), decimals([max(losses)]))}" in words(at)
    assert browser.get(f"{address}?format=json").json()["episodes"][0]["worst"]["turn"] == worst


def episode_seed(runs: Path) -> int:
    return int(lines_of(runs, "malformed.jsonl", "episode")[0]["seed"])


def test_turns_with_a_fault_are_reached_one_after_the_other(browser: Browser):
    address = watched(browser, "malformed.jsonl")
    page = browser.get(f"{address}?turn=4").text
    assert re.search(r'href="[^"]*turn=5"[^>]*>\s*Next fault', page)
    assert re.search(r'href="[^"]*turn=3"[^>]*>\s*Fault before', page)
    clean = browser.get(f"{watched(browser, 'follower.jsonl')}?turn=4").text
    assert "Next fault" not in clean


def test_without_anything_beside_it_the_worst_turn_is_that_of_the_least_reward(browser: Browser, runs: Path):
    lines = [json.loads(line) for line in (runs / "malformed.jsonl").read_text().splitlines()]
    lines[0]["problem"] = "somewhere else"
    rewards = [line["reward"] for line in lines if line["event"] == "turn"]
    text = "\n".join(json.dumps(line) for line in lines) + "\n"
    reply = browser.post("/transcripts", files={"file": ("mine.jsonl", text.encode())})
    worst = rewards.index(min(rewards)) + 1
    assert re.search(rf'href="[^"]*turn={worst}"[^>]*>\s*Worst turn', reply.text)
    assert "least reward" in words(browser.get(f"{reply.url.path}?turn={worst}"))


# a bound that cannot be carried out ----------------------------------------------------------------------


def compared(problem: str, **changes: Any) -> tuple[Any, str]:
    from restock.report.tables import summary
    from restock.report.words import bound_told

    found = compare(load_problem(problem, **changes), ["tuned-price-and-cover", "passive"], 4, 3)
    return summary(found), bound_told(found)


def test_a_bound_that_cannot_be_carried_out_is_told_and_is_no_row():
    table, told = compared("retail-easy")
    assert [cells[0] for cells in table.rows] == ["tuned-price-and-cover", "passive"]
    assert "22,598" in told and "cannot be carried out" in told


def test_a_plan_that_a_policy_beats_is_no_row(browser: Browser):
    asked = {"task": "retail-easy", "seed": "3", "episodes": "4", "policy": ["tuned-price-and-cover", "passive"]}
    reply = browser.post("/comparisons", asked)
    rows = re.findall(r'<th scope="row">(.*?)</th>', reply.text, re.S)
    assert len(rows) == 2 and not any("hindsight" in row for row in rows)
    assert "it is no bound here" in words(reply)
    assert compared("retail-easy", reward="decomposed")[1] in words(reply)


def test_a_plan_that_is_the_bound_stays_a_row(browser: Browser):
    asked = {"task": "serial", "seed": "3", "episodes": "4", "policy": ["base-stock", "random"]}
    reply = browser.post("/comparisons", asked)
    assert any("hindsight" in row for row in re.findall(r'<th scope="row">(.*?)</th>', reply.text, re.S))


@pytest.mark.parametrize("turn", [10, 30])
def test_no_regret_below_zero_is_shown_to_a_plan_that_cannot_be_carried_out(browser: Browser, turn: int):
    reply = browser.get(f"{browser.show('retail-easy', 'tuned-price-and-cover')}?turn={turn}")
    said = words(reply)
    assert not re.search(r"Regret[^.]*?: \N{MINUS SIGN}", said)
    assert "as far as it can be carried out" not in said
    assert "bound" in said


def test_who_is_ahead_of_the_best_plan_found_has_no_negative_regret(browser: Browser):
    reply = browser.get(f"{browser.show('sharing-variable', 'base-stock')}?turn=1")
    turns = re.search(r"of (\d+)</span>", reply.text)
    assert turns
    last = browser.get(f"{reply.url.path}?turn={turns[1]}")
    assert not re.search(r"Regret[^.]*?: \N{MINUS SIGN}", words(last))
    assert "more than the best plan found" in words(last)


# taken away -------------------------------------------------------------------------------------------------


def test_a_comparison_is_taken_away_as_the_command_writes_it(browser: Browser, tmp_path: Path):
    asked = {"task": "serial", "seed": "3", "episodes": "20", "policy": ["base-stock", "random"]}
    page = browser.post("/comparisons", asked)
    told = browser.get(page.url.path + "?format=json").json()
    out = tmp_path / "table.json"
    command = ["compare", "serial", "base-stock", "random", "--episodes", "20", "--seed", "3", "-q"]
    run(*command, "--out", str(out))
    expected = json.loads(out.read_text())
    for policy in (*told["policies"], *expected["policies"]):
        del policy["seconds"]
    assert told == expected
    run(*command, "--out", str(tmp_path / "table.csv"))
    reply = browser.get(page.url.path + "?format=csv")
    here, there = rows_of(reply.text), rows_of((tmp_path / "table.csv").read_text())
    assert [{k: v for k, v in row.items() if k != "seconds"} for row in here] == [
        {k: v for k, v in row.items() if k != "seconds"} for row in there
    ]
    assert reply.headers["content-type"].startswith("text/csv")
    assert "attachment" in reply.headers["content-disposition"]
    each = browser.get(page.url.path + "/episodes?format=csv")
    assert len(rows_of(each.text)) == 20
    assert set(rows_of(each.text)[0]) == {"seed", "base-stock", "random", "hindsight"}


def test_a_show_is_taken_away_with_every_turn(browser: Browser):
    address = browser.show("serial", "base-stock")
    rows = rows_of(browser.get(f"{address}?format=csv").text)
    assert [row["period"] for row in rows] == [str(t + 1) for t in range(30)]
    played = simulate("serial", make_policy("base-stock", load_problem("serial")), seeds=[SEED])
    assert sum(float(row["reward"]) for row in rows) == pytest.approx(float(played.profit[0]))
    assert json.loads(rows[0]["action"])["orders"]


def test_cells_that_a_spreadsheet_would_carry_out_are_text(browser: Browser, runs: Path):
    lines = [json.loads(line) for line in (runs / "sloppy.jsonl").read_text().splitlines()]
    for line in lines:
        if line["event"] == "turn":
            line["error"], line["by"] = "=cmd|'/c calc'!A1", "@SUM(1)"
    text = "\n".join(json.dumps(line) for line in lines) + "\n"
    reply = browser.post("/transcripts", files={"file": ("mine.jsonl", text.encode())})
    told = browser.get(f"{reply.url.path}?format=csv").text
    row = rows_of(told)[0]
    assert row["error"].startswith("'=") and row["by"].startswith("'@")


@pytest.mark.parametrize("form", ["xml", "CSV", "", "json,csv"])
def test_another_form_is_refused(browser: Browser, form: str):
    address = browser.show("serial", "base-stock")
    reply = browser.get(f"{address}?format={form}")
    assert reply.status_code == 422 and "csv" in words(reply)


# repeated and shared -----------------------------------------------------------------------------------------


def test_a_comparison_tells_the_command_that_repeats_it_and_the_command_does(browser: Browser):
    asked = {"task": "serial", "seed": "3", "episodes": "20", "policy": ["base-stock", "random"]}
    said = words(browser.post("/comparisons", asked))
    assert "restock compare serial base-stock random --episodes 20 --seed 3" in said


def test_a_store_is_repeated_with_its_reward(browser: Browser):
    asked = {"task": "retail-easy", "seed": "3", "episodes": "2", "policy": ["passive"]}
    command = re.search(r"restock compare [^<]*", words(browser.post("/comparisons", asked)))
    assert command and "--with reward=decomposed" in command[0]


def test_a_show_tells_the_command_that_repeats_it(browser: Browser):
    said = words(browser.get(browser.show("serial", "base-stock")))
    assert f"restock simulate serial base-stock --seeds {SEED}" in said


def test_a_transcript_tells_how_its_run_is_repeated(browser: Browser):
    said = words(browser.get(watched(browser, "follower.jsonl")))
    assert "restock agent --env serial --model stand-in:follower --mode tool --policy base-stock" in said


def test_what_a_transcript_would_have_run_is_not_offered_as_a_command(browser: Browser, runs: Path):
    lines = [json.loads(line) for line in (runs / "sloppy.jsonl").read_text().splitlines()]
    lines[0]["settings"]["fallback"] = "dl/evil.py:Pol"
    lines[0]["model"] = "x'; rm -rf ~ \x1b]0;x\x07"
    for problem in ("dl/evil.py:Prob", "serial"):
        lines[0]["problem"] = problem
        text = "\n".join(json.dumps(line) for line in lines) + "\n"
        reply = browser.post("/transcripts", files={"file": ("mine.jsonl", text.encode())})
        assert reply.status_code == 200
        assert "restock agent" not in words(reply) and "\x1b" not in reply.text


@pytest.mark.parametrize(
    ("form", "asked"),
    [
        ("/comparisons", {"task": "serial", "seed": "3", "episodes": "5", "policy": ["base-stock", "random"]}),
        ("/shows", {"task": "serial", "seed": "9", "policy": "base-stock"}),
        ("/transcripts", {"name": "sloppy.jsonl"}),
    ],
)
def test_a_link_shows_it_again_in_another_browser(browser: Browser, pages: Running, form: str, asked: dict[str, Any]):
    page = browser.post(form, asked)
    link = re.search(r'href="(/again\?[^"]*)"', page.text)
    assert link
    address = link[1].replace("&amp;", "&")
    assert pages.url + address in words(page)
    other = Browser(pages)
    before = len(pages.hub.sessions)
    asking = other.get(address)
    assert asking.status_code == 200
    assert len(pages.hub.sessions) == before  # nothing begins before somebody wants it
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', asking.text)
    sent: dict[str, Any] = {}
    for name, value in fields:
        sent.setdefault(name, []).append(value)
    again = other.post(form, sent)
    assert again.status_code == 200
    first = re.search(r"<h1>(.*?)</h1>", page.text, re.S)
    second = re.search(r"<h1>(.*?)</h1>", again.text, re.S)
    assert first and second and first[1] == second[1]
    other.client.close()


def test_a_link_to_a_turn_leads_to_that_turn(browser: Browser, pages: Running):
    page = browser.get(f"{watched(browser, 'sloppy.jsonl')}?turn=12").text
    link = re.search(r'href="(/again\?[^"]*)"', page)
    assert link and "turn=12" in link[1]
    other = Browser(pages)
    again = other.post("/transcripts", {"name": "sloppy.jsonl", "turn": "12"})
    assert again.url.query == b"turn=12"
    other.client.close()


@pytest.mark.parametrize(
    "query",
    [
        "", "kind=comparison", "kind=nothing&task=serial", "kind=transcript&name=../secret.jsonl",
        "kind=show&task=serial&policy=evil.py:Pol", "kind=show&task=nothing&policy=base-stock",
        "kind=comparison&task=serial&policy=base-stock&episodes=1e9",
    ],
)  # fmt: skip
def test_a_link_that_cannot_be_is_told(browser: Browser, query: str):
    assert browser.get(f"/again?{query}").status_code in (404, 422)


def test_what_came_from_a_file_or_was_played_by_hand_has_no_link_and_says_why(browser: Browser, runs: Path):
    content = (runs / "sloppy.jsonl").read_bytes()
    sent = browser.post("/transcripts", files={"file": ("mine.jsonl", content)})
    assert "/again?" not in sent.text
    assert "no link" in words(sent)


@pytest.mark.parametrize("path", ["/", "/transcripts", "/leaderboard", "/live"])
@pytest.mark.parametrize("form", ["csv", "json"])
def test_every_list_is_taken_away(browser: Browser, path: str, form: str):
    page = browser.get(path).text
    link = re.search(rf'href="({re.escape(path)}\?[^"]*format={form})"', page)
    assert link
    reply = browser.get(link[1].replace("&amp;", "&"))
    assert reply.status_code == 200
    assert reply.json() if form == "json" else rows_of(reply.text)


def test_of_many_replies_only_the_first_are_read_again(monkeypatch: pytest.MonkeyPatch):
    read = []
    monkeypatch.setattr(exchanges, "parse", lambda text: read.append(text) or ({}, ()))
    many = [exchanges.Exchange(exchanges.ReplyLine(text="{}")) for _ in range(5 * exchanges.MOST_PARSED)]
    told = exchanges.told_of(many, "too late", None, False)
    assert len(told) == len(many) and len(read) == exchanges.MOST_PARSED
    exchanges.told_of([exchanges.Exchange(exchanges.ReplyLine(text="{" * 10**6))], "too long", None, False)
    assert len(read) == exchanges.MOST_PARSED


def test_a_game_is_taken_away_without_what_is_to_come(browser: Browser):
    address = browser.game("minimal")
    browser.post(f"{address}/period", {"period": "0"})
    assert f'href="{address}?format=csv"' in browser.get(address).text
    address = browser.game("serial")
    browser.post(f"{address}/period", {"period": "0"})
    data = browser.get(f"{address}/turns?format=json").json()["episodes"][0]
    assert len(data["turns"]) == 1 and data["turns"][0]["rival"] is not None
    assert data["bound"] is None and data["turns"][0]["plan"] is None
    assert len(rows_of(browser.get(f"{address}/turns?format=csv").text)) == 1
