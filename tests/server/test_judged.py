"""Who is judged plays each episode once: no tool resets, rehearses or tells the seed, and everything counts."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import restock
from restock.core.streams import episode_seeds
from restock.envs.structured import StructuredEnvironment
from restock.server.judged import Judging, results
from tests.server.serving import Running, serving

SEED = 20_240_229
TASK = "minimal"
LENGTH = restock.load_problem(TASK).horizon


@contextmanager
def judging(path: Path, episodes: int = 3, **given: Any) -> Iterator[Running]:
    with serving(**{"problem": TASK, "judged": Judging(path, episodes, SEED), **given}) as running:
        yield running


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return tmp_path / "results.jsonl"


class Way:
    """One way to be judged; everything that was told is kept."""

    def __init__(self, begin: Callable[..., Any], play: Callable[[Any], Any], state: Callable[[], Any]) -> None:
        self.begin, self.play, self.state = begin, play, state

    def to_the_end(self) -> float:
        """The sum of the rewards of the rest of the episode."""
        total, done = 0.0, False
        while not done:
            told = self.play({"order": 1})
            total, done = total + told["reward"], told["done"]
        return total


@contextmanager
def by_socket(server: Running) -> Iterator[Way]:
    with server.talk() as talk:
        yield Way(talk.reset, talk.step, talk.state)


@contextmanager
def by_http(server: Running) -> Iterator[Way]:
    known: list[str] = []

    def told(reply: Any) -> Any:
        return reply.json() if reply.is_success else {"error": reply.json()}

    def begin(**asked: Any) -> Any:
        path = f"/sessions/{known[0]}/reset" if known else "/sessions"
        reply = told(server.ask("POST", path, asked))
        known.extend([reply["session_id"]] if "session_id" in reply else [])
        return reply

    yield Way(
        begin,
        lambda action: told(server.ask("POST", f"/sessions/{known[0]}/step", {"action": action})),
        lambda: told(server.ask("GET", f"/sessions/{known[0]}/state")),
    )
    for id in known:
        server.ask("DELETE", f"/sessions/{id}")


@contextmanager
def by_tools(server: Running) -> Iterator[Way]:
    with server.talk("/mcp") as talk:

        def use(tool: str, **arguments: Any) -> Any:
            asked = {"name": tool, "arguments": arguments}
            told = talk.ask({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": asked})
            if "error" in told:
                return {"error": told["error"]["data"]}
            found = told["result"]["structuredContent"]
            return {"error": found} if told["result"]["isError"] else found

        yield Way(
            lambda **asked: use("begin", **asked), lambda action: use("play", action=action),
            lambda: use("look")["state"],
        )  # fmt: skip


WAYS = pytest.mark.parametrize("way", [by_socket, by_http, by_tools], ids=["socket", "http", "tools"])


def tools_of(talk: Any) -> list[str]:
    return [tool["name"] for tool in talk.step({"type": "list_tools"})["observation"]["tools"]]


# every server: what a program resets, no tool does ------------------------------------------------------------


def test_a_model_cannot_begin_the_episode_of_its_harness_again(server: Running) -> None:
    """By sixty rounds of playing a little and beginning again, an agent earned more than the bound of an episode."""
    with server.talk() as talk:
        assert "begin" not in tools_of(talk)  # nor before the first reset
        talk.reset(task="easy", seed=77_001)
        assert "begin" not in tools_of(talk) and "play" in tools_of(talk)
        played = talk.step({"type": "call_tool", "tool_name": "play", "arguments": {"action": {}}})
        assert played["observation"]["result"]["observation"]["current_day"] == 1
        for arguments in ({}, {"seed": 77_001}, {"task": "hard"}):
            refused = talk.step({"type": "call_tool", "tool_name": "begin", "arguments": arguments})["observation"]
            assert refused["error"]["error_type"] == "tool_not_found"
            asked = {"name": "begin", "arguments": arguments}
            call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": asked}
            assert talk.ask({"type": "mcp", "data": call})["data"]["error"]["code"] == -32602
        look = talk.step({"type": "call_tool", "tool_name": "look", "arguments": {}})["observation"]["result"]
        assert look["state"]["step_count"] == 1 and "seed" not in look["state"] and "77001" not in str(look)
        state = talk.state()
        assert (state["step_count"], state["task"], state["seed"]) == (1, "retail-easy", 77_001)  # for the harness


def test_nor_over_http_where_the_harness_has_a_session(server: Running) -> None:
    create = {"jsonrpc": "2.0", "id": 1, "method": "openenv/session/create"}
    by_socket = server.ask("POST", "/mcp", create).json()["result"]["session_id"]
    by_route = server.ask("POST", "/sessions", {"task": "easy", "seed": 77_001}).json()["session_id"]
    with server.talk(f"/ws?session_id={by_socket}") as talk:
        talk.reset(task="easy", seed=77_001)
        for session in (by_socket, by_route):
            listing = {**create, "method": "tools/list", "params": {"session_id": session}}
            assert "begin" not in str(server.ask("POST", "/mcp", listing).json())
            for tool in ("begin", "look"):
                params = {"name": tool, "arguments": {}, "session_id": session}
                told = server.ask("POST", "/mcp", {**create, "method": "tools/call", "params": params}).json()
                assert ("error" in told) == (tool == "begin") and "77001" not in str(told)
    for session in (by_socket, by_route):
        server.ask("DELETE", f"/sessions/{session}")


# a server that judges ------------------------------------------------------------------------------------------


@WAYS
def test_the_server_chooses_the_episodes_and_keeps_what_they_came_to(book: Path, way: Any) -> None:
    seeds = episode_seeds(SEED, 3)
    with judging(book) as server, way(server) as door:
        found = []
        for k in range(3):
            assert door.begin(player=f"model {k}")["done"] is False
            found.append(door.to_the_end())
            assert door.state()["total_reward"] == pytest.approx(found[-1])
        assert door.begin()["error"]["code"] == "NO_EPISODE_LEFT"
    told = results(book)
    assert [one["player"] for one in told] == ["model 0", "model 1", "model 2"]
    assert [one["seed"] for one in told] == list(seeds) and {one["task"] for one in told} == {TASK}
    assert [one["return"] for one in told] == pytest.approx(found)
    assert all(one["finished"] and one["periods"] == LENGTH and one["score"] is None for one in told)
    env = StructuredEnvironment(TASK)  # the same episode, by its seed
    env.reset(seed=seeds[1])
    assert sum(env.step({"order": 1}).reward for _ in range(LENGTH)) == pytest.approx(found[1])


@WAYS
def test_an_episode_is_not_begun_again(book: Path, way: Any) -> None:
    with judging(book) as server, way(server) as door:
        door.begin()
        door.play({"order": 1})
        again = door.begin()["error"]
        assert again["code"] == ("NOT_FOUND" if way is by_tools else "EPISODE_UNDER_WAY")
        assert door.state()["step_count"] == 1 and len(results(book)) == 1
        door.to_the_end()
        assert door.begin()["done"] is False and door.state()["step_count"] == 0


@WAYS
def test_neither_task_nor_seed_is_the_clients_choice(book: Path, way: Any) -> None:
    with judging(book) as server, way(server) as door:
        for asked in ({"seed": 1}, {"task": "easy"}, {"split": "all", "index": 1}, {"task": "minimal", "seed": SEED}):
            assert door.begin(**asked)["error"]["code"] in ("JUDGED", "UNKNOWN_TASK", "VALIDATION_ERROR"), asked
        assert results(book) == [] and len(server.hub.sessions) == 0


def test_the_task_may_be_named_where_it_is_the_right_one(book: Path) -> None:
    with judging(book) as server, server.talk() as talk:
        assert talk.reset(task=TASK)["observation"]["period"] == 0


def test_the_seed_is_told_by_nothing(book: Path) -> None:
    seeds = {str(seed) for seed in (SEED, *episode_seeds(SEED, 3))}
    told: list[Any] = []
    with judging(book) as server:
        with server.talk() as talk:
            told += [talk.reset(), talk.state(), talk.step({}), talk.state(), talk.step({"type": "list_tools"})]
            for tool in ("look", "explain", "play"):
                told.append(talk.step({"type": "call_tool", "tool_name": tool, "arguments": {}}))
            while not talk.step({})["done"]:
                told.append(talk.state())
            told += [talk.state(), talk.reset()]
        opened = server.ask("POST", "/sessions").json()
        told += [opened, server.ask("GET", f"/sessions/{opened['session_id']}/state").json()]
        for path in ("/", "/problems", f"/problems/{TASK}", "/schema", "/metadata", "/web", "/state"):
            told.append(server.ask("GET", path).text)
    assert len(told) > LENGTH and not any(seed in str(one) for one in told for seed in seeds)


def test_there_is_no_other_place_to_rehearse(book: Path) -> None:
    with judging(book) as server:
        for method, path, body in (
            ("POST", "/reset", {}), ("POST", "/reset", {"seed": 1}), ("POST", "/step", {"action": {}}),
        ):  # fmt: skip
            refused = server.ask(method, path, body)
            assert (refused.status_code, refused.json()["code"]) == (403, "JUDGED")
        for path in ("/", f"/pick/{TASK}", "/web"):
            assert server.ask("GET", path).status_code == 404
        for path in ("/games", "/shows", "/comparisons"):
            assert server.ask("POST", path, content="task=minimal").status_code == 404
        assert [one["task"] for one in server.ask("GET", "/problems").json()["problems"]] == [TASK]
        assert server.ask("GET", "/schema?task=serial").json()["code"] == "UNKNOWN_TASK"
    assert results(book) == []


def test_no_tool_begins_while_an_episode_is_under_way(book: Path) -> None:
    def tools(talk: Any) -> list[Any]:
        told = talk.ask({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})["result"]["tools"]
        return [(tool["name"], sorted(tool["inputSchema"]["properties"])) for tool in told]

    with judging(book) as server, server.talk("/mcp") as talk:
        begin = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "begin", "arguments": {}}}
        offered = [("explain", []), ("begin", ["player"]), ("play", ["action"]), ("look", [])]
        assert tools(talk) == offered
        talk.ask(begin)
        assert tools(talk) == [one for one in offered if one[0] != "begin"]
        with server.talk() as harness:
            assert tools_of(harness) == ["explain", "play", "look"]


def test_an_episode_that_finds_no_place_is_not_used_up(book: Path) -> None:
    with judging(book, max_sessions=1) as server:
        first = server.ask("POST", "/sessions").json()["session_id"]
        assert server.ask("POST", "/sessions").json()["code"] == "CAPACITY_REACHED"
        server.ask("DELETE", f"/sessions/{first}")
        assert server.ask("POST", "/sessions").status_code == 201
    assert [one["episode"] for one in results(book)] == [0, 1]


def test_what_is_given_up_counts(book: Path) -> None:
    with judging(book, episodes=4) as server:
        with server.talk() as talk:
            talk.reset(player="leaves")
            talk.step({"order": 1})
        session = server.ask("POST", "/sessions", {"player": "closes"}).json()["session_id"]
        server.ask("DELETE", f"/sessions/{session}")
        create = {"jsonrpc": "2.0", "id": 1, "method": "initialize"}
        named = {"mcp-session-id": server.ask("POST", "/mcp", create).headers["mcp-session-id"]}
        asked = {"name": "begin", "arguments": {"player": "ends"}}
        server.ask("POST", "/mcp", {**create, "method": "tools/call", "params": asked}, headers=named)
        assert server.ask("DELETE", "/mcp", headers=named).status_code == 204
        server.ask("POST", "/sessions", {"player": "stays"})  # until the server ends
    told = results(book)
    assert [(one["player"], one["finished"], one["periods"]) for one in told] == [
        ("leaves", False, 1), ("closes", False, 0), ("ends", False, 0), ("stays", False, 0),
    ]  # fmt: skip
    assert len({one["seed"] for one in told}) == 4


def test_breaking_off_while_ahead_earns_nothing(book: Path) -> None:
    """A network sells its first stock, then loses: who left after ten periods had 213 where the rest made it -230."""
    with judging(book, problem="divergent", episodes=2) as server, server.talk() as talk:
        talk.reset(player="leaves")
        ahead = sum(talk.step({})["reward"] for _ in range(6))
        server.ask("POST", "/sessions", {"player": "never plays"})
    env = StructuredEnvironment("divergent")
    for one, played in zip(results(book), (6, 0), strict=True):
        env.reset(seed=one["seed"])
        undecided = sum(env.step({}).reward for _ in range(30))
        assert (one["finished"], one["periods"]) == (False, played)
        assert one["return"] == pytest.approx(undecided) and undecided < 0.0 < ahead


def test_what_is_left_alone_counts(book: Path) -> None:
    from tests.server.test_sessions import wait_for

    with judging(book, idle=0.3) as server:
        session = server.ask("POST", "/sessions").json()["session_id"]
        wait_for(lambda: '"end"' in book.read_text())
        assert server.ask("POST", f"/sessions/{session}/reset").json()["code"] == "UNKNOWN_SESSION"
    assert [one["finished"] for one in results(book)] == [False]


def test_a_server_that_begins_anew_goes_on_in_its_book(book: Path) -> None:
    with judging(book, episodes=2) as server, by_socket(server) as door:
        door.begin(player="first")
        door.to_the_end()
        with pytest.raises(restock.InvalidInput, match="another server"), judging(book):
            pass
    with book.open("a") as file:
        file.write('{"event": "begin", "epi')  # cut short when it was killed
    with judging(book, episodes=2) as server, by_socket(server) as door:
        door.begin(player="second")
        assert [one["finished"] for one in results(book)] == [True, False]
        door.to_the_end()
        assert door.begin()["error"]["code"] == "NO_EPISODE_LEFT"
    told = results(book)
    assert [one["player"] for one in told] == ["first", "second"]
    assert [one["seed"] for one in told] == list(episode_seeds(SEED, 2))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"judged": Judging(Path("x"), 1, SEED + 1)}, "seed"),
        ({"problem": "serial"}, "task"),
    ],
    ids=["seed", "task"],
)
def test_a_book_of_other_episodes_is_not_gone_on_with(book: Path, given: Any, field: str) -> None:
    with judging(book):
        pass
    if "judged" in given:
        given = {"judged": Judging(book, 1, SEED + 1)}
    with pytest.raises(restock.InvalidInput) as found, judging(book, **given):
        pass
    assert found.value.field == field


def test_what_is_no_book(tmp_path: Path) -> None:
    wrong = tmp_path / "notes.jsonl"
    for text in ("notes\n", "[]\n", "{}\n", '{"event": "begin"}\n', "[" * 50_000 + "\n"):
        wrong.write_text(text)
        with pytest.raises(restock.InvalidInput) as found, judging(wrong):
            pass
        assert found.value.field == "judged" and wrong.read_text() == text
    for path in (tmp_path, tmp_path / "no" / "such.jsonl"):
        with pytest.raises(restock.InvalidInput):
            Judging(path) and results(path)
    for bad in (0, 10**9, 1.5):
        with pytest.raises(restock.InvalidInput):
            Judging(wrong, bad)  # type: ignore[arg-type]


def test_seeds_are_drawn_where_none_is_named(tmp_path: Path) -> None:
    plans = []
    for name in ("one.jsonl", "other.jsonl"):
        with judging(tmp_path / name, judged=Judging(tmp_path / name)):
            pass
        plans.append(json.loads((tmp_path / name).read_text())["seed"])
    assert plans[0] != plans[1]


def test_a_store_has_its_score(book: Path) -> None:
    with judging(book, problem="easy", episodes=1) as server, server.talk() as talk:
        talk.reset(player="passive")
        while not talk.step({})["done"]:
            pass
        profit = talk.state()["cash"] - 1000.0
    assert [one["score"] for one in results(book)] == [restock_score(profit)]
    given_up = book.with_name("given-up.jsonl")
    with judging(given_up, problem="easy", episodes=1) as server, server.talk() as talk:
        talk.reset()
    (one,) = results(given_up)  # the rest was played with nothing decided, as by who is passive all along
    assert (one["score"], one["profit"]) == (0.002, profit)


def test_a_store_has_what_it_is_scored_by_in_its_line(book: Path) -> None:
    """Also where its reward is in points, from which no score can be made; another problem has none of it."""
    from restock.problems.retail.grader import scale

    store = restock.load_problem("retail-easy", reward="decomposed")
    by = scale(store)  # type: ignore[arg-type]
    with judging(book, problem=store, episodes=1) as server, server.talk() as talk:
        talk.reset(player="passive")
        while not (last := talk.step({}))["done"]:
            pass
        profit = last["observation"]["total_profit"]
    (line,) = [told for told in map(json.loads, book.read_text().splitlines()) if told["event"] == "end"]
    assert (line["profit"], line["floor"], line["ceiling"]) == (pytest.approx(profit), by.floor, by.ceiling)
    assert line["unclamped"] == pytest.approx(by.unclamped(profit)) and line["score"] == by.score(line["profit"])
    assert line["return"] != pytest.approx(profit)
    other = book.with_name("other.jsonl")
    with judging(other, episodes=1) as server, server.talk() as talk:
        talk.reset()
    (one,) = results(other)
    assert all(one[name] is None for name in ("score", "profit", "floor", "ceiling", "unclamped"))


def restock_score(profit: float) -> float:
    from restock.problems.retail.grader import scale

    return scale(restock.load_problem("retail-easy")).score(profit)  # type: ignore[arg-type]


def test_a_published_store_is_judged_once(book: Path) -> None:
    """Its demand is the same in every episode, so that a second one would have been rehearsed."""
    with pytest.raises(restock.InvalidInput, match="demand_stream: seed"), judging(book, problem="easy", episodes=2):
        pass
    store = restock.load_problem("retail-easy", demand_stream="seed")
    with judging(book, problem=store, episodes=2) as server, by_socket(server) as door:
        demand = []
        for _ in range(2):
            door.begin()
            demand.append([door.play({})["observation"]["demand_today"] for _ in range(30)])
    assert demand[0] != demand[1]
    assert all(0.002 <= one["score"] <= 0.998 for one in results(book))


@pytest.mark.parametrize("words", [["--episodes", "2"], ["--seed", "1"]], ids=str)
def test_nothing_is_judged_where_no_file_is_named(words: list[str]) -> None:
    from tests.cli.test_serve import invoked

    done = invoked(*words, "--json")
    told = json.loads(done.stdout)["error"]
    assert (done.exit_code, told["field"]) == (2, words[0]) and "--judged" in told["mend"]


def test_from_the_command_line(book: Path) -> None:
    from tests.cli.test_serve import begun

    process, told = begun(TASK, "--judged", str(book), "--episodes", "2", "--seed", str(SEED))
    assert Running(told["url"], None, None).ask("POST", "/sessions", {"player": "killed"}).status_code == 201
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    found = results(book)
    assert [(one["player"], one["finished"], one["periods"]) for one in found] == [("killed", False, None)]
    process, told = begun(TASK, "--judged", str(book), "--episodes", "2")
    with by_socket(Running(told["url"], None, None)) as door:
        door.begin(player="next")
        door.to_the_end()
    process.terminate()
    said = process.communicate()[1]
    assert f"Judged episodes: 2, each played once; 1 begun before. Results: {book}." in said and "browser" not in said
    assert [(one["player"], one["seed"]) for one in results(book)] == list(
        zip(("killed", "next"), episode_seeds(SEED, 2), strict=True)
    )
