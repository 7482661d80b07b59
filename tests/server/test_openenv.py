"""The server as OpenEnv sees it: its own clients play on it, its validator passes, its server runs our environment."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openenv.cli._validation import validate_running_environment
from openenv.core import GenericEnvClient
from openenv.core.env_server.http_server import create_app as openenv_app
from openenv.core.env_server.interfaces import TaskProvider
from openenv.core.mcp_client import MCPToolClient
from starlette.testclient import TestClient

import restock
from restock.envs.structured import StructuredEnvironment
from restock.server.errors import Refused
from restock.server.openenv import models
from restock.server.openenv.client import RestockEnv
from restock.server.openenv.environment import Contribution, RestockEnvironment
from restock.server.wire import BESIDE
from tests.server.serving import Running

PACKAGE = Path(restock.__file__).parent / "server" / "openenv" / "space"
TASKS = ["retail-easy", "divergent", "sharing", "production", "minimal"]
PERIODS = 60


def moves(env: StructuredEnvironment, seed: int) -> Iterator[dict[str, Any]]:
    """Actions for an episode, as JSON, and what each of them leads to where nobody else plays."""
    form = env.problem.action_form(env.records.form.kind)
    random = np.random.default_rng(seed)
    while not env.done and env.period < PERIODS:
        numbers = random.integers(0, form.high + 1) if form.discrete else np.round(random.uniform(0, form.high / 5))
        yield env.records.action(np.asarray(numbers, dtype=np.float64)).model_dump(mode="json")


def alone(task: str) -> StructuredEnvironment:
    """The problem of a task as the server plays it."""
    return StructuredEnvironment(task, **({"reward": "decomposed"} if task.startswith("retail") else {}))


@pytest.mark.parametrize("task", TASKS)
def test_a_stock_client_plays_an_episode(server: Running, task: str) -> None:
    env = alone(task)
    with GenericEnvClient(base_url=server.url).sync() as client:
        result = client.reset(seed=11, episode_id="mine", task=task)
        seen = env.reset(seed=11)
        for action in moves(env, 1):
            assert result.observation == {**seen.model_dump(mode="json", exclude={"reward", "done"}),
                                          "metadata": env.records.metadata(env.played)}  # fmt: skip
            assert (result.reward, result.done) == (seen.reward, seen.done)
            result, seen = client.step(action), env.step(action)
        state = client.state()
    assert result.done == env.done and result.reward == seen.reward
    assert (state["episode_id"], state["step_count"], state["task"], state["seed"]) == ("mine", env.period, task, 11)
    assert state["total_reward"] == pytest.approx(env.trajectory.rewards.sum())


@pytest.mark.parametrize("task", TASKS)
def test_the_typed_client_plays_an_episode(server: Running, task: str) -> None:
    env = alone(task)
    with RestockEnv(server.url, task=task).sync() as client:
        result, seen = client.reset(seed=5), env.reset(seed=5)
        action_type, observation_type = models.models_for(env.problem)
        for action in moves(env, 2):
            assert isinstance(result.observation, observation_type)
            fields = result.observation.model_dump(mode="json", exclude={"metadata"})
            assert fields == seen.model_dump(mode="json")
            result, seen = client.step(action_type(**action)), env.step(action)
        assert result.done == result.observation.done == env.done and result.observation.reward == seen.reward
        assert client.state().step_count == env.period and client.state().task == task


def test_the_typed_client_changes_its_task(server: Running) -> None:
    with RestockEnv(server.url).sync() as client:
        assert isinstance(client.reset().observation, dict)
        assert isinstance(client.reset(task="divergent").observation, models.NetworkObservation)
        assert isinstance(client.reset(task="hard").observation, models.RetailObservation)
        assert client.reset().observation.updated_inventory["toys"] == [(15, None)]
        with pytest.raises(RuntimeError, match="no such product"):
            client.step(models.RetailAction(buy_quantities={"bananas": 1}))
        assert client.step({}).observation.current_day == 1
    with pytest.raises(restock.InvalidInput):
        RestockEnv(server.url, task="esay")


def test_the_tool_client_of_openenv_uses_the_tools(server: Running) -> None:
    async def used() -> list[Any]:
        async with MCPToolClient(base_url=server.url) as client:
            tools = await client.list_tools()
            assert [tool.name for tool in tools] == ["list_tasks", "explain", "play", "look"]
            assert "buy_quantities" in str(tools[2].input_schema)
            await client.reset(task="easy", seed=3)
            played = await client.call_tool("play", action={"buy_quantities": {"toys": 5}})
            return [played, await client.call_tool("look")]

    before = len(server.hub.sessions)
    played, look = (told.get("structuredContent", told) for told in asyncio.run(used()))
    assert played["observation"]["current_day"] == 1
    assert look["state"]["step_count"] == 1 and look["observation"] == played["observation"]
    assert len(server.hub.sessions) == before


def test_tools_are_used_by_actions_too(server: Running) -> None:
    """OpenEnv lets a socket list and call tools by steps of their own."""
    with server.talk() as talk:
        tools = talk.step({"type": "list_tools"})["observation"]["tools"]
        assert {"name", "description", "input_schema"} == set(tools[0])
        talk.reset(task="easy", seed=3)
        wrong = talk.step({"type": "call_tool", "tool_name": "play", "arguments": {"action": {"buy": 1}}})
        assert wrong["observation"]["error"]["error_type"] == "invalid_args"
        wrong = talk.step({"type": "call_tool", "tool_name": "sell", "arguments": {}})
        assert wrong["observation"]["error"]["error_type"] == "tool_not_found"
        assert talk.state()["step_count"] == 0


def test_a_client_of_the_protocol_itself_uses_the_tools(server: Running) -> None:
    """Streamable HTTP, as models' own programs speak it: initialize, a session by header, typed failures."""
    from fastmcp import Client
    from fastmcp.exceptions import ToolError

    async def used() -> None:
        async with Client(f"{server.url}/mcp") as client:
            assert {tool.name for tool in await client.list_tools()} >= {"begin", "play", "explain"}
            words = (await client.call_tool("explain", {"task": "divergent"})).data or {}
            assert "markets ask" in str(words) or "supply" in str(words)
            begun = await client.call_tool("begin", {"task": "production", "seed": 1})
            assert begun.structured_content["observation"]["raw_material"] == 0.0
            played = await client.call_tool("play", {"action": {"choice": "buy"}})
            assert played.structured_content["observation"]["raw_material"] == 1.0
            with pytest.raises(ToolError, match=r"action\.choice"):
                await client.call_tool("play", {"action": {"choice": "sell"}})
            assert (await client.call_tool("look", {})).structured_content["state"]["step_count"] == 1

    asyncio.run(used())


