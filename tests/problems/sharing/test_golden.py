"""Recorded episodes of the tutorial's example, replayed day by day."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import restock
from tests.golden.recorded import cases, recorded

SEEN = {"inventory": 1e-4, "expected_demand": 1e-4, "expected_demand_ratio": 1e-4, "pipeline_inventory": 2e-3}


def made(case: dict[str, Any], **more: Any) -> Any:
    return gym.make("restock/Sharing-v0", disable_env_checker=True, **{**case["config"], **more}).unwrapped


def exogenous(case: dict[str, Any], episode: dict[str, Any]) -> dict[str, Any]:
    """What was drawn, as `reset` takes it."""
    return {
        "missions": episode["mission_params"],
        "mission_demand": [step["demand"] for step in episode["steps"]],
        "depot": case["depot_idx"],
    }


def alike(obs: dict[str, Any], expected: dict[str, Any]) -> None:
    assert obs.keys() == expected.keys() == SEEN.keys()
    for name, tolerance in SEEN.items():
        np.testing.assert_allclose(obs[name], expected[name], rtol=1e-5, atol=tolerance, err_msg=name)


def published_cost(case: dict[str, Any], step: dict[str, Any], info: dict[str, Any]) -> float:
    """What the example adds up: units as asked for, and stock once for each pair, while shipments leave."""
    costs, shipped, depot = case["config"]["costs"], info["shipments"], case["depot_idx"]
    n = len(shipped)
    asked = np.array(step["clipped_action"]) * (1.0 - np.eye(n))
    total = costs["unit"] * asked.sum() + costs["shipment"] * (shipped > 1.0).sum()
    stock = np.array(step["inventory"]) + shipped.sum(axis=0)
    for i in range(n):
        for j in range(n):
            if i != j:
                stock[j] -= shipped[i, j]
                total += costs["holding"] * stock[j] * (j != depot)
    return float(total)


@pytest.mark.parametrize("name", cases("sharing", "v"))
def test_replay(name: str) -> None:
    case = recorded("sharing", name)
    env = made(case, legacy_expected_demand=True)
    for episode in case["episodes"]:
        obs, _ = env.reset(options={"exogenous": exogenous(case, episode)})
        alike(obs, episode["reset_obs"])
        for step in episode["steps"]:
            action = np.array(step["action"], dtype=np.float32)
            before = action.copy()
            obs, reward, terminated, truncated, info = env.step(action)
            assert (action == before).all()
            assert (reward, terminated, truncated) == (step["reward"], step["terminated"], step["truncated"])
            alike(obs, step["obs"])
            assert info["filled"].tolist() == step["filled"] and info["stockouts"].tolist() == step["stockouts"]
            stock = env.trajectory["on_hand"][-1]
            np.testing.assert_allclose(stock, step["inventory"], rtol=1e-5, atol=1e-4)
            np.testing.assert_allclose(env.trajectory["in_transit"][-1], step["pipeline"], rtol=1e-5, atol=1e-4)
            on_way = np.zeros(len(stock))
            for _, quantity, to in step["in_transit"]:
                on_way[to] += quantity
            np.testing.assert_allclose(env.trajectory["in_transit"][-1], on_way, rtol=1e-5, atol=1e-4)
            np.testing.assert_allclose(published_cost(case, step, info), step["cost_ref"], rtol=1e-5, atol=1e-4)
        figures, summary = env.kpis(), episode["summary"]
        assert figures["profit"] == summary["return_"] and env.period == summary["steps"]
        assert figures["fill_rate"] == pytest.approx(summary["fill_rate"], abs=1e-12)
        assert (env.trajectory["missions"].sum(), env.trajectory["stockouts"].sum()) == (
            summary["missions"], summary["stockouts"],
        )  # fmt: skip


@pytest.mark.parametrize("name", cases("sharing"))
def test_expected_demand_is_a_sum_of_products(name: str) -> None:
    case = recorded("sharing", name)
    env = made(case)
    for episode in case["episodes"]:
        obs, _ = env.reset(options={"exogenous": exogenous(case, episode)})
        np.testing.assert_allclose(obs["expected_demand"], episode["reset_expected_demand_correct"], rtol=1e-6)
        for step in episode["steps"]:
            obs, *_ = env.step(np.zeros_like(env.action_space.low))
            np.testing.assert_allclose(obs["expected_demand"], step["expected_demand_correct"], rtol=1e-6)


def test_reset_clears_what_is_on_the_way() -> None:
    """The example's first episode is ours; its second gets what the first had under way, ours does not."""
    case = recorded("sharing", "q1_quirk_pipeline_leak")
    env = made(case, legacy_expected_demand=True)
    first, second = case["episodes"]
    env.reset(options={"exogenous": exogenous(case, first)})
    for step in first["steps"]:
        obs, reward, *_ = env.step(np.array(step["action"], np.float32))
        alike(obs, step["obs"])
        assert reward == step["reward"]
    obs, _ = env.reset(options={"exogenous": exogenous(case, second)})
    assert (obs["pipeline_inventory"] == 0.0).all()
    differs = []
    for step in second["steps"]:
        obs, *_ = env.step(np.array(step["action"], np.float32))
        differs.append(not np.allclose(obs["inventory"], step["obs"]["inventory"], rtol=1e-5, atol=1e-4))
        assert (env.trajectory["in_transit"][-1] >= -1e-9).all()
    # Of what the first episode ordered in its last two days, the first lots arrive on the first day of the second.
    assert all(differs)
    assert min(min(step["pipeline"]) for step in second["steps"]) < -1.0  # the fault, as recorded


