"""The WebSockets: `/ws`, which plays an episode, and `/mcp`, which offers tools; each has a session of its own."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from restock.server import mcp, wire
from restock.server.errors import INTERNAL, Refused
from restock.server.guard import Receive, Scope, Send
from restock.server.hub import Hub
from restock.server.needs_server import APIRouter, WebSocket
from restock.server.session import Session

GOING_AWAY, TRY_LATER = 1001, 1013  # why a socket is closed
LOG = logging.getLogger(__name__)


class Closed(Exception):
    """Raised when the client closes the socket."""


def sockets(hub: Hub) -> APIRouter:
    """Return the router."""

    async def play(session: Session, text: str) -> str | None:
        return wire.dumps(await _played(hub, session, text))

    async def tools(session: Session, text: str) -> str | None:
        told = await mcp.answer(hub, wire.loads(text), session, own=True)
        return None if told is None else wire.dumps(told)

    def no_tool(error: Refused) -> str:
        return wire.dumps(mcp.failure(mcp.CODES.get(error.code, mcp.REQUEST), error.message, None, error.data()))

    router: Any = APIRouter()  # whose hints know endpoints that are functions alone
    router.add_websocket_route("/ws", Socket(hub, play, _refusal, harness=True))
    router.add_websocket_route("/mcp", Socket(hub, tools, no_tool))
    return router  # type: ignore[no-any-return]


def _refusal(error: Refused) -> str:
    found = error.findings()
    return wire.dumps({"type": "error", "data": {**error.data(), **({"errors": found} if found else {})}})


class Socket:
    """The ASGI application that answers the messages of sockets.

    Args:
        hub: What is served.
        answer: The reply to a message in a session; None: none.
        refusal: How an error is told.
        harness: Whether messages reset the session, so that no tool needs to.
    """

    def __init__(
        self,
        hub: Hub,
        answer: Callable[[Session, str], Awaitable[str | None]],
        refusal: Callable[[Refused], str],
        harness: bool = False,
    ) -> None:
        self._hub, self._answer, self._refusal, self._harness = hub, answer, refusal, harness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the messages of a socket until either side closes it."""
        socket = WebSocket(scope, receive, send)
        await socket.accept()
        with contextlib.ExitStack() as held:
            try:
                session = _session(self._hub, socket, held, self._refusal)
            except Refused as error:
                await self._end(socket, error, TRY_LATER)
                return
            session.harness |= self._harness
            try:
                if await self._talk(session, receive, send):
                    await socket.close()
            except Refused as error:  # the session was closed by somebody else
                await self._end(socket, error, GOING_AWAY)
            except Exception:
                LOG.debug("a socket broke off", exc_info=True)

    async def _talk(self, session: Session, receive: Receive, send: Send) -> bool:
        """Answer messages; return whether this side must close the socket."""
        sessions, most = self._hub.sessions, self._hub.settings.max_body
        while (message := await receive())["type"] != "websocket.disconnect":
            await self._hub.meter.turn()
            sessions.get(session.id)
            try:
                told = await self._answer(session, _text(message, most))
            except Refused as error:
                told = self._refusal(error)
            except Closed:
                return True
            except Exception:
                LOG.exception("a message could not be answered")
                told = self._refusal(Refused("INTERNAL_ERROR", INTERNAL))
            if told is not None:
                await send({"type": "websocket.send", "text": told})
        return False

    async def _end(self, socket: WebSocket, error: Refused, code: int) -> None:
        with contextlib.suppress(Exception):  # it may be gone already
            await socket.send_text(self._refusal(error))
            await socket.close(code, error.code)


def _session(hub: Hub, socket: WebSocket, held: contextlib.ExitStack, refusal: Callable[[Refused], str]) -> Session:
    """Return a new session, which ends with the socket, or the one that the socket names, which remains."""

    async def expire() -> None:
        message = f"this session was idle for {hub.sessions.idle:g} s"
        await socket.send_text(refusal(Refused("IDLE_TIMEOUT", message)))
        await socket.close(GOING_AWAY, "IDLE_TIMEOUT")

    named = socket.query_params.get("session_id")
    if named is not None:
        session = hub.sessions.get(named)
    else:
        hub.sessions.room()
        session = hub.sessions.new()
        held.callback(hub.sessions.close, session.id)
    held.enter_context(hub.sessions.attached(session, expire))
    return session


def _text(message: Mapping[str, Any], most: int) -> str:
    text: str | None = message.get("text")
    if text is None:
        raise Refused("INVALID_JSON", "Invalid JSON: messages are text, not bytes")
    if len(text) > most:
        raise Refused("TOO_LARGE", f"a message has at most {most} bytes", max_body=most)
    return text


async def _played(hub: Hub, session: Session, text: str) -> dict[str, Any]:
    """Answer a message of OpenEnv.

    Raises:
        Refused: It is none, or cannot be carried out.
        Closed: It says that the client is done.
    """
    message = wire.loads(text)
    if not isinstance(message, dict):
        raise Refused("VALIDATION_ERROR", 'a message is an object: {"type": ..., "data": ...}', "type")
    kind, data = message.get("type", ""), message.get("data")
    for name in message:
        if name not in ("type", "data"):
            raise Refused("VALIDATION_ERROR", f"a message has no {name[:80]!r}. Known: type, data.", name[:80])
    if kind == "step":
        return {"type": "observation", "data": await _stepped(hub, session, _mapping(data))}
    if kind == "reset":
        return {"type": "observation", "data": await hub.reset(session, {} if data is None else _mapping(data))}
    if kind == "state":
        return {"type": "state", "data": session.state()}
    if kind == "mcp":
        told = await mcp.answer(hub, data, session, own=True)
        return {"type": "mcp", "data": told or {"jsonrpc": "2.0", "id": None, "result": None}}
    if kind == "close":
        raise Closed
    raise Refused("UNKNOWN_TYPE", f"Unknown message type: {str(kind)[:80]}", "type")


def _mapping(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise Refused("VALIDATION_ERROR", "data: must be an object", "data")
    return data


async def _stepped(hub: Hub, session: Session, action: dict[str, Any]) -> dict[str, Any]:
    """Play a period, or use a tool if the action is one of OpenEnv's tool actions."""
    kind = action.get("type")
    if kind == "list_tools":
        tools = [
            {"name": tool["name"], "description": tool["description"], "input_schema": tool["inputSchema"]}
            for tool in mcp.tools_of(hub, session)
        ]
        return {"observation": {"metadata": {}, "tools": tools}, "reward": None, "done": False}
    if kind == "call_tool":
        name = action.get("tool_name")
        used: dict[str, Any] = {"metadata": {}, "tool_name": str(name)[:80], "result": None, "error": None}
        told: dict[str, Any] = {}
        try:
            told = await mcp.call(hub, session, name, action.get("arguments", {}))
            used["result"] = told
        except Refused as error:
            kind = "tool_not_found" if error.code == "NOT_FOUND" else "invalid_args"
            used["error"] = {"error_type": kind, "message": error.message}
        return {"observation": used, "reward": told.get("reward"), "done": told.get("done", False)}
    return session.step(action)
