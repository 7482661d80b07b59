"""Connections that hold a server up before anything is asked: silent, slow, too many, half open."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from types import SimpleNamespace

import httpx
import pytest

from restock.server.connections import OTHER_FILES, files_for
from restock.server.errors import Refused
from restock.server.limits import Limits, Share, client_of
from restock.server.logs import MOST, Seldom
from tests.server.serving import PATIENCE, Running, serving

SOON = Limits(head=0.4, body=0.4, reply=0.4)
HEAD = b"POST /step HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n"


@pytest.fixture(scope="module")
def hasty() -> Iterator[Running]:
    """A server that does not wait for long."""
    with serving(limits=SOON) as running:
        yield running


def line(server: Running, sent: bytes = b"") -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    made = socket.create_connection((host, int(port)), timeout=PATIENCE)
    made.sendall(sent)
    return made


def everything(made: socket.socket) -> bytes:
    """What comes until the other end closes."""
    got = b""
    with made, contextlib.suppress(ConnectionResetError):
        while piece := made.recv(1 << 16):
            got += piece
    return got


def open_at(server: Running) -> int:
    return len(server.app.state.connections)


def wait_until(server: Running, count: int) -> None:
    end = time.monotonic() + PATIENCE
    while open_at(server) != count:
        assert time.monotonic() < end, open_at(server)
        time.sleep(0.01)


# delay ------------------------------------------------------------------------------------------------


def test_small_packets_are_sent_at_once(server: Running) -> None:
    """Head and body of a reply are two packets: where the second waits for the first, each reply takes 44 ms."""
    with server.talk(), line(server, b"GET / HT"):
        for transport in server.app.state.connections:
            sent = transport.get_extra_info("socket")
            assert sent.proto == socket.IPPROTO_TCP  # by which asyncio knows, too
            assert sent.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


# deadlines --------------------------------------------------------------------------------------------


def test_who_says_nothing_is_hung_up_on(hasty: Running) -> None:
    assert everything(line(hasty)) == b""


@pytest.mark.parametrize(
    "sent", [b"G", b"GET / HTTP/1.1\r\n", b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"]
)
def test_a_head_that_does_not_end_is_refused(hasty: Running, sent: bytes) -> None:
    head, _, body = everything(line(hasty, sent)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408") and json.loads(body)["code"] == "TOO_SLOW"


def test_a_head_that_comes_byte_by_byte_is_refused(hasty: Running) -> None:
    with line(hasty, b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: ") as made, pytest.raises(ConnectionError):
        for _ in range(400):  # 20 s
            made.sendall(b"a")
            time.sleep(0.05)


@pytest.mark.parametrize("more", [b"X-Long: " + b"a" * 100_000, b"X-Many: a\r\n" * 10_000])
def test_a_head_has_a_size(server: Running, more: bytes) -> None:
    got = everything(line(server, b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + more))
    assert got.startswith(b"HTTP/1.1 400")
    with httpx.Client(base_url=server.url, timeout=PATIENCE, trust_env=False) as kept:
        for _ in range(40):  # that of each request, whatever its connection has sent before
            assert kept.get("/health", headers={"X-Long": "a" * 2000}).status_code == 200


def test_a_handshake_that_is_not_answered_is_hung_up_on(hasty: Running) -> None:
    """The library of the sockets says nothing to more headers than it reads."""
    begin = time.monotonic()
    head = b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    more = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" + b"X: a\r\n" * 200
    everything(line(hasty, head + more + b"\r\n"))
    assert time.monotonic() - begin < PATIENCE / 2.0


def test_trailers_are_neither_kept_nor_headers(server: Running) -> None:
    """What a proxy passes on there must not say whose request it is, nor fill the memory."""
    head = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"
    assert everything(line(server, chunked + b"Host: elsewhere\r\n\r\n")).startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 4" in everything(line(server, chunked + b"a: b\r\n" * 50_000))


HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
CLOSE = b"Connection: close\r\n\r\n"


@pytest.mark.parametrize("more", [b"User-Agent: a\r\nConnection: Keep-Alive\r\n", b"X-Any: b\r\n", b"Cookie: a=b\r\n"])
def test_a_health_check_is_told_the_same_by_connection_and_application(server: Running, more: bytes) -> None:
    """The connection answers what is plain; what has other headers goes through the guard."""
    replies = everything(line(server, HEALTH + b"\r\n" + HEALTH + more + b"\r\n" + HEALTH + more + CLOSE))
    *kept, last = (
        sorted(one for one in reply.lower().splitlines() if not one.startswith(b"date"))
        for reply in replies.split(b"HTTP/1.1 200 OK")[1:]
    )
    assert kept[0] == kept[1] and last == sorted([*kept[0], b"connection: close"])
    assert b'{"status":"healthy"}' in kept[0] and len(kept) == 2


def test_health_checks_in_one_packet_are_all_answered(server: Running) -> None:
    got = everything(line(server, 50 * (HEALTH + b"\r\n") + HEALTH + CLOSE))
    assert got.count(b"HTTP/1.1 200") == 51 == got.count(b'{"status":"healthy"}')


@pytest.mark.parametrize("more", [b"Origin: http://elsewhere.example.org\r\n", b"Content-Length: 1\r\n"])
def test_a_health_check_that_is_not_plain_goes_through_the_guard(hasty: Running, more: bytes) -> None:
    got = everything(line(hasty, HEALTH + more + b"\r\n"))
    assert got.startswith((b"HTTP/1.1 403", b"HTTP/1.1 408"))


@pytest.mark.parametrize("hosts", [b"", b"Host: localhost\r\nHost: elsewhere\r\n"], ids=["none", "two"])
def test_a_request_names_one_host(server: Running, hosts: bytes) -> None:
    got = everything(line(server, b"GET /health HTTP/1.1\r\n" + hosts + b"Connection: close\r\n\r\n"))
    assert got.startswith((b"HTTP/1.1 400", b"HTTP/1.1 403")), got


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n Host: localhost\r\n\r\n",
        b"GET \xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"CONNECT elsewhere:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_a_head_that_can_be_read_in_two_ways_is_refused(server: Running, sent: bytes) -> None:
    """A proxy might read the other one."""
    assert everything(line(server, sent)).startswith(b"HTTP/1.1 4")


def test_a_request_behind_one_with_length_and_chunks_is_none(server: Running) -> None:
    """A proxy that goes by the length takes it for the body."""
    hidden = b"0\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = b"POST /reset HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n"
    got = everything(line(server, head % len(hidden) + hidden))
    assert got.startswith(b"HTTP/1.1 403") and got.count(b"HTTP/1.1") == 1


def test_a_body_that_does_not_come_is_refused(hasty: Running) -> None:
    head, _, body = everything(line(hasty, HEAD + b'{"act')).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408") and json.loads(body)["code"] == "TOO_SLOW"


def test_the_second_head_of_a_connection_has_no_more_time(hasty: Running) -> None:
    got = everything(line(hasty, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hea"))
    assert got.startswith(b"HTTP/1.1 200")
    with line(hasty, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n") as made:
        assert made.recv(4096).startswith(b"HTTP/1.1 200")
        made.sendall(b"GET /hea")
        assert b"408" in everything(made)


def test_who_takes_no_reply_is_hung_up_on(hasty: Running) -> None:
    """Otherwise the server keeps the connection, and what it wanted to say, until it ends."""
    before = open_at(hasty)
    host, port = hasty.url.removeprefix("http://").split(":")
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.settimeout(PATIENCE)
        made.connect((host, int(port)))
        for _ in range(200):
            with contextlib.suppress(OSError):
                made.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.2)  # by now it is let in, and has begun to answer
        wait_until(hasty, before)


def test_a_socket_that_answers_no_ping_is_closed(hasty: Running) -> None:
    """As one whose other end lost its power, or its network."""
    before = open_at(hasty)
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    head = b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" + key
    with line(hasty, head) as made:
        assert made.recv(4096).startswith(b"HTTP/1.1 101")
        wait_until(hasty, before)


def test_who_plays_and_who_thinks_is_left_alone(hasty: Running) -> None:
    with hasty.talk() as talk:
        talk.reset(task="easy")
        time.sleep(1.0)
        assert talk.step({})["observation"]["current_day"] == 1
    reply = hasty.ask("GET", "/health")
    assert reply.status_code == 200


# numbers ----------------------------------------------------------------------------------------------


def test_silent_connections_make_room_for_those_that_ask() -> None:
    with serving(limits=Limits(connections=20, connections_of_one=15)) as small, contextlib.ExitStack() as held:
        with small.talk() as talk:
            talk.reset(task="easy")
            for _ in range(100):
                held.enter_context(line(small, b"GET / HT"))
            assert small.ask("GET", "/health").status_code == 200
            assert open_at(small) <= 15
            assert talk.step({})["observation"]["current_day"] == 1  # who plays is not hung up on


def test_where_all_connections_are_used_another_is_told_so() -> None:
    with serving(limits=Limits(connections=3, connections_of_one=3)) as small, contextlib.ExitStack() as held:
        for _ in range(3):
            held.enter_context(small.talk()).reset(task="easy")
        reply = small.ask("GET", "/health")
        assert (reply.status_code, reply.json()["code"]) == (503, "CAPACITY_REACHED")
        assert reply.headers["retry-after"] == "1" and reply.headers["connection"] == "close"
    with serving(limits=Limits(connections=9, connections_of_one=1)) as small:
        with small.talk() as talk:
            talk.reset(task="easy")
            assert small.ask("GET", "/health").status_code == 503
        wait_until(small, 0)
        assert small.ask("GET", "/health").status_code == 200


def test_slow_connections_hold_nobody_up(server: Running) -> None:
    """Tens here; benchmarks/storm_server.py has the hundreds, and measures how long the others wait."""
    with contextlib.ExitStack() as held, httpx.Client(base_url=server.url, timeout=PATIENCE, trust_env=False) as agent:
        lines = [held.enter_context(line(server, HEAD[:k])) for k in range(60)]
        id = agent.post("/sessions", json={"task": "easy"}).json()["session_id"]
        for later in range(30):
            for k, one in enumerate(lines):
                one.sendall(HEAD[k + later : k + later + 1])
            assert agent.post(f"/sessions/{id}/step", json={"action": {}}).status_code == 200
        agent.delete(f"/sessions/{id}")


def test_bodies_together_have_a_limit() -> None:
    with serving(limits=Limits(bodies=20_000)) as small, contextlib.ExitStack() as held:
        said = b"POST /step HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n" + b" " * 8000
        lines = [held.enter_context(line(small, said)) for _ in range(3)]
        refused = [one for one in lines if _readable(one)]
        assert len(refused) == 1
        assert b"503" in refused[0].recv(100)
    with serving(limits=Limits(bodies=20_000)) as small:
        for _ in range(30):  # what is answered is held no longer
            assert small.ask("POST", "/step", content=b"{" + b" " * 5000).status_code in (400, 422)


def _readable(one: socket.socket) -> bool:
    import select

    return bool(select.select([one], [], [], 0.5)[0])


def test_the_process_may_open_as_many_files_as_it_takes_connections() -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, before[1]))
        assert files_for(1000) == min(1000, before[1] - OTHER_FILES)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 1000 + OTHER_FILES
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        assert files_for(10) == 10 and resource.getrlimit(resource.RLIMIT_NOFILE) == before
        assert files_for(10**9) == before[1] - OTHER_FILES or before[1] == resource.RLIM_INFINITY
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_process_with_few_files_answers_beside_many_silent_connections() -> None:
    """It would accept until no file is left, and then say so in the log as fast as it can."""
    resource = pytest.importorskip("resource")
    process = subprocess.Popen(
        [sys.executable, "-m", "restock.cli", "serve", "minimal", "--port", "0", "--json", "--quiet"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400)),
    )  # fmt: skip
    assert process.stdout is not None
    told = ""
    while not told.endswith("}\n"):
        told += process.stdout.readline()
    try:
        with contextlib.ExitStack() as held:
            for _ in range(600):
                held.enter_context(socket.create_connection(("127.0.0.1", json.loads(told)["port"]), timeout=PATIENCE))
            for _ in range(5):
                reply = httpx.get(f"{json.loads(told)['url']}/health", timeout=PATIENCE, trust_env=False)
                assert reply.status_code == 200
    finally:
        process.terminate()
        _, err = process.communicate(timeout=PATIENCE)
    assert err == ""


# Prints what a garbage collection looks at while the server runs, then ends it.
LOOKED_AT = """
import gc, os, signal, sys, threading, time, urllib.request
from restock.server.run import run
from restock.server.settings import Settings

