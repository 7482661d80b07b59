"""Pages from templates: everything is escaped, and nothing is loaded from elsewhere."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Callable, Coroutine
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment

from restock.core.errors import InvalidInput
from restock.report import markup
from restock.report.naming import arrowed
from restock.report.numbers import MINUS, amount, decimals, exact, quantity, rounded
from restock.report.palette import dark_rules
from restock.server.dashboard import bodies
from restock.server.dashboard.exchanges import WITHOUT
from restock.server.dashboard.fields import plain
from restock.server.dashboard.shelf import Item, visitor
from restock.server.errors import INTERNAL, Refused, refused
from restock.server.guard import VISITOR as VISITOR
from restock.server.needs_server import HTMLResponse, Request, Response
from restock.server.replies import Reply

LOG = logging.getLogger(__name__)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# plotly writes styles of its own; scripts still come from here alone.
DRAWING = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace("data:", "data: blob:")
TITLES = {
    401: "The token is needed",
    403: "This is not allowed",
    404: "There is nothing here",
    405: "This page is not used like that",
    408: "This took too long to arrive",
    409: "This cannot be done now",
    413: "This is too large",
    422: "This cannot be used",
    429: "These were too many tries",
    500: "Something went wrong here",
    503: "The server is full",
}
LARGE = 100_000  # bytes of a form that is read beside the event loop
YEAR = 365 * 24 * 3600


@cache
def environment() -> Environment:
    """Return the template environment."""
    made = markup.environment("restock.server.dashboard", "restock.report")
    made.filters["figure"] = quantity
    made.filters["plain"] = plain
    made.filters["ways"] = arrowed
    made.filters["money"] = _money
    made.filters["gap"] = _gap
    made.filters["cents"] = _cents
    made.filters["exact"] = exact
    made.filters["formula"] = _formula
    made.filters["rounded"] = rounded
    made.filters["sentence"] = _sentence
    made.filters["share"] = _share
    made.globals["static"] = static
    made.globals["without"] = WITHOUT
    return made


def _money(value: float, sign: bool = False) -> str:
    return amount(value, decimals([value]), sign)


def _cents(value: float) -> str:
    return amount(value, 2, True)


def _formula(words: str) -> str:
    """Return a formula with the signs of print."""
    return words.replace(" * ", " \N{MULTIPLICATION SIGN} ").replace("- ", f"{MINUS} ")


def _gap(value: float, places: int) -> str:
    """Return a difference that is not nothing, however small."""
    return amount(value, places) if rounded(value, places) else f"less than {10.0**-places:.{places}f}"


def _share(value: float) -> str:
    return amount(value, 3)


def _sentence(words: str) -> str:
    """Return a message as a sentence, capitalised unless it begins with a field's name, and with a full stop."""
    start, _, rest = words.partition(" ")
    begun = words if start.endswith(":") or rest.startswith("= ") else words[:1].upper() + words[1:]
    return begun if begun.endswith(".") else f"{begun}."


def static(name: str) -> str:
    """Return the address of a static file; it changes with the file."""
    return f"/static/{name}?v={hashlib.sha256(asset(name)[0]).hexdigest()[:12]}"


@cache
def asset(name: str) -> tuple[bytes, str]:
    """Return a static file and its media type.

    Raises:
        Refused: There is none of that name.
    """
    if name == "page.css":  # the reports look the same
        style = resources.files("restock.report").joinpath("style.css").read_bytes()
        return style + _file("page.css") + _file("watch.css") + dark_rules().encode(), "text/css"
    if name in ("page.js", "chart.js", "htmx.min.js"):
        return _file(name), "text/javascript"
    if name == "plotly.js":
        try:
            from plotly.offline import get_plotlyjs
        except ImportError:
            raise Refused("NOT_FOUND", "This chart needs plotly: pip install 'restock[viz]'.") from None
        return get_plotlyjs().encode(), "text/javascript"
    raise Refused("NOT_FOUND", "There is no such file.")


