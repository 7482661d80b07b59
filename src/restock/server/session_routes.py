"""Sessions over plain HTTP, for clients that keep no socket open; and the list of tasks."""

from __future__ import annotations

from typing import Annotated, Any

import pydantic

from restock.server.hub import Hub, Reset
from restock.server.needs_server import APIRouter, Path, Response
from restock.server.replies import Opened, Reply, Seen, StrictReply, may_fail
from restock.server.requests import StrictRoute
from restock.server.routes import Step
from restock.server.schemas import SessionState
from restock.server.session import Session

NOT_BEGUN = ("CAPACITY_REACHED", "SESSION_IN_USE", "EPISODE_UNDER_WAY", "NO_EPISODE_LEFT", "JUDGED")
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
    state: dict[str, Any] = pydantic.Field(description="JSON schema of the state of an episode")


class Closed(StrictReply):
    """A session that was closed."""

    session_id: str
    closed: bool


def reset_by_program(session: Session) -> Session:
    """Return the session, marked as reset by a program, so that no tool resets it."""
    session.harness = True
    return session


def sessions(hub: Hub) -> APIRouter:
    """Return the router."""
    router = APIRouter(default_response_class=Reply, route_class=StrictRoute)
    catalogue = hub.catalogue
    unknown = may_fail("UNKNOWN_SESSION", "VALIDATION_ERROR")

    @router.get("/problems", response_model=Offers, summary="What can be played", responses=may_fail())
    async def problems() -> Response:
        return Reply({"problems": await catalogue.offers()})

    @router.get(
        "/problems/{task:path}",
        response_model=Description,
        summary="A problem in words, with its schemas",
        responses=may_fail("UNKNOWN_TASK", "VALIDATION_ERROR"),
    )
    async def problem(task: Annotated[str, Path(max_length=255)]) -> Response:
        name = catalogue.name(task)
        found = await catalogue.ready(name)
        words = f"{found.explain()}\n\n{found.records().words()}"
        return Reply({**catalogue.offer(name), "words": words, **catalogue.schemas(name)})

    @router.post(
        "/sessions",
        response_model=Opened,
        status_code=201,
        summary="Open a session and begin an episode",
        responses=may_fail("INVALID_JSON", "UNKNOWN_TASK", "VALIDATION_ERROR", *NOT_BEGUN),
    )
    async def open_session(asked: Reset | None = None) -> Response:
        session = reset_by_program(hub.sessions.new())
        told = await hub.reset(session, asked or Reset())
        return Reply({"session_id": session.id, "task": session.task, "metadata": None, **told}, 201)

    @router.post(
        "/sessions/{session_id}/reset",
        response_model=Seen,
        summary="Begin another episode",
        responses=may_fail("INVALID_JSON", "UNKNOWN_SESSION", "UNKNOWN_TASK", "VALIDATION_ERROR", *NOT_BEGUN),
    )
    async def reset(session_id: Id, asked: Reset | None = None) -> Response:
        told = await hub.reset(reset_by_program(hub.sessions.get(session_id)), asked or Reset())
        return Reply({"metadata": None, **told})

    @router.post(
        "/sessions/{session_id}/step",
        response_model=Seen,
        summary="Play a period",
        responses=may_fail("INVALID_JSON", "UNKNOWN_SESSION", "NO_EPISODE", "EPISODE_OVER", "VALIDATION_ERROR"),
    )
    async def step(session_id: Id, asked: Step) -> Response:
        return Reply({"metadata": None, **hub.sessions.get(session_id).step(asked.action)})

    @router.get(
        "/sessions/{session_id}/state",
        response_model=SessionState,
        summary="State of the episode",
        responses=unknown,
    )
    async def state(session_id: Id) -> Response:
        return Reply(hub.sessions.get(session_id).state())

    @router.delete("/sessions/{session_id}", response_model=Closed, summary="Close a session", responses=unknown)
    async def close(session_id: Id) -> Response:
        session = hub.sessions.get(session_id)
        hub.sessions.close(session.id)
        return Reply({"session_id": session.id, "closed": True})

    return router
