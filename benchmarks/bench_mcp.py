"""The official client of the Model Context Protocol connects, plays a period and ends, over and over, at one place.

python -m benchmarks.bench_mcp --connects 500        # needs the package mcp, which openenv brings along

With `--max-sessions 1` a single session that is left behind would shut out the next client. After that as many
clients connect and go away without a word, and one more plays.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
import urllib.request
from typing import Any

from benchmarks.bench_server import running

SERVE = ["-m", "restock.cli", "serve", "minimal", "--max-sessions", "1", "--quiet"]


async def connect(url: str, seed: int) -> Any:
    """What the official client is told in a connection of its own."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async with streamable_http_client(f"{url}/mcp") as streams, ClientSession(*streams[:2]) as client:
        await client.initialize()
        await client.call_tool("begin", {"seed": seed})
        return await client.call_tool("play", {"action": {"order": 1}})


def leave(url: str) -> None:
    """Connect and go away without a word."""
    asked = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}}
    request = urllib.request.Request(f"{url}/mcp", json.dumps(asked).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request) as reply:
        assert reply.headers["mcp-session-id"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connects", type=int, default=500)
    parser.add_argument("--port", type=int, default=8770)
    given = parser.parse_args()
    with running([*SERVE, "--port", str(given.port)], given.port) as server:
        asyncio.run(connect(server.url, 0))  # which compiles
        before, took, failed = server.memory(), [], 0
        for seed in range(given.connects):
            start = time.perf_counter()
            told = asyncio.run(connect(server.url, seed))
            took.append(time.perf_counter() - start)
            failed += json.loads(told.content[0].text)["observation"]["period"] != 1
        grown = server.memory() - before
        for _ in range(given.connects):
            leave(server.url)
        asyncio.run(connect(server.url, 0))
        median = 1e3 * statistics.median(took)
        print(f"{given.connects} connects and ends: {failed} failed, median {median:.0f} ms each")
        print(f"memory: {grown:+.1f} MiB; after {given.connects} more that never ended: "
              f"{server.memory() - before:+.1f} MiB, and the next client plays")  # fmt: skip


if __name__ == "__main__":
    main()
