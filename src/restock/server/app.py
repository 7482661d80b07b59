"""The application: all routes, behind the guard."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

from restock.server import web
from restock.server.dashboard import pages
from restock.server.dashboard.routes import mount
from restock.server.errors import INTERNAL, Refused
from restock.server.guard import Guard
from restock.server.guesses import Guesses
from restock.server.hub import Hub
from restock.server.meter import Turns
from restock.server.needs_server import FastAPI, HTTPException, Request, RequestValidationError, Response
from restock.server.replies import Reply, failed
from restock.server.requests import check_body, methods_at
from restock.server.routes import ABOUT, openenv
from restock.server.session_routes import sessions
from restock.server.settings import Settings
from restock.server.sockets import sockets
from restock.server.source_routes import source

API_VERSION = "1.0.0"  # of the interface: what OpenEnv calls openenv-http/1.x
LOG = logging.getLogger(__name__)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application that a server runs.

    Args:
        settings: What it serves and what it allows; default: the published stores, for 64 sessions.

    Raises:
        InvalidInput: The problem is none, or FastAPI is not installed.
    """
    hub = Hub(settings or Settings())
    kept: list[Any] = [hub.sessions]  # what is closed when nobody has used it for a while

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await hub.catalogue.ready(hub.catalogue.default)
        watches = [asyncio.create_task(one.watch()) for one in kept]
        yield
        for watch in watches:
            watch.cancel()
        hub.close()

    # The pages that FastAPI offers itself load their programs from elsewhere: none of them.
    app = FastAPI(
        title="restock", version=API_VERSION, description=ABOUT, docs_url=None, redoc_url=None, lifespan=lifespan,
        redirect_slashes=False,
    )  # fmt: skip
    app.state.hub = hub
    app.state.guesses = Guesses(hub.settings.token) if hub.settings.token is not None else None
    app.add_middleware(Turns, meter=hub.meter)
    app.add_middleware(Guard, settings=hub.settings, guesses=app.state.guesses)
    for router in (source(), sessions(hub), openenv(hub), sockets(hub)):
        app.include_router(router)
    if hub.book is None:  # pages would let who is judged play elsewhere first
        web.mount(app)  # the page of OpenEnv, where actions are JSON
        mount(app, hub)  # the pages for people
        kept.append(app.state.room.shelf)
    _tell_errors(app)
    return app


def _tell_errors(app: FastAPI) -> None:
    """Reply to every error with code, message and field, never with a traceback."""

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        return failed(error)

    @app.exception_handler(RequestValidationError)
    async def misshapen(request: Request, error: RequestValidationError) -> Response:
        found = [{name: one.get(name) for name in ("type", "loc", "msg", "input")} for one in error.errors()]
        try:
            check_body(request, error.body)
        except Refused as refusal:
            # OpenEnv's servers take names beside an action, and list only what else is wrong.
            other = [one for one in found if one["type"] != "extra_forbidden"]
            return Reply({**refusal.data(), "detail": other or found}, 422)
        first = found[0]
        where = [str(part) for part in first["loc"]]
        if first["type"] == "json_invalid":
            return failed(Refused("INVALID_JSON", "Invalid JSON: the body cannot be read"))
        field = ".".join(where[1:]) or where[0]
        told: dict[str, Any] = {"code": "VALIDATION_ERROR", "message": f"{field}: {first['msg']}", "field": field}
        return Reply({**told, "detail": found}, 422)

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> Response:
        code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "INVALID_JSON")
        if "text/html" in request.headers.get("accept", ""):
            code = code if error.status_code in (404, 405) else "NOT_FOUND"
            return pages.failed(request, Refused(code, f"There is no page at {request.url.path[:80]}."))
        told = {"code": code, "message": str(error.detail), "detail": str(error.detail)}
        headers = dict(error.headers or {})
        if error.status_code == 405:  # the router tells the methods of the first route with this path
            headers["Allow"] = methods_at(app, request)
            told["message"] = f"there is no {request.method[:20]} at this path: use {headers['Allow']}"
        return Reply(told, error.status_code, headers)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        return failed(Refused("INTERNAL_ERROR", INTERNAL))
