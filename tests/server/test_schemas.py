"""The schemas that the server publishes say what it sends and what it takes, for every task and at every door."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from restock import load_problem
from restock.core.errors import InvalidInput
from restock.core.records import PlainRecords
from restock.problems.load import shipped
from restock.server.errors import Refused
from restock.server.session import Session
from tests.server.serving import Running

TASKS = tuple(shipped())
PERIODS = 12  # of each episode
Door = Callable[[Running, str, Callable[[], dict[str, Any]]], Iterator[dict[str, Any]]]


def valid(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Actions that a schema allows, often at its bounds."""
    entries = {
        name: st.fixed_dictionaries({}, optional={key: single(one) for key, one in told["properties"].items()})
        if "properties" in told else single(told)
        for name, told in schema["properties"].items()
    }  # fmt: skip
    return st.fixed_dictionaries({}, optional=entries)


def single(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    low, high = schema.get("minimum", -1e300), schema.get("maximum", 1e300)
    whole = st.integers(int(low), int(high)) | st.sampled_from([low, high]) | st.sampled_from([low, high]).map(float)
    return whole if schema["type"] == "integer" else st.floats(low, high) | whole


def perhaps(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Actions of the right shape or nearly so."""
    odd = st.sampled_from([
        None, True, "", "slow", "buy", [], {}, 0, -0.0, 1, 2.0, 2.5, -1, -0.001, 5, 6, 40, 41, 10**9, 10**9 + 1, 1e300,
    ])  # fmt: skip
    names = {key for told in schema["properties"].values() for key in told.get("properties", ())}
    mapping = st.dictionaries(st.sampled_from([*sorted(names), "nobody", "0->99"]), odd, max_size=3)
    fields = {name: mapping | odd for name in schema["properties"]} | {"more": odd}
    return st.fixed_dictionaries({}, optional=fields)


def play(task: str) -> Callable[[], dict[str, Any]]:
    """Random legal play: what to do next, in words that the schema of the task allows."""
    schema, rng = load_problem(task).records().schemas()[0], random.Random(task)

    def entry(told: dict[str, Any]) -> Any:
        if "enum" in told:
            return rng.choice(told["enum"])
        if "properties" in told:
            return {key: entry(one) for key, one in told["properties"].items() if rng.random() < 0.6}
        most = min(told.get("maximum", 1.5), 8)
        return rng.randint(0, int(most)) if told["type"] == "integer" else round(rng.uniform(0, most), 3)

    return lambda: {name: entry(told) for name, told in schema["properties"].items() if rng.random() < 0.9}


def over_sessions(server: Running, task: str, act: Callable[[], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    opened = server.ask("POST", "/sessions", {"task": task, "seed": 1}).json()
    session = f"/sessions/{opened['session_id']}"
    yield opened
    for _ in range(PERIODS):
        yield server.ask("POST", f"{session}/step", {"action": act()}).json()
    yield server.ask("POST", f"{session}/reset", {}).json()
    yield {"state": server.ask("GET", f"{session}/state").json()}
    server.ask("DELETE", session)


def over_the_socket(server: Running, task: str, act: Callable[[], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    with server.talk() as talk:
        yield {"state": talk.state()}
        yield talk.reset(task=task, seed=2)
        for _ in range(PERIODS):
            yield talk.step(act())
        yield {"state": talk.state()}


def over_tools(server: Running, task: str, act: Callable[[], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    with server.talk("/mcp") as talk:

        def use(tool: str, **arguments: Any) -> Any:
            asked = {"method": "tools/call", "params": {"name": tool, "arguments": arguments}}
            told = talk.ask({"jsonrpc": "2.0", "id": 1, **asked})["result"]
            assert json.loads(told["content"][0]["text"]) == told["structuredContent"]
            return told["structuredContent"]

        yield use("begin", task=task, seed=3)
        for _ in range(PERIODS):
            yield use("play", action=act())
        yield use("look")


def without_a_session(server: Running, task: str, act: Callable[[], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield server.ask("POST", "/reset", {"task": task}).json()
    yield {"state": server.ask("GET", "/state").json()}
    if task == server.hub.catalogue.default:
        yield server.ask("POST", "/step", {"action": act()}).json()


@pytest.mark.parametrize("door", [over_sessions, over_the_socket, over_tools, without_a_session])
@pytest.mark.parametrize("task", TASKS)
def test_what_is_sent_holds_to_the_schema(server: Running, task: str, door: Door) -> None:
    told = server.ask("GET", f"/schema?task={task}").json()
    described = server.ask("GET", f"/problems/{task}").json()
    assert described["observation"] == told["observation"] and described["action"] == told["action"]
    kinds = [Draft202012Validator(told[name]) for name in ("observation", "reset_observation", "state", "action")]
    for kind in kinds:
        kind.check_schema(kind.schema)
    observation, reset_observation, state, action = kinds
    act, met = play(task), 0

    def acting() -> dict[str, Any]:
        wanted = act()
        action.validate(wanted)
        return wanted

    for reply in door(server, task, acting):
        if "state" in reply:
            state.validate(reply["state"])
        if "observation" in reply:
            met += 1
            observation.validate(reply["observation"])
            reset_observation.validate(reply["observation"])
            # Classes of OpenEnv keep both within the observation.
            observation.validate({**reply["observation"], "reward": reply["reward"], "done": reply["done"]})
            assert set(reply["observation"]) <= set(told["observation"]["properties"])
    assert met


@pytest.mark.parametrize("task", TASKS)
def test_the_schema_of_the_state_names_all_that_it_has(server: Running, task: str) -> None:
    schema = server.ask("GET", f"/schema?task={task}").json()["state"]
    with server.talk() as talk:
        talk.reset(task=task, seed=1)
        assert set(talk.state()) == set(schema["properties"])
    assert all(one["description"] for one in schema["properties"].values())


@pytest.fixture(scope="module", params=TASKS)
def played(request: pytest.FixtureRequest) -> tuple[Session, dict[str, Any]]:
    """A session of a task, and the schema of its actions."""
    problem = load_problem(request.param)
    session = Session(request.param)
    session.reset(request.param, problem, 1)
    return session, problem.records().schemas()[0]


def taken(session: Session, action: Any) -> bool:
    """Whether the server plays an action; the episode begins anew where it is over."""
    if session.env.done:
        session.reset(session.task, session.env.problem, 1)
    try:
        session.step(action)
    except Refused as error:
        assert error.code == "VALIDATION_ERROR", error
        return False
    return True


@given(data=st.data())
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_what_the_schema_allows_is_taken(played: tuple[Session, dict[str, Any]], data: st.DataObject) -> None:
    session, schema = played
    action = data.draw(valid(schema))
    Draft202012Validator(schema).validate(action)
    assert taken(session, action), action


@given(data=st.data())
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_the_schema_allows_what_is_taken_and_nothing_else(
    played: tuple[Session, dict[str, Any]], data: st.DataObject
) -> None:
    session, schema = played
    action = data.draw(perhaps(schema))
    assert Draft202012Validator(schema).is_valid(action) == taken(session, action), action


@pytest.mark.parametrize("task", ["minimal", "serial", "production"])
@given(data=st.data())
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_a_problem_without_records_of_its_own_has_such_a_schema_too(task: str, data: st.DataObject) -> None:
    """Of every number to decide, its bounds."""
    records = PlainRecords(load_problem(task))
    schema = records.schemas()[0]
    Draft202012Validator.check_schema(schema)
    assert set(schema["properties"]["decision"]["properties"]) == set(records.form.labels)
    action = data.draw(valid(schema) | perhaps(schema))
    try:
        records.decision(action)
        played = True
    except InvalidInput:
        played = False
    assert Draft202012Validator(schema).is_valid(action) == played, action


def test_text_is_read_within_a_field_and_not_in_place_of_an_action(server: Running) -> None:
    """As by the published store; the schema describes neither."""
    whole, within = '{"order": 1}', {"orders": '{"4->2": 30}'}
    opened = server.ask("POST", "/sessions", {"task": "divergent", "seed": 1}).json()["session_id"]
    reply = server.ask("POST", f"/sessions/{opened}/step", {"action": whole})
    assert reply.status_code == 422 and "must be a mapping" in reply.json()["message"]
    here = server.ask("POST", f"/sessions/{opened}/step", {"action": within}).json()
    with server.talk() as talk:
        talk.reset(task="divergent", seed=1)
        assert talk.step(whole)["error"]["field"] == "data"
        asked = {"method": "tools/call", "params": {"name": "play", "arguments": {"action": whole}}}
        told = talk.ask({"type": "mcp", "data": {"jsonrpc": "2.0", "id": 1, **asked}})["data"]["result"]
        assert told["isError"] and "must be a mapping" in told["structuredContent"]["message"]
        assert talk.step({**within, "metadata": {"note": 1}}) == {
            name: one for name, one in here.items() if one is not None
        }
    server.ask("DELETE", f"/sessions/{opened}")
