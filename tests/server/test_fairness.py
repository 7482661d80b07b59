"""What one client sends at once holds up nobody else: bursts, batches, floods of frames and of pings."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import time
from typing import Any

import pytest

from restock.server import protocols
from restock.server.limits import CLIENT
from restock.server.mcp import MOST_BATCH
from restock.server.meter import Meter
from restock.server.session import Session
from tests.server.serving import PATIENCE, Running

UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\n"
)
TEXT, MORE, PING = 1, 0, 9  # kinds of frames


def head(server: Running, method: str, path: str, *rest: str) -> bytes:
    host = server.url.removeprefix("http://")
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *rest]).encode()


def line(server: Running) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE)


def opened(server: Running) -> socket.socket:
    """A socket whose handshake is over."""
    made = line(server)
    made.sendall(head(server, "GET", "/ws", UPGRADE))
    assert until(made, b"\r\n\r\n").startswith(b"HTTP/1.1 101")
    return made


def until(made: socket.socket, end: bytes) -> bytes:
    """What comes, until this has come."""
    got = b""
    while end not in got:
        piece = made.recv(1 << 16)
        assert piece, got
        got += piece
    return got


def frame(kind: int, data: bytes, last: bool = True) -> bytes:
    size = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0x80 | 126]) + struct.pack(">H", len(data))
    return bytes([(0x80 if last else 0) | kind]) + size + b"\0\0\0\0" + data


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Resets that take 10 ms of computing; how many there have been."""
    reset, done = Session.reset, [0]

    def slowly(self: Session, *given: Any, **more: Any) -> Any:
        time.sleep(0.01)
        done[0] += 1
        return reset(self, *given, **more)

    monkeypatch.setattr(Session, "reset", slowly)
    return done


def test_a_burst_of_messages_of_one_socket_holds_nobody_up(server: Running, slow: list[int]) -> None:
    """3,000 resets in 178 KB: for 30 s nobody else was answered."""
    with opened(server) as burst:
        burst.sendall(frame(TEXT, b'{"type":"reset"}') * 300)
        while not slow[0]:
            time.sleep(0.001)
        began = slow[0]
        assert server.ask("GET", "/health").status_code == 200
        assert slow[0] - began < 100
        got = 0
        while got < 300:  # all of them are answered
            got += burst.recv(1 << 16).count(b'{"type":"observation"')


def test_a_batch_holds_nobody_up(server: Running, slow: list[int]) -> None:
    begin = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "begin", "arguments": {}}}
    hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-03-26"}}
    named = {"mcp-session-id": server.ask("POST", "/mcp", hello).headers["mcp-session-id"]}
    told: list[Any] = []
    batch = threading.Thread(target=lambda: told.append(server.ask("POST", "/mcp", [begin] * 64, headers=named).json()))
    batch.start()
    while not slow[0]:
        time.sleep(0.001)
    assert server.ask("GET", "/health").status_code == 200 and slow[0] < 50
    batch.join(PATIENCE)
    assert len(told[0]) == 64 and all("result" in one for one in told[0])
    server.ask("DELETE", "/mcp", headers=named)


def test_a_batch_has_a_length(server: Running) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert len(server.ask("POST", "/mcp", [ping] * MOST_BATCH).json()) == MOST_BATCH
    error = server.ask("POST", "/mcp", [ping] * (MOST_BATCH + 1)).json()["error"]
    assert error["code"] == -32600 and "at most 64 messages, not 65" in error["message"]


def test_a_message_has_so_many_frames(server: Running) -> None:
    """Of empty frames a message could have as many as somebody liked, and to read them took all of the time."""
    whole = frame(TEXT, b'{"type":', False) + frame(MORE, b" ", False) * 1000 + frame(MORE, b'"state"}')
    with opened(server) as talk:
        talk.sendall(whole)
        assert b'"type":"state"' in talk.recv(1 << 16)
        talk.sendall(frame(TEXT, b"", False) + frame(MORE, b"", False) * 1_024)
        got = b""
        while piece := talk.recv(1 << 16):
            got += piece
        assert got[:1] == b"\x88" and struct.unpack(">H", got[2:4]) == (1009,) and b"at most 1024 frames" in got


