"""Sessions over plain HTTP, for clients that keep no socket open; and what can be played."""

from __future__ import annotations

from typing import Annotated, Any

import pydantic

from restock.server.hub import Hub, Reset
from restock.server.needs_server import APIRouter, Path, Response
from restock.server.replies import Opened, Reply, Seen, State, StrictReply, may_fail
from restock.server.routes import Step
from restock.server.schemas import schema_of

Id = Annotated[str, Path(max_length=255, description="As POST /sessions told it")]


class Offer(StrictReply):
    """A problem that can be played."""

    task: str = pydantic.Field(description="its name")
    family: str = pydantic.Field(description="the kind of problem")
    horizon: int = pydantic.Field(description="most periods of an episode")
    default: bool = pydantic.Field(description="whether it is played where no task is named")


class Offers(StrictReply):
    """All of them."""

    problems: list[Offer]


class Description(Offer):
    """A problem in words."""

    words: str = pydantic.Field(description="the problem, and the fields of its actions and observations")
    action: dict[str, Any] = pydantic.Field(description="JSON schema of an action")
    observation: dict[str, Any] = pydantic.Field(description="JSON schema of an observation")


class Closed(StrictReply):
    """A session that was closed."""

    session_id: str
    closed: bool


def sessions(hub: Hub) -> APIRouter:
    """The router."""
    router = APIRouter(default_response_class=Reply)
    catalogue = hub.catalogue
    unknown = may_fail("UNKNOWN_SESSION", "VALIDATION_ERROR")

    @router.get("/problems", response_model=Offers, summary="What can be played", responses=may_fail())
    async def problems() -> Response:
        return Reply({"problems": await catalogue.offers()})

    @router.get(
        "/problems/{task}",
        response_model=Description,
        summary="A problem in words, with its schemas",
        responses=may_fail("UNKNOWN_TASK", "VALIDATION_ERROR"),
    )
    async def problem(task: Annotated[str, Path(max_length=255)]) -> Response:
        name = catalogue.name(task)
        found = await catalogue.ready(name)
        records = found.records()
        return Reply(
            {
                **catalogue.offer(name),
                "words": f"{found.explain()}\n\n{records.words()}",
                "action": schema_of(records.action_type),
                "observation": schema_of(records.observation_type),
            }
        )

    @router.post(
        "/sessions",
        response_model=Opened,
        status_code=201,
        summary="Open a session and begin an episode",
        responses=may_fail("INVALID_JSON", "UNKNOWN_TASK", "VALIDATION_ERROR", "CAPACITY_REACHED"),
    )
    async def open_session(asked: Reset | None = None) -> Response:
        session = hub.open()
        try:
            told = await hub.reset(session, asked or Reset())
        except BaseException:
            hub.sessions.close(session.id)
            raise
        return Reply({"session_id": session.id, "task": session.task, "metadata": None, **told}, 201)

    @router.post(
        "/sessions/{session_id}/reset",
        response_model=Seen,
        summary="Begin another episode",
        responses=may_fail("INVALID_JSON", "UNKNOWN_SESSION", "UNKNOWN_TASK", "VALIDATION_ERROR"),
    )
    async def reset(session_id: Id, asked: Reset | None = None) -> Response:
        told = await hub.reset(hub.sessions.get(session_id), asked or Reset())
        return Reply({"metadata": None, **told})

    @router.post(
        "/sessions/{session_id}/step",
        response_model=Seen,
        summary="Play a period",
        responses=may_fail("INVALID_JSON", "UNKNOWN_SESSION", "NO_EPISODE", "EPISODE_OVER", "VALIDATION_ERROR"),
    )
    async def step(session_id: Id, asked: Step) -> Response:
        return Reply({"metadata": None, **hub.sessions.get(session_id).step(asked.action)})

    @router.get("/sessions/{session_id}/state", response_model=State, summary="State of the episode", responses=unknown)
    async def state(session_id: Id) -> Response:
        return Reply(hub.sessions.get(session_id).state())

    @router.delete("/sessions/{session_id}", response_model=Closed, summary="Close a session", responses=unknown)
    async def close(session_id: Id) -> Response:
        session = hub.sessions.get(session_id)
        hub.sessions.close(session.id)
        return Reply({"session_id": session.id, "closed": True})

    return router
