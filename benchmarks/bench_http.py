"""Requests over kept connections: each route of the server beside the same route of the reference server.

python -m benchmarks.bench_http                      # a minute; one request to each server in turn
python -m benchmarks.bench_http --rounds 3 --requests 50

The median of a request is taken within each round; told are the median of these and their quartiles, and the same of
the ratio within a round. On a machine that does something else besides, the processor time that a server takes for a
request says more: it stands in the last columns. A route that the reference server has not (sessions over HTTP, tools,
pages) stands beside the one of it that does as much: a step plays a period, too.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.bench_server import START, Server, actions, ours, reference, running
from benchmarks.timing import quartiles

STEP, PERIOD, TIMES = 6e-3, 10e-3, 2.0  # what a step, a page's period and the ratio should come to
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


class Kept:
    """A kept connection that does the least a client can do.

    Args:
        url: What it leads to.
    """

    def __init__(self, url: str) -> None:
        self._host = url.removeprefix("http://")
        name, port = self._host.split(":")
        self._line = socket.create_connection((name, int(port)), timeout=START)
        self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._got = b""

    def request(self, method: str, path: str, body: str = "", kind: str = JSON, more: str = "") -> bytes:
        """A request, as it goes over the line."""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\n{more}"
        said = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n" if method == "POST" else ""
        return f"{head}{said}\r\n{body}".encode()

    def ask(self, request: bytes) -> tuple[bytes, bytes]:
        """Send it; head and body of the reply."""
        self._line.sendall(request)
        while (end := self._got.find(b"\r\n\r\n")) < 0:
            self._more()
        head, self._got = self._got[:end].lower(), self._got[end + 4 :]
        found = re.search(rb"content-length: (\d+)", head)
        size = int(found[1]) if found else 0
        while len(self._got) < size:
            self._more()
        body, self._got = self._got[:size], self._got[size:]
        return head, body

    def fine(self, request: bytes) -> bytes:
        """Send it; the body of the reply, which must be none of an error."""
        head, body = self.ask(request)
        if head.split(b" ", 2)[1] not in (b"200", b"201"):
            raise RuntimeError(f"{request[:80]!r}: {head[:80]!r} {body[:200]!r}")
        return body

    def _more(self) -> None:
        piece = self._line.recv(1 << 18)
        if not piece:
            raise ConnectionError("the server closed the connection")
        self._got += piece

    def close(self) -> None:
        self._line.close()


class Route(NamedTuple):
    """A route: what begins a round, and the k-th request; with None for one that the reference server has not."""

    name: str
    ours: Callable[[Kept], Callable[[int], bytes]]
    theirs: Callable[[Kept], Callable[[int], bytes]]
    target: float | None = None


def plain(method: str, path: str, body: str = "") -> Callable[[Kept], Callable[[int], bytes]]:
    """The same request each time."""

    def begin(line: Kept) -> Callable[[int], bytes]:
        request = line.request(method, path, body)
        return lambda k: request

    return begin


MOVES = [json.dumps({"action": move}) for move in actions(7)]
STATELESS = plain("POST", "/step", MOVES[0])


def session(line: Kept) -> str:
    """A new session on the store."""
    opened = json.loads(line.fine(line.request("POST", "/sessions", '{"task": "medium", "seed": 7}')))
    return str(opened["session_id"])


def session_step(line: Kept) -> Callable[[int], bytes]:
    """A day of the store; a session each 30."""
    path = ""

    def at(k: int) -> bytes:
        nonlocal path
        if k % len(MOVES) == 0:
            if path:
                line.fine(line.request("DELETE", path))
            path = f"/sessions/{session(line)}"
        return line.request("POST", f"{path}/step", MOVES[k % len(MOVES)])

    return at


def session_reset(line: Kept) -> Callable[[int], bytes]:
    path = f"/sessions/{session(line)}/reset"
    return lambda k: line.request("POST", path, '{"seed": 7}')


def session_state(line: Kept) -> Callable[[int], bytes]:
    path = f"/sessions/{session(line)}/state"
    return lambda k: line.request("GET", path)


def tool(name: str) -> Callable[[Kept], Callable[[int], bytes]]:
    """A call of a tool over HTTP, in a session of its own."""

    def begin(line: Kept) -> Callable[[int], bytes]:
        def rpc(method: str, id: str, **params: object) -> bytes:
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
            more = f"Mcp-Session-Id: {id}\r\n" if id else ""
            return line.request("POST", "/mcp", body, more=f"{more}Accept: {JSON}, text/event-stream\r\n")

        about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
        head, _ = line.ask(rpc("initialize", "", **about))
        found = re.search(rb"mcp-session-id: (\S+)", head)
        id = found[1].decode() if found else ""

        def at(k: int) -> bytes:
            if name == "play" and k % len(MOVES) == 0:
                line.fine(rpc("tools/call", id, name="begin", arguments={"task": "medium", "seed": 7}))
            return rpc("tools/call", id, name=name, arguments=json.loads(MOVES[k % 30]) if name == "play" else {})

        return at

    return begin


def page_period(line: Kept) -> Callable[[int], bytes]:
    """A period played on the page, as its script does: the part of the page that changes comes back."""
    path, cookie = "", ""

    def at(k: int) -> bytes:
        nonlocal path, cookie
        if k % len(MOVES) == 0:
            head, _ = line.ask(line.request("POST", "/games", "task=retail-medium&seed=7", FORM, cookie))
            found = re.search(rb"location: (\S+)", head)
            if found is None:
                raise RuntimeError(f"no game was begun: {head!r}")
            path = found[1].decode()
            visitor = re.search(rb"set-cookie: (restock-visitor=\w+)", head)
            cookie = f"Cookie: {visitor[1].decode()}\r\n" if visitor else cookie
            while b"http-equiv" in line.fine(line.request("GET", path, more=cookie)):
                time.sleep(0.05)
        return line.request("POST", f"{path}/period", f"period={k % 30}", FORM, f"{cookie}HX-Request: true\r\n")

    return at


ROUTES = (
    Route("GET /health", plain("GET", "/health"), plain("GET", "/health"), STEP),  # says the same in both
    Route("GET /metadata", plain("GET", "/metadata"), plain("GET", "/metadata")),
    Route("GET /schema", plain("GET", "/schema"), plain("GET", "/schema")),
    Route("GET /state", plain("GET", "/state"), plain("GET", "/state")),
    Route("POST /reset", plain("POST", "/reset", "{}"), plain("POST", "/reset", "{}")),
    Route("POST /step", STATELESS, STATELESS),
    Route("POST /sessions/{id}/step", session_step, STATELESS, STEP),
    Route("POST /sessions/{id}/reset", session_reset, plain("POST", "/reset", "{}")),
    Route("GET /sessions/{id}/state", session_state, plain("GET", "/state")),
    Route("POST /mcp tools/call play", tool("play"), STATELESS),
    Route("POST /games/{id}/period", page_period, STATELESS, PERIOD),
)


class Met(NamedTuple):
    """A request in a round, to one server: its median time, and the mean processor time of the server for it."""

    seconds: float
    cpu: float


def round_of(servers: tuple[Server, Server], route: Route, requests: int) -> list[Met]:
    """The middle of so many requests, one to each server in turn."""
    lines = [Kept(server.url) for server in servers]
    try:
        asked = [begin(line) for begin, line in zip((route.ours, route.theirs), lines, strict=True)]
        times: list[list[float]] = [[], []]
        spent: list[list[float]] = [[], []]
        for k in range(requests + 1):
            for server, line, at, taken, cpu in zip(servers, lines, asked, times, spent, strict=True):
                request = at(k)
                busy, began = running_time(server), time.perf_counter()
                line.fine(request)
                taken.append(time.perf_counter() - began)
                cpu.append(running_time(server) - busy)
        return [Met(statistics.median(a[1:]), sum(b[1:]) / requests) for a, b in zip(times, spent, strict=True)]
    finally:
        for line in lines:
            line.close()


def running_time(server: Server) -> float:
    """Seconds that the main thread of a server has run."""
    return int(Path(f"/proc/{server.process.pid}/schedstat").read_text().split()[0]) * 1e-9


def measured(servers: tuple[Server, Server], rounds: int, requests: int) -> bool:
    """All routes of both servers; whether each is as fast as it should be."""
    good = True
    heads = ("restock", "reference", "ratio")
    print(f"{'ms a request':28s}{''.join(f'{one:>20s}' for one in heads)}{'cpu':>6s}{'cpu':>6s}{'ratio':>18s}")
    for route in ROUTES:
        met = [round_of(servers, route, requests) for _ in range(rounds)]
        times = [[1e3 * one[k].seconds for one in met] for k in (0, 1)]
        spent = [[1e3 * one[k].cpu for one in met] for k in (0, 1)]
        ratios, lighter = ([b / a for a, b in zip(*of, strict=True)] for of in (times, spent))
        cpu = "".join(f"{statistics.median(of):6.2f}" for of in spent)
        print(f"{route.name:28s}{''.join(f'{told(of):>20s}' for of in (*times, ratios))}{cpu}{told(lighter):>18s}")
        mine = 1e-3 * statistics.median(times[0])
        good = good and (statistics.median(ratios) >= TIMES if route.target is None else mine <= route.target)
    return good


def told(values: list[float]) -> str:
    """The median and the quartiles."""
    return f"{statistics.median(values):.2f} ({_spread(values)})"


def _spread(values: list[float]) -> str:
    low, high = quartiles(values) if len(values) > 1 else (values[0], values[0])
    return f"{low:.2f}-{high:.2f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=150)
    parser.add_argument("--port", type=int, default=8741)
    given = parser.parse_args()
    port = given.port
    with running(ours(port), port) as one, running(reference(port + 1), port + 1) as other:
        return 0 if measured((one, other), given.rounds, given.requests) else 1


if __name__ == "__main__":
    sys.exit(main())
