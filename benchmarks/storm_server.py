"""A server under attack, on this machine alone: how long agents wait meanwhile.

python -m benchmarks.storm_server                    # three times 60 s: calm, slow connections, a flood of work
python -m benchmarks.storm_server --seconds 10

In each part 32 agents play over sockets, and one asks for a step over HTTP, on a connection of its own each time, every
20 ms. Beside them: nothing; 300 connections that send a head byte by byte, and 300 that say nothing; or games and
comparisons, begun without a cookie as fast as the server takes them, up to a number. Told is how long the one that asks
waits, what the agents played, and the lines that the server logged.
"""

from __future__ import annotations

import argparse
import contextlib
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.bench_http import FORM, MOVES, Kept, session
from benchmarks.bench_server import TASKS, Server, disturbed, ours, together

AGENTS, EVERY, PATIENT = 32, 0.02, 0.1  # agents; seconds between two questions, and in which they are to be answered
SLOW = 300
MOST_BEGUN = 2000  # games and comparisons in all
HEAD = b"POST /step HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n"


def connected(url: str) -> socket.socket:
    name, port = url.removeprefix("http://").split(":")
    return socket.create_connection((name, int(port)), timeout=10.0)


def drip(url: str, count: int, seconds: float) -> str:
    """Hold connections: half of them say nothing, the others send a byte a second; who is hung up on comes again."""
    lines: list[socket.socket | None] = [None] * (2 * count)
    sent = [0] * len(lines)
    until, again, refused = time.monotonic() + seconds, 0, 0
    while time.monotonic() < until:
        with selectors.DefaultSelector() as ready:
            for k, line in enumerate(lines):
                if line is None:
                    with contextlib.suppress(OSError):
                        lines[k], sent[k] = connected(url), 0
                        again += 1
                elif k % 2:
                    with contextlib.suppress(OSError):
                        line.sendall(HEAD[sent[k] % len(HEAD) :][:1])
                        sent[k] += 1
                if (line := lines[k]) is not None:
                    ready.register(line, selectors.EVENT_READ, k)
            for key, _ in ready.select(1.0):
                line = lines[key.data]
                with contextlib.suppress(OSError):
                    refused += bool(line.recv(4096)) if line is not None else 0
                if line is not None:
                    line.close()
                lines[key.data] = None
        time.sleep(1.0)
    for line in lines:
        if line is not None:
            line.close()
    return f"{again} connections made, {refused} told why they were ended"


def flood(url: str, count: int, seconds: float) -> str:
    """Begin games and comparisons without a cookie; each is somebody else's."""
    line, until, said = Kept(url), time.monotonic() + seconds, {"303": 0, "503": 0, "other": 0}
    for k in range(count):
        if time.monotonic() > until:
            break
        what = "games" if k % 2 else "comparisons"
        body = f"task=divergent&seed={k}" + ("" if k % 2 else "&policy=base-stock&policy=s-S&episodes=1000")
        head, _ = line.ask(line.request("POST", f"/{what}", body, FORM))
        status = head.split(b" ", 2)[1].decode()
        said[status if status in said else "other"] += 1
        time.sleep(0.005)
    line.close()
    time.sleep(max(0.0, until - time.monotonic()))
    return f"{said['303']} begun, {said['503']} refused, {said['other']} otherwise"


def agents(url: str, seconds: float) -> tuple[int, int, int]:
    """Periods that the agents played, errors, and sessions whose episode is not the one that it is alone."""
    found = together(url, AGENTS, seconds, TASKS)
    return sum(one.steps for one in found), sum(one.errors for one in found), disturbed(found)


def asking(url: str, seconds: float) -> list[float]:
    """How long each of many questions waits for its answer; a connection for each."""
    line = Kept(url)
    path = f"/sessions/{session(line)}"
    line.close()
    times, until = [], time.monotonic() + seconds
    while (began := time.monotonic()) < until:
        if len(times) % len(MOVES) == 0:
            fresh(url, "POST", f"{path}/reset", "{}")
        begin = time.perf_counter()
        fresh(url, "POST", f"{path}/step", MOVES[len(times) % len(MOVES)])
        times.append(time.perf_counter() - begin)
        time.sleep(max(0.0, began + EVERY - time.monotonic()))
    return times


def fresh(url: str, method: str, path: str, body: str) -> None:
    """A request over a connection of its own."""
    line = Kept(url)
    try:
        line.fine(line.request(method, path, body))
    finally:
        line.close()


def part(name: str, server: Server, log: Path, seconds: float, beside: Callable[[str, int, float], str] | None) -> bool:
    """One part of the storm; whether those who ask are answered in time and the agents are unhurt."""
    lines = len(log.read_text().splitlines())
    with ProcessPoolExecutor(3) as pool:
        attack = (
            pool.submit(beside, server.url, SLOW if beside is drip else MOST_BEGUN, seconds + 2.0) if beside else None
        )
        time.sleep(1.0)
        playing = pool.submit(agents, server.url, seconds)
        times = sorted(pool.submit(asking, server.url, seconds).result())
        steps, errors, wrong = playing.result()
        said = attack.result() if attack is not None else "nothing"
    logged = len(log.read_text().splitlines()) - lines
    late = sum(one > PATIENT for one in times)
    print(f"{name}: beside it {said}; {logged} lines logged")
    print(f"  agents: {steps / seconds:.0f} periods/s, {errors} errors, {wrong} disturbed")
    middle, most = statistics.median(times), times[int(0.99 * len(times))]
    print(f"  a step over HTTP waits {1e3 * middle:.1f} ms, 99% at most {1e3 * most:.0f} ms, the longest "
          f"{1e3 * times[-1]:.0f} ms; {late} of {len(times)} over {1e3 * PATIENT:g} ms")  # fmt: skip
    return errors == 0 and wrong == 0 and most <= PATIENT


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--port", type=int, default=8751)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        with log.open("w") as errors:
            server = Server(ours(given.port), given.port, stderr=errors)
            try:
                parts = (("calm", None), ("slow connections", drip), ("a flood of work", flood))
                good = [part(name, server, log, given.seconds, beside) for name, beside in parts]
            finally:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    server.end()
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