def test_what_comes_at_once_is_read_in_pieces(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    read = protocols.Watched.read

    def noted(self: Any, data: bytes) -> None:
        sizes.append(len(data))
        read(self, data)

    monkeypatch.setattr(protocols.Watched, "read", noted)
    body = json.dumps({"task": "x" * 30_000})
    chunks = "".join(f"1\r\n{letter}\r\n" for letter in body) + "0\r\n\r\n"
    kind = "Content-Type: application/json"
    with line(server) as asked:
        asked.sendall(head(server, "POST", "/reset", kind, "Transfer-Encoding: chunked", "\r\n") + chunks.encode())
        assert until(asked, b"at most 255").startswith(b"HTTP/1.1 422")
        asked.sendall(head(server, "GET", "/health", "\r\n"))
        assert until(asked, b"healthy")
    assert len(sizes) > 40 and max(sizes) <= protocols.PIECE


def test_pongs_that_nobody_takes_do_not_pile_up(server: Running) -> None:
    pings = frame(PING, b"x" * 125) * 1000
    with opened(server) as talk:
        own = talk.getsockname()
        (there,) = [one for one in server.app.state.connections if one.get_extra_info("peername") == own]
        talk.settimeout(0.5)
        sent = most = 0
        try:
            while sent < 200 << 20:
                sent += talk.send(pings)
                most = max(most, there.get_write_buffer_size())
        except TimeoutError:
            pass
        assert most < 1 << 20 and sent < 100 << 20


@pytest.mark.parametrize("first", ["/health", "/problems"])
def test_a_socket_asked_for_before_the_last_answer_is_refused(server: Running, first: str) -> None:
    """The answer to the request before came first in what the socket said."""
    with line(server) as talk:
        talk.sendall(head(server, "GET", first, "\r\n") + head(server, "GET", "/ws", UPGRADE))
        got = b""
        while piece := talk.recv(1 << 16):
            got += piece
        assert got.startswith(b"HTTP/1.1 200") and b"HTTP/1.1 400" in got and b"101 Switching" not in got
        assert b"must be asked for after the last request was answered" in got


def test_a_kept_connection_may_become_a_socket(server: Running) -> None:
    with line(server) as talk:
        talk.sendall(head(server, "GET", "/health", "\r\n"))
        assert until(talk, b"healthy")
        talk.sendall(head(server, "GET", "/ws", UPGRADE))
        assert talk.recv(1 << 16).startswith(b"HTTP/1.1 101")
        talk.sendall(frame(TEXT, b'{"type":"state"}'))
        assert b'"type":"state"' in talk.recv(1 << 16)


def test_clients_have_turns_and_so_do_the_pieces_of_one() -> None:
    order: list[str] = []

    async def work(client: str, name: str) -> None:
        CLIENT.set(client)
        await meter.turn()
        time.sleep(0.006)
        order.append(name)

    async def all_of_it() -> None:
        many = [asyncio.create_task(work("much", f"much {k}")) for k in range(60)]
        few = [asyncio.create_task(work("little", f"little {k}")) for k in range(3)]
        await asyncio.gather(*many, *few)

    meter = Meter()
    asyncio.run(all_of_it())
    assert sorted(order) == sorted([*(f"much {k}" for k in range(60)), *(f"little {k}" for k in range(3))])
    assert max(order.index(f"little {k}") for k in range(3)) < 8
    assert not meter._waiting


def test_who_waited_and_left_holds_up_nobody() -> None:
    async def all_of_it() -> None:
        meter = Meter()
        while meter.free(""):
            time.sleep(0.001)
        gone, stays = (asyncio.create_task(meter.turn()) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait_for(stays, PATIENCE)

    asyncio.run(all_of_it())
