"""The health check, answered before routing because monitors ask often."""

from __future__ import annotations

from restock.server.guard import App, Receive, Scope, Send
from restock.server.replies import Health, Reply

PATH = "/health"


class Alive:
    """ASGI middleware that answers `/health`.

    Args:
        app: What answers everything else.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._healthy = Reply(Health().model_dump())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass a request on."""
        asked = scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "GET"
        await (self._healthy if asked else self._app)(scope, receive, send)
