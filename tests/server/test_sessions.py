"""Sessions over plain HTTP, and the limits of a server."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from websockets.exceptions import ConnectionClosed, InvalidStatus

import restock
from restock.envs.structured import StructuredEnvironment
from restock.server.settings import Settings
from tests.server.serving import PATIENCE, Running, serving


@pytest.fixture(scope="module")
def strict() -> Iterator[Running]:
    """A server that asks for a token and allows little."""
    with serving(token="open sesame", max_sessions=2, max_body=2048, hosts=("127.0.0.1",)) as running:
        yield running


def test_a_session_is_an_episode_that_goes_on(server: Running) -> None:
    opened = server.ask("POST", "/sessions", {"task": "divergent", "seed": 7, "episode_id": "mine"})
    assert opened.status_code == 201
    told = opened.json()
    path = f"/sessions/{told['session_id']}"
    env = StructuredEnvironment("divergent")
    seen = env.reset(seed=7)
    assert told["task"] == "divergent" and told["observation"]["on_hand"] == seen.on_hand
    link = next(iter(seen.in_transit))
    for _ in range(3):
        told, seen = (
            server.ask("POST", f"{path}/step", {"action": {"orders": {link: 5}}}).json(),
            env.step({"orders": {link: 5}}),
        )
        assert told["reward"] == seen.reward and told["observation"]["on_hand"] == seen.on_hand
    state = server.ask("GET", f"{path}/state").json()
    assert (state["episode_id"], state["step_count"], state["seed"], state["done"]) == ("mine", 3, 7, False)
    told = server.ask("POST", f"{path}/reset", {"seed": 8}).json()
    assert told["observation"]["period"] == 0 and server.ask("GET", f"{path}/state").json()["task"] == "divergent"
    assert server.ask("DELETE", path).json()["closed"] is True
    for method, more in (("DELETE", ""), ("GET", "/state"), ("POST", "/reset")):
        gone = server.ask(method, path + more)
        assert gone.status_code == 404 and gone.json()["code"] == "UNKNOWN_SESSION"


def test_a_reset_without_a_seed_is_the_published_episode(server: Running) -> None:
    """Tasks have a seed of their own; what has none is drawn, and the seed is told."""
    with server.talk() as talk:
        talk.reset(task="easy")
        assert talk.state()["seed"] == 100
        first = talk.step({"buy_quantities": {"toys": 5}})
        talk.reset(task="easy", seed=100)
        assert talk.step({"buy_quantities": {"toys": 5}}) == first
        talk.reset(task="divergent")
        seed = talk.state()["seed"]
        first = talk.step({})
        talk.reset(task="divergent", seed=seed)
        assert talk.step({}) == first


def test_an_action_is_validated_once(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    from restock.problems.minimal.structured import MinimalAction

    checked: list[Any] = []
    check = MinimalAction.model_validate
    monkeypatch.setattr(MinimalAction, "model_validate", lambda data: (checked.append(data), check(data))[1])
    with server.talk() as talk:
        talk.reset(task="minimal")
        checked.clear()
        for order in (1, -1, 2):
            talk.step({"order": order})
    assert checked == [{"order": 1}, {"order": -1}, {"order": 2}]


def test_a_problem_is_described_in_words_and_schemas(server: Running) -> None:
    offered = server.ask("GET", "/problems").json()["problems"]
    assert sum(one["default"] for one in offered) == 1 and {one["family"] for one in offered} == {
        "network", "sharing", "production", "retail", "minimal",
    }  # fmt: skip
    told = server.ask("GET", "/problems/hard").json()
    env = StructuredEnvironment("retail-hard", reward="decomposed")
    assert told["task"] == "retail-hard" and told["words"] == env.explain()
    assert told["action"] == env.records.schemas()[0]
    assert server.ask("GET", "/schema?task=production").json()["action"]["properties"].keys() == {"choice"}


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"seed": -1}, "seed", "VALIDATION_ERROR"),
        ({"seed": 1.5}, "seed", "VALIDATION_ERROR"),
        ({"seed": True}, "seed", "VALIDATION_ERROR"),
        ({"seed": 2**70}, "seed", "VALIDATION_ERROR"),
        ({"sed": 1}, "sed", "VALIDATION_ERROR"),
        ({"episode_id": "x" * 256}, "episode_id", "VALIDATION_ERROR"),
        ({"episode_id": 3}, "episode_id", "VALIDATION_ERROR"),
        ({"task": "esay"}, "task", "UNKNOWN_TASK"),
        ({"task": "easy", "task_name": "hard"}, "task", "VALIDATION_ERROR"),
        ({"task": "/etc/passwd"}, "task", "UNKNOWN_TASK"),
        ({"task": "tests/server/serving.py:Running"}, "task", "UNKNOWN_TASK"),
        ({"split": "training"}, "split", "UNKNOWN_TASK"),
        ({"split": "retail", "index": 3}, "index", "UNKNOWN_TASK"),
    ],
    ids=str,
)
def test_bad_resets_change_nothing(server: Running, body: dict[str, Any], field: str, code: str) -> None:
    session = server.ask("POST", "/sessions", {"task": "hard", "seed": 1}).json()["session_id"]
    before = server.ask("GET", f"/sessions/{session}/state").json()
    over_http = server.ask("POST", f"/sessions/{session}/reset", body)
    assert over_http.json()["code"] == code and over_http.json()["field"].split(".")[-1] == field
    assert over_http.status_code == {"VALIDATION_ERROR": 422, "UNKNOWN_TASK": 404}[code]
    assert server.ask("GET", f"/sessions/{session}/state").json() == before
    with server.talk(f"/ws?session_id={session}") as talk:
        told = talk.reset(**body)["error"]
        assert told["code"] == code and told["field"].split(".")[-1] == field
        assert talk.state() == before
    server.ask("DELETE", f"/sessions/{session}")


@pytest.mark.parametrize(
    ("path", "body", "field", "words"),
    [
        ("/sessions", {"taks": "easy"}, "taks", "there is no such field. Did you mean 'task'?"),
        ("/sessions", {"seed": "1"}, "seed", "must be an integer. Write it without quotes"),
        ("/reset", {"seed": -1}, "seed", "must be at least 0"),
        ("/sessions", [], "body", "must be a mapping of names to values. Its names: seed, "),
        ("/step", {"orders": {}}, "orders", "there is no such field. Known: action, "),
        ("/step", {"action": {}, "buy_quantities": {"toys": 1}}, "buy_quantities", "there is no such field"),
        ("/step", {}, "action", "this is required. Add `action: ...`, the fields of the action"),
        ("/step", {"action": "buy"}, "action", "must be a mapping of names to values"),
        ("/restock/task", {"split": "all", "index": 1, "idx": 1}, "idx", "Did you mean 'index'?"),
    ],
    ids=str,
)  # fmt: skip
def test_a_body_is_refused_in_the_words_of_the_sockets(
    server: Running, path: str, body: Any, field: str, words: str
) -> None:
    """A misspelt name beside an empty action used to play a period in which nothing was done."""
    reply = server.ask("POST", path, body)
    told = reply.json()
    assert (reply.status_code, told["code"], told["field"]) == (422, "VALIDATION_ERROR", field)
    assert words in told["message"] and told["detail"]


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "text/json", "json"])
@pytest.mark.parametrize("path", ["/sessions", "/reset", "/step", "/restock/tasks"])
def test_a_body_that_is_not_said_to_be_json_is_told_the_header(server: Running, path: str, kind: str | None) -> None:
    """Which a client without a library for JSON forgets, and curl sets to that of a form."""
    headers = {} if kind is None else {"content-type": kind}
    reply = server.ask("POST", path, content=b'{"task": "minimal"}', headers=headers)
    told = reply.json()
    assert (reply.status_code, told["code"], told["field"]) == (422, "VALIDATION_ERROR", "content-type")
    assert told["message"].startswith(f"the header content-type must be application/json, got {kind or ''!r}.")
    assert told["mend"] == "Send content-type: application/json."


def test_the_interface_says_what_is_taken_and_told(server: Running) -> None:
    told = server.ask("GET", "/openapi.json").json()
    ended = told["paths"]["/mcp"]["delete"]["parameters"]
    assert [(one["name"].lower(), one["in"], one["required"]) for one in ended] == [("mcp-session-id", "header", True)]
    state = told["components"]["schemas"]["SessionState"]["properties"]
    session = server.ask("POST", "/sessions", {"task": "serial"}).json()["session_id"]
    assert set(server.ask("GET", f"/sessions/{session}/state").json()) <= set(state)
    for route in (one for path in told["paths"].values() for one in path.values()):
        assert {"408", "429", "500", "503"} <= set(route["responses"])


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "GET"])
def test_a_method_that_there_is_not_is_told_all_that_there_are(server: Running, method: str) -> None:
    reply = server.ask(method, "/mcp")
    told = reply.json()
    assert (reply.status_code, told["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert sorted(reply.headers["allow"].split(", ")) == ["DELETE", "POST"]
    assert "POST" in told["message"] and "DELETE" in told["message"]
    session = server.ask("POST", "/sessions").json()["session_id"]
    told = server.ask("PUT", f"/sessions/{session}/step", {"action": {}}).json()
    assert "PUT" in told["message"] and "POST" in told["message"]


@pytest.mark.parametrize("path", ["/health", "/problems", "/", "/openapi.json", "/sessions", "/problems/nothing"])
def test_whoever_asks_for_the_head_of_a_reply_gets_it(server: Running, path: str) -> None:
    """Probes of proxies and `curl -I` do."""
    whole, head = server.ask("GET", path), server.ask("HEAD", path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]


def test_a_socket_that_is_closed_is_told_the_reason_in_closing_too(server: Running) -> None:
    """Whoever sends before it listens never reads the message that went before."""
    session = server.ask("POST", "/sessions").json()["session_id"]
    with server.talk(f"/ws?session_id={session}"), server.talk(f"/ws?session_id={session}") as second:
        assert second.hear()["data"]["code"] == "SESSION_IN_USE"
        with pytest.raises(ConnectionClosed):
            second.hear()
        assert (second.line.close_code, second.line.close_reason) == (1013, "SESSION_IN_USE")


def test_a_session_can_be_played_by_a_socket_alone(server: Running) -> None:
    session = server.ask("POST", "/sessions", {"task": "easy"}).json()["session_id"]
    with server.talk(f"/ws?session_id={session}") as talk:
        assert talk.step({})["observation"]["current_day"] == 1
        with server.talk(f"/ws?session_id={session}") as second:
            assert second.hear()["data"]["code"] == "SESSION_IN_USE"
    assert server.ask("POST", f"/sessions/{session}/step", {"action": {}}).json()["observation"]["current_day"] == 2
    server.ask("DELETE", f"/sessions/{session}")
    with server.talk(f"/ws?session_id={session}") as talk:
        assert talk.hear()["data"]["code"] == "UNKNOWN_SESSION"
    session = server.ask("POST", "/sessions").json()["session_id"]
    with server.talk(f"/ws?session_id={session}") as talk:
        assert talk.state()["step_count"] == 0
        server.ask("DELETE", f"/sessions/{session}")
        assert talk.step({})["error"]["code"] == "UNKNOWN_SESSION"
        with pytest.raises(ConnectionClosed):
            talk.hear()


# limits -------------------------------------------------------------------------------------------------


def test_a_server_with_a_token_asks_for_it(strict: Running) -> None:
    assert strict.ask("GET", "/health", headers={"Authorization": ""}).status_code == 200
    assert strict.ask("GET", "/web", headers={"Authorization": ""}).status_code == 200
    for word in (b"", b"Bearer", b"Bearer open", b"Basic open sesame", b"open sesame", b"Bearer \xf6"):
        refused = strict.ask("GET", "/tasks", headers={"Authorization": word})
        assert refused.status_code == 401 and refused.json()["code"] == "UNAUTHORIZED"
        assert refused.headers["www-authenticate"] == "Bearer" and "open sesame" not in refused.text
    assert strict.ask("GET", "/tasks").status_code == 200
    cookie = {"Authorization": "", "Cookie": 'restock-token="open sesame"'}
    assert strict.ask("GET", "/tasks", headers=cookie).status_code == 200
    with pytest.raises(InvalidStatus) as refused_line, strict.talk(headers={"Authorization": "Bearer no"}):
        pass
    told = refused_line.value.response
    assert told.status_code == 401 and told.headers["www-authenticate"] == "Bearer"
    assert json.loads(told.body or b"")["code"] == "UNAUTHORIZED"
    with strict.talk("/ws?token=open%20sesame", headers={"Authorization": ""}) as talk:
        assert talk.state()["step_count"] == 0


def test_pages_from_elsewhere_may_not_use_a_server(strict: Running, server: Running) -> None:
    for origin in ("https://example.org", "null", "http://127.0.0.1:1"):
        refused = server.ask("POST", "/reset", {}, headers={"Origin": origin})
        assert refused.status_code == 403 and refused.json()["code"] == "FORBIDDEN"
        with pytest.raises(InvalidStatus) as found, server.talk(headers={"Origin": origin}):
            pass
        told = found.value.response
        assert told.status_code == 403 and b"may not use this server" in (told.body or b"")
    assert server.ask("POST", "/reset", {}, headers={"Origin": server.url}).status_code == 200
    assert strict.ask("GET", "/health", headers={"Host": "rebound.example.org"}).status_code == 403


def test_a_body_that_is_too_large_is_refused(strict: Running) -> None:
    big = {"action": {"buy_quantities": {f"product {k}": 1 for k in range(500)}}}
    refused = strict.ask("POST", "/step", big)
    assert (refused.status_code, refused.json()["code"], refused.json()["max_body"]) == (413, "TOO_LARGE", 2048)

    def drops() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 100

    refused = strict.ask("POST", "/step", content=drops())  # no length is told
    assert refused.status_code == 413
    with strict.talk() as talk:
        assert talk.ask({"type": "step", "data": big})["data"]["code"] == "TOO_LARGE"
        assert talk.reset()["observation"]["current_day"] == 0


def test_there_are_only_so_many_sessions(strict: Running) -> None:
    with strict.talk() as one, strict.talk() as other:
        for talk in (one, other):
            assert talk.reset()["observation"]["current_day"] == 0
        full = strict.ask("POST", "/sessions")
        assert (full.status_code, full.json()["code"]) == (503, "CAPACITY_REACHED")
        assert (full.json()["active_sessions"], full.json()["max_sessions"]) == (2, 2)
        with strict.talk() as third:
            assert third.hear()["data"]["code"] == "CAPACITY_REACHED"
        asked = {"jsonrpc": "2.0", "id": 1, "method": "openenv/session/create"}
        session = strict.ask("POST", "/mcp", asked).json()["result"]["session_id"]  # which takes no place yet
        begin = {"name": "begin", "arguments": {}, "session_id": session}
        told = strict.ask("POST", "/mcp", {**asked, "method": "tools/call", "params": begin}).json()
        assert told["result"]["structuredContent"]["max_sessions"] == 2
        assert one.reset()["observation"]["current_day"] == 0  # whose place it is already
        assert strict.ask("POST", "/reset").status_code == 200  # which takes none
    wait_for(lambda: len(strict.hub.sessions) == 0)
    session = strict.ask("POST", "/sessions").json()["session_id"]
    assert strict.ask("POST", "/sessions", {"task": "nope"}).status_code == 404
    assert len(strict.hub.sessions) == 1  # one that could not begin takes no place
    strict.ask("DELETE", f"/sessions/{session}")


def test_sockets_that_only_listen_take_no_place(strict: Running) -> None:
    with contextlib.ExitStack() as held:
        for path in ("/ws", "/mcp") * 4:
            held.enter_context(strict.talk(path))
        assert len(strict.hub.sessions) == 0
        with strict.talk() as talk:
            assert talk.reset()["observation"]["current_day"] == 0


def test_what_nobody_uses_is_closed() -> None:
    with serving(idle=0.3) as hasty:
        session = hasty.ask("POST", "/sessions").json()["session_id"]
        with hasty.talk() as talk:
            told = talk.hear()  # without asking
            assert told["data"]["code"] == "IDLE_TIMEOUT"
            with pytest.raises(ConnectionClosed):
                talk.hear()
        wait_for(lambda: len(hasty.hub.sessions) == 0)
        assert hasty.ask("GET", f"/sessions/{session}/state").json()["code"] == "UNKNOWN_SESSION"


def wait_for(condition: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"max_sessions": 0}, "max_sessions"), ({"max_sessions": 10**9}, "max_sessions"), ({"idle": 0}, "idle"),
        ({"idle": float("nan")}, "idle"), ({"idle": True}, "idle"), ({"max_body": 10}, "max_body"),
        ({"token": ""}, "token"), ({"token": "ünder"}, "token"), ({"reward": "money"}, "reward"),
    ],
)  # fmt: skip
def test_bad_settings(given: dict[str, Any], field: str) -> None:
    with pytest.raises(restock.InvalidInput) as found:
        Settings(**given)
    assert found.value.field == field and found.value.mend


def three_days(name: str) -> Any:
    from restock.problems.load import shelf_of

    spec: Any = yaml.safe_load(shelf_of("network").text("serial"))
    return restock.load_problem({**spec, "name": name, "horizon": 3})


def test_a_task_with_a_slash_in_its_name_is_reached() -> None:
    """As the ids of all environments have one."""
    with serving(problem=three_days("shop/north east")) as own:
        for path, horizon in (("shop/north%20east", 3), ("shop%2Fnorth%20east", 3), ("restock/Serial-v0", 30)):
            told = own.ask("GET", f"/problems/{path}")
            assert (told.status_code, told.json()["horizon"]) == (200, horizon)
            assert own.ask("GET", f"/pick/{path}").status_code == 200
        assert 'href="/pick/shop/north%20east"' in own.ask("GET", "/").text
        assert own.ask("GET", "/schema?task=shop/north%20east").json()["action"]["title"] == "NetworkAction"
        assert own.ask("GET", "/problems/shop/south").json()["code"] == "UNKNOWN_TASK"


def test_a_server_of_ones_own_problem_offers_it_by_its_name() -> None:
    problem = three_days("three-days")
    with serving(problem=problem) as own:
        assert own.ask("GET", "/problems").json()["problems"][0]["task"] == "three-days"
        with own.talk() as talk:
            assert (
                talk.reset(task="three-days")["observation"]["horizon"] == talk.reset()["observation"]["horizon"] == 3
            )
            assert talk.reset(task="serial")["observation"]["horizon"] == 30


def test_errors_have_no_traceback_and_the_server_goes_on(server: Running, monkeypatch: Any, caplog: Any) -> None:
    def broken(*given: Any) -> None:
        raise ZeroDivisionError("a secret path")

    with server.talk() as talk, monkeypatch.context() as patched:
        talk.reset()
        patched.setattr("restock.server.session.Session.step", broken)
        told = talk.step({})["error"]
        assert told["code"] == "INTERNAL_ERROR" and "secret" not in str(told)
        reply = server.ask("POST", "/step", {"action": {}})
        assert reply.status_code == 500 and reply.json()["code"] == "INTERNAL_ERROR" and "secret" not in reply.text
        play = {"name": "play", "arguments": {"action": {}}}
        told = talk.ask({"type": "mcp", "data": {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": play}})
        assert told["data"]["error"]["code"] == -32603 and "secret" not in str(told)
        patched.undo()
        assert talk.step({})["observation"]["current_day"] == 1
    assert "a secret path" in caplog.text  # which is for the log


def test_what_is_no_http_is_refused(server: Running) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as line:
        line.sendall(b"BEGIN\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 400")
    assert json.loads(server.ask("GET", "/health").text) == {"status": "healthy"}


def test_stateless_requests_at_once_disturb_neither_each_other_nor_the_default(server: Running) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def first(task: str | None) -> Any:
        return server.ask("POST", "/reset", {} if task is None else {"task": task, "seed": 3}).json()["observation"]

    alone = {task: first(task) for task in ("divergent", "minimal", "hard", None)}
    with ThreadPoolExecutor(8) as at_once:
        asked = list(alone) * 10
        assert list(at_once.map(first, asked)) == [alone[task] for task in asked]
    assert server.ask("POST", "/step", {"action": {}}).json()["observation"]["current_day"] == 1
