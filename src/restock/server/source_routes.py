"""The routes of the published store: its tasks, its grader, and the score of a policy that needs no model."""

from __future__ import annotations

import asyncio
import math
from typing import Annotated, Any

import pydantic

from restock.core.errors import shown
from restock.problems.retail.grader import Scale, scale
from restock.problems.retail.load import load, tasks
from restock.server.errors import Refused
from restock.server.needs_server import APIRouter, Query, Response
from restock.server.replies import Reply, StrictReply, may_fail


class PublishedTask(StrictReply):
    """A task of the published store."""

    task_name: str
    seed: int
    max_days: int
    initial_cash: float
    initial_stock: dict[str, int]
    inventory_capacity: dict[str, int]
    base_demand: dict[str, list[int]]
    events: dict[str, int]


class Tasks(StrictReply):
    """The tasks of the published store."""

    tasks: list[PublishedTask]


class Graded(StrictReply):
    """A profit and its score."""

    task_name: str
    agent_profit: float
    floor: float
    ceiling: float
    score: float = pydantic.Field(description="as published, 0.002 to 0.998")


class Baseline(StrictReply):
    """The score of a policy that needs no model."""

    task_name: str
    score: float = pydantic.Field(description="as published, 0.002 to 0.998")
    policy: str
    profit: float
    unclamped: float = pydantic.Field(description="the same score, wherever it lies")


TaskName = Annotated[str, Query(max_length=255, description="easy, medium or hard")]


def source() -> APIRouter:
    """Return the router."""
    router = APIRouter(default_response_class=Reply)
    scales: dict[str, Scale] = {}
    scored: dict[str, dict[str, Any]] = {}
    scoring = asyncio.Lock()

    def graded_by(name: str) -> Scale:
        if name not in tasks():
            message = f"Unknown task: {name[:80]}. Available: {tasks()}"
            raise Refused("UNKNOWN_TASK", message, "task_name", name[:80], error=message)
        if name not in scales:
            scales[name] = scale(_store(name))
        return scales[name]

    def score(name: str) -> dict[str, Any]:
        from restock.evaluation.grading import BASELINE, grade_policy

        found = grade_policy(_store(name))
        told = {"score": found.score, "policy": BASELINE, "profit": found.profit, "unclamped": found.unclamped}
        return {"task_name": name, **told}

    @router.get("/tasks", response_model=Tasks, summary="The published stores", responses=may_fail())
    async def list_tasks() -> Response:
        return Reply({"tasks": [_described(name) for name in tasks()]})

    @router.post(
        "/grader",
        response_model=Graded,
        summary="Score of a profit",
        responses=may_fail("UNKNOWN_TASK", "VALIDATION_ERROR"),
    )
    async def grader(
        task_name: TaskName, agent_profit: Annotated[float, Query(description="of the episode (money)")]
    ) -> Response:
        by = graded_by(task_name)
        if not math.isfinite(agent_profit):
            message = f"agent_profit = {agent_profit}: must be an amount of money"
            raise Refused("VALIDATION_ERROR", message, "agent_profit", shown(agent_profit))
        told = {"floor": by.floor, "ceiling": by.ceiling, "score": by.score(agent_profit)}
        return Reply({"task_name": task_name, "agent_profit": agent_profit, **told})

    @router.get(
        "/baseline",
        response_model=Baseline,
        summary="Score of a policy that needs no model",
        responses=may_fail("UNKNOWN_TASK", "VALIDATION_ERROR"),
    )
    async def baseline(task_name: TaskName = "easy") -> Response:
        graded_by(task_name)
        async with scoring:  # the first time compiles
            if task_name not in scored:
                scored[task_name] = await asyncio.to_thread(score, task_name)
        return Reply(scored[task_name])

    return router


def _store(name: str) -> Any:
    return load(task=name)


def _described(name: str) -> dict[str, Any]:
    spec = _store(name).spec
    return {
        "task_name": name,
        "seed": spec.seed,
        "max_days": spec.horizon,
        "initial_cash": spec.initial_cash,
        "initial_stock": {product.name: product.initial_stock for product in spec.products},
        "inventory_capacity": {product.name: product.capacity for product in spec.products},
        "base_demand": {product.name: list(product.demand) for product in spec.products},
        "events": dict(spec.events),
    }