def test_no_lead_time_arrives_the_same_day_and_nothing_can_be_unordered() -> None:
    case = recorded("sharing", "q2_quirk_leadtime0_negative")
    episode = case["episodes"][0]
    env = made(case)
    env.reset(options={"exogenous": exogenous(case, episode)})
    stock = np.array(case["config"]["starting_inventory"])
    waiting = np.zeros(2)
    for t, step in enumerate(episode["steps"]):
        action = np.array(step["action"], np.float32)
        info = env.step(action)[4]
        # By hand: 1 -> 0 has lead time 0, 0 -> 1 has lead time 1; a negative order is none.
        asked = np.maximum(action, 0.0) * (1.0 - np.eye(2))
        asked *= np.minimum(1.0, stock / np.maximum(asked.sum(axis=0), 1e-12))
        for i, needs in enumerate(step["demand"]):
            for need in needs:
                stock[i] = max(0.0, stock[i] - need)
        stock += waiting
        sent = np.minimum(asked.sum(axis=0), stock)
        stock -= sent
        stock[0] += sent[1]
        waiting = np.array([0.0, sent[0]])
        np.testing.assert_allclose(env.trajectory["on_hand"][-1], stock, atol=1e-9, err_msg=str(t))
        assert (info["shipments"] >= 0.0).all()
    recorded_stock = [step["inventory"] for step in episode["steps"]]
    assert not np.allclose(env.trajectory["on_hand"][1:], recorded_stock, atol=0.5)


def test_what_policies_reach_on_the_recorded_days() -> None:
    """Fill rates and costs that were measured with the example itself."""
    case = recorded("sharing", "v2_tutorial_depot_constant2")
    episode = case["episodes"][0]
    problem = restock.load_problem("restock/Sharing-v0", **case["config"])
    chance = {name: [value] for name, value in exogenous(case, episode).items()}
    found = {}
    for name, params in {
        "nothing": {},
        "constant-shipment": {"quantity": 2.0, "source": 2},
        "base-stock": {"levels": 20.0, "source": 2},
    }.items():
        policy = restock.make_policy(name, problem, **params)
        result = restock.simulate(problem, policy, exogenous=chance)
        holding = result.kpis["holding_cost"][0]
        # The example charges stock for each of the three other locations.
        found[name] = result.kpis["fill_rate"][0], result.kpis["cost"][0] + 2.0 * holding
    assert found["nothing"][0] == pytest.approx(0.428, abs=5e-4)
    assert found["constant-shipment"][0] == 1.0 and found["constant-shipment"][1] == pytest.approx(11497, abs=0.5)
    assert found["base-stock"][0] == 1.0 and found["base-stock"][1] == pytest.approx(7848, abs=0.5)
