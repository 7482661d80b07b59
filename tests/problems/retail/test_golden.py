"""Recorded episodes of the published store, replayed day by day."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import restock
from restock.envs.single import Environment
from restock.envs.structured import StructuredEnvironment
from restock.problems.retail.interface import FAILURES as HARD_FAILURES
from restock.problems.retail.sources import published_demand
from tests.golden.recorded import cases, recorded
from tests.problems.retail.stores import exogenous, sent, store

MONEY = {"rel": 0.0, "abs": 1e-6}
SCORES = ("R_revenue", "R_fulfillment", "R_waste", "R_cash_health", "R_capacity_util", "R_profit_bool")
FAILURES = ("invalid_action", "unaffordable_order", "bankrupt", "idle_penalty")


def without_empty(inventory: dict[str, list[list[int]]]) -> dict[str, list[tuple[int, ...]]]:
    """Batches without those of zero-quantity orders, which the published store keeps."""
    return {name: [tuple(batch) for batch in batches if batch[0]] for name, batches in inventory.items()}


@pytest.mark.parametrize("reward", ["readme", "decomposed"])
@pytest.mark.parametrize("name", cases("retail"))
def test_replay(name: str, reward: str) -> None:
    case = recorded("retail", name)
    problem = store(case, reward=reward, legacy_liquidation_check=True)
    env = Environment(problem)
    env.reset(options={"exogenous": exogenous(case, problem)})
    records = problem.records()
    begun = records.observation(env.played).model_dump()
    for field in (
        "current_day",
        "total_cash",
        "demand_today",
        "remaining_capacity",
        "updated_events",
        "reward",
        "done",
    ):
        assert begun[field] == case["reset_obs"][field]
    total = 0.0
    for step in case["steps"]:
        given = step["obs"]
        _, earned, terminated, truncated, info = env.step(sent(problem, step["action"]))
        total += earned
        assert earned == pytest.approx(given[f"reward_{reward}"], rel=0.0, abs=1e-9)
        seen = records.observation(env.played)
        for field in ("total_cash", "day_profit", "total_profit"):
            assert getattr(seen, field) == pytest.approx(given[field], **MONEY)
        assert seen.current_day == given["current_day"] and seen.reward == earned
        assert seen.demand_today == given["demand_today"]
        assert seen.updated_inventory == without_empty(given["updated_inventory"])
        assert seen.remaining_capacity == given["remaining_capacity"]
        assert seen.updated_events == given["updated_events"]
        coming = [{k: tuple(v) for k, v in one.items()} for one in given["updated_deliveries"]]
        assert seen.updated_deliveries == [one for one in coming if next(iter(one.values()))[0]]
        assert seen.done == given["done"] == terminated and not truncated
        assert [info[told] for told in HARD_FAILURES] == [given["hard_fails"][failure] for failure in FAILURES]
        scores = env.trajectory["measures"][-1, 6:12]
        np.testing.assert_allclose(scores, [given["reward_breakdown"][part] for part in SCORES], rtol=0.0, atol=1e-9)
        rejected = [problem.names[k] for k in np.flatnonzero(env.trajectory["rejected"][-1])]
        assert rejected == step["rejected_orders"]
        assert sum(part for part_name, part in info["profit"].items() if part_name != "total") == pytest.approx(earned)
    summary = case["summary"]
    assert total == pytest.approx(summary[f"return_{reward}"], rel=0.0, abs=1e-9)
    assert env.kpis()["earned"] == pytest.approx(summary["total_profit"], **MONEY)
    assert env.kpis()["cash"] == pytest.approx(summary["final_cash"], **MONEY)
    with pytest.raises(restock.InvalidInput, match="the episode is over"):
        env.step(sent(problem, {}))


@pytest.mark.parametrize("name", cases("retail"))
def test_demand_is_the_published_one(name: str) -> None:
    case = recorded("retail", name)
    problem = store(case)
    np.testing.assert_array_equal(published_demand(problem.spec, case["seed"]), exogenous(case, problem)["demand"])
    np.testing.assert_array_equal(problem.demand, exogenous(case, problem)["demand"])
    episode = problem.source([7]).next(np.zeros(1, dtype=np.int64))
    np.testing.assert_array_equal(problem.exogenous_of(episode, episode)["demand"][0], problem.demand)


def test_a_replay_can_fail() -> None:
    case = recorded("retail", "v2_medium_random_prices")
    problem = store(case | {"task_config": case["task_config"] | {"initial_cash": 1001.0}})
    env = Environment(problem)
    env.reset(options={"exogenous": exogenous(case, problem)})
    env.step(sent(problem, case["steps"][0]["action"]))
    assert abs(env.trajectory["cash"][-1, 0] - case["steps"][0]["obs"]["total_cash"]) > 0.5


# deliberate differences ---------------------------------------------------------------------------


def played(case: dict[str, Any], **changes: Any) -> Any:
    problem = store(case, reward="decomposed", **changes)
    env = Environment(problem)
    env.reset(options={"exogenous": exogenous(case, problem)})
    for step in case["steps"]:
        env.step(sent(problem, step["action"]))
    return env.trajectory


@pytest.mark.parametrize("name", cases("retail"))
def test_a_liquidation_is_judged_by_the_stock_it_finds(name: str) -> None:
    """The published one is judged by what it leaves, so it may not take more than half; no more than that differs."""
    case = recorded("retail", name)
    legacy, ours = played(case, legacy_liquidation_check=True), played(case)
    for field in ("on_hand", "cash", "liquidated", "demand", "revenue"):
        np.testing.assert_array_equal(legacy[field], ours[field])
    asked = np.floor(legacy["decision"][:, 6:11] + 0.5)
    found = legacy["on_hand"][1:] + legacy["liquidated"]
    judged = ((asked < 0) | (asked > found)).any(axis=1)
    np.testing.assert_array_equal(ours["failures"][:, 0], judged)
    np.testing.assert_allclose(
        ours.rewards - legacy.rewards, legacy["failures"][:, 0] - ours["failures"][:, 0], atol=1e-9
    )


@pytest.mark.parametrize(("legacy", "verdicts"), [(True, [True, False, True]), (False, [False, False, True])])
def test_by_hand_what_a_liquidation_is_judged_by(legacy: bool, verdicts: list[bool]) -> None:
    """Ten units and no demand: six of ten leave less than six, two of four leave two, three of two are not there."""
    problem: Any = restock.load_problem("retail-easy", legacy_liquidation_check=legacy)
    env = Environment(problem)
    env.reset(options={"exogenous": {"demand": np.zeros((30, 5)), "jitter": np.zeros((30, 5))}})
    steps = [env.step(sent(problem, {"liquidate": {"clothing": units}})) for units in (6, 2, 3)]
    assert [step[4]["invalid_action"] for step in steps] == verdicts
    assert env.trajectory["on_hand"][:, 1].tolist() == [10.0, 4.0, 2.0, 0.0]


@pytest.mark.parametrize("name", cases("retail"))
def test_what_cannot_be_is_refused_before_the_day(name: str) -> None:
    """Unknown products and negative numbers, with which a published day goes on; anything else is carried out."""
    case = recorded("retail", name)
    shop = StructuredEnvironment(store(case))
    shop.reset(exogenous=exogenous(case, shop.problem))
    for step in case["steps"]:
        before = shop.environment.observe().tolist()
        if step["action"].get("liquidate") == {"unknown_product": 3, "toys": -4}:
            with pytest.raises(restock.InvalidInput) as refused:
                shop.step(step["action"])
            assert refused.value.field == "action.liquidate.toys" and shop.environment.observe().tolist() == before
            shop.step({})
        else:
            seen = shop.step(step["action"])
            assert seen.total_cash == pytest.approx(step["obs"]["total_cash"], **MONEY)
    assert shop.trajectory.periods == len(case["steps"])
