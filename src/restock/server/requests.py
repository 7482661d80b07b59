"""Requests whose JSON is read as strictly as the messages of sockets."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from restock.server import wire
from restock.server.needs_server import APIRoute, Request, Response


class StrictRequest(Request):
    """A request in whose JSON no name is given twice."""

    async def json(self) -> Any:
        """The body as it was read before."""
        return self.read

    async def read_strictly(self) -> None:
        """Read the body where it is JSON.

        Raises:
            Refused: It is no JSON, or a name is given twice.
        """
        body = await self.body()
        self.read = wire.loads(body) if body and "json" in self.headers.get("content-type", "").lower() else None


class StrictRoute(APIRoute):
    """A route that takes such requests."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler."""
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            if self.body_field is not None:
                await strict.read_strictly()
            return await handle(strict)

        return strictly
