"""The Model Context Protocol over HTTP: sessions that begin, end, and leave nothing behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from restock.server.mcp import PROTOCOLS
from restock.server.tickets import MOST_ENDED, Tickets
from tests.server.serving import Running, serving

ACCEPT = {"accept": "application/json, text/event-stream"}
CONNECTS = 20


@pytest.fixture(scope="module")
def small() -> Iterator[Running]:
    """A server with two places, which every test leaves free."""
    with serving(max_sessions=2, problem="minimal") as running:
        yield running


class Client:
    """What the official client sends, message by message."""

    def __init__(self, server: Running, version: str = "2025-11-25") -> None:
        self._server, self._headers = server, dict(ACCEPT)
        info = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "mcp", "version": "0.1.0"}}
        reply = self.post("initialize", info)
        self.told = reply.json()["result"]
        self._headers["mcp-session-id"] = reply.headers["mcp-session-id"]
        self._headers["mcp-protocol-version"] = self.told["protocolVersion"]
        assert self.send({"jsonrpc": "2.0", "method": "notifications/initialized"}).status_code == 202

    def send(self, message: Any, **headers: str | bytes) -> httpx.Response:
        return self._server.ask("POST", "/mcp", message, headers={**self._headers, **headers})

    def post(self, method: str, params: Any = None, **headers: str | bytes) -> httpx.Response:
        asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
        return self.send(asked, **headers)

    def use(self, tool: str, **arguments: Any) -> Any:
        return self.post("tools/call", {"name": tool, "arguments": arguments}).json()

    def tools(self) -> list[str]:
        return [tool["name"] for tool in self.post("tools/list").json()["result"]["tools"]]

    def end(self) -> httpx.Response:
        return self._server.ask("DELETE", "/mcp", headers=self._headers)


def test_many_clients_one_after_another_leave_nothing_behind(small: Running) -> None:
    for k in range(CONNECTS):
        client = Client(small)
        assert client.use("begin", seed=k)["result"]["structuredContent"]["observation"]["period"] == 0
        assert client.use("play", action={"order": 1})["result"]["structuredContent"]["observation"]["period"] == 1
        assert len(small.hub.sessions) == 1
        assert (ended := client.end()).status_code == 204 and not ended.content
    assert len(small.hub.sessions) == 0


def test_clients_that_never_play_take_no_place(small: Running) -> None:
    clients = [Client(small) for _ in range(CONNECTS)]  # and go away without a word
    assert len(small.hub.sessions) == 0
    session = small.ask("POST", "/sessions")
    assert session.status_code == 201
    small.ask("DELETE", f"/sessions/{session.json()['session_id']}")
    assert clients[0].tools() == ["list_tasks", "explain", "begin", "play", "look"]
    assert "result" in clients[0].use("begin") and "result" in clients[-1].use("begin")
    full = clients[1].use("begin")["result"]  # an answer of the tool, which a model reads
    assert full["isError"] and full["structuredContent"]["code"] == "CAPACITY_REACHED"
    assert "Server at capacity" in full["content"][0]["text"]
    for client in clients:
        assert client.end().status_code == 204
    assert len(small.hub.sessions) == 0


def test_a_session_that_is_no_more_is_told_with_404(small: Running) -> None:
    """So that the client begins anew."""
    client, idle = Client(small), Client(small)
    client.use("begin")
    client.end()
    idle.end()
    for gone in (client, idle):
        for reply in (gone.post("tools/list"), gone.send({"jsonrpc": "2.0", "method": "notifications/x"}), gone.end()):
            assert reply.status_code == 404
        told = gone.post("tools/list").json()
        assert told["id"] == 1 and told["error"]["data"]["code"] == "UNKNOWN_SESSION"
    made_up = Client(small)
    for id in ("", "x", "0" * 64, "ü" * 32):
        reply = made_up.post("ping", **{"mcp-session-id": id.encode()})
        assert reply.status_code == 404, id
    assert client.post("initialize").status_code == 200


def test_it_is_ended_by_its_id_alone(small: Running) -> None:
    nameless = small.ask("DELETE", "/mcp")
    assert nameless.status_code == 400 and nameless.json()["field"] == "mcp-session-id"


def test_nothing_is_sent_without_being_asked(small: Running) -> None:
    listening = small.ask("GET", "/mcp", headers={"accept": "text/event-stream"})
    assert listening.status_code == 405 and listening.headers["allow"] == "POST, DELETE"


def test_only_versions_that_are_spoken_are_agreed_to(small: Running) -> None:
    for version in PROTOCOLS:
        assert Client(small, version).told["protocolVersion"] == version
    for version in ("2024-11-05", "2026-07-28", "1.0", "", None, 7):
        assert Client(small, version).told["protocolVersion"] == PROTOCOLS[-1]  # type: ignore[arg-type]


def test_a_request_in_another_version_is_refused(small: Running) -> None:
    client = Client(small)
    for version in ("2026-07-28", "2024-11-05", "x"):
        reply = client.post("server/discover", **{"mcp-protocol-version": version})
        assert reply.status_code == 400
        error = reply.json()["error"]
        assert error["code"] == -32022 and error["data"] == {"supported": list(PROTOCOLS), "requested": version}
    assert small.ask("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "ping"}).json()["result"] == {}


def test_several_messages_in_one_request(small: Running) -> None:
    """Which the version 2025-03-26 has, and the later ones have not."""
    ping, remark = {"jsonrpc": "2.0", "id": 1, "method": "ping"}, {"jsonrpc": "2.0", "method": "notifications/x"}
    client = Client(small, "2025-03-26")
    assert [told["id"] for told in client.send([ping, remark, {**ping, "id": 2}]).json()] == [1, 2]
    assert client.send([remark]).status_code == 202
    assert client.send([{**ping, "method": "initialize"}]).status_code == 202  # which stands alone
    assert Client(small).send([ping]).json()["error"]["code"] == -32600


def test_two_clients_of_one_id_play_one_episode(small: Running) -> None:
    """A program that opened a session may play it by socket, and its model by tools."""
    created = small.ask("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "openenv/session/create"}).json()
    session = created["result"]["session_id"]

    def use(tool: str, **arguments: Any) -> Any:
        params = {"name": tool, "arguments": arguments, "session_id": session}
        asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        return small.ask("POST", "/mcp", asked).json()

    with small.talk(f"/ws?session_id={session}") as talk:
        assert use("look")["result"]["structuredContent"]["code"] == "NO_EPISODE"
        talk.reset(seed=5)
        assert use("play", action={"order": 2})["result"]["structuredContent"]["observation"]["period"] == 1
        assert talk.step({})["observation"]["period"] == 2
    assert use("look")["result"]["structuredContent"]["state"]["step_count"] == 2  # the socket has gone, it has not
    small.ask("DELETE", "/mcp", headers={"mcp-session-id": session})
    assert use("look")["error"]["data"]["code"] == "UNKNOWN_SESSION"
    assert len(small.hub.sessions) == 0


def test_ids_that_were_never_issued_are_known_as_such() -> None:
    tickets, others = Tickets(), Tickets()
    id = tickets.issue()
    assert tickets.holds(id) and not others.holds(id) and not tickets.holds(id[:-1]) and not tickets.holds("\ud800")
    tickets.end(id)
    assert not tickets.holds(id)
    tickets.end("made up")
    for _ in range(MOST_ENDED):  # more than are remembered
        tickets.end(tickets.issue())
    assert tickets.holds(id)


@pytest.mark.parametrize("version", [None, "2025-06-18"])
def test_the_official_client_connects_plays_and_ends(small: Running, version: str | None) -> None:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared.exceptions import McpError

    async def once(seed: int) -> None:
        async with streamable_http_client(f"{small.url}/mcp") as (reading, writing, id_of), ClientSession(
            reading, writing
        ) as client:  # fmt: skip
            await client.initialize()
            assert {tool.name for tool in (await client.list_tools()).tools} >= {"begin", "play"}
            await client.call_tool("begin", {"seed": seed})
            played = await client.call_tool("play", {"action": {"order": 1.0}})
            assert json.loads(played.content[0].text)["observation"]["period"] == 1  # type: ignore[union-attr]
            if version is not None:  # ended by somebody else
                small.hub.sessions.close(id_of())
                with pytest.raises(McpError, match=r"(?i)session"):
                    await client.list_tools()

    for seed in range(3):
        asyncio.run(once(seed))
    assert len(small.hub.sessions) == 0


def test_errors_speak_of_the_tools_and_their_arguments(small: Running) -> None:
    """A model that was told to "reset first" has no tool of that name, nor one that takes `reset.seed`."""
    client = Client(small)
    refused = [client.use(tool, **{"action": {}} if tool == "play" else {}) for tool in ("look", "play")]
    refused += [client.use("begin", seed="x"), client.use("begin", task="smal"), client.use("begin", episode_id=1)]
    client.use("begin", seed=1)
    while not client.use("play", action={})["result"]["structuredContent"]["done"]:
        pass
    refused.append(client.use("play", action={}))
    told = [one["result"]["structuredContent"] for one in refused]
    assert all(one["result"]["isError"] for one in refused) and not any("reset" in one["message"] for one in told)
    assert [one.get("field") for one in told] == [
        None, None, "arguments.seed", "task", "arguments.episode_id", None,
    ]  # fmt: skip
    client.end()


@pytest.mark.parametrize(("tool", "words"), [("look", "It takes none."), ("play", "Known: action.")])
def test_an_argument_that_there_is_not_is_told_those_that_there_are(small: Running, tool: str, words: str) -> None:
    client = Client(small)
    told = client.use(tool, a=1)["result"]
    assert told["isError"] and told["structuredContent"]["message"] == f"the tool {tool} has no argument 'a'. {words}"
    client.end()


@pytest.mark.parametrize(
    "arguments",
    [{"seed": 2**63 - 1}, {"seed": 2**63}, {"seed": -1}, {"seed": 1.0}, {"seed": 1.5}, {"episode_id": "x" * 255},
     {"episode_id": "x" * 256}, {"more": 1}],
    ids=lambda one: str(one)[:30],
)  # fmt: skip
def test_the_schema_of_a_tool_allows_what_the_tool_takes(small: Running, arguments: dict[str, Any]) -> None:
    client = Client(small)
    tools = client.post("tools/list").json()["result"]["tools"]
    (schema,) = (tool["inputSchema"] for tool in tools if tool["name"] == "begin")
    taken = not client.use("begin", **arguments)["result"]["isError"]
    assert Draft202012Validator(schema).is_valid(arguments) == taken
    client.end()
