"""What the published server sends is what this one sends, but for the differences of the table in the docs.

The transcripts were recorded from the published server under openenv 0.10.0. A reply may have more fields here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.serving import Running, serving

TRANSCRIPTS = Path(__file__).parents[1] / "golden" / "retail_api"
ASKED: dict[str, tuple[str, str, Any]] = {
    "GET /health": ("GET", "/health", None),
    "POST /reset (no body)": ("POST", "/reset", None),
    "POST /reset {seed:7}": ("POST", "/reset", {"seed": 7}),
    "POST /step {action:{buy}}": (
        "POST", "/step", {"action": {"buy_quantities": {"toys": 5}, "delivery_method": "fast"}},
    ),
    "POST /step second": ("POST", "/step", {"action": {}}),
    "POST /step bare body": ("POST", "/step", {"buy_quantities": {"toys": 5}}),
    "GET /tasks": ("GET", "/tasks", None),
    "POST /grader": ("POST", "/grader?task_name=easy&agent_profit=5000", None),
    "POST /grader missing": ("POST", "/grader", None),
}  # fmt: skip
# What differs on purpose; every one has a line in docs/how-to/serve.md and a test below.
DIFFERENT = {
    "GET /metadata", "GET /schema", "POST /reset {task_name:easy}", "POST /step bad method",
    "POST /step unknown product", "GET /state", "POST /grader unknown", "openapi", "GET /list_environments",
    "GET /web", "POST /mcp tools/list", "ws",
}  # fmt: skip


@pytest.fixture(scope="module", params=["decomposed", "readme"])
def reward(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def told(reward: str) -> Any:
    return json.loads((TRANSCRIPTS / f"transcript_openenv-0.10.0_{reward}-reward.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def server(reward: str) -> Iterator[Running]:
    with serving(reward=reward, max_sessions=1) as running:
        yield running


def holds(given: Any, expected: Any, place: str = "") -> None:
    """Check that a reply says all that is expected, perhaps more."""
    if isinstance(expected, dict) and isinstance(given, dict):
        assert set(expected) <= set(given), (place, set(expected) - set(given))
        for name, value in expected.items():
            holds(given[name], value, f"{place}.{name}")
    elif isinstance(expected, list) and isinstance(given, list):
        assert len(given) == len(expected), (place, given)
        for k, value in enumerate(expected):
            holds(given[k], value, f"{place}[{k}]")
    elif isinstance(expected, float):
        assert given == pytest.approx(expected, rel=0.0, abs=1e-9), place
    else:
        assert given == expected and isinstance(given, type(expected)), (place, given, expected)


def test_every_entry_is_replayed_or_differs_on_purpose(told: Any) -> None:
    assert set(told) == set(ASKED) | DIFFERENT and not set(ASKED) & DIFFERENT


@pytest.mark.parametrize("entry", list(ASKED))
def test_replies(server: Running, told: Any, entry: str) -> None:
    method, path, body = ASKED[entry]
    reply = server.ask(method, path, body)
    assert reply.status_code == told[entry]["status"]
    holds(reply.json(), told[entry]["body"])


def test_replies_have_no_other_fields_where_nothing_failed(server: Running, told: Any) -> None:
    for entry in ("GET /health", "POST /reset (no body)", "POST /step {action:{buy}}", "GET /tasks", "POST /grader"):
        method, path, body = ASKED[entry]
        assert server.ask(method, path, body).json().keys() == told[entry]["body"].keys()


def test_the_socket(server: Running, told: Any) -> None:
    said = told["ws"]
    with server.talk() as talk:
        holds(talk.ask(said[0]["send"]), said[0]["recv"])
        holds(talk.ask(said[1]["send"]), said[1]["recv"])
        state = talk.ask(said[2]["send"])
        counted = {**said[2]["recv"]["data"], "step_count": 1, "episode_id": state["data"]["episode_id"]}
        holds(state, {"type": "state", "data": counted})  # there it stays 0
        assert state["data"]["episode_id"]
        for entry in (said[3], said[4]):  # what is unknown: told with its field, and no day has passed
            refused = talk.ask(entry["send"])
            assert refused["type"] == "error" and refused["data"]["code"] == "VALIDATION_ERROR"
            assert refused["data"]["errors"][0]["loc"] == refused["data"]["field"].split(".")
        assert talk.state()["current_day"] == 1
        seen = talk.ask(said[5]["send"])  # a mapping sent as text
        there = said[5]["recv"]["data"]
        assert seen["data"].keys() == there.keys() and seen["data"]["observation"].keys() == there["observation"].keys()
        assert seen["data"]["observation"]["current_day"] == 2 and there["observation"]["current_day"] == 3
        assert seen["data"]["observation"]["updated_deliveries"][0]["toys"][0] == 1
        for entry in (said[6], said[7]):
            holds(talk.ask(entry["send"]), entry["recv"])
        assert talk.ask(said[8]["send"])["data"].keys() >= said[8]["recv"]["data"].keys()
        with server.talk() as second:
            holds(second.hear(), said[9]["second_connection"])


# deliberate differences -----------------------------------------------------------------------------------


def test_metadata_and_name_are_of_this_server(server: Running, told: Any) -> None:
    assert server.ask("GET", "/metadata").json().keys() == told["GET /metadata"]["body"].keys()
    assert server.ask("GET", "/metadata").json()["name"] == "restock"
    assert server.ask("GET", "/list_environments").json() == ["restock"]


def test_schemas_tell_more(server: Running, told: Any) -> None:
    here, there = server.ask("GET", "/schema").json(), told["GET /schema"]["body"]
    assert here.keys() == there.keys()
    beside = {"metadata", "reward", "done"}  # which OpenEnv sends beside the observation, and takes with an action
    for name in ("action", "observation", "reset_observation"):
        assert set(here[name]["properties"]) - beside == set(there[name]["properties"]) - beside
        assert all("description" in field for field in here[name]["properties"].values())
    assert set(here["state"]["properties"]) > set(there["state"]["properties"])


def test_the_task_that_is_named_is_played(server: Running, told: Any) -> None:
    there = told["POST /reset {task_name:easy}"]["body"]["observation"]
    for body in ({"task_name": "easy"}, {"task": "easy"}, {"task": "retail-easy"}, {"split": "retail", "index": 0}):
        here = server.ask("POST", "/reset", body).json()["observation"]
        assert here.keys() == there.keys() and here["updated_inventory"]["toys"] == [[10, None]]
        assert there["updated_inventory"]["toys"] == [[30, None]]


def test_what_is_unknown_is_told_and_no_failure_of_the_server(server: Running, told: Any) -> None:
    refused = server.ask("POST", "/step", {"action": {"delivery_method": "teleport"}})
    assert refused.status_code == told["POST /step bad method"]["status"] == 422
    assert refused.json()["field"] == "action.delivery_method" and "slow" in refused.json()["mend"]
    assert refused.json()["detail"][0].keys() <= told["POST /step bad method"]["body"]["detail"][0].keys()
    refused = server.ask("POST", "/step", {"action": {"buy_quantities": {"bananas": 1}}})
    assert (told["POST /step unknown product"]["status"], refused.status_code) == (500, 422)
    refused = server.ask("POST", "/grader?task_name=nope&agent_profit=5000")
    assert (told["POST /grader unknown"]["status"], refused.status_code) == (200, 404)
    assert refused.json()["error"] == told["POST /grader unknown"]["body"]["error"]


def test_state_over_http_is_that_of_no_episode(server: Running, told: Any) -> None:
    here, there = server.ask("GET", "/state").json(), told["GET /state"]["body"]
    assert here.keys() == there.keys() and here["step_count"] == there["step_count"] == 0
    assert len(here["episode_id"]) == len(there["episode_id"])


def test_all_routes_are_there_and_more(server: Running, told: Any) -> None:
    here = server.ask("GET", "/openapi.json").json()
    assert here["info"]["version"] == told["openapi"]["version"]
    for path, methods in told["openapi"]["paths"].items():
        assert set(methods) <= set(here["paths"][path]), path
    assert {"/sessions", "/sessions/{session_id}/step", "/problems"} <= set(here["paths"])


def test_there_are_tools_and_a_page(server: Running, told: Any) -> None:
    assert told["GET /web"]["status"] == 404
    page = server.ask("GET", "/web")
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    assert "://" not in page.text.replace("http://www.w3.org", "")  # nothing from elsewhere
    assert "error" in told["POST /mcp tools/list"]["body"]
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    assert server.ask("POST", "/mcp", asked).json()["result"]["tools"]


def test_the_baseline_needs_no_model(server: Running) -> None:
    told = server.ask("GET", "/baseline").json()
    assert told["task_name"] == "easy" and told["policy"] == "tuned-price-and-cover"
    hard = server.ask("GET", "/baseline?task_name=hard").json()
    assert hard["score"] == 0.998 < hard["unclamped"] and hard["profit"] > 42099
    assert server.ask("GET", "/baseline?task_name=nope").status_code == 404
