"""Who may address a server by which name, and who guesses its token."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from restock.core.errors import InvalidInput
from restock.server.errors import Refused
from restock.server.guard import Guard
from restock.server.guesses import A_SECOND, AT_ONCE, AT_ONCE_IN_ALL, Guesses
from restock.server.hosts import ANY, hosts_of, known
from restock.server.limits import Limits
from restock.server.run import hosts_of_environment
from restock.server.settings import Settings
from tests.server.serving import PATIENCE, Running, serving

REBOUND = ("rebound.example.org", "rebound.example.org:8000", "", "127.0.0.1.example.org", "localhost.example.org:1")
HERE = ("localhost", "LocalHost:8000", "localhost.", "127.0.0.1:8000", "[::1]:8000", "[::1]")


# names ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "0.0.0.0", "::", "192.0.2.7"])
def test_a_name_that_a_stranger_gave_this_machine_is_refused(host: str) -> None:
    names = hosts_of(host, [])
    assert all(known(name, names) for name in HERE)
    assert not any(known(name, names) for name in REBOUND)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "lab.example.org"])
def test_beyond_this_machine_every_address_means_the_server_and_no_name(host: str) -> None:
    names = hosts_of(host, ["Play.Example.org."])
    assert known("192.0.2.7:8000", names) and known("[2001:db8::1]:8000", names) and known("10.0.0.9", names)
    assert known("play.example.org", names) and known("play.example.org:443", names)
    assert known("lab.example.org", names) == (host == "lab.example.org")
    assert not any(known(name, names) for name in REBOUND)


def test_on_this_machine_other_addresses_are_nobody() -> None:
    names = hosts_of("127.0.0.1", ["play.example.org"])
    assert not known("192.0.2.7", names) and known("play.example.org", names)


def test_any_name_can_be_allowed() -> None:
    assert hosts_of("0.0.0.0", [ANY, "a.example.org"]) is None and known("rebound.example.org", None)


@pytest.mark.parametrize("name", ["https://a.example.org", "a.example.org:8000", "a b", "", "a/b", "*.example.org"])
def test_what_is_no_name_is_told(name: str) -> None:
    with pytest.raises(InvalidInput) as found:
        hosts_of("0.0.0.0", [name])
    assert found.value.field == "allow_host" and "play.example.org" in found.value.mend


def test_names_come_from_the_option_and_from_the_environment(monkeypatch: Any) -> None:
    monkeypatch.delenv("SPACE_HOST", raising=False)
    monkeypatch.setenv("RESTOCK_ALLOW_HOST", "b.example.org, c.example.org")
    assert hosts_of_environment(["a.example.org"]) == ["a.example.org", "b.example.org", "c.example.org"]
    monkeypatch.setenv("SPACE_HOST", "somebody-restock.hf.space")
    assert hosts_of_environment(None)[-1] == "somebody-restock.hf.space"


def test_the_refusal_tells_the_option() -> None:
    with serving(hosts=hosts_of("0.0.0.0", ["play.example.org"])) as server:
        refused = server.ask("GET", "/health", headers={"Host": "rebound.example.org:80"})
        assert refused.status_code == 403 and refused.json()["code"] == "FORBIDDEN"
        assert "--allow-host rebound.example.org" in refused.json()["mend"]
        with pytest.raises(InvalidStatus), server.talk(headers={"Host": "rebound.example.org"}):
            pass
        assert server.ask("GET", "/health", headers={"Host": "play.example.org"}).status_code == 200


def test_the_command_takes_the_option() -> None:
    """At 0.0.0.0, which any page could reach under a name of its own."""
    words = ["serve", "minimal", "--host", "0.0.0.0", "--port", "0", "--allow-host", "play.example.org"]
    process = subprocess.Popen(
        [sys.executable, "-m", "restock.cli", *words], stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert process.stderr is not None
    try:
        told = re.search(r":(\d+) \(open", process.stderr.readline())
        assert told is not None
        import httpx

        url = f"http://127.0.0.1:{told[1]}/health"
        status = {
            name: httpx.get(url, headers={"Host": name}, timeout=60.0, trust_env=False).status_code
            for name in ("play.example.org", "rebound.example.org", "127.0.0.1", "localhost")
        }
    finally:
        process.terminate()
        process.communicate()
    assert status == {"play.example.org": 200, "rebound.example.org": 403, "127.0.0.1": 200, "localhost": 200}


# the token --------------------------------------------------------------------------------------------

TOKEN = "sesame"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def tried(guesses: Guesses, client: str, word: str) -> bool | float:
    """Whether a word is the token, or how long to wait."""
    try:
        return guesses.right(client, [word.encode()])
    except Refused as error:
        assert (error.code, error.status) == ("TOO_MANY_TRIES", 429)
        assert error.headers == {"retry-after": str(error.more["retry_after"])}
        return float(error.more["retry_after"])


def test_a_guesser_learns_nothing_more_after_its_tries() -> None:
    clock = Clock()
    guesses = Guesses(TOKEN, clock)
    assert [tried(guesses, "a", f"{k}") for k in range(AT_ONCE)] == [False] * AT_ONCE
    assert tried(guesses, "a", "more") == 2.0
    assert tried(guesses, "a", TOKEN) == 2.0  # not even that it is right
    clock.now = 1.0 / A_SECOND
    assert tried(guesses, "a", "more") is False and tried(guesses, "a", TOKEN) == 2.0
    clock.now = 1000.0
    assert tried(guesses, "a", TOKEN) is True


def test_who_has_the_token_is_not_shut_out_by_a_guesser_at_its_address() -> None:
    guesses = Guesses(TOKEN, Clock())
    assert tried(guesses, "a", TOKEN) is True
    for k in range(1000):
        tried(guesses, "a", f"{k}")
        assert tried(guesses, "a", TOKEN) is True
    assert tried(guesses, "a", "another") > 0.0
    assert tried(guesses, "b", TOKEN) is True  # of an address that never guessed


def test_many_addresses_have_a_limit_together_and_those_that_have_the_token_none() -> None:
    guesses = Guesses(TOKEN, Clock())
    assert tried(guesses, "mine", TOKEN) is True
    said = [tried(guesses, f"{k}", f"{k}") for k in range(2 * AT_ONCE_IN_ALL)]
    assert said.count(False) == AT_ONCE_IN_ALL
    assert tried(guesses, "mine", TOKEN) is True


def test_a_client_that_is_set_up_wrongly_uses_up_nothing() -> None:
    guesses = Guesses(TOKEN, Clock())
    assert [tried(guesses, "a", "old") for _ in range(1000)] == [False] * 1000
    assert guesses.right("a", []) is False
    assert tried(guesses, "a", TOKEN) is True


@pytest.fixture
def locked() -> Iterator[Running]:
    with serving(token=TOKEN) as running:
        yield running


@pytest.mark.parametrize("way", ["header", "cookie", "page", "socket"])
def test_guesses_are_slowed_whichever_way_they_come(locked: Running, way: str) -> None:
    def guess(word: str) -> int:
        if way == "socket":
            with pytest.raises(InvalidStatus) as found, locked.talk(f"/ws?token={word}", headers={"Authorization": ""}):
                pass
            return found.value.response.status_code
        headers = {"Authorization": f"Bearer {word}" if way == "header" else ""}
        if way == "cookie":
            headers["Cookie"] = f"restock-token={word}"
        if way == "page":
            reply = locked.ask("POST", "/login", headers=headers, data={"token": word, "next": "/"})
        else:
            reply = locked.ask("GET", "/tasks", headers=headers)
        if reply.status_code == 429:
            assert int(reply.headers["retry-after"]) >= 1
        return reply.status_code

    said = [guess(f"wrong{k}") for k in range(AT_ONCE + 5)]
    assert said[:AT_ONCE] == [401] * AT_ONCE and 429 in said[AT_ONCE:]


def test_an_agent_goes_on_while_somebody_guesses(locked: Running) -> None:
    with locked.talk() as talk:
        talk.reset(task="easy")
        for k in range(3 * AT_ONCE):
            locked.ask("GET", "/tasks", headers={"Authorization": f"Bearer {k}"})
            assert talk.step({}).get("error", {}).get("code") in (None, "EPISODE_OVER")
            assert locked.ask("GET", "/tasks").status_code == 200


# heads ------------------------------------------------------------------------------------------------


def passed(settings: Settings, *headers: tuple[bytes, bytes]) -> Any:
    """The headers that a guard passes on, or the status that it answers."""
    found: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found.append(scope["headers"])

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        found.append(message.get("status"))

    scope = {"type": "http", "method": "GET", "path": "/runs", "headers": [(b"host", b"localhost"), *headers]}
    guesses = None if settings.token is None else Guesses(settings.token)
    asyncio.run(Guard(app, settings, guesses)(scope, receive, send))
    return found[0]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"other=1; restock-visitor=a; restock-token=t", b"restock-token=t; restock-visitor=a"),
        (b'restock-visitor="' + b"\\\\" * 30_000 + b'"; restock-token=t', b"restock-token=t"),
        (b"; ".join(b"restock-visitor=%d" % k for k in range(5_000)), b"restock-visitor=4999"),
        (b'other="' + b"\\\\" * 30_000 + b'"', b""),
        (b"=;;; ;restock-token", b"restock-token"),
    ],
)
def test_only_its_own_cookies_get_past_the_guard(sent: bytes, kept: bytes) -> None:
    """Python reads a cookie of backslashes in seconds, and meanwhile nobody else was answered."""
    assert passed(Settings(), (b"cookie", sent)) == [(b"host", b"localhost"), (b"cookie", kept)]


@pytest.mark.parametrize("origin", [b"http://[::1", b"http://]", b"null", b"", b"\xff\xfe", b"http://[x]:y"])
def test_an_origin_that_is_none_is_elsewhere(origin: bytes) -> None:
    assert passed(Settings(), (b"origin", origin)) == 403


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:evil.example",
        "127.0.0.1:80@evil.example",
        "[::1]evil.example",
        "127.0.0.1, evil.example",
        "[::1",
        "127.0.0.1]",
    ],
)
def test_a_host_is_a_name_and_a_port_and_nothing_else(host: str) -> None:
    everywhere = hosts_of("0.0.0.0", [])
    assert known("127.0.0.1:8000", everywhere) and known("[::1]:8000", everywhere) and known("localhost.", everywhere)
    assert not known(host, everywhere) and not known(host, hosts_of("127.0.0.1", []))


def test_a_socket_guesses_one_token() -> None:
    with serving(problem="serial", token="sesame") as server:
        words = "&".join(f"token=w{k}" for k in range(100))
        for address, status in ((f"/ws?{words}&token=sesame", 401), ("/ws?token=sesame", 101)):
            host = server.url.removeprefix("http://")
            head = f"GET {address} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            more = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            with socket.create_connection((host.split(":")[0], int(host.split(":")[1])), timeout=PATIENCE) as made:
                made.sendall((head + more).encode())
                assert made.recv(4096).startswith(f"HTTP/1.1 {status}".encode())


def test_one_address_may_be_given_fewer_episodes() -> None:
    with serving(problem="serial", limits=Limits(sessions_of_one=2)) as server:
        assert [server.ask("POST", "/sessions", json={}).status_code for _ in range(3)] == [201, 201, 503]
