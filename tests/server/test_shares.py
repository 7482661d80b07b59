"""What browsers begin has places of its own, takes turns, and leaves agents alone."""

from __future__ import annotations

import asyncio
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from restock.agents.run import run_agent
from restock.evaluation.compare import Enough, compare
from restock.server.dashboard.contests import Clock, Contest
from restock.server.dashboard.queue import Queue
from restock.server.dashboard.shelf import Item
from restock.server.errors import Refused
from restock.server.limits import CLIENT, Limits
from tests.server.serving import PATIENCE, Running, serving


def begin(server: Running, path: str, client: str = "", **data: Any) -> httpx.Response:
    """Begin something without a cookie, as a browser at some address behind a proxy on this machine."""
    headers = {"accept": "text/html", **({"X-Forwarded-For": client} if client else {})}
    return server.ask("POST", path, headers=headers, data={"task": "serial", "seed": "1", **data})


def comparison(server: Running, client: str = "", **data: Any) -> httpx.Response:
    return begin(server, "/comparisons", client, **{"policy": "base-stock", "episodes": "2", **data})


@pytest.fixture
def small() -> Iterator[Running]:
    limits = Limits(games=6, games_of_one=4, comparisons=6, comparisons_of_one=4, sessions_of_one=2)
    with serving(problem="serial", max_sessions=4, limits=limits) as running:
        yield running


@pytest.mark.parametrize("kind", ["games", "comparisons"])
def test_games_and_comparisons_without_a_cookie_take_no_place_of_an_agent(small: Running, kind: str) -> None:
    begun = {"games": lambda client: begin(small, "/games", client), "comparisons": lambda c: comparison(small, c)}
    said = [begun[kind]("192.0.2.1") for _ in range(10)]
    assert [reply.status_code for reply in said] == [303] * 4 + [503] * 6
    assert "which is its share of 6" in said[-1].text
    said = [begun[kind]("192.0.2.2") for _ in range(3)]
    assert [reply.status_code for reply in said] == [303, 303, 503]  # another client has what is left
    other = {"games": "comparisons", "comparisons": "games"}[kind]
    assert begun[other]("192.0.2.1").status_code == 303  # and the other kind all of its own
    for client in ("192.0.2.1", "192.0.2.3"):
        opened = small.ask("POST", "/sessions", {"task": "easy"}, headers={"X-Forwarded-For": client})
        assert opened.status_code == 201


def test_one_client_cannot_take_all_sessions_where_it_has_a_share(small: Running) -> None:
    def opened(client: str) -> httpx.Response:
        return small.ask("POST", "/sessions", {"task": "easy"}, headers={"X-Forwarded-For": client})

    said = [opened("192.0.2.1") for _ in range(3)]
    assert [reply.status_code for reply in said] == [201, 201, 503]
    assert said[-1].json()["code"] == "CAPACITY_REACHED" and "Your address has 2 sessions" in said[-1].json()["message"]
    assert [opened("192.0.2.2").status_code for _ in range(2)] == [201, 201]
    assert opened("192.0.2.3").json()["max_sessions"] == 4


# turns ------------------------------------------------------------------------------------------------


def test_clients_take_turns_and_each_is_told_its_place() -> None:
    async def played() -> tuple[list[str], list[int]]:
        queue, done, hold = Queue(), [], threading.Event()
        items = {}

        async def piece(client: str, k: int) -> None:
            CLIENT.set(client)
            item = items[f"{client}{k}"] = Item("serial")
            await queue.work(lambda: (hold.wait(PATIENCE), done.append(f"{client}{k}")), item)

        async with asyncio.TaskGroup() as all_of_them:
            for client, k in (("a", 1), ("a", 2), ("a", 3), ("b", 1), ("c", 1), ("b", 2)):
                all_of_them.create_task(piece(client, k))
            await asyncio.sleep(0.05)
            ahead = [items[name].ahead for name in ("a1", "b1", "c1", "a2", "b2", "a3")]
            hold.set()
        return done, ahead

    done, ahead = asyncio.run(played())
    assert done == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert ahead == [0, 1, 2, 3, 4, 5]


def test_what_was_put_away_waits_no_longer_and_an_error_holds_nobody_up() -> None:
    async def played() -> list[str]:
        queue, done, hold = Queue(), [], threading.Event()
        dropped = Item("serial")

        def fails() -> None:
            hold.wait(PATIENCE)
            raise ZeroDivisionError

        first = asyncio.create_task(queue.work(fails))
        second = asyncio.create_task(queue.work(lambda: done.append("dropped"), dropped))
        gone = asyncio.create_task(queue.work(lambda: done.append("cancelled")))
        last = asyncio.create_task(queue.work(lambda: done.append("last")))
        await asyncio.sleep(0.05)
        dropped.dropped = True
        gone.cancel()
        hold.set()
        await last
        with pytest.raises(ZeroDivisionError):
            await first
        with pytest.raises(Refused, match="expired"):
            await second
        with pytest.raises(asyncio.CancelledError):
            await gone
        return done

    assert asyncio.run(played()) == ["last"]