def test_the_validator_passes_six_of_six(server: Running) -> None:
    report = validate_running_environment(server.url)
    assert report["passed"] and report["summary"]["passed_count"] == report["summary"]["total_count"] == 6
    assert report["standard_profile"] == "openenv-http/1.x" and report["mode"] == "simulation"


def test_the_package_passes_statically() -> None:
    command = "from openenv.cli.__main__ import main; main()"
    asked = ["validate", "--level", "static", "--skip-build", str(PACKAGE)]
    done = subprocess.run([sys.executable, "-c", command, *asked], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Verdict: PASS" in done.stdout, done.stdout + done.stderr


def test_what_the_manifest_declares_holds(server: Running) -> None:
    from restock.core.reading import read_yaml

    manifest: Any = read_yaml(PACKAGE / "openenv.yaml")
    declared = manifest["validation"]["capabilities"]
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    tools = server.ask("POST", "/mcp", asked).json()["result"]["tools"]
    assert [tool["name"] for tool in tools] == declared["declared_tools"]
    splits = [split["name"] for split in server.ask("GET", "/restock/splits").json()]
    assert list(declared["declared_task_count"]) == splits
    for split, count in declared["declared_task_count"].items():
        assert server.ask("POST", "/restock/num_tasks", {"split": split}).json() == {"num_tasks": count}
    module, _, name = manifest["app"].partition(":")
    from importlib import import_module

    assert getattr(import_module(f"restock.server.openenv.space.{module}"), name).title == "restock"
    low, high = manifest["validation"]["reward"]["range"]
    with server.talk() as talk:
        talk.reset(task="hard")
        rewards = [talk.step({"buy_quantities": {"toys": 900}, "liquidate": {"toys": 999}})["reward"] for _ in range(9)]
    assert low <= min(rewards) < -1.0 and max(rewards) <= high


@pytest.mark.parametrize("task", TASKS)
def test_no_schema_has_the_name_of_another(server: Running, task: str) -> None:
    """A schema called `Action` is that of an environment of tools to programs such as the tasks of verifiers."""
    kind = restock.load_problem(task).family.capitalize()
    told = server.ask("GET", f"/schema?task={task}").json()
    assert (told["action"]["title"], told["observation"]["title"]) == (f"{kind}Action", f"{kind}Observation")
    described = server.ask("GET", f"/problems/{task}").json()
    assert described["action"] == told["action"] == restock.load_problem(task).records().schemas()[0]
    assert described["observation"] == told["observation"] == told["reset_observation"]
    with server.talk() as talk:
        talk.reset(task=task)
        play = next(one for one in talk.step({"type": "list_tools"})["observation"]["tools"] if one["name"] == "play")
        assert play["input_schema"]["properties"]["action"] == told["action"]
    action, observation = models.models_for(restock.load_problem(task))
    assert (action.__name__, observation.__name__) == (f"{kind}Action", f"{kind}Observation")


def test_schemas_of_a_problem_from_outside_are_called_by_its_class(tmp_path: Path) -> None:
    from restock.problems.template import texts

    for name, text in texts("corner-shop").items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    action, observation = restock.load_problem(str(tmp_path)).records().schemas()
    assert (action["title"], observation["title"]) == ("CornerShopAction", "CornerShopObservation")


@pytest.mark.parametrize("written", ["{}", "```json\n{}\n```", " {} "], ids=["plain", "fenced", "spaced"])
def test_the_messages_of_the_tasks_of_verifiers_play_an_episode(server: Running, written: str) -> None:
    """The schema by HTTP, then a reset and steps by the stock client, each step what a model wrote."""
    schema = server.ask("GET", "/schema").json()["action"]
    assert schema["title"] not in {"Action", "CallToolAction", "ListToolsAction"} and not schema.get("required")
    with GenericEnvClient(base_url=server.url).sync() as client:
        result = client.reset(task="retail-easy")
        total, periods = 0.0, 0
        while not result.done:
            assert json.dumps({"observation": result.observation, "action_schema": schema})
            lines = written.strip().splitlines()
            said = "\n".join(lines[1:-1]) if lines[0].startswith("```") else written
            result = client.step(json.loads(said))
            total, periods = total + (result.reward or 0.0), periods + 1
        assert periods == 30 and client.state()["total_reward"] == pytest.approx(total)


# the environment class -------------------------------------------------------------------------------------


def test_the_environment_plays_tasks_by_name() -> None:
    env = RestockEnvironment()
    assert env.SUPPORTS_CONCURRENT_SESSIONS and env.get_metadata().name == "restock"
    first = env.reset(seed=4, episode_id="one", task="divergent")
    assert isinstance(first, models.NetworkObservation) and env.state.episode_id == "one"
    seen = env.step(models.NetworkAction(orders={}))
    assert (env.state.step_count, env.state.seed, env.state.task) == (1, 4, "divergent")
    assert seen.reward == alone_reward("divergent", 4)
    with pytest.raises(Refused, match="no such link"):
        env.step(models.NetworkAction(orders={"9->9": 1.0}))
    assert env.state.step_count == 1


def alone_reward(task: str, seed: int) -> float:
    env = alone(task)
    env.reset(seed=seed)
    return float(env.step({}).reward)


def test_the_rubric_tells_the_parts_of_the_reward() -> None:
    env = RestockEnvironment("hard")
    env.reset()
    seen = env.step(env.action_type(buy_quantities={"toys": 5}))
    assert isinstance(env.rubric, Contribution) and env.rubric.last_score == seen.reward
    parts = {name: part.last_score for name, part in env.rubric.named_rubrics() if name}
    assert set(parts) == set(alone("retail-hard").problem.parts)
    assert sum(parts.values()) == pytest.approx(seen.reward) and parts["capacity_score"] < 0.0


def test_the_environment_is_a_provider_of_tasks() -> None:
    env: TaskProvider = RestockEnvironment()
    assert [split["name"] for split in env.list_splits()] == ["retail", "all"]
    assert [task["id"] for task in env.list_tasks("retail")] == ["retail-easy", "retail-medium", "retail-hard"]
    assert env.num_tasks("all") == len(env.get_task_range("all", 0)) >= 10
    assert env.get_task("retail", 2)["id"] == "retail-hard" and env.get_task_range("retail", 1, 2)[0]["index"] == 1
    with pytest.raises(IndexError):
        env.get_task("retail", 3)
    assert RestockEnvironment().reset(split="retail", index=0).updated_inventory["toys"] == [(10, None)]


def test_openenvs_own_server_runs_the_environment() -> None:
    app = openenv_app(
        RestockEnvironment, models.RetailAction, models.RetailObservation, env_name="restock", max_concurrent_envs=2,
        state_cls=models.RestockState,
    )  # fmt: skip
    with TestClient(app) as client:
        assert client.post("/reset", json={"task": "easy"}).json()["observation"]["total_cash"] == 1000.0
        assert client.post("/restock/num_tasks", json={"split": "retail"}).json() == {"num_tasks": 3}
        with client.websocket_connect("/ws") as one, client.websocket_connect("/ws") as other:
            for line, task in ((one, "easy"), (other, "hard")):
                line.send_json({"type": "reset", "data": {"task": task, "seed": 1}})
                assert line.receive_json()["type"] == "observation"
            one.send_json({"type": "step", "data": {"buy_quantities": {"toys": 5}, "delivery_method": "fast"}})
            told = one.receive_json()["data"]
            env = alone("retail-easy")
            env.reset(seed=1)
            assert told["reward"] == env.step({"buy_quantities": {"toys": 5}, "delivery_method": "fast"}).reward
            other.send_json({"type": "state"})
            assert other.receive_json()["data"]["step_count"] == 0


def test_every_family_has_its_models() -> None:
    for task in TASKS:
        action, observation = models.models_for(restock.load_problem(task))
        records = restock.load_problem(task).records()
        assert set(action.model_fields) == {*records.action_type.model_fields, "metadata"}
        assert set(observation.model_fields) == {*records.observation_type.model_fields, "metadata"}
        assert action.model_config["extra"] == observation.model_config["extra"] == "forbid"
        for name, field in records.observation_type.model_fields.items():
            if name not in BESIDE:
                assert observation.model_fields[name].description == field.description
