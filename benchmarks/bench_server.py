"""The server under load: sessions that disturb nobody, memory that stays, and its speed beside the reference server.

python -m benchmarks.bench_server                    # 32 sessions for 60 s, then both servers in turn
python -m benchmarks.bench_server --sessions 8 --seconds 5

Requests over kept connections, route by route, are in bench_http; attacks in storm_server.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import selectors
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from restock.envs.structured import StructuredEnvironment

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
PRODUCTS = ("electronics", "clothing", "groceries", "furniture", "toys")
WAYS = ("slow", "medium", "fast")
REWARD = "readme"
TEXT, PING, PONG = 1, 9, 10  # kinds of WebSocket frames
START = 60.0  # seconds that a server may take to begin
TASKS = ("retail-medium", "divergent", "sharing", "production", "minimal")


def actions(seed: int, count: int = 30) -> list[dict[str, Any]]:
    """Actions for the days of a store."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        buy = {name: int(random.integers(1, 9)) for name in PRODUCTS if random.random() < 0.5}
        prices = {name: float(np.round(random.uniform(0.8, 1.5), 2)) for name in PRODUCTS if random.random() < 0.5}
        way = WAYS[random.integers(3)]
        found.append({"buy_quantities": buy, "delivery_method": way, "price_multipliers": prices})
    return found


