"""A stand-in endpoint on this machine that sends what endpoints really send: each behaviour by its name."""

from __future__ import annotations

import dataclasses
import gzip
import http.client
import json
import socket
import socketserver
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from email.utils import formatdate
from typing import Any

ANSWER = '{"orders": {}}'
READ, SAVED, TOLD = "read at the first try", "saved by a second try", "told, for no other try would help"
Sent = bytes | Callable[["Connection"], None]


class Connection(socketserver.StreamRequestHandler):
    """One request: its body is kept, and what is due is sent."""

    server: Standin

    def handle(self) -> None:
        self.rfile.readline()
        headers = http.client.parse_headers(self.rfile)
        self.server.headers.append(headers)
        self.server.requests.append(json.loads(self.rfile.read(int(headers["content-length"]))))
        sent = self.server.due()
        try:
            if callable(sent):
                sent(self)
            else:
                self.send(sent)
        except OSError:  # the client has had enough
            pass

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)
        self.server.sent += len(data)


class Standin(socketserver.ThreadingTCPServer):
    """The server.

    Args:
        first: What it does first, or always.
        always: Whether it goes on like that; else it answers as it should.
    """

    daemon_threads, allow_reuse_address = True, True

    def __init__(self, first: Sent, always: bool) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.first, self.always, self.sent = first, always, 0
        self.requests: list[dict[str, Any]] = []
        self.headers: list[Message] = []
        self.over = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def due(self) -> Sent:
        return self.first if self.always or len(self.requests) == 1 else answer(completion({"content": ANSWER}))


@contextmanager
def standing(first: Sent, always: bool = False) -> Iterator[Standin]:
    """Serve while the block runs."""
    with Standin(first, always) as server:
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()


def answer(body: Any, status: int = 200, **headers: str) -> bytes:
    """An answer; what is no text is written as JSON."""
    data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    told = {"Content-Type": "application/json", "Content-Length": str(len(data)), "Connection": "close"}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} Said", *(f"{name}: {value}" for name, value in told.items())]
    return "\r\n".join([*lines, "", ""]).encode() + data


