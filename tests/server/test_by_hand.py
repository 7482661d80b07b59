"""Playing by hand with help: pictures, names as words, and the policy to beat for one decision or for several."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest

from restock.agents.run import run_agent
from restock.envs.structured import StructuredEnvironment
from restock.evaluation.simulate import simulate
from restock.policies.registry import make_policy, usual_policies, yardsticks
from restock.problems.load import load_problem
from restock.report.palette import DARK
from restock.server.dashboard import fields
from restock.server.dashboard.pages import Moved, telling
from restock.server.needs_server import Request, Response
from tests.server.browsing import SEED, Browser, words
from tests.server.serving import Running, serving


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    runs: Path = tmp_path_factory.mktemp("runs")
    run_agent("serial", "stand-in:base-stock", seed=SEED, out=runs / "agent-serial.jsonl")
    with serving(problem="serial", runs=runs, max_sessions=200) as running:
        yield running


def boxes(reply: httpx.Response) -> dict[str, str]:
    """What the form of a game is filled in with, by the names of its fields."""
    written = re.findall(r'<input id="(f[\d.]+)" name="[^"]*" aria-label="[^"]*" value="([^"]*)"', reply.text)
    chosen = re.findall(r'<select id="(f[\d.]+)".*?<option selected>([^<]*)<', reply.text)
    return dict(written + chosen)


@pytest.mark.parametrize("task", ["serial", "sharing", "minimal", "retail-medium", "w-network"])
def test_the_form_is_filled_in_as_the_policy_to_beat_would_decide(browser: Browser, task: str):
    problem = load_problem(task)
    address, name = browser.game(task), yardsticks(problem.family)[0]
    reply = browser.post(f"{address}/filled")  # as a browser without scripts does
    said = browser.post(f"{address}/filled", headers={"hx-request": "true"})
    assert f"Filled in as {name} would" in words(said) and boxes(said) == boxes(reply)
    assert 'name="period" value="0"' in reply.text, "nothing is played"
    form = fields.form_of(problem)
    filled = fields.action_of(form, boxes(reply))
    run = simulate(problem, make_policy(name, problem), seeds=[SEED])
    records = problem.records()
    wanted = records.decision(records.action(run.trajectory[problem.decision][0, 0]))
    assert np.ravel(records.decision(filled)) == pytest.approx(np.ravel(wanted), abs=1e-3)


def test_the_policy_to_beat_plays_on_to_its_own_reward(browser: Browser):
    address = browser.game("serial")
    for t, count in ((0, "7"), (7, "30")):
        reply = browser.post(f"{address}/several", {"period": str(t), "periods": count, "how": "policy"})
        assert reply.status_code == 200
    rival = float(simulate("serial", "base-stock", seeds=[SEED]).profit[0])
    told = re.search(r"Your reward is ([\d,.]+) ; base-stock reached ([\d,.]+) on the same demand", words(reply))
    assert told and told[1] == told[2] and float(told[1].replace(",", "")) == pytest.approx(rival, abs=0.5)
    assert "base-stock decided 30 for you" in words(reply)


def test_a_decision_is_repeated(browser: Browser):
    address = browser.game("serial")
    first = browser.post(f"{address}/several", {"period": "0", "periods": "3", "how": "repeat"})
    assert first.status_code == 422 and "no decision to repeat" in words(first)
    sent = {box.name: "20" for box in fields.form_of(load_problem("serial")).boxes()}
    browser.post(f"{address}/period", {"period": "0", **sent})
    said = {"hx-request": "true"}
    reply = browser.post(f"{address}/several", {"period": "1", "periods": "4", "how": "repeat"}, headers=said)
    table = StructuredEnvironment("serial")
    table.reset(seed=SEED)
    for _ in range(5):
        table.step({"orders": {"2->1": 20, "3->2": 20, "4->3": 20}})
    gained = float(table.trajectory.rewards[1:].sum())
    assert f"Periods 2 to 5 were played: reward +{gained:,.0f}" in words(reply)


@pytest.mark.parametrize(
    "changed", [{"periods": "0"}, {"periods": "-1"}, {"periods": "many"}, {"periods": "1e9"}, {"how": "well"}]
)
def test_several_periods_that_cannot_be_are_refused(browser: Browser, changed: dict[str, str]):
    address = browser.game("serial")
    reply = browser.post(f"{address}/several", {"period": "0", "periods": "3", "how": "policy", **changed})
    assert reply.status_code == 422
    assert 'name="period" value="0"' in browser.get(address).text
    late = browser.post(f"{address}/several", {"period": "5", "periods": "3", "how": "policy"})
    assert late.status_code == 409


def test_the_network_is_drawn_with_the_names_that_people_use(browser: Browser):
    address = browser.game("serial")
    for reply in (browser.get("/pick/serial"), browser.get(address)):
        drawn = re.search(r'<figure class="network.*?</figure>', reply.text, re.S)
        assert drawn and all(f">{name}<" in drawn[0] for name in ("factory 3", "distributor 2", "retailer 1"))
    assert "distributor 2 \N{RIGHTWARDS ARROW} retailer 1" in words(reply)
    assert "->" not in html.unescape(re.sub(r"<pre.*?</pre>", "", reply.text, flags=re.S))


@pytest.mark.parametrize("task", ["serial", "sharing", "production", "minimal", "retail-easy"])
def test_stock_demand_orders_and_what_was_owed_are_drawn_over_the_periods(browser: Browser, task: str):
    address = browser.game(task)
    played = browser.post(f"{address}/several", {"period": "0", "periods": "2", "how": "policy"})
    shown = browser.get(f"{browser.show(task, yardsticks(load_problem(task).family)[0])}?turn=2")
    for reply in (played, shown, browser.get(f"/examples/{task}")):
        titles = re.findall(r"<figcaption>([^<]*)<span", reply.text)
        for wanted in ("Stock", "Demand", "Orders|Bought", "Backlog|lost|Stock-outs"):
            assert any(re.search(wanted, title) for title in titles), (wanted, titles)


@pytest.mark.parametrize(("task", "told"), [("serial", "Backlog"), ("distribution-tree", "Demand lost")])
def test_what_is_lost_is_not_called_owed(browser: Browser, task: str, told: str):
    reply = browser.post(f"{browser.game(task)}/several", {"period": "0", "periods": "1", "how": "policy"})
    titles = re.findall(r"<figcaption>([^<]*)<span", reply.text)
    (found,) = [title for title in titles if "Backlog" in title or "lost" in title]
    assert found.startswith(told)


def test_a_transcript_is_drawn_too(browser: Browser):
    here = browser.post("/transcripts", {"name": "agent-serial.jsonl"})
    reply = browser.get(f"{here.url.path}?turn=4")
    assert '<figure class="network' in reply.text and "Stock on hand" in reply.text


def test_a_gauge_is_full_at_the_most_that_a_place_has_had(browser: Browser):
    address = browser.game("sharing")
    assert (
        re.findall(r'<rect width="([\d.]+)" height="6" rx="2" fill="#7fa7a0"', browser.get(address).text)
        == ["56.0"] * 4
    )
    reply = browser.post(f"{address}/several", {"period": "0", "periods": "3", "how": "policy"})
    widths = re.findall(r'<rect width="([\d.]+)" height="6" rx="2" fill="#7fa7a0"', reply.text)
    assert all(10.0 < float(width) <= 56.0 for width in widths), widths


def test_names_are_words(browser: Browser):
    reply = browser.get(browser.game("retail-medium"))
    text = re.sub(r"<pre.*?</pre>|<[^>]*>", " ", reply.text, flags=re.S)
    assert "Black Friday" in text and "Back to School" in text
    assert "_" not in text and "updated" not in text.partition("What these mean")[0]


@pytest.mark.parametrize("task", ["serial", "sharing", "production", "minimal", "retail-easy"])
def test_what_a_column_means_needs_no_mouse(browser: Browser, task: str):
    reply = browser.get(browser.game(task))
    assert not re.search(r"<(th|dt|td)[^>]*\stitle=", reply.text)
    meanings = re.search(r'<details id="seen-meanings"><summary>(.*?)</summary><dl>(.*?)</dl>', reply.text, re.S)
    assert meanings and meanings[1] == "What these mean" and meanings[2].count("<dt>") > 3


def test_every_colour_of_a_picture_has_one_for_dark_pages(browser: Browser):
    addresses = [browser.game("retail-medium"), browser.game("divergent"), browser.show("sharing", "base-stock")]
    for address in addresses[:2]:
        browser.post(f"{address}/several", {"period": "0", "periods": "3", "how": "policy"})
    asked = {"task": "serial", "seed": "3", "episodes": "5", "policy": list(usual_policies("network"))}
    addresses.append(browser.post("/comparisons", asked).url.path)
    for address in [*addresses, "/pick/w-network", "/examples/diamond"]:
        used = set(re.findall(r'(?:fill|stroke)="(#\w+)"', browser.get(address).text))
        assert used and used <= set(DARK), (address, used - set(DARK))


def test_two_who_play_the_same_period_at_once_play_it_once(browser: Browser, pages: Running):
    address = browser.game("serial")
    cookie = dict(browser.client.cookies)
    sent = {"period": "0", "periods": "3", "how": "policy"}

    def play(_: int) -> int:
        return httpx.post(
            f"{pages.url}{address}/several", data=sent, cookies=cookie, headers={"hx-request": "true"}, trust_env=False,
            timeout=60.0,
        ).status_code  # fmt: skip

    with ThreadPoolExecutor(4) as pool:
        found = sorted(pool.map(play, range(4)))
    assert found == [200, 409, 409, 409]
    assert 'name="period" value="3"' in browser.get(address).text


def test_a_page_of_something_still_being_made_sends_to_where_it_can_be_waited_for() -> None:
    async def handler(request: Request) -> Response:
        raise Moved("/games/7")

    request = Request({"type": "http", "method": "GET", "headers": [], "path": "/", "query_string": b""})
    reply = asyncio.run(telling(handler)(request))
    assert reply.status_code == 303 and reply.headers["location"] == "/games/7"