def look(host, port, task):
    def wait():
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health").read()
        print(gc.get_freeze_count(), len(gc.get_objects()))
        os.kill(os.getpid(), signal.SIGTERM)
    threading.Thread(target=wait).start()

run(Settings(), "127.0.0.1", 0, look)
"""


def test_what_the_process_holds_for_good_is_not_looked_through_again() -> None:
    """Some 100,000 objects, which takes longer than most answers; nobody is answered meanwhile."""
    done = subprocess.run([sys.executable, "-c", LOOKED_AT], capture_output=True, text=True, timeout=PATIENCE)
    frozen, seen = map(int, done.stdout.split())
    assert frozen > 50_000 > seen, done.stderr


# shares, clients, logs --------------------------------------------------------------------------------


def test_a_share_is_of_all_and_of_one() -> None:
    share = Share("games", 4, 2)
    share.check(["a", "b", "b"], "a")
    with pytest.raises(Refused, match="Your address has 2 games"):
        share.check(["a", "b", "b"], "b")
    with pytest.raises(Refused, match="4/4 games"):
        share.check(["a", "b", "b", "c"], "d")


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::1", "::/64"), ("fe80::1%eth0", "fe80::/64"), ("", ""), ("testclient", "testclient"), ("a:b", "a:b"),
    ],
)  # fmt: skip
def test_a_client_is_an_address_or_the_network_of_one(address: str, client: str) -> None:
    assert client_of(address) == client


def test_a_flood_of_requests_that_are_none_is_logged_in_a_few_lines(server: Running, caplog) -> None:
    with caplog.at_level(logging.WARNING, "uvicorn.error"):
        for _ in range(4 * MOST):
            assert everything(line(server, b"BEGIN\r\n\r\n")).startswith(b"HTTP/1.1 400")
    assert sum("Invalid HTTP" in record.getMessage() for record in caplog.records) <= MOST


def test_what_was_left_out_of_a_log_is_counted_and_nothing_in_it_moves_a_cursor(monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr("restock.server.logs.time", SimpleNamespace(monotonic=lambda: now[0]))
    kept = Seldom()

    def told(message: str = "no file left for \x1b[2J%s\nsocket: 7") -> str | None:
        record = logging.LogRecord("asyncio", logging.ERROR, "base_events.py", 1, message, ("\x9bname",), None)
        return record.getMessage() if kept.filter(record) else None

    said = [told() for _ in range(100)]
    assert said[0] == "no file left for [2Jname\nsocket: 7"
    assert sum(one is not None for one in said) == MOST
    now[0] = 60.0
    assert "95 more like this one before" in str(told())