class Server:
    """A server in a process of its own.

    Args:
        command: What starts it.
        port: Where it listens.
        stderr: Where it logs; None: to the stream of this process.
    """

    def __init__(self, command: list[str], port: int, stderr: IO[str] | None = None) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL, stderr=stderr)
        end = time.monotonic() + START
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/health", timeout=1.0):
                return
            if time.monotonic() > end or self.process.poll() is not None:
                self.process.kill()
                raise RuntimeError(f"{command} did not start")
            time.sleep(0.1)

    def cpu(self) -> float:
        """Seconds of processor time it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self) -> float:
        """Memory of its own that it holds, swapped out or not (MiB)."""
        told = dict(line.split(":", 1) for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines())
        return sum(int(told[name].split()[0]) for name in ("RssAnon", "VmSwap")) / 1024

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(20.0)


@contextlib.contextmanager
def running(command: list[str], port: int) -> Iterator[Server]:
    server = Server(command, port)
    try:
        yield server
    finally:
        server.end()


def ours(port: int) -> list[str]:
    """With the reward that the reference states, so that both say the same."""
    return ["-m", "restock.cli", "serve", "medium", "--reward", REWARD, "--port", str(port), "--quiet"]


def reference(port: int) -> list[str]:
    return ["-m", "benchmarks.reference_server", str(port)]


class Line:
    """A WebSocket that does the least a client can do, so that the servers are what is measured.

    Args:
        url: The server.
        messages: Of an episode; it is played over and over.
    """

    def __init__(self, url: str, messages: list[str]) -> None:
        self.frames = [self.frame(message) for message in messages]
        self.steps, self.errors = 0, 0
        self.told: list[bytes] = []
        self._got = bytearray()
        host = url.removeprefix("http://")
        name, port = host.split(":")
        self.socket = socket.create_connection((name, int(port)), timeout=START)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        asked = f"GET /ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.socket.sendall(f"{asked}Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.socket.recv(1) or b"\r\n\r\n"
        if b" 101 " not in head:
            raise ConnectionError(head.decode())

    @staticmethod
    def frame(text: str) -> bytes:
        """A message as a frame whose mask changes nothing."""
        body = text.encode()
        size = bytes([0x80 | len(body)]) if len(body) < 126 else bytes([0x80 | 126, *divmod(len(body), 256)])
        return b"\x81" + size + b"\0\0\0\0" + body

    def begin(self) -> None:
        """Begin an episode."""
        self.told = []
        self.socket.sendall(self.frames[0])

    def hear(self) -> bool:
        """Take what has come, and send what is next; whether the episode is over."""
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the server closed the socket")
        got = self._got
        got += data
        while len(got) >= 2:
            size, head = got[1], 2
            if size == 126:
                size, head = int.from_bytes(got[2:4], "big"), 4
            elif size == 127:
                size, head = int.from_bytes(got[2:10], "big"), 10
            if len(got) < head + size:
                return False
            kind, body = got[0] & 0x0F, bytes(got[head : head + size])
            del got[: head + size]
            if kind == PING:
                self.socket.sendall(bytes([0x80 | PONG, 0x80 | size]) + b"\0\0\0\0" + body)
            if kind != TEXT:
                continue
            self.told.append(body)
            self.steps += 1
            self.errors += body.startswith(b'{"type":"error"')
            if len(self.told) == len(self.frames):
                return True
            self.socket.sendall(self.frames[len(self.told)])
        return False


class Played(NamedTuple):
    """What a session met: periods played, errors, and what its last episode told."""

    steps: int
    errors: int
    task: str | None
    seed: int
    told: list[str]


def opened(url: str, seed: int, task: str | None) -> Line:
    """A socket that plays one episode over and over."""
    moves = recorded(task, seed) if task else actions(seed)
    first: dict[str, Any] = {"type": "reset", "data": {"seed": seed, **({"task": task} if task else {})}}
    return Line(url, [json.dumps(one) for one in (first, *({"type": "step", "data": move} for move in moves))])


def recorded(task: str, seed: int) -> list[dict[str, Any]]:
    """Actions for an episode of any task: some of each decision that its first action form can ask for."""
    if task.startswith("retail"):
        return actions(seed)
    env = StructuredEnvironment(task)
    env.reset(seed=seed)
    form = env.problem.action_form(env.records.form.kind)
    random = np.random.default_rng(seed)
    found = []
    while not env.done and len(found) < 60:
        numbers = random.integers(0, form.high + 1) if form.discrete else np.round(random.uniform(0, form.high / 4.0))
        action = env.records.action(np.asarray(numbers, dtype=np.float64)).model_dump(mode="json")
        env.step(action)
        found.append(action)
    return found


def alone(played: Played, reward: str) -> list[str]:
    """What the same episode tells where nobody else plays."""
    from restock.server import wire

    task = played.task or "retail-medium"
    env = StructuredEnvironment(task, **({"reward": reward} if task.startswith("retail") else {}))
    env.reset(seed=played.seed)
    told = [wire.dumps({"type": "observation", "data": wire.reply(env)})]
    for move in recorded(task, played.seed):
        env.step(move)
        told.append(wire.dumps({"type": "observation", "data": wire.reply(env)}))
    return told


def together(url: str, sessions: int, seconds: float, tasks: tuple[str | None, ...]) -> list[Played]:
    """Sessions that all play at once; what each has met when the time is over and its episode, too."""
    asked = [(1000 + k, tasks[k % len(tasks)]) for k in range(sessions)]
    lines = [opened(url, seed, task) for seed, task in asked]
    with selectors.DefaultSelector() as ready:
        for line in lines:
            ready.register(line.socket, selectors.EVENT_READ, line)
            line.begin()
        until, playing = time.monotonic() + seconds, len(lines)
        while playing:
            for key, _ in ready.select():
                line = key.data
                if not line.hear():
                    continue
                if time.monotonic() < until:
                    line.begin()
                else:
                    ready.unregister(line.socket)
                    line.socket.close()
                    playing -= 1
    found = zip(lines, asked, strict=True)
    return [Played(line.steps, line.errors, task, seed, [text.decode() for text in line.told])
            for line, (seed, task) in found]  # fmt: skip


def soak(url: str, sessions: int, seconds: float) -> list[Played]:
    """Sessions of all kinds of problems at once; the episodes they met."""
    return together(url, sessions, seconds, TASKS)


def disturbed(found: list[Played], reward: str = REWARD) -> int:
    """Sessions whose last episode is not the one that it is alone."""
    return sum(played.told != alone(played, reward) for played in found)


def soaked(server: Server, sessions: int, seconds: float) -> bool:
    soak(server.url, sessions, min(5.0, seconds))  # everything is compiled and allocated
    before = server.memory()
    found = soak(server.url, sessions, seconds)
    grown = server.memory() - before
    steps, errors, wrong = sum(one.steps for one in found), sum(one.errors for one in found), disturbed(found)
    print(f"{sessions} sessions for {seconds:g} s: {steps} periods, {errors} errors, {wrong} disturbed sessions,")
    print(f"memory {before:.1f} MiB before, {grown:+.1f} MiB after")
    return errors == 0 and wrong == 0 and grown < 10.0


def speed(server: Server, sessions: int, seconds: float) -> tuple[float, float]:
    """Periods a second, and processor time of the server for each (microseconds)."""
    cpu, began = server.cpu(), time.monotonic()
    found = together(server.url, sessions, seconds, (None,))
    steps = sum(one.steps for one in found)
    return steps / (time.monotonic() - began), 1e6 * (server.cpu() - cpu) / steps


def compared(port: int, rounds: int, seconds: float) -> bool:
    """Both servers in turn: medians over the rounds, and the median of the ratios within each."""
    good = True
    with running(ours(port), port) as one, running(reference(port + 1), port + 1) as other:
        for sessions in (1, 32):
            met = np.array([[speed(server, sessions, seconds) for server in (one, other)] for _ in range(rounds)])
            for name, (rate, cost) in zip(("restock", "reference"), np.median(met, axis=0), strict=True):
                print(f"{sessions:2d} sessions, {name:9s}: {rate:7.0f} periods/s, {cost:5.0f} us of the server each")
            faster, lighter = np.median(met[:, 0] / met[:, 1], axis=0)
            print(f"{sessions:2d} sessions: {faster:.2f} times the rate, {lighter:.2f} of the processor time")
            good = good and (sessions == 1 or faster >= 1.5)
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--port", type=int, default=8731)
    given = parser.parse_args()
    with running(ours(given.port), given.port) as server:
        calm = soaked(server, given.sessions, given.seconds)
    fast = compared(given.port, given.rounds, min(given.seconds, 4.0))
    return 0 if calm and fast else 1


if __name__ == "__main__":
    sys.exit(main())
