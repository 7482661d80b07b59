"""The routes of the pages: pick, log in, files."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from restock.problems.manifest import manifest_of
from restock.server.dashboard import pages, picking
from restock.server.dashboard.again import again
from restock.server.dashboard.comparing import comparing
from restock.server.dashboard.contests import Contest, Game, Show
from restock.server.dashboard.downloads import form_of, taken_away
from restock.server.dashboard.fields import plain
from restock.server.dashboard.live import live
from restock.server.dashboard.playing import playing
from restock.server.dashboard.room import EXAMPLE, Room
from restock.server.dashboard.runs import runs
from restock.server.dashboard.standing import standing
from restock.server.dashboard.watching import watching
from restock.server.guard import COOKIE
from restock.server.hub import Hub
from restock.server.limits import CLIENT
from restock.server.needs_server import APIRoute, APIRouter, FastAPI, Request, Response


class PageRoute(APIRoute):
    """A route whose errors are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler."""
        return pages.telling(super().get_route_handler())


def mount(app: FastAPI, hub: Hub) -> None:
    """Mount the pages in an application."""
    room = app.state.room = Room(hub)
    router = APIRouter(route_class=PageRoute, include_in_schema=False, default_response_class=Response)
    for add in (_opening, _login, playing, watching, comparing, again, runs, standing, live):
        add(router, room)
    app.include_router(router)


def _opening(router: APIRouter, room: Room) -> None:
    catalogue = room.hub.catalogue

    @router.get("/")
    async def home(request: Request) -> Response:
        offers = [picking.offer(catalogue.loaded(name), name) for name in catalogue.names()]
        if form := form_of(request):
            return taken_away(form, "problems", lambda: {"problems": offers}, lambda: offers)
        groups = []
        for family in dict.fromkeys(offer["family"] for offer in offers):
            said = manifest_of(family)
            of_it = [offer for offer in offers if offer["family"] == family]
            groups.append((said.title or plain(family).capitalize(), said.words, of_it))
        owner = pages.owner_of(request)
        own = {kind.kind: room.shelf.of(owner, kind) for kind in (Game, Show, Contest)}
        token = room.hub.settings.token is not None
        return pages.page(request, "home", groups=groups, own=own, token=token)

    @router.get("/pick/{task:path}")
    async def pick(request: Request, task: str) -> Response:
        return await picking.page(request, room, catalogue.name(task))

    @router.get("/examples/{task:path}")
    async def example(request: Request, task: str) -> Response:
        name = catalogue.name(task)
        problem = await catalogue.ready(name)
        rival, pictures = await room.example(name, problem)
        return pages.page(request, "example", task=name, rival=rival, pictures=pictures, seed=EXAMPLE)

    @router.get("/static/{name}")
    async def static(request: Request, name: str) -> Response:
        content, kind = pages.asset(name)
        fresh = "v" in request.query_params  # the address has the content's own mark
        lasting = f"public, max-age={pages.YEAR}, immutable" if fresh else "no-cache"
        headers = {"cache-control": lasting, "x-content-type-options": "nosniff"}
        return Response(content, media_type=f"{kind}; charset=utf-8", headers=headers)


def _login(router: APIRouter, room: Room) -> None:
    token = room.hub.settings.token

    @router.get("/login")
    async def ask(request: Request) -> Response:
        return pages.page(request, "login", next=_local(request.query_params.get("next", "/")), wrong=False)

    @router.post("/login")
    async def enter(request: Request) -> Response:
        sent = await pages.sent(request)
        to = _local(sent.get("next", "/"))
        said = sent.get("token", "").encode("utf-8", "surrogateescape")
        if token is not None and not request.app.state.guesses.right(CLIENT.get(), [said]):
            return pages.page(request, "login", 401, next=to, wrong=True)
        reply = pages.moved(request, to)
        if token is not None:
            secure = request.url.scheme == "https"
            reply.set_cookie(COOKIE, token, path="/", httponly=True, samesite="strict", secure=secure)
        return reply

    @router.post("/logout")
    async def leave(request: Request) -> Response:
        reply = pages.moved(request, "/login" if token is not None else "/")
        reply.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return reply


def _local(address: str) -> str:
    """Return an address of this server; the first page for any other."""
    plain = address.isascii() and address.isprintable() and "\\" not in address and len(address) < 1000
    return address if plain and address.startswith("/") and not address.startswith("//") else "/"
