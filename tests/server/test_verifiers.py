"""The OpenEnv taskset of the package `verifiers` (0.4.0) plays here: what it sends and reads, step by step."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from restock.envs.structured import StructuredEnvironment
from tests.server.serving import Running

# An action of such a title, it takes for one that calls tools, and offers the model the tools in its place.
TITLES_OF_TOOLS = ("Action", "CallToolAction", "ListToolsAction")
ACTION = {"buy_quantities": {"toys": 2}, "delivery_method": "slow"}
REPLIES = {
    "plain": json.dumps(ACTION),
    "fenced": f"```json\n{json.dumps(ACTION, indent=2)}\n```",
    "empty": "{}",
}


def action_of(reply: str, schema: dict[str, Any]) -> Any:
    """The action that the taskset reads from a reply: JSON, with a fence around it or without."""
    text = reply.strip()
    if text.startswith("```") and text.endswith("```"):
        text = "\n".join(text.splitlines()[1:-1]).strip()
    found = json.loads(text)
    if isinstance(found, dict):
        return found
    (name,) = schema["required"]
    return {name: found}


def played(server: Running, model: Callable[[str], str], **reset: Any) -> tuple[float, int]:
    """One episode as the taskset plays it: the schema over HTTP, the rest over a socket; its reward and its turns."""
    schema = server.ask("GET", "/schema").json()["action"]
    assert schema["title"] not in TITLES_OF_TOOLS
    total, turns = 0.0, 0
    with server.talk() as talk:
        result = talk.reset(**reset)
        while not result["done"]:
            told = json.dumps({"observation": result["observation"], "action_schema": schema}, ensure_ascii=False)
            result = talk.step(action_of(model(told), schema))
            total, turns = total + (result["reward"] or 0.0), turns + 1
    return total, turns


@pytest.mark.parametrize("kind", REPLIES)
def test_an_episode_of_the_easy_store_is_played_to_the_end(server: Running, kind: str) -> None:
    env = StructuredEnvironment("retail-easy", reward="decomposed")
    env.reset(seed=100)
    while not env.done:
        env.step({} if kind == "empty" else ACTION)
    total, turns = played(server, lambda told: REPLIES[kind], task="retail-easy", seed=100)
    assert turns == 30 and total == pytest.approx(env.trajectory.rewards.sum())


def test_the_model_is_told_the_action_and_no_tools(server: Running) -> None:
    seen: list[dict[str, Any]] = []

    def model(told: str) -> str:
        seen.append(json.loads(told))
        return "{}"

    played(server, model, task="retail-easy")
    assert seen[0]["action_schema"]["title"] == "RetailAction"
    assert set(seen[0]["action_schema"]["properties"]) >= set(ACTION)
    assert [told["observation"]["current_day"] for told in seen] == list(range(30))
