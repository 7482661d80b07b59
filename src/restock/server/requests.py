"""Requests whose JSON is parsed as strictly as the messages of sockets."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Any, get_args

from restock.core.errors import InvalidInput
from restock.core.validation import Spec, validated
from restock.server import wire
from restock.server.errors import Refused, refused
from restock.server.needs_server import APIRoute, FastAPI, Match, Request, Response

HEADER = "content-type"
JSON = re.compile(r"application/(?:[^/]*\+)?json", re.I)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class StrictRequest(Request):
    """A request whose JSON may not give a name twice."""

    async def json(self) -> Any:
        """Return the body as parsed before."""
        return self.read

    async def read_strictly(self) -> None:
        """Parse the body if it is JSON.

        Raises:
            Refused: It is no JSON, is not said to be, or a name is given twice.
        """
        body, kind = await self.body(), self.headers.get(HEADER, "")
        if body and not JSON.fullmatch(kind.partition(";")[0].strip()):
            mend = f"Send {HEADER}: application/json."
            message = f"the header {HEADER} must be application/json, got {kind[:80]!r}. {mend}"
            raise Refused("VALIDATION_ERROR", message, HEADER, kind[:80], mend)
        self.read = wire.loads(body) if body else None


class StrictRoute(APIRoute):
    """A route that takes such requests."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler."""
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            if self.body_field is not None:
                await strict.read_strictly()
            return await handle(strict)

        return strictly


def check_body(request: Request, body: Any) -> None:
    """Check a body that FastAPI has rejected once more, to report the error in the words that sockets use.

    Raises:
        Refused: It does not hold.
    """
    field = getattr(request.scope.get("route"), "body_field", None)
    kinds = () if field is None else (field.field_info.annotation, *get_args(field.field_info.annotation))
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, Spec) and body is not None:
            try:
                validated(kind, body, "")
            except InvalidInput as error:
                raise refused(error if error.field else error.within("body")) from None


def methods_at(app: FastAPI, request: Request) -> str:
    """Return the methods of the path of a request."""

    def there(method: str) -> bool:
        return any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in app.routes)

    return ", ".join(method for method in METHODS if there(method))
