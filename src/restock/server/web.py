"""A page for people at `/web`: pick a task, write an action, see the reply."""

from __future__ import annotations

from importlib import resources

from restock.server.needs_server import FastAPI, HTMLResponse, Response


def mount(app: FastAPI) -> None:
    """Put the page into an application."""
    page = resources.files("restock.server").joinpath("web.html").read_text(encoding="utf-8")

    @app.get("/web", include_in_schema=False)
    @app.get("/web/", include_in_schema=False)
    async def web() -> Response:
        return HTMLResponse(page)
