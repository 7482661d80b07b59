"""A server in a thread, and the plainest ways to talk to it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from restock.server.run import in_background
from restock.server.settings import Settings

PATIENCE = 60.0  # seconds, for a first compilation


class Running:
    """A server that runs.

    Attributes:
        url: Its address.
        app: The application.
        hub: What its routes share.
    """

    def __init__(self, url: str, app: Any, token: str | None) -> None:
        self.url = url
        self.app = app
        self.hub = None if app is None else app.state.hub
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, body: Any = None, **given: Any) -> httpx.Response:
        """A request of its own; the reply."""
        headers = {**self._headers, **given.pop("headers", {})}
        if body is not None:
            given["json"] = body
        return httpx.request(method, self.url + path, headers=headers, timeout=PATIENCE, trust_env=False, **given)

    @contextlib.contextmanager
    def talk(self, path: str = "/ws", **given: Any) -> Iterator[Talk]:
        """A socket."""
        headers = {**self._headers, **given.pop("headers", {})}
        address = self.url.replace("http", "ws", 1) + path
        with connect(address, additional_headers=headers, proxy=None, **given) as line:
            yield Talk(line)


class Talk:
    """A socket that is asked one thing after another."""

    def __init__(self, line: ClientConnection) -> None:
        self.line = line

    def ask(self, message: Any) -> Any:
        """Send a message, text as it is; what comes back."""
        self.line.send(message if isinstance(message, (str, bytes)) else json.dumps(message))
        return self.hear()

    def hear(self) -> Any:
        """What comes next."""
        return json.loads(self.line.recv(timeout=PATIENCE))

    def reset(self, **asked: Any) -> Any:
        """The data of a reset."""
        return self._data({"type": "reset", "data": asked})

    def step(self, action: Any) -> Any:
        """The data of a step."""
        return self._data({"type": "step", "data": action})

    def state(self) -> Any:
        """The state."""
        return self._data({"type": "state"})

    def _data(self, message: Any) -> Any:
        told = self.ask(message)
        return {"error": told["data"]} if told["type"] == "error" else told["data"]


@contextlib.contextmanager
def serving(**given: Any) -> Iterator[Running]:
    """A server with these settings, until the block ends."""
    settings = Settings(**given)
    with in_background(settings) as server:
        yield Running(server.url, server.app, settings.token)
