"""What is wrong with the published server is right here, whichever way a client comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from restock.problems.retail.load import tasks
from tests.server.serving import Running


class Door:
    """One way to play: what a reset and a step tell, errors as {"error": ...}."""

    def __init__(self, reset: Callable[..., Any], step: Callable[[Any], Any], state: Callable[[], Any]) -> None:
        self.reset, self.step, self.state = reset, step, state


@contextmanager
def over_socket(server: Running) -> Iterator[Door]:
    with server.talk() as talk:
        yield Door(talk.reset, talk.step, talk.state)


@contextmanager
def over_http(server: Running) -> Iterator[Door]:
    session = server.ask("POST", "/sessions").json()["session_id"]

    def post(what: str, body: Any) -> Any:
        reply = server.ask("POST", f"/sessions/{session}/{what}", body)
        return reply.json() if reply.is_success else {"error": reply.json()}

    yield Door(
        lambda **asked: post("reset", asked),
        lambda action: post("step", {"action": action}),
        lambda: server.ask("GET", f"/sessions/{session}/state").json(),
    )
    server.ask("DELETE", f"/sessions/{session}")


@contextmanager
def over_tools(server: Running) -> Iterator[Door]:
    with server.talk("/mcp") as talk:

        def use(tool: str, **arguments: Any) -> Any:
            asked = {"name": tool, "arguments": arguments}
            told = talk.ask({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": asked})["result"]
            return {"error": told["structuredContent"]} if told["isError"] else told["structuredContent"]

        yield Door(
            lambda **asked: use("begin", **asked), lambda action: use("play", action=action),
            lambda: use("look")["state"],
        )  # fmt: skip


@pytest.fixture(params=[over_socket, over_http, over_tools], ids=["socket", "http", "tools"])
def door(server: Running, request: pytest.FixtureRequest) -> Iterator[Door]:
    with request.param(server) as opened:
        yield opened


def test_negative_orders_bring_no_money(door: Door) -> None:
    door.reset(task="medium")
    for field in ("buy_quantities", "liquidate"):
        told = door.step({field: {"furniture": -800}})["error"]
        assert told["code"] == "VALIDATION_ERROR" and told["field"] == f"action.{field}.furniture"
    state = door.state()
    assert (state["cash"], state["step_count"], state["current_day"]) == (1000.0, 0, 0)


def test_an_unknown_product_is_told_before_the_day_begins(door: Door) -> None:
    door.reset(task="medium", seed=200)
    first = door.step({})
    for action in ({"buy_quantities": {"bananas": 1}}, {"liquidate": {"bananas": 1}},
                   {"price_multipliers": {"bananas": 1.0}}, {"buy_quantities": {"toys": 1, "bananas": 1}}):  # fmt: skip
        told = door.step(action)["error"]
        assert told["field"].endswith("bananas") and "toys" in told["mend"]
    second = door.step({})
    door.reset(task="medium", seed=200)
    assert [door.step({}), door.step({})] == [first, second]


def test_the_nearest_name_is_told(door: Door) -> None:
    door.reset()
    assert "'groceries'" in door.step({"buy_quantities": {"grocery": 1}})["error"]["mend"]


def test_no_day_follows_the_last(door: Door) -> None:
    door.reset(task="easy")
    days = [door.step({}) for _ in range(30)]
    assert [day["done"] for day in days] == [False] * 29 + [True]
    before = door.state()
    for _ in range(3):
        assert door.step({})["error"]["code"] == "EPISODE_OVER"
    assert door.state() == before and before["step_count"] == 30 and before["done"] is True
    assert door.reset()["observation"]["current_day"] == 0 and door.state()["step_count"] == 0


def test_there_is_no_day_before_the_first_reset(server: Running) -> None:
    for way in (over_socket, over_tools):
        with way(server) as fresh:
            assert fresh.step({})["error"]["code"] == "NO_EPISODE"


def test_every_task_is_played_not_only_medium(door: Door) -> None:
    found = {}
    for task in tasks():
        seen = door.reset(task=task)["observation"]
        found[task] = (seen["total_cash"], seen["updated_inventory"]["toys"][0][0], len(seen["updated_events"]))
    assert found == {"easy": (1000.0, 10, 0), "medium": (1000.0, 30, 5), "hard": (500.0, 15, 5)}


def test_a_client_sees_reward_and_end(door: Door) -> None:
    told = door.reset(task="medium")
    assert (told["reward"], told["done"]) == (0.0, False)
    told = door.step({"buy_quantities": {"toys": 5}, "delivery_method": "fast"})
    assert told["reward"] == pytest.approx(0.71292) and told["done"] is False
    assert door.state()["total_reward"] == told["reward"]


def test_a_liquidation_is_judged_by_what_it_finds(door: Door) -> None:
    door.reset(task="medium")
    told = door.step({"liquidate": {"toys": 20}})
    assert told["metadata"]["hard_fails"]["invalid_action"] is False
    assert told["observation"]["updated_inventory"]["toys"][0][0] == 5
    assert door.step({"liquidate": {"toys": 999}})["metadata"]["hard_fails"]["invalid_action"] is True


def test_a_whole_number_may_have_a_point(door: Door) -> None:
    """JSON has one kind of numbers, and many programs write 2 as 2.0."""
    first = door.reset(task="medium", seed=7)
    seen = door.step({"buy_quantities": {"toys": 5}, "liquidate": {"clothing": 2}})
    assert door.reset(task="medium", seed=7.0) == first
    assert door.step({"buy_quantities": {"toys": 5.0}, "liquidate": {"clothing": 2.0}}) == seen
    for wrong in (2.5, 1e300, True, "2"):
        told = door.step({"buy_quantities": {"toys": wrong}})["error"]
        assert told["field"] == "action.buy_quantities.toys" and told["mend"]
    assert "integer" in door.step({"buy_quantities": {"toys": 2.5}})["error"]["message"]
    assert door.reset(seed=7.5)["error"]["field"].endswith("seed")
    assert door.state()["step_count"] == 1
    door.reset(task="minimal")
    assert door.step({"order": 1.0})["observation"]["period"] == 1


def test_what_the_cash_does_not_pay_is_rejected_whole(door: Door) -> None:
    door.reset(task="medium")
    told = door.step({"buy_quantities": {"furniture": 1_000_000}})
    assert told["metadata"]["hard_fails"]["unaffordable_order"] is True
    assert told["observation"]["updated_deliveries"] == []


def test_state_counts_steps(door: Door) -> None:
    door.reset(episode_id="counted")
    for day in range(1, 4):
        door.step({})
        assert (door.state()["step_count"], door.state()["episode_id"]) == (day, "counted")