def test_the_place_in_the_queue_is_told_on_the_page_and_as_json(monkeypatch: Any) -> None:
    hold = threading.Event()
    told = compare

    def waits(*given: Any, **more: Any) -> Any:
        assert hold.wait(PATIENCE)
        return told(*given, **more)

    monkeypatch.setattr("restock.server.dashboard.comparing.compare", waits)
    monkeypatch.setattr("restock.server.dashboard.comparing.PATIENCE", 0.2)
    with serving(problem="serial") as server, httpx.Client(
        base_url=server.url, timeout=PATIENCE, trust_env=False
    ) as browser:  # fmt: skip
        try:
            assert comparison(server, "192.0.2.1").status_code == 303
            assert comparison(server, "192.0.2.1").status_code == 303
            data = {"task": "serial", "seed": "1", "policy": "base-stock", "episodes": "2"}
            where = browser.post("/comparisons", data=data).headers["location"]
            begun = browser.post("/comparisons", data=data).headers["location"]
            end = time.monotonic() + PATIENCE
            while (said := browser.get(begun, headers={"accept": "application/json"}).json())["ahead"] != 3:
                assert time.monotonic() < end, said
            assert said["ready"] is False
            page = browser.get(begun).text
            assert "3 pieces of work come first" in " ".join(page.split()) and 'http-equiv="refresh"' in page
            assert browser.get(where, headers={"accept": "application/json"}).json()["ahead"] == 1
        finally:
            hold.set()
        while (reply := browser.get(begun)).status_code == 200 and "refresh" in reply.text:
            assert time.monotonic() < end
        assert "base-stock" in reply.text and not re.search("come first", reply.text)


# time -------------------------------------------------------------------------------------------------


def test_a_comparison_keeps_what_is_finished_when_its_time_is_over(monkeypatch: Any) -> None:
    """A policy that takes longer than its part is left out; the others are compared."""
    clock = Clock(contest := Contest("serial", ["base-stock", "constant-order"], 5, 1), 1000.0)
    now = [time.monotonic()]
    # The module alone: servers of other tests live by the clock of the process.
    monkeypatch.setattr("restock.server.dashboard.contests.time", SimpleNamespace(monotonic=lambda: now[0]))

    def slow(name: str, done: int, of: int) -> None:
        now[0] += 400.0 if name == "constant-order" else 1.0
        clock.turn(name, 0 if name == "constant-order" else done, of)  # the one that gets nowhere

    found = compare("serial", ["constant-order", "base-stock"], episodes=5, seed=1, progress=slow)
    assert {row.name for row in found.rows} == {"base-stock", "hindsight"}
    assert clock.left_out == ["constant-order"]
    alone = compare("serial", ["base-stock"], episodes=5, seed=1)
    assert [(row.name, row.profit) for row in found.rows] == [(row.name, row.profit) for row in alone.rows]
    clock.turn("late", 100, 300)
    now[0] += 10_000.0
    clock.turn("late", 200, 300)  # it has just finished, and so it counts
    assert clock.left_out == ["constant-order"]
    contest.dropped = True
    with pytest.raises(Refused, match="expired"):
        clock.turn("base-stock", 0, 100)


def test_where_nothing_is_finished_it_is_told() -> None:
    def never(name: str, done: int, of: int) -> None:
        raise Enough

    with pytest.raises(Enough):
        compare("serial", ["base-stock"], episodes=5, progress=never)
    with serving(problem="serial", limits=Limits(work=1e-9)) as server:
        with httpx.Client(base_url=server.url, timeout=PATIENCE, trust_env=False) as browser:
            data = {"task": "serial", "seed": "1", "policy": "rolling", "episodes": "2"}
            where = browser.post("/comparisons", data=data).headers["location"]
            end = time.monotonic() + PATIENCE
            while (reply := browser.get(where)).status_code == 200:
                assert time.monotonic() < end
            assert reply.status_code == 422 and "was stopped" in reply.text


def test_the_page_tells_what_was_left_out(monkeypatch: Any) -> None:
    def turn(self: Clock, policy: str, done: int, of: int) -> None:
        if policy == "constant-order":
            self.left_out.append(policy)
            raise Enough

    monkeypatch.setattr("restock.server.dashboard.contests.Clock.turn", turn)
    with serving(problem="serial") as server, httpx.Client(
        base_url=server.url, timeout=PATIENCE, trust_env=False
    ) as browser:  # fmt: skip
        data = {"task": "serial", "seed": "1", "policy": ["base-stock", "constant-order"], "episodes": "2"}
        where = browser.post("/comparisons", data=data).headers["location"]
        end = time.monotonic() + PATIENCE
        while "refresh" in (reply := browser.get(where)).text:
            assert time.monotonic() < end
        assert "left out: constant-order" in reply.text and "base-stock" in reply.text


def test_a_transcript_of_many_episodes_waits_among_the_long_jobs_and_ends_in_time(monkeypatch: Any) -> None:
    """One upload held up the pages of everybody for a minute, as one short job among theirs."""
    text = played("serial", 3)
    began, go_on = threading.Event(), threading.Event()

    def slow(problem: Any, seeds: Any, tell: Any) -> Any:
        began.set()
        assert go_on.wait(PATIENCE)
        tell(1, 2)
        raise AssertionError

    monkeypatch.setattr("restock.server.dashboard.watching.measured", slow)
    with serving(problem="serial", limits=Limits(work=1e-9)) as server, httpx.Client(
        base_url=server.url, timeout=PATIENCE, trust_env=False
    ) as browser:  # fmt: skip
        where = browser.post("/transcripts", files={"file": ("a.jsonl", text)}).headers["location"]
        assert began.wait(PATIENCE)
        assert server.ask("GET", "/runs?format=json").status_code == 200  # which is a short job
        go_on.set()
        end = time.monotonic() + PATIENCE
        while "refresh" in (reply := browser.get(where)).text:
            assert time.monotonic() < end
        assert reply.status_code == 200 and "nothing to measure it by" in reply.text and "was stopped" in reply.text


def played(problem: str, episodes: int) -> bytes:
    """The transcript of a stand-in."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "a.jsonl"
        run_agent(problem, "stand-in:base-stock", episodes=episodes, seed=1, out=out)
        return out.read_bytes()
