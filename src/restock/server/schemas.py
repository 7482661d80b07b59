"""The JSON schemas of a problem as a client meets it: its records as they are sent."""

from __future__ import annotations

from typing import Any

import pydantic

from restock.core.problem import Problem
from restock.server.wire import BESIDE

METADATA = {
    "additionalProperties": True,
    "description": "what else is told about the period, as it stands beside the observation too",
    "title": "Metadata",
    "type": "object",
}


class State(pydantic.BaseModel):
    """The state of an episode, besides the observation."""

    episode_id: str | None = pydantic.Field(description="what the episode is called")
    step_count: int = pydantic.Field(ge=0, description="periods that were played")


class SessionState(State):
    """The state of a session; some problems add fields."""

    task: str | None = pydantic.Field(None, description="what is played")
    seed: int | None = pydantic.Field(None, description="seed of the episode; not told in a judged one")
    done: bool | None = pydantic.Field(None, description="whether the episode is over")
    total_reward: float | None = pydantic.Field(None, description="sum of the rewards so far")


def schemas(problem: Problem) -> dict[str, dict[str, Any]]:
    """Return the schemas of `action`, `observation` and `state`.

    Reward and done stand beside an observation that is sent, and within one that is an object of OpenEnv: the schema
    of an observation allows both.
    """
    records = problem.records()
    action, seen = records.schemas()
    seen["properties"]["metadata"] = METADATA
    seen["required"] = [name for name in seen["required"] if name not in BESIDE]
    state = SessionState.model_json_schema()
    state["properties"] |= records.summary_type.model_json_schema().get("properties", {})
    state["title"] = f"{records.title}State"
    return {"action": action, "observation": seen, "state": {**state, "additionalProperties": False}}
