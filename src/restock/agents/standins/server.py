"""An OpenAI-compatible endpoint on the loopback interface, behind which a scripted model answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

PATH = "/v1/chat/completions"
CHARACTERS = 4  # that a token is taken to have


class Speaker(Protocol):
    """A scripted model."""

    name: str

    def speak(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> str | dict[str, Any]:
        """Return a reply to a conversation: its text, or `{name: arguments}` of a tool to use."""


class Endpoint(ThreadingHTTPServer):
    """The server.

    Args:
        speaker: Who answers.
        faults: What the first requests get in place of an answer: a status, or a text that is sent as it is.

    Attributes:
        requests: Bodies of all requests so far.
    """

    daemon_threads = True
    request_queue_size = 128  # connections that wait to be taken, of episodes side by side

    def __init__(self, speaker: Speaker, faults: Iterable[int | str] = ()) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.speaker = speaker
        self.faults = list(faults)
        self.requests: list[dict[str, Any]] = []

    @property
    def address(self) -> str:
        """Base URL for a client."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def answer(self, asked: Mapping[str, Any]) -> tuple[int, Any]:
        """Return status and content of the response to a request."""
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, int):
                return fault, {"error": {"message": "a fault that was asked for"}}
            return 200, fault
        tools = asked.get("tools") or [] if asked.get("tool_choice") != "none" else []
        return 200, completion(asked, self.speaker.speak(asked["messages"], tools))


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet a reply: a second one would wait for the first to be acknowledged

    def do_POST(self) -> None:
        """Answer one request."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != PATH:
            self._send(404, {"error": {"message": "there is nothing here"}})
            return
        asked = json.loads(body)
        self.server.requests.append(asked)
        self._send(*self.server.answer(asked))

    def _send(self, status: int, content: Any) -> None:
        data = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if status == 429 or status >= 500:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


def completion(asked: Mapping[str, Any], said: str | dict[str, Any]) -> dict[str, Any]:
    """Return a chat completion as OpenAI's API writes it."""
    message: dict[str, Any] = {"role": "assistant", "content": said if isinstance(said, str) else None}
    if not isinstance(said, str):
        message["tool_calls"] = [
            {"id": f"call-{k}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for k, (name, arguments) in enumerate(said.items())
        ]
    read = sum(len(entry.get("content") or "") for entry in asked["messages"]) // CHARACTERS
    written = len(said if isinstance(said, str) else json.dumps(said)) // CHARACTERS
    return {
        "id": "chatcmpl-stand-in",
        "object": "chat.completion",
        "created": 0,
        "model": str(asked.get("model")),
        "choices": [
            {"index": 0, "message": message, "finish_reason": "stop" if isinstance(said, str) else "tool_calls"}
        ],
        "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
    }


@contextmanager
def serving(speaker: Speaker, faults: Iterable[int | str] = ()) -> Iterator[Endpoint]:
    """Serve a scripted model while the block runs."""
    server = Endpoint(speaker, faults)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