def completion(message: Any, finish: Any = "stop", usage: Any = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": usage, **more}


def events(*told: Any, end: str = "data: [DONE]\n\n") -> str:
    return "".join(f"data: {json.dumps(one)}\n\n" for one in told) + end


def delta(finish: str | None = None, **part: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": part, "finish_reason": finish}]}


def calling(**call: Any) -> bytes:
    return answer(completion({"content": None, "tool_calls": [{"type": "function", **call}]}, "tool_calls"))


def counting(**usage: Any) -> bytes:
    return answer(completion({"content": ANSWER}, usage=usage))


GOOD = json.dumps(completion({"content": ANSWER}))
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
ASKING = {"policy": "base-stock"}
LONG = 100_000_000  # bytes


def reset(connection: Connection) -> None:
    """Break the connection off in the middle of the body."""
    connection.send(HEAD + b"Content-Length: 500\r\n\r\n" + GOOD[:30].encode())
    connection.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.connection.close()


def dripping(first: bytes, drop: bytes) -> Callable[[Connection], None]:
    """Send byte after byte, for ever."""

    def drip(connection: Connection) -> None:
        connection.send(first)
        while not connection.server.over.is_set():
            connection.send(drop)
            time.sleep(0.02)

    return drip


def silence(connection: Connection) -> None:
    connection.server.over.wait()


def huge(connection: Connection) -> None:
    connection.send(HEAD + f"Content-Length: {LONG}\r\n\r\n".encode())
    for _ in range(LONG // 100_000):
        connection.send(b" " * 100_000)


def moved(connection: Connection) -> None:
    """Name another path, which is served by the same host."""
    connection.server.always = False
    host, port = connection.server.server_address
    connection.send(answer("", 307, Location=f"http://{host}:{port}/v2/chat/completions"))


@dataclasses.dataclass(frozen=True)
class Behaviour:
    """What is sent, what must come of it, and what the reply or the error then says."""

    sent: Sent
    outcome: str
    reply: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    words: str = ""
    slow: bool = False  # ends only when the client has waited long enough


def read(sent: Sent, **reply: Any) -> Behaviour:
    return Behaviour(sent, READ, {"text": ANSWER, **reply})


def message(ended: Any = "stop", *, said: Mapping[str, Any], **reply: Any) -> Behaviour:
    return read(answer(completion(said, ended)), **reply)


def call(sent: Sent, **differs: str) -> Behaviour:
    expected = {"name": "suggest", "arguments": json.dumps(ASKING)} | differs
    return Behaviour(sent, READ, {"calls": expected})


def saved(sent: Sent, words: str = "", slow: bool = False) -> Behaviour:
    return Behaviour(sent, SAVED, words=words, slow=slow)


def told(sent: Sent, words: str) -> Behaviour:
    return Behaviour(sent, TOLD, words=words)


BUSY = {"error": {"code": 502, "message": "Provider returned error", "metadata": {"raw": "upstream is away"}}}
BEHAVIOURS: dict[str, Behaviour] = {
    # Content, and reasoning beside it.
    "plain": message(said={"content": ANSWER}),
    "content in parts": message(
        said={"content": [{"type": "text", "text": ANSWER[:5]}, {"type": "text", "text": ANSWER[5:]}]}
    ),
    "content in bare strings": message(said={"content": [ANSWER[:5], ANSWER[5:]]}),
    "content with a part of thinking": message(
        said={"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, ANSWER]}, reasoning="hm"
    ),
    "content with a picture": message(said={"content": [{"type": "image_url", "image_url": {}}, ANSWER]}),
    "content an object": message(said={"content": {"orders": {}}}),
    "fields of no text": message(said={"content": ANSWER, "reasoning": True, "refusal": False}, reasoning=""),
    "content null": message(said={"content": None}, text=""),
    "reasoning_content": message(
        said={"content": ANSWER, "reasoning_content": "hm {"}, reasoning="hm {", reasoning_field="reasoning_content"
    ),
    "reasoning": message(said={"content": ANSWER, "reasoning": "hm"}, reasoning="hm", reasoning_field="reasoning"),
    "reasoning between tags": message(said={"content": f"<think>hm</think>\n{ANSWER}"}, text=f"\n{ANSWER}",
                                      reasoning="hm"),
    "reasoning without a beginning": message(said={"content": f"{{hm}}</think>{ANSWER}"}, reasoning="{hm}"),
    "a refusal": message(said={"content": None, "refusal": "I must not."}, text="I must not."),
    "half a surrogate pair": message(said={"content": ANSWER + "\ud800"}, text=ANSWER + "?"),
    "finish_reason null": message(None, said={"content": ANSWER}, finish="stop"),
    "cut off": message("length", said={"content": ANSWER}, finish="length"),
    "filtered": message("content_filter", said={"content": ""}, text="", finish="content_filter"),
    "an error that is none": read(answer(completion({"content": ANSWER}, error=None))),
    # Counts.
    "usage in words": read(counting(prompt_tokens="many", completion_tokens={}), tokens_in=0, tokens_out=0,
                           counted=False),
    "usage in strings": read(counting(prompt_tokens="12", completion_tokens="3"), tokens_in=12, tokens_out=3,
                             counted=True),
    "usage infinite": read(counting(prompt_tokens=float("inf"), completion_tokens=float("nan")), tokens_in=0,
                           counted=False),
    "usage negative": read(counting(prompt_tokens=-4, completion_tokens=-1e300), tokens_in=0, tokens_out=0,
                           counted=False),
    "usage null": read(counting(prompt_tokens=None, completion_tokens_details=None), tokens_in=0, counted=False),
    "usage a list": read(answer(completion({"content": ANSWER}, usage=[1, 2])), tokens_in=0, counted=False),
    "usage of one half": read(counting(prompt_tokens=12), tokens_in=12, counted=False),
    "usage of nothing written": read(counting(prompt_tokens=12, completion_tokens=0), tokens_in=12, counted=True),
    "usage with details": read(
        counting(prompt_tokens=90, completion_tokens=50, completion_tokens_details={"reasoning_tokens": 40},
                 prompt_tokens_details={"cached_tokens": 64}, cost=0.25),
        tokens_in=90, tokens_out=50, tokens_reasoning=40, tokens_cached=64, charged=0.25,
    ),
    "usage with reasoning beside": read(
        counting(prompt_tokens=90, completion_tokens=10, completion_tokens_details={"reasoning_tokens": 40},
                 total_tokens=140),
        tokens_out=50, tokens_reasoning=40,
    ),
    # Forms of the body.
    "blank lines first": read(answer("\n\n   \n" + GOOD)),
    "a byte-order mark": read(answer("\ufeff" + GOOD)),
    "bytes that are no UTF-8": read(answer(GOOD.encode().replace(b"choices", b'x": "\xff", "choices'))),
    "gzip": read(answer(gzip.compress(GOOD.encode()), Content_Encoding="gzip")),
    "gzip, called as it once was": read(answer(gzip.compress(GOOD.encode()), Content_Encoding="X-GZip")),
    "deflate": read(answer(zlib.compress(GOOD.encode()), Content_Encoding="deflate")),
    "not packed, and told so": read(answer(GOOD, Content_Encoding="identity")),
    "a stream": read(
        answer(events(delta(role="assistant", content=""), delta(reasoning="hm"), delta(content=ANSWER[:4]),
                    delta("stop", content=ANSWER[4:]), {"choices": [], "usage": {"prompt_tokens": 7}}),
             Content_Type="text/event-stream"),
        reasoning="hm", reasoning_field="reasoning", tokens_in=7,
    ),
    "a stream called JSON": read(answer(": waiting\n\n: waiting\n\n" + events(delta("stop", content=ANSWER), end=""))),
    "moved on the same host": read(moved),
    # Tools.
    "a call": call(calling(id="a", function={"name": "suggest", "arguments": json.dumps(ASKING)})),
    "arguments as an object": call(calling(id="a", function={"name": "suggest", "arguments": ASKING})),
    "arguments null": call(calling(id="a", function={"name": "suggest", "arguments": None}), arguments=""),
    "no id": call(calling(id=None, function={"name": "suggest", "arguments": ASKING}), id="call00200"),
    "no name": call(calling(id="a", function={"name": None, "arguments": ASKING}), name=""),
    "function_call": call(answer(completion({"content": None, "function_call": {
        "name": "suggest", "arguments": json.dumps(ASKING)}}))),
    "tool_call as text": call(answer(completion({"content": "<tool_call>\n" + json.dumps(
        {"name": "suggest", "arguments": ASKING}) + "\n</tool_call>"}))),
    "tool_call as text that is nearly JSON": call(answer(completion(
        {"content": "<tool_call>{'name': 'suggest', 'arguments': {'policy': 'base-stock'},}"}))),
    "TOOL_CALLS and a list": call(answer(completion({"content": "[TOOL_CALLS] " + json.dumps(
        [{"name": "suggest", "arguments": ASKING}])}))),
    "TOOL_CALLS and a name": call(answer(completion({"content": f"[TOOL_CALLS]suggest[ARGS]{json.dumps(ASKING)}"}))),
    "a call in a stream": call(answer(events(
        delta(tool_calls=[{"index": 0, "id": "a", "function": {"name": "suggest", "arguments": ""}}]),
        delta(tool_calls=[{"index": 0, "function": {"arguments": '{"policy": '}}]),
        delta("tool_calls", tool_calls=[{"index": 0, "function": {"arguments": '"base-stock"}'}}])))),
    # What may be gone when it is asked again.
    "an error inside a 200": saved(answer(BUSY), "an error 502: Provider returned error; upstream is away"),
    "an error inside a choice": saved(
        answer({"choices": [{"error": {"code": 429, "message": "slow down"}, "message": {"content": ""}}]}), "slow down"
    ),
    "an error as a finish": saved(answer(completion({"content": "{"}, "error")), "an error ended it"),
    "an error in a stream": saved(answer(events(delta(content="{"), BUSY, end="")), "upstream is away"),
    "an error of vLLM": saved(answer({"object": "error", "message": "engine died", "code": 500}), "engine died"),
    "an error as a word": saved(answer({"error": "model is loading"}), "model is loading"),
    "no choices": saved(answer(completion(None) | {"choices": []}), "no choices"),
    "choices null": saved(answer({"choices": None}), "no choices"),
    "choices of nothing": saved(answer({"choices": [None]}), "no choices"),
    "message null": saved(answer(completion(None)), "no message"),
    "content a number": saved(answer(completion({"content": 7})), "content is no text"),
    "calls a number": saved(answer(completion({"content": None, "tool_calls": 7})), "tool_calls"),
    "calls of numbers": saved(answer(completion({"content": None, "tool_calls": [7]})), "tool_calls"),
    "a page": saved(answer("<html><title>Just a moment</title></html>"), "Just a moment"),
    "nothing": saved(answer(""), "no chat completion"),
    "no content": saved(answer("", 204), "no chat completion"),
    "null": saved(answer("null"), "no object"),
    "a list": saved(answer([completion({"content": ANSWER})]), "no object"),
    "words": saved(answer("upstream connect error"), "upstream connect error"),
    "JSON cut off": saved(answer(GOOD[:40]), "no chat completion"),
    "JSON nested deeply": saved(answer("[" * 100_000), "no chat completion"),
    "a number of many digits": saved(answer(GOOD.replace("null", "9" * 10_000)), "no chat completion"),
    "a stream cut off": saved(answer(events(delta(content=ANSWER[:4]), end="")), "breaks off"),
    "a stream of words": saved(answer("data: hello\n\ndata: [DONE]\n\n"), "no chat completion"),
    "a stream of numbers": saved(answer("data: 7\n\ndata: [DONE]\n\n"), "no chat completion"),
    "a body cut off": saved(HEAD + b"Content-Length: 500\r\n\r\n" + GOOD[:30].encode(), "the connection broke"),
    "a body reset": saved(reset, "the connection broke"),
    "a chunk of no size": saved(CHUNKED + b"zz\r\n", "the connection broke"),
    "no word": saved(b"", "the connection broke"),
    "no HTTP": saved(b"220 mail.example.org ESMTP\r\n", "the connection broke"),
    "gzip that is none": saved(answer(GOOD, Content_Encoding="gzip"), "the connection broke"),
    "gzip cut off": saved(answer(gzip.compress(GOOD.encode())[:30], Content_Encoding="gzip"), "no chat completion"),
    "a bomb of gzip": saved(answer(gzip.compress(b" " * (LONG // 5)), Content_Encoding="gzip"), "larger than 8 MB"),
    "gzip in gzip": saved(
        answer(gzip.compress(gzip.compress(GOOD.encode())), Content_Encoding="gzip, gzip"),
        "packs its answer as 'gzip, gzip'",
    ),
    "packed as nobody asked": saved(answer(b"\x0b\x02\x80", Content_Encoding="br"), "packs its answer as 'br'"),
    "502 packed as nobody asked": saved(answer(b"\x0b\x02\x80", 502, Content_Encoding="br"), "answers 502"),
    "100 MB": saved(huge, "larger than 8 MB"),
    "silence": saved(silence, "no whole answer", slow=True),
    "a head in drops": saved(dripping(HEAD, b"X-A: b\r\n"), "no whole answer", slow=True),
    "a body in drops": saved(dripping(CHUNKED, b"1\r\n \r\n"), "no whole answer", slow=True),
    "a size in drops": saved(dripping(CHUNKED, b"0"), "no whole answer", slow=True),
    "408": saved(answer("", 408), "answers 408"),
    "429 with a list": saved(answer([{"error": {"code": 429, "message": "quota"}}], 429, Retry_After="0"), "quota"),
    "429 with a date": saved(answer({}, 429, Retry_After=formatdate(time.time() - 60, usegmt=True)), "answers 429"),
    "429 with milliseconds": saved(answer({}, 429, Retry_After="9", Retry_After_Ms="20"), "answers 429"),
    "429 with nonsense": saved(answer({}, 429, Retry_After="soon", Retry_After_Ms="nan"), "answers 429"),
    "500 with a page": saved(answer("<html><TITLE>Bad\ngateway</TITLE>", 500), "answers 500: Bad gateway"),
    "502 with broken gzip": saved(answer("{", 502, Content_Encoding="gzip"), "answers 502"),
    "503 cut off": saved(b"HTTP/1.1 503 No\r\nContent-Length: 50\r\n\r\nout of", "answers 503: out of"),
    "529": saved(answer({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, 529),
                 "answers 529: Overloaded"),
    # What stays.
    "400": told(answer({"error": {"message": "prompt too long"}}, 400), "400: prompt too long"),
    "401": told(answer({"error": {"message": "no key"}}, 401), "401: no key"),
    "402": told(answer({"error": {"code": 402, "message": "no money"}}, 402), "402: no money"),
    "404 with a page": told(answer("<html><title>Not here</title>", 404), "404: Not here"),
    "422 with details": told(answer({"detail": [{"loc": ["body"], "msg": "field required"}]}, 422), "field required"),
    "401 inside a 200": told(answer({"error": {"code": "401", "message": "User not found."}}), "User not found."),
    "moved for good": told(answer("", 301, Location="https://example.org/"), "it sends on to https://example.org/"),
    "moved to another host": told(answer("", 307, Location="https://example.org/v1"), "it sends on to"),
}  # fmt: skip
