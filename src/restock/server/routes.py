"""The routes of OpenEnv over plain HTTP. They are stateless: every request plays an episode of its own."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import pydantic

from restock import __version__
from restock.core.validation import LARGEST, WHOLE, Spec
from restock.server import alive, mcp
from restock.server.catalogue import splits as split_names
from restock.server.errors import Refused
from restock.server.hub import Hub, Reset
from restock.server.needs_server import APIRouter, Query, Request, Response
from restock.server.replies import Health, Metadata, Reply, Schemas, Seen, may_fail
from restock.server.requests import StrictRoute
from restock.server.schemas import State

NAME = "restock"
ABOUT = (
    "Inventory problems: stores with perishable goods, supply networks, locations that share stock, a plant. Each is "
    "described in words and units at GET /problems; the same problems run as Gymnasium environments in the package."
)
STATELESS = (
    "Stateless, as in every OpenEnv server: the episode is gone with the reply. Play over the WebSocket /ws, or over "
    "/sessions."
)
Task = Annotated[str | None, Query(max_length=255, description="What is played; see GET /problems")]


class Step(Spec):
    """An action, and what an OpenEnv client may send with it."""

    model_config = pydantic.ConfigDict(json_schema_extra={"examples": [{"action": {}}]})

    action: dict[str, Any] = pydantic.Field(description="the fields of the action; see GET /schema")
    timeout_s: float | None = pydantic.Field(None, gt=0, le=LARGEST, description="taken, and not needed")
    request_id: str | None = pydantic.Field(None, max_length=255, description="taken, and not needed")


class Split(Spec):
    """The name of a split."""

    split: str = pydantic.Field(max_length=255)


class Indexed(Split):
    """One task of a split."""

    index: Annotated[int, pydantic.Field(ge=0, le=10**9), WHOLE]


Place = Annotated[int, pydantic.Field(ge=-(10**9), le=10**9), WHOLE]


class Ranged(Split):
    """A slice of the tasks of a split."""

    start: Place | None = None
    stop: Place | None = None


def openenv(hub: Hub) -> APIRouter:
    """Return the router."""
    router = APIRouter(default_response_class=Reply, route_class=StrictRoute)
    catalogue = hub.catalogue

    @router.post(
        "/reset",
        response_model=Seen,
        summary="First observation of an episode",
        description=STATELESS,
        responses=may_fail("INVALID_JSON", "UNKNOWN_TASK", "VALIDATION_ERROR", "JUDGED"),
    )
    async def reset(asked: Reset | None = None) -> Response:
        told = await hub.reset(hub.loose(), asked or Reset())
        return Reply({"metadata": None, **told})

    @router.post(
        "/step",
        response_model=Seen,
        summary="First period of an episode of the default task",
        description=STATELESS,
        responses=may_fail("INVALID_JSON", "VALIDATION_ERROR", "JUDGED"),
    )
    async def step(asked: Step) -> Response:
        session = hub.loose()
        await hub.reset(session, Reset())
        return Reply({"metadata": None, **session.step(asked.action)})

    @router.get(
        "/state",
        response_model=State,
        summary="State of an episode that has not begun",
        description=STATELESS,
        responses=may_fail(),
    )
    async def state() -> Response:
        return Reply({"episode_id": str(uuid.uuid4()), "step_count": 0})

    @router.get(alive.PATH, response_model=Health, summary="Whether the server is well", responses=may_fail())
    async def health() -> Response:
        return Reply(Health().model_dump())

    @router.get("/metadata", response_model=Metadata, summary="What the server offers", responses=may_fail())
    async def metadata() -> Response:
        return Reply(Metadata(name=NAME, description=ABOUT, version=__version__).model_dump())

    @router.get(
        "/schema",
        response_model=Schemas,
        summary="JSON schemas of action, observation and state",
        responses=may_fail("UNKNOWN_TASK", "VALIDATION_ERROR"),
    )
    async def schema(task: Task = None) -> Response:
        name = catalogue.name(task)
        await catalogue.ready(name)
        told = catalogue.schemas(name)
        return Reply({**told, "reset_observation": told["observation"]})

    @router.get("/list_environments", summary="The name of the environment", responses=may_fail())
    async def environments() -> list[str]:
        return [NAME]

    @router.get("/{env_name}/splits", summary="Splits of the tasks", responses=may_fail("NOT_FOUND"))
    async def splits(env_name: str) -> list[dict[str, str]]:
        _check(env_name)
        return [{"name": name, "type": "test"} for name in split_names()]

    unknown = may_fail("INVALID_JSON", "NOT_FOUND", "UNKNOWN_TASK", "VALIDATION_ERROR")

    def spec(split: str, index: int) -> dict[str, Any]:
        return {"id": catalogue.splits(split)[index], "split": split, "index": index}

    @router.post("/{env_name}/tasks", summary="All tasks of a split", responses=unknown)
    async def list_tasks(env_name: str, asked: Split) -> dict[str, Any]:
        _check(env_name)
        count = len(catalogue.splits(asked.split))
        return {"tasks": [spec(asked.split, k) for k in range(count)], "env_name": NAME}

    @router.post("/{env_name}/num_tasks", summary="How many tasks a split has", responses=unknown)
    async def num_tasks(env_name: str, asked: Split) -> dict[str, int]:
        _check(env_name)
        return {"num_tasks": len(catalogue.splits(asked.split))}

    @router.post("/{env_name}/task", summary="One task of a split", responses=unknown)
    async def one_task(env_name: str, asked: Indexed) -> dict[str, Any]:
        _check(env_name)
        count = len(catalogue.splits(asked.split))
        if asked.index >= count:
            raise Refused("UNKNOWN_TASK", f"the split has {count} tasks", "index", str(asked.index))
        return {"task": spec(asked.split, asked.index)}

    @router.post("/{env_name}/task_range", summary="Some tasks of a split", responses=unknown)
    async def task_range(env_name: str, asked: Ranged) -> dict[str, Any]:
        _check(env_name)
        places = range(len(catalogue.splits(asked.split)))[asked.start : asked.stop]
        return {"tasks": [spec(asked.split, k) for k in places]}

    not_known: dict[int | str, dict[str, Any]] = {
        400: {"description": "the protocol is another"},
        404: {"description": "there is no such session"},
    }

    header = {"name": mcp.HEADER, "in": "header", "required": True, "schema": {"type": "string"}}

    @router.post(
        "/mcp",
        summary="Tools for models, as JSON-RPC",
        description="The Model Context Protocol: initialize, tools/list, tools/call; openenv/session/create and "
        "openenv/session/close. Errors are told as JSON-RPC tells them, with status 200; only what the headers say, of "
        "the protocol and of the session, has another.",
        responses={**may_fail(), 202: {"description": "a remark, which has no answer"}, **not_known},
        openapi_extra={"requestBody": {"content": {"application/json": {"schema": {}}}}},
    )
    async def tools(request: Request) -> Response:
        headers = request.headers
        told = await mcp.over_http(hub, await request.body(), headers.get(mcp.VERSION_HEADER), headers.get(mcp.HEADER))
        named = {} if told.session_id is None else {mcp.HEADER: told.session_id}
        return Response(status_code=told.status) if told.body is None else Reply(told.body, told.status, named)

    @router.delete(
        "/mcp",
        status_code=204,
        response_class=Response,
        summary="End the session of the header Mcp-Session-Id",
        responses={**may_fail("UNKNOWN_SESSION"), **not_known},
        openapi_extra={"parameters": [header]},
    )
    async def end(request: Request) -> Response:
        named = request.headers.get(mcp.HEADER)
        if named is None:
            missing = Refused("VALIDATION_ERROR", f"the header {mcp.HEADER} must name the session to end", mcp.HEADER)
            return Reply(missing.data(), 400)
        hub.sessions.close(hub.sessions.get(named).id)
        return Response(status_code=204)

    return router


def _check(env_name: str) -> None:
    if env_name.lower() != NAME:
        raise Refused("NOT_FOUND", f"there is no environment {env_name[:80]!r}. Known: {NAME}.", "env_name")