def _file(name: str) -> bytes:
    return resources.files("restock.server.dashboard").joinpath("static", name).read_bytes()


def page(request: Request, template: str, status: int = 200, rules: str = POLICY, **given: Any) -> HTMLResponse:
    """Return a page from its template.

    Args:
        request: What it answers.
        template: Name of the template, without its ending.
        status: Of the reply.
        rules: Content security policy.
        **given: For the template.
    """
    part = request.headers.get("hx-request") == "true" and request.headers.get("hx-boosted") != "true"
    text = environment().get_template(f"{template}.html").render(request_path=request.url.path, part=part, **given)
    headers = {
        "content-security-policy": rules,
        "cache-control": "no-store",
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "vary": "HX-Request, Cookie",
    }
    return HTMLResponse(text.encode("utf-8", "replace"), status, headers)  # half a surrogate pair is no reason to fail


def waiting(request: Request, title: str, item: Item) -> Response:
    """Reply that something is not ready, with its progress and place in the queue: a page, or JSON if asked for."""
    if "application/json" in request.headers.get("accept", ""):
        return Reply({"ready": False, "ahead": item.ahead, "progress": item.progress}, 202)
    return page(request, "waiting", title=title, item=item)


def moved(request: Request, address: str) -> Response:
    """Redirect to another page, also for requests by htmx."""
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"hx-redirect": address})
    return Response(status_code=303, headers={"location": address})


class Moved(Exception):
    """What was asked for is still being made; another page says so.

    Args:
        address: Of that page.
    """

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


def failed(request: Request, error: Refused) -> Response:
    """Return the page of an error; for requests by htmx, a whole page in place of the part."""
    title = TITLES.get(error.status, "This cannot be done")
    reply = page(request, "error", error.status, title=title, error=str(error), back=_came_from(request))
    reply.headers.update(error.headers)
    if request.headers.get("hx-request") == "true":
        reply.headers["hx-retarget"], reply.headers["hx-reswap"] = "#content", "innerHTML"
    return reply


def _came_from(request: Request) -> str:
    """Return the page of this server from which a form was sent; empty if the browser does not say."""
    try:
        came = urlsplit(request.headers.get("referer", "") if request.method == "POST" else "")
    except ValueError:
        return ""
    if came.netloc != request.headers.get("host") or not came.path.startswith("/") or came.path.startswith("//"):
        return ""
    return came.path + (f"?{came.query}" if came.query else "")


def owner_of(request: Request) -> str:
    """Return the id of the browser that asks; empty if it has begun nothing yet."""
    return visitor(request.cookies, VISITOR)


def new_owner(request: Request) -> str:
    """Return the id of the browser that asks, a new one if it has none."""
    return owner_of(request) or secrets.token_hex(16)


def remember(reply: Response, request: Request, owner: str) -> Response:
    """Set the browser's id, if it has none."""
    if owner_of(request) != owner:
        secure = request.url.scheme == "https"
        reply.set_cookie(VISITOR, owner, path="/", httponly=True, samesite="strict", secure=secure)
    return reply


async def sent(request: Request) -> bodies.Sent:
    """Return the form that was sent.

    Raises:
        Refused: It cannot be read.
    """
    body, kind = await request.body(), request.headers.get("content-type", "")
    if len(body) <= LARGE:
        return bodies.read(body, kind)
    return await asyncio.to_thread(bodies.read, body, kind)


Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def telling(handler: Handler) -> Handler:
    """Turn errors into pages."""

    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except Moved as there:
            return moved(request, there.address)
        except Refused as error:
            return failed(request, error)
        except InvalidInput as error:
            return failed(request, refused(error))
        except (RecursionError, OverflowError):  # of a transcript: nothing else on a page is anybody's numbers
            message = "What is to be shown is nested too deeply, or has numbers beyond all bounds."
            return failed(request, Refused("VALIDATION_ERROR", message))
        except Exception:
            LOG.exception("a page could not be made")
            return failed(request, Refused("INTERNAL_ERROR", INTERNAL))

    return answered
