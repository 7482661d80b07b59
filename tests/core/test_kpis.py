"""Key figures and rewards of an episode worked by hand.

source 3 -> factory 2 (20 in stock, capacity 8, yield 1/2) -> retailer 1 (10 in stock) -> market 0
lead times 0 and 2; one unit shipped by the factory uses up two

                    t = 0                t = 1                     t = 2
ordered 2->1        4                    9                         0
shipped 2->1        4                    8 (capacity)              0
ordered 3->2        6, arrives at once   0                         5, arrives at once
stock of 2 at end   20 - 8 + 6 = 18      18 - 16 = 2               2 + 5 = 7
arrives at 1        0                    0                         4
demand              6                    7                         3
sold                6                    4                         4 of 3 + 3 waiting
stock of 1 at end   4                    0                         0
unmet               0                    3                         2
in transit          4                    12                        8
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import restock
from restock import InvalidInput
from restock.core.kpis import KPIS, kpis
from restock.core.trajectory import Layout, Trajectory
from tests.problems.network.networks import small

ORDERS = [[4, 6], [9, 0], [0, 5]]
DEMAND = [6.0, 7.0, 3.0]


def played(**kwargs: Any) -> tuple[Any, list[float], list[dict[str, float]]]:
    given = {"horizon": 3, "discount": 0.5, **kwargs}
    env = gym.make("restock/Network-v0", instance=small(), max_order=100, **given).unwrapped
    env.reset(seed=1, options={"exogenous": {"demand": DEMAND}})
    rewards, parts = [], []
    for order in ORDERS:
        _, reward, _, _, info = env.step(np.array(order, np.float32))
        rewards.append(reward)
        parts.append(dict(info["profit"]))
    return env, rewards, parts


def test_rewards_by_hand():
    _, rewards, parts = played()
    assert rewards == pytest.approx([11.3, 0.5 * 7.7, 0.25 * 8.95], abs=1e-12)
    by_hand = {  # before discounting
        "revenue": [24, 16, 16],
        "purchases": [-3, 0, -2.5],
        "operating": [-0.8, -1.6, 0],  # 0.1 / yield for each unit shipped
        "holding": [-6.5, -0.5, -1.75],
        "pipeline_holding": [-0.4, -1.2, -0.8],
        "shortage": [0, -3, -2],
        "fixed_orders": [-2, -2, 0],
        "total": [11.3, 7.7, 8.95],
    }
    for name, amounts in by_hand.items():
        assert [part[name] for part in parts] == pytest.approx([a * 0.5**t for t, a in enumerate(amounts)], abs=1e-12)
    assert set(parts[0]) == set(by_hand)


def test_the_units_by_hand():
    trajectory = played()[0].trajectory
    for name, values in {
        "on_hand": [[10, 20], [4, 18], [0, 2], [0, 7]],
        "in_transit": [[0, 0], [4, 0], [12, 0], [8, 0]],
        "backlog": [[0], [0], [3], [2]],
        "ordered": ORDERS,
        "shipped": [[4, 6], [8, 0], [0, 5]],
        "arrived": [[0, 6], [0, 0], [4, 5]],
        "used": [[0, 8], [0, 16], [0, 0]],
        "released": [[6, 4], [4, 8], [4, 0]],
        "demand": [[6], [7], [3]],
        "sold": [[6], [4], [4]],
        "unmet": [[0], [3], [2]],
    }.items():
        np.testing.assert_array_equal(trajectory[name], values, err_msg=name)


BY_HAND = {
    "profit": 11.3 + 3.85 + 2.2375,
    "profit_per_period": (11.3 + 3.85 + 2.2375) / 3,
    "revenue": 56.0,
    "purchases": 5.5,
    "operating": 2.4,
    "holding": 8.75,
    "pipeline_holding": 2.4,
    "shortage": 5.0,
    "fixed_orders": 4.0,
    "demand": 16.0,
    "sold": 14.0,
    "fill_rate": (6 + 4 + 1) / 16,  # of the 4 sold in the last period 3 had waited
    "served_rate": 14 / 16,
    "ready_rate": 1 / 3,
    "alpha_service": 1 / 3,
    "backlog": 2.0,
    "lost_sales": 0.0,
    "average_inventory": (22 + 2 + 7) / 3,
    "inventory_turns": 14 / (31 / 3),
    "average_in_transit": 8.0,
    # orders of 2->1: 4, 9, 0 with mean 13/3 and variance 122/9; demand: mean 16/3 and variance 26/9
    "bullwhip_cv": (sqrt(122) / 13) / (sqrt(26) / 16),
    # all orders: 10, 9, 5 with variance 14/3
    "bullwhip_variance": (14 / 3) / (26 / 9),
    "goodwill": 1.0,
    # node 1 orders 4, 9, 0 on a demand of 6, 7, 3; node 2 orders 6, 0, 5 on the orders of node 1
    "bullwhip_at_1": (122 / 9) / (26 / 9),
    "bullwhip_at_2": (62 / 9) / (122 / 9),
}


def test_key_figures_by_hand():
    env = played()[0]
    figures = env.kpis()
    assert set(figures) == set(BY_HAND)
    for name, value in BY_HAND.items():
        assert figures[name] == pytest.approx(value, abs=1e-12), name
    assert restock.kpis is kpis
    assert set(KPIS) <= set(figures)


def test_lost_sales_by_hand():
    env, rewards, _ = played(backlog=False)
    figures = env.kpis()
    # t = 2: 4 arrive, 3 are asked for; the 3 of t = 1 are lost, but cost as much as if they waited
    assert rewards == pytest.approx([11.3, 0.5 * 7.7, 0.25 * (12 - 2.5 - 0.5 - 1.75 - 0.8)], abs=1e-12)
    for name, value in {
        "sold": 13,
        "lost_sales": 3,
        "backlog": 0,
        "fill_rate": 13 / 16,
        "served_rate": 13 / 16,
        "ready_rate": 2 / 3,
        "alpha_service": 2 / 3,
    }.items():
        assert figures[name] == pytest.approx(value), name


def test_goodwill_by_hand():
    env, _, _ = played(demand={"goodwill": True})
    sentiment = [1.0, 1.0, 1.01, 1.01 * 0.9]
    assert env.trajectory["sentiment"][:, 0].tolist() == sentiment
    assert env.kpis()["goodwill"] == sentiment[-1]


def test_figures_of_a_part_only_on_request():
    env = gym.make("restock/Network-v0", instance=small(), horizon=3, max_order=100).unwrapped
    for partial in (False, True):
        with pytest.raises(InvalidInput, match="nothing has happened yet"):
            env.kpis(partial=partial)
    env.reset(seed=1, options={"exogenous": {"demand": DEMAND}})
    with pytest.raises(InvalidInput, match="nothing has happened yet"):
        env.kpis(partial=True)
    for t, order in enumerate(ORDERS[:2]):
        env.step(np.array(order, np.float32))
        with pytest.raises(InvalidInput, match=f"{t + 1} of 3 periods.*the episode is not over.*partial=True"):
            env.kpis()
        figures = env.kpis(partial=True)
        assert figures["demand"] == sum(DEMAND[: t + 1])
        own = env.problem.figures(env.trajectory)
        assert figures == {name: float(value) for name, value in (kpis(env.trajectory) | own).items()}
    assert figures["bullwhip_variance"] == pytest.approx(0.25 / 0.25)
    env.step(np.array(ORDERS[2], np.float32))
    assert env.kpis()["demand"] == 16 == env.kpis(partial=True)["demand"]


def test_one_period_has_no_variance_to_compare():
    env = gym.make("restock/Network-v0", instance=small(), horizon=1).unwrapped
    env.reset(seed=1, options={"exogenous": {"demand": [4.0]}})
    env.step(np.array([3, 3], np.float32))
    assert (env.kpis()["bullwhip_cv"], env.kpis()["bullwhip_variance"]) == (0.0, 1.0)


def test_no_demand_at_all_is_served_in_full():
    env = gym.make("restock/Network-v0", instance=small(), horizon=2).unwrapped
    env.reset(seed=1, options={"exogenous": {"demand": [0.0, 0.0]}})
    for _ in range(2):
        env.step(np.zeros(2, np.float32))
    figures = env.kpis()
    names = ("fill_rate", "served_rate", "ready_rate", "alpha_service", "inventory_turns")
    assert [figures[name] for name in names] == [1.0, 1.0, 1.0, 1.0, 0.0]


def test_figures_of_a_batch_are_those_of_its_rows():
    batch = gym.make_vec("restock/Divergent-v0", num_envs=3, record=True, demand={"goodwill": True})
    batch.reset(seed=5)
    batch.action_space.seed(5)
    actions = [batch.action_space.sample() for _ in range(30)]
    for action in actions:
        batch.step(action)
    together = kpis(batch.trajectory, 30)
    for row in range(3):
        env = gym.make("restock/Divergent-v0", demand={"goodwill": True}).unwrapped
        env.reset(seed=5 + row)
        for action in actions:
            env.step(action[row])
        alone = env.kpis()
        assert set(together) <= set(alone)
        for name, value in alone.items() & {n: alone[n] for n in together}.items():
            assert together[name].shape == (3,)
            assert together[name][row] == pytest.approx(value, rel=1e-12), name


def test_a_problem_without_demand_or_stock_has_the_figures_it_can_have():
    layout = Layout({"cost": np.array([0]), "level": np.array([1])}, {"cost": ("a",)}, ("cost",))
    record = np.arange(8.0).reshape(4, 2)
    figures = kpis(Trajectory(record, layout, np.array([1.0, 2.0, 4.0]), 3, {}))
    assert {name: float(value) for name, value in figures.items()} == {
        "profit": 7.0,
        "profit_per_period": 7.0 / 3,
        "cost": 2.0 + 4.0 + 6.0,
    }
