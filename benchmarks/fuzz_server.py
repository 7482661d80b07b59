"""Messages that no client should send, and what a server says to them.

python -m benchmarks.fuzz_server http://127.0.0.1:8000 --seconds 600
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from typing import Any

from restock.server.errors import STATUS

CODES = set(STATUS) - {"INTERNAL_ERROR"}
TASKS = ("easy", "hard", "divergent", "sharing", "production", "minimal")
NAMES = ("toys", "bananas", "4->1", "0->1", "", "\ud800", "a" * 300, "__class__", "orders", "\u0000")
NUMBERS = (0, 1, -1, 1.5, 1e308, -0.0, 2**63, 10**30, True, float("nan"), float("inf"), -(2**70))
WORDS = ("slow", "teleport", "buy", "{}", '{"toys": 1}', "\ud83d\ude00", "\udfff", "x" * 5000, "null", "")
FIELDS = ("buy_quantities", "liquidate", "price_multipliers", "delivery_method", "orders", "shipments", "choice",
          "order", "decision", "metadata", "type", "tool_name", "arguments")  # fmt: skip


def anything(chance: random.Random, depth: int = 0) -> Any:
    """Some JSON, and now and then what JSON cannot hold."""
    kind = chance.randrange(8 if depth < 4 else 4)
    if kind < 2:
        return chance.choice(NUMBERS)
    if kind < 4:
        return chance.choice((*WORDS, None))
    if kind < 6:
        return [anything(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {chance.choice((*NAMES, *FIELDS)): anything(chance, depth + 1) for _ in range(chance.randrange(4))}


def message(chance: random.Random) -> str | bytes:
    """One message: well formed, nearly so, or not at all."""
    kind = chance.randrange(14)
    if kind == 0:
        task = {"task": chance.choice(TASKS)} if chance.random() < 0.8 else {}
        return json.dumps({"type": "reset", "data": {"seed": chance.randrange(9), **task}})
    if kind == 1:
        return json.dumps({"type": "reset", "data": anything(chance)})
    if kind in (2, 3):
        return json.dumps({"type": "step", "data": {}})
    if kind in (4, 5, 6):
        fields = {chance.choice(FIELDS): anything(chance) for _ in range(chance.randrange(1, 3))}
        return json.dumps({"type": "step", "data": fields})
    if kind == 7:
        return json.dumps({"type": chance.choice(("state", "wat", "mcp", "observation", ""))})
    if kind == 8:
        rpc = {"jsonrpc": "2.0", "id": anything(chance), "method": chance.choice(("tools/call", "tools/list", "wat"))}
        tool = chance.choice(("begin", "play", "look", "explain", "wat"))
        rpc["params"] = {"name": tool, "arguments": anything(chance)} if chance.random() < 0.8 else anything(chance)
        return json.dumps({"type": "mcp", "data": rpc})
    if kind == 9:
        return json.dumps(anything(chance))
    if kind == 10:
        return "[" * chance.choice((10, 5000, 100_000))
    if kind == 11:
        return '{"type": "step", "data": {"order": ' + "9" * chance.choice((30, 5000)) + "}}"
    if kind == 12:
        return json.dumps({"type": "step", "data": {"x": "y" * chance.choice((70_000, 500_000))}})
    return bytes(chance.randrange(256) for _ in range(chance.randrange(40)))


def judged(reply: Any) -> str | None:
    """What is wrong with a reply; None where it is one of the kinds that there are."""
    kind, data = reply.get("type"), reply.get("data")
    if kind == "error":
        known = data.get("code") in CODES and isinstance(data.get("message"), str)
        return None if known and "Traceback" not in data["message"] else f"an error of no known kind: {data}"
    if kind == "mcp":
        fine = data.get("jsonrpc") == "2.0" and ("result" in data) != ("error" in data)
        broken = fine and "error" in data and data["error"]["code"] == -32603
        return f"a tool failed: {data}" if not fine or broken else None
    return None if kind in ("observation", "state") else f"a reply of no known kind: {reply}"


def fuzz(line: Any, seed: int, count: int, until: float = float("inf")) -> list[str]:
    """Send messages over a socket; what was wrong with the replies.

    Args:
        line: A socket of the package websockets, in its synchronous form.
        seed: Of the messages.
        count: How many.
        until: When to end in any case (seconds of the monotonic clock).
    """
    chance, wrong = random.Random(seed), []
    steps = 0
    for k in range(count):
        if time.monotonic() > until:
            break
        sent = message(chance)
        line.send(sent)
        reply = json.loads(line.recv(timeout=60.0))
        if (found := judged(reply)) is not None:
            wrong.append(f"message {k} of seed {seed}, {str(sent)[:200]}: {found}")
        line.send('{"type":"state"}')
        state = json.loads(line.recv(timeout=60.0))
        if state.get("type") != "state":
            wrong.append(f"message {k} of seed {seed}: the session is lost: {state}")
            break
        now, refused = state["data"]["step_count"], reply.get("type") == "error"
        if refused and now != steps:
            wrong.append(f"message {k} of seed {seed} was refused, and counted: {str(sent)[:200]}")
        steps = now
    return wrong


def main() -> int:
    from websockets.sync.client import connect

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    until, seed, wrong = time.monotonic() + given.seconds, given.seed, []
    while time.monotonic() < until and not wrong:
        with connect(given.url.replace("http", "ws", 1) + "/ws", proxy=None) as line:
            wrong = fuzz(line, seed, 1000, until)
        seed += 1
    print("\n".join(wrong) or f"{seed - given.seed} sessions of up to 1000 messages, nothing wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
