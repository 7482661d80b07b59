"""Tools for models over JSON-RPC: the Model Context Protocol, and the sessions that OpenEnv adds to it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from restock import __version__
from restock.server import wire
from restock.server.errors import INTERNAL, Refused
from restock.server.hub import Hub
from restock.server.session import LONGEST_ID, MOST_SEED, Session

PROTOCOLS = ("2025-03-26", "2025-06-18", "2025-11-25")  # the versions that begin with `initialize`, latest last
BATCHED = PROTOCOLS[0]  # the one that knows several messages in one request, and that holds where none is named
MOST_BATCH = 64
PARSE, REQUEST, METHOD, PARAMS, INTERNAL_CODE, SERVER = -32700, -32600, -32601, -32602, -32603, -32000
VERSION = -32022
HEADER, VERSION_HEADER = "mcp-session-id", "mcp-protocol-version"
CODES = {"INVALID_JSON": PARSE, "CAPACITY_REACHED": SERVER, "INTERNAL_ERROR": INTERNAL_CODE}
LOG = logging.getLogger(__name__)

_TASK = {"type": "string", "description": "a name that list_tasks tells; default: the one that is played, or medium"}


def tools_of(hub: Hub, session: Session | None) -> list[dict[str, Any]]:
    """Return the tools, with the action of the problem that is played.

    Where a program resets the session, no tool does; and none in the middle of a judged episode.
    """
    name = hub.catalogue.default if session is None else session.task
    action = hub.catalogue.schemas(name)["action"]
    free = hub.book is None
    begin = {
        "task": _TASK,
        "seed": {"type": "integer", "minimum": 0, "maximum": MOST_SEED, "description": "of the episode"},
        "episode_id": {"type": "string", "maxLength": LONGEST_ID, "description": "what to call the episode"},
    }
    about = {"player": {"type": "string", "maxLength": LONGEST_ID, "description": "who plays, for the results"}}
    described: dict[str, tuple[str, dict[str, Any], list[str]]] = {
        "list_tasks": ("The problems that can be played.", {}, []),
        "explain": ("A problem in words: its rules, and the fields of actions and observations.",
                    {"task": _TASK} if free else {}, []),
        "begin": ("Begin an episode; tells the first observation.", begin if free else about, []),
        "play": ("Play one period; tells what happened, the reward, and whether it is over.", {"action": action},
                 ["action"]),
        "look": ("The observation again, and the state of the episode.", {}, []),
    }  # fmt: skip
    if session is not None and (session.harness or (session.under_way and not free)):
        del described["begin"]
    if not free:
        del described["list_tasks"]
    return [
        {"name": tool, "description": words, "inputSchema": _schema(properties, required)}
        for tool, (words, properties, required) in described.items()
    ]


def _schema(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


async def call(hub: Hub, session: Session | None, tool: Any, arguments: Any) -> dict[str, Any]:
    """Use a tool.

    Raises:
        Refused: There is no such tool, an argument does not hold, or there is no session to play in.
    """
    known = {one["name"]: one["inputSchema"] for one in tools_of(hub, session)}
    if not isinstance(tool, str) or tool not in known:
        raise Refused("NOT_FOUND", f"there is no tool {str(tool)[:80]!r}. Known: {', '.join(known)}.", "name")
    if not isinstance(arguments, Mapping):
        raise Refused("VALIDATION_ERROR", "arguments: must be a mapping of names to values", "arguments")
    for name in arguments:
        if name not in known[tool]["properties"]:
            others = ", ".join(known[tool]["properties"])
            mend = f"Known: {others}." if others else "It takes none."
            message = f"the tool {tool} has no argument {str(name)[:80]!r}. {mend}"
            raise Refused("VALIDATION_ERROR", message, f"arguments.{str(name)[:80]}")
    if tool == "list_tasks":
        return {"tasks": await hub.catalogue.offers()}
    if tool == "explain":
        task = arguments.get("task")
        if task is not None and not isinstance(task, str):
            raise Refused("VALIDATION_ERROR", "arguments.task: must be text", "arguments.task")
        name = session.task if session is not None and task is None else hub.catalogue.name(task)
        problem = await hub.catalogue.ready(name)
        return {"task": name, "words": f"{problem.explain()}\n\n{problem.records().words()}"}
    if session is None:
        message = "this needs a session: initialize, or openenv/session/create, and send its id"
        raise Refused("UNKNOWN_SESSION", message, "session_id")
    if tool == "begin":
        return await hub.reset(session, dict(arguments), "arguments")
    if tool == "play":
        if "action" not in arguments:
            raise Refused("VALIDATION_ERROR", "arguments.action: this is required", "arguments.action")
        return session.step(arguments["action"])
    return {**wire.reply(session.env), "state": session.state(seed=not session.harness)}


# JSON-RPC -----------------------------------------------------------------------------------------------


def failure(code: int, message: str, id: Any = None, data: Any = None) -> dict[str, Any]:
    """Return an error in the form of JSON-RPC."""
    return {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message, "data": data}}


class Told(NamedTuple):
    """The reply to a request over HTTP.

    Attributes:
        body: None: nothing.
        status: The HTTP status.
        session_id: Of the session that `initialize` opened.
    """

    body: Any
    status: int = 200
    session_id: str | None = None


async def over_http(hub: Hub, body: bytes, version: str | None, named: str | None) -> Told:
    """Answer a request.

    Args:
        hub: What is served.
        body: One message, or in the version that knows them several.
        version: Of the protocol, as the header tells it.
        named: The session, as the header tells it.
    """
    if version is not None and version not in PROTOCOLS:
        message = f"Unsupported protocol version: {version[:20]}. Supported: {', '.join(PROTOCOLS)}"
        data = {"supported": list(PROTOCOLS), "requested": version[:20]}
        return Told(failure(VERSION, message, data=data), 400)
    try:
        asked = wire.loads(body)
    except Refused as error:
        return Told(failure(PARSE, error.message))
    begins = _method(asked) == "initialize"
    try:
        session = hub.sessions.get(named) if named is not None and not begins else None
    except Refused as error:  # the client is to begin anew
        return Told(failure(REQUEST, error.message, _id(asked), error.data()), 404)
    if isinstance(asked, list) and asked and version in (None, BATCHED):
        if len(asked) > MOST_BATCH:
            return Told(
                failure(REQUEST, f"Invalid request: a batch has at most {MOST_BATCH} messages, not {len(asked)}")
            )
        answers = []
        for message in asked:
            if _method(message) != "initialize":
                await hub.meter.turn()
                answers.append(await _one(hub, message, session))
        told: Any = [answer for answer in answers if answer is not None] or None
    else:
        told = await _one(hub, asked, session)
    if told is None:  # it was a remark, which has no answer
        return Told(None, 202)
    return Told(told, session_id=hub.sessions.new().id if begins and "result" in told else None)


async def _one(hub: Hub, asked: Any, session: Session | None) -> dict[str, Any] | None:
    """Answer a message in the session that it names, as OpenEnv's messages do, or in the one of the header."""
    params = asked.get("params") if isinstance(asked, Mapping) else None
    if isinstance(params, Mapping) and "session_id" in params and _method(asked) != "openenv/session/close":
        try:
            session = hub.sessions.get(str(params["session_id"]))
        except Refused as error:
            return failure(PARAMS, error.message, _id(asked), error.data())
    return await answer(hub, asked, session)


