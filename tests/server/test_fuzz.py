"""Requests and messages that no client should send: typed errors, no failure of the server, no lost session."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi import checks

from benchmarks.fuzz_server import fuzz, judged
from restock.server.errors import STATUS
from tests.server.serving import Running

EXAMPLES = 15  # of each route
# 401, 403 and 413 are answers of the guard, 503 of a full server.
CODES = set(STATUS) - {"INTERNAL_ERROR"}


def test_requests_over_the_whole_schema(server: Running) -> None:
    """Every route with data made from its description: what is described is what comes back, whatever is sent."""
    schema: Any = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    skipped = {"/baseline"}  # which computes
    routes = [route.ok() for route in schema.get_all_operations() if route.ok().path not in skipped]
    assert len(routes) >= 20
    for route in routes:
        played(server, route)


def played(server: Running, route: Any) -> None:
    @given(case=route.as_strategy() | route.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE))
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
        phases=(Phase.generate,), suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def holds(case: Any) -> None:
        reply = case.call()
        case.validate_response(reply, checks=CHECKS)
        if reply.status_code >= 400:
            assert reply.json()["code"] in CODES and reply.json()["message"]
        if reply.status_code == 201:
            server.ask("DELETE", f"/sessions/{reply.json()['session_id']}")

    holds()


CHECKS: Any = [
    schemathesis.checks.not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
    checks.response_schema_conformance,
]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_messages_of_every_kind(server: Running, seed: int) -> None:
    with server.talk(max_size=None) as talk:
        assert fuzz(talk.line, seed, 250) == []


def test_a_reply_of_no_known_kind_is_noticed() -> None:
    assert judged({"type": "error", "data": {"code": "INTERNAL_ERROR", "message": "no"}})
    assert judged({"type": "error", "data": {"code": "VALIDATION_ERROR", "message": "Traceback (most recent"}})
    assert judged({"type": "mcp", "data": {"jsonrpc": "2.0", "id": 1, "error": {"code": -32603}}})
    assert judged({"type": "wat", "data": {}}) and not judged({"type": "state", "data": {}})


def test_bodies_that_are_no_json(server: Running) -> None:
    for body in (b"{", b"\xff\xfe", b'"\\ud800', b"[" * 60_000, b"9" * 5000, b"nul"):
        for path in ("/reset", "/step", "/sessions"):
            reply = server.ask("POST", path, content=body, headers={"content-type": "application/json"})
            assert reply.status_code in (400, 422) and reply.json()["code"] in ("INVALID_JSON", "VALIDATION_ERROR")
        told = server.ask("POST", "/mcp", content=body).json()
        assert told["error"]["code"] in (-32700, -32600)


def test_a_name_given_twice_is_refused(server: Running) -> None:
    """Whoever reads the first and whoever reads the second would see two actions."""
    twice = '"buy_quantities": {"toys": 1, "toys": 9}'
    session = server.ask("POST", "/sessions", {"task": "easy"}).json()["session_id"]
    bodies = [
        ("/reset", '{"task": "easy", "task": "hard"}'), ("/step", f'{{"action": {{{twice}}}}}'),
        ("/sessions", '{"seed": 1, "seed": 1}'), (f"/sessions/{session}/step", f'{{"action": {{{twice}}}}}'),
        (f"/sessions/{session}/reset", '{"seed": 1, "seed": 2}'),
        ("/restock/tasks", '{"split": "all", "split": "retail"}'),
    ]  # fmt: skip
    for path, body in bodies:
        for kind in ("application/json", "application/json; charset=utf-8", "Application/JSON", "application/x+json"):
            told = server.ask("POST", path, content=body, headers={"content-type": kind})
            assert (told.status_code, told.json()["code"]) == (400, "INVALID_JSON"), (path, kind)
            assert "given twice" in told.json()["message"]
    play = '{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "method": "ping"}'
    assert "given twice" in server.ask("POST", "/mcp", content=play).json()["error"]["message"]
    with server.talk() as talk:
        talk.reset(task="easy")
        assert "given twice" in talk.ask(f'{{"type": "step", "data": {{{twice}}}}}')["data"]["message"]
        told = talk.step({"buy_quantities": '{"toys": 1, "toys": 9}'})["error"]  # a mapping sent as text
        assert "given twice" in told["message"]
        assert talk.state()["step_count"] == 0
    assert server.ask("GET", f"/sessions/{session}/state").json()["step_count"] == 0
    server.ask("DELETE", f"/sessions/{session}")


def test_text_that_is_no_unicode_comes_back_escaped(server: Running) -> None:
    body = b'{"action": {"buy_quantities": {"\\ud800": 1, "toys": NaN}}}'
    reply = server.ask("POST", "/step", content=body, headers={"content-type": "application/json"})
    assert reply.status_code == 422 and reply.json()["code"] == "VALIDATION_ERROR"
    with server.talk() as talk:
        assert talk.reset(episode_id="\u0000ü")["observation"]["current_day"] == 0
        assert talk.state()["episode_id"] == "\u0000ü"
        assert talk.reset(episode_id="\ud800")["error"]["field"] == "reset.episode_id"
        assert talk.step({"orders": {"\ud800": 1}})["error"]["code"] == "VALIDATION_ERROR"


def test_messages_out_of_order(server: Running) -> None:
    with server.talk() as talk:
        assert talk.step({})["error"]["code"] == "NO_EPISODE"
        assert talk.state()["step_count"] == 0
        assert talk.ask({"type": "step"})["data"]["code"] == "VALIDATION_ERROR"
        assert talk.ask({"type": "reset", "data": {}, "more": 1})["data"]["field"] == "more"
        talk.reset()
        for text in [json.dumps({"type": "step", "data": {}})] * 40:  # without waiting for the replies
            talk.line.send(text)
        told = [talk.hear() for _ in range(40)]
        assert [one["type"] for one in told] == ["observation"] * 30 + ["error"] * 10
        assert [one["data"]["observation"]["current_day"] for one in told[:30]] == list(range(1, 31))
        assert {one["data"]["code"] for one in told[30:]} == {"EPISODE_OVER"}
        talk.line.send(json.dumps({"type": "close"}))


def test_a_socket_that_breaks_off_leaves_nothing_behind(server: Running) -> None:
    before = len(server.hub.sessions)
    for _ in range(5):
        with server.talk() as talk:
            talk.reset()
            talk.line.send(json.dumps({"type": "step", "data": {}}))
            talk.line.socket.close()
    assert httpx.get(f"{server.url}/health", trust_env=False).status_code == 200
    for _ in range(500):
        if len(server.hub.sessions) == before:
            break
        server.ask("GET", "/health")
    assert len(server.hub.sessions) == before
