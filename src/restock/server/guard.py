"""The checks that a request must pass before anything else reads it: size, origin, token."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from restock.server import hosts, wire
from restock.server.errors import Refused
from restock.server.guesses import Guesses
from restock.server.limits import CLIENT, client_of
from restock.server.settings import MOST_TRANSCRIPT, Settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN = ("/health", "/web", "/login")  # for everybody: whether it runs, and the pages that ask for the token
STYLE = "/static/"  # which those pages need
LARGER = {"/transcripts": MOST_TRANSCRIPT}  # addresses that take more than a message
COOKIE, VISITOR = "restock-token", "restock-visitor"  # the cookies of this server: its token, and who a browser is
LONGEST_COOKIE = 2048  # bytes; to read a longer one can take Python minutes


class Guard:
    """ASGI middleware.

    Args:
        app: What answers the requests that pass.
        settings: See `Settings`.
        guesses: Judges tokens; None: none is asked for.
    """

    def __init__(self, app: App, settings: Settings, guesses: Guesses | None) -> None:
        self._app = app
        self._settings = settings
        self._guesses = guesses
        self._held = 0  # bytes of all bodies that are here

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or reject it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        client = client_of((scope.get("client") or ("",))[0])
        CLIENT.set(client)
        scope["headers"] = [
            (name, _own(value) if name.lower() == b"cookie" else value) for name, value in scope["headers"]
        ]
        body = bytearray()
        try:
            try:
                self._check(scope, client)
                if scope["type"] == "http":
                    receive = await self._whole(scope, receive, body)
            except Refused as error:
                if scope["type"] == "http" and error.status == 401 and _is_page(scope):
                    await _to_login(scope, send)
                else:
                    await _refuse(scope, send, error)
                return
            # A head is that of what GET tells; what runs the server sends no body to who asked for none.
            asked = {**scope, "method": "GET"} if scope.get("method") == "HEAD" else scope
            await self._app(asked, receive, send)
        finally:
            self._held -= len(body)

    def _check(self, scope: Scope, client: str) -> None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        settings = self._settings
        # A proxy might go by the other host, or by the length where the server goes by the chunks.
        named = sum(name.lower() == b"host" for name, _ in scope["headers"])
        if named > 1 or (not named and scope.get("http_version") == "1.1"):
            raise Refused("FORBIDDEN", f"a request must name one host, not {named}", "host")
        if "content-length" in headers and "transfer-encoding" in headers:
            # What a proxy takes for its body would be read here as the next request: there is none.
            message = "a request must have a length or chunks, not both"
            raise Refused("FORBIDDEN", message, "content-length", last=True)
        host = headers.get("host", "")
        if not hosts.known(host, settings.hosts):
            # A page from elsewhere whose name was made to mean this machine, or a proxy that nobody told us of.
            name = hosts.name_in(host)[:80] or "NAME"
            mend = f"If that is a name of yours, start the server with --allow-host {name}."
            raise Refused("FORBIDDEN", f"the server is not called {host[:80]!r}. {mend}", "host", host[:80], mend)
        origin = headers.get("origin")
        if origin is not None:
            own = {headers.get("host"), headers.get("x-forwarded-host")}
            place = _place_of(origin)
            if not place or place not in own:
                raise Refused("FORBIDDEN", f"pages from {origin[:80]!r} may not use this server", "origin")
        free = scope["path"] in OPEN or scope["path"].startswith(STYLE)
        if self._guesses is not None and not free and not self._guesses.right(client, _sent(scope, headers)):
            raise Refused("UNAUTHORIZED", "this server asks for its token: send Authorization: Bearer TOKEN")

    async def _whole(self, scope: Scope, receive: Receive, body: bytearray) -> Receive:
        """Receive a body that is neither too large nor too slow, and pass it on in one piece."""
        most = max(self._settings.max_body, LARGER.get(scope["path"], 0))
        said = next((value for name, value in scope["headers"] if name.lower() == b"content-length"), b"0")
        if said.isdigit() and int(said) > most:
            raise Refused("TOO_LARGE", f"a request has at most {most} bytes", max_body=most)
        limits = self._settings.limits
        try:
            async with asyncio.timeout(limits.body):
                while (message := await receive())["type"] == "http.request":
                    body += (piece := message.get("body", b""))
                    self._held += len(piece)
                    if len(body) > most:
                        raise Refused("TOO_LARGE", f"a request has at most {most} bytes", max_body=most)
                    if self._held > limits.bodies:
                        raise Refused("CAPACITY_REACHED", "too much is being sent at once: try again", retry_after=1)
                    if not message.get("more_body", False):
                        break
        except TimeoutError:
            raise Refused("TOO_SLOW", f"the body of a request must arrive within {limits.body:g} s") from None
        waiting = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def again() -> MutableMapping[str, Any]:
            return waiting.pop() if waiting else await receive()

        return again


def _own(cookies: bytes) -> bytes:
    """Return the cookies of this server in a request, the last of each name."""
    parts = (part.strip() for part in cookies.split(b";"))
    named = {part.partition(b"=")[0].decode("latin-1"): part for part in parts}
    return b"; ".join(
        named[name] for name in (COOKIE, VISITOR) if len(named.get(name, b"")) in range(1, LONGEST_COOKIE)
    )


def _place_of(origin: str) -> str:
    """Return host and port of an origin; empty if it is not an address."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _sent(scope: Scope, headers: dict[str, str]) -> list[bytes]:
    """Return every token in a request: in the header, in a page's cookie, and in the address for browser sockets."""
    kind, _, said = headers.get("authorization", "").partition(" ")
    sent = [said.strip()] if kind.lower() == "bearer" else []
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        cookie = None
    sent += [cookie.value] if cookie is not None else []
    if scope["type"] == "websocket":
        sent += parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [])[:1]
    return [one.encode("utf-8", "surrogateescape") for one in sent]


def _is_page(scope: Scope) -> bool:
    """Return whether the request is for a page: a browser and htmx both say so."""
    headers = {name.lower(): value for name, value in scope["headers"]}
    return b"text/html" in headers.get(b"accept", b"") or b"hx-request" in headers


async def _to_login(scope: Scope, send: Send) -> None:
    """Redirect to the page that asks for the token, and from there back to the requested page."""
    query = scope.get("query_string", b"").decode("latin-1")
    address = scope["path"] + (f"?{query}" if query else "") if scope["method"] in ("GET", "HEAD") else "/"
    to = f"/login?next={quote(address)}".encode()
    by_script = any(name.lower() == b"hx-request" for name, _ in scope["headers"])
    status, name = (204, b"hx-redirect") if by_script else (303, b"location")
    await send({"type": "http.response.start", "status": status, "headers": [(name, to)]})
    await send({"type": "http.response.body", "body": b""})


async def _refuse(scope: Scope, send: Send, error: Refused) -> None:
    # A socket that is not let in yet is still a request, and told as much.
    kind = "http.response" if scope["type"] == "http" else "websocket.http.response"
    body = wire.dumps(error.data()).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(name.encode(), value.encode()) for name, value in error.headers.items()]
    await send({"type": f"{kind}.start", "status": error.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})