def _method(asked: Any) -> Any:
    return asked.get("method") if isinstance(asked, Mapping) else None


async def answer(hub: Hub, asked: Any, session: Session | None, own: bool = False) -> dict[str, Any] | None:
    """Answer a request; None for a notification, which has no answer.

    Args:
        hub: What is served.
        asked: The request.
        session: What its tools play in.
        own: Whether the session is that of the socket that asks.
    """
    if not isinstance(asked, Mapping) or asked.get("jsonrpc") != "2.0" or not isinstance(asked.get("method"), str):
        return failure(REQUEST, 'Invalid request: this should have "jsonrpc": "2.0" and a "method"', _id(asked))
    method, params, id = asked["method"], asked.get("params", {}), _id(asked)
    if method.startswith("notifications/"):
        return None
    if not isinstance(params, Mapping):
        return failure(PARAMS, "Invalid params: must be an object", id)
    try:
        return {"jsonrpc": "2.0", "id": id, "result": await _result(hub, method, params, session, own)}
    except Refused as error:
        code = METHOD if error.field == "method" else CODES.get(error.code, PARAMS)
        return failure(code, error.message, id, error.data())
    except Exception:
        LOG.exception("a tool failed")
        return failure(INTERNAL_CODE, INTERNAL, id)


async def _result(hub: Hub, method: str, params: Mapping[str, Any], session: Session | None, own: bool) -> Any:
    if method == "initialize":
        asked = params.get("protocolVersion")
        return {
            "protocolVersion": asked if asked in PROTOCOLS else PROTOCOLS[-1],
            "capabilities": {"tools": {"listChanged": False}},
            "serverInfo": {"name": "restock", "version": __version__},
        }
    if method == "ping":
        return {}
    if method == "tools/list":
        await hub.catalogue.ready(hub.catalogue.default if session is None else session.task)
        return {"tools": tools_of(hub, session)}
    if method == "tools/call":
        await hub.catalogue.ready(hub.catalogue.default if session is None else session.task)
        try:
            told = await call(hub, session, params.get("name"), params.get("arguments", {}))
        except Refused as error:
            if error.code in ("NOT_FOUND", "UNKNOWN_SESSION"):
                raise
            return _content(error.data(), failed=True)  # the model should read what it did wrong
        return _content(told)
    if method == "openenv/session/create":
        return {"session_id": (session if own and session is not None else hub.sessions.new()).id}
    if method == "openenv/session/close":
        return _closed(hub, params.get("session_id"), session if own else None)
    raise Refused("NOT_FOUND", f"Method not found: {method[:80]}", "method")


def _closed(hub: Hub, id: Any, own: Session | None) -> dict[str, Any]:
    if not isinstance(id, str):
        raise Refused("VALIDATION_ERROR", "Invalid params - 'session_id' is required", "session_id")
    if own is not None and id == own.id:
        raise Refused("SESSION_IN_USE", "this is the session of the socket itself: close the socket", "session_id")
    hub.sessions.close(hub.sessions.get(id).id)
    return {"session_id": id, "closed": True}


def _content(told: dict[str, Any], failed: bool = False) -> dict[str, Any]:
    text = {"type": "text", "text": wire.dumps(told)}
    return {"content": [text], "structuredContent": told, "isError": failed}


def _id(asked: Any) -> str | int | None:
    id = asked.get("id") if isinstance(asked, Mapping) else None
    return id if isinstance(id, (str, int)) and not isinstance(id, bool) else None
