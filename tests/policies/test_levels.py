"""Policies that hold positions against levels: their formulas and decisions by hand."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

import restock
from restock.policies.plan import plan_of
from tests.policies.test_policies import view

# On serial: links (2, 1) L = 4, (3, 2) L = 4, (4, 3) L = 0; holding costs .03, .02, .01; b = .1; Poisson(20).
# A unit that arrives at node 2 is sold 5 periods later, at node 3 10 periods later.


def z(ratio: float) -> float:
    return NormalDist().inv_cdf(ratio)


def one_node(**market: Any) -> dict[str, Any]:
    """A single shop that is supplied at once."""
    return {
        "nodes": [{"id": "shop", "initial_inventory": 0, "holding_cost": 1.0}, {"id": "source"}],
        "links": [{"from": "source", "to": "shop", "lead_time": 0, "price": 0.0, **market.pop("link", {})}],
        "markets": [{"from": "shop", "to": "market", "price": 0.0, "shortage_cost": 9.0, **market}],
    }


# levels -------------------------------------------------------------------------------------------


def test_echelon_levels_by_hand_on_serial():
    levels = restock.make_policy("echelon-base-stock", "serial").levels
    # Coming demand until an order of period 0 is sold: 5, 10 and 11 periods; H_2 = .02, H_3 = .01, H_4 = 0.
    both = [((0.12 / 0.13), (0.12 / 0.13)), ((0.11 / 0.13), (0.11 / 0.12)), ((0.10 / 0.13), (0.10 / 0.11))]
    for level, periods, (low, high) in zip(levels, (5, 10, 11), both, strict=True):
        ratio = NormalDist().cdf((z(low) + z(high)) / 2)
        assert level == stats.poisson(20 * periods).ppf(ratio)


def test_levels_rise_before_demand_does_and_end_with_it():
    series = [10.0] * 10 + [30.0] * 5 + [0.0] * 5
    problem = restock.load_problem(
        one_node(link={"lead_time": 2}), demand={"series": series, "noise_scale": 0}, horizon=20
    )
    policy = restock.make_policy("newsvendor", problem, information="informed")
    orders = restock.simulate(problem, policy, episodes=1).trajectory["ordered"][0, :, 0]
    # Three periods are covered; nobody wants anything after period 14.
    position, by_hand = 0.0, []
    for t in range(20):
        order = max(sum(series[t : t + 3]) - position, 0.0) if t < 18 else 0.0
        by_hand.append(order)
        position += order - series[t]
    np.testing.assert_allclose(orders, by_hand, atol=1e-9)
    assert orders[8] == 30.0 and orders[13:].sum() == 0.0


def test_multiples_run_in_straight_lines_between_their_knots():
    problem = restock.load_problem("serial", horizon=31)
    policy = restock.make_policy("base-stock", problem, multiples=[[1, 2, 1], [2, 2, 1], [1, 2, 4]])
    table = policy.parameters[-31 * 3 :].reshape(31, 3)
    expected = np.interp(np.arange(31), [0, 15, 30], [1, 2, 1]) * np.minimum(31 - np.arange(31), 5) * 20.0
    np.testing.assert_allclose(table[:, 0], expected)
    # What arrives at node 2 today leaves tomorrow, so six periods of its customer's orders are covered; they are
    # for what is sold from 4 periods ahead on. Node 3 covers two, from 9 periods ahead on.
    np.testing.assert_allclose(table[:, 1], 2.0 * 20.0 * np.clip(31 - 4 - np.arange(31), 0, 6))
    assert table[0, 2] == pytest.approx(40.0) and table[20, 2] == pytest.approx(2.0 * 20.0 * 2.0)
    assert table[21, 2] == pytest.approx(20.0 * np.interp(21, [15, 30], [1, 4])) and table[22, 2] == 0.0


def test_levels_follow_goodwill_only_as_multiples():
    problem = restock.load_problem("serial", demand={"goodwill": True})
    state = view(problem, 0, on_hand=[0, 0, 0], sentiment=[1.5])
    orders = restock.make_policy("base-stock", problem, multiples=1.0).act(state)
    np.testing.assert_allclose(orders, [[150, 180, 60]])
    orders = restock.make_policy("base-stock", problem, levels=[100, 100, 20]).act(state)
    np.testing.assert_allclose(orders, [[100, 100, 20]])


def test_stock_used_by_yields_and_shares():
    # pooled-supply: 1 unit at the dealer takes 1 / .9 at the plant, half of it from each maker; maker b wastes a fifth.
    problem = restock.load_problem("pooled-supply")
    plan = plan_of(problem)
    shares = np.where([buyer == "plant" for _, buyer in problem.links], 0.5, 1.0)
    used = dict(zip(problem.nodes, plan.usage(shares)[:, 0], strict=True))
    assert used["dealer"] == 1.0
    assert used["plant"] == pytest.approx(1 / 0.9)
    assert used["part-maker-a"] == pytest.approx(1 / 0.9 / 2)
    assert used["part-maker-b"] == pytest.approx(1 / 0.9 / 2 / 0.8)


def test_shares_are_scaled_and_obeyed():
    problem = restock.load_problem("diamond")
    policy = restock.make_policy("base-stock", problem, levels=[0, 0, 300], shares=[3, 1, 5, 5])
    assert problem.links[:2] == (("near-plant", "shop"), ("far-plant", "shop"))
    np.testing.assert_allclose(policy.act(view(problem, 0, on_hand=[0, 0, 100]))[0, :2], [150, 50])


# positions ----------------------------------------------------------------------------------------


def test_echelon_positions_count_everything_downstream():
    problem = restock.load_problem("serial")
    policy = restock.make_policy("echelon-base-stock", problem, levels=[200, 300, 500])
    orders = policy.act(view(problem, 3, on_hand=[50, 70, 95], in_transit=[30, 25, 0], backlog=[7]))
    # Node 1: 50 + 30 - 7 = 73; node 2: 73 + 70 + 25 = 168; node 3: 168 + 95 = 263.
    np.testing.assert_allclose(orders, [[127, 132, 237]])


def test_echelon_positions_split_by_share_and_count_yields():
    problem = restock.load_problem("pooled-supply")
    nodes = list(problem.nodes)
    shares = [1.0 if buyer != "plant" else 0.5 for _, buyer in problem.links]
    policy = restock.make_policy("echelon-base-stock", problem, levels=1000.0, shares=shares)
    stock = {"dealer": 90.0, "plant": 160.0, "part-maker-a": 240.0, "part-maker-b": 200.0}
    orders = policy.act(view(problem, 0, on_hand=[stock[node] for node in nodes]))[0]
    plant = 160 + 90 / 0.9
    by_hand = {
        ("plant", "dealer"): 1000 - 90,
        ("part-maker-a", "plant"): (1000 - plant) / 2,
        ("part-maker-b", "plant"): (1000 - plant) / 2,
        ("steel", "part-maker-a"): 1000 - 240 - plant / 2,
        ("polymer", "part-maker-b"): 1000 - 200 - plant / 2 / 0.8,
    }
    np.testing.assert_allclose(orders, [by_hand[link] for link in problem.links])


# rules --------------------------------------------------------------------------------------------


def test_s_S_orders_at_the_reorder_point_and_not_above():
    problem = restock.load_problem("serial")
    policy = restock.make_policy("s-S", problem, reorder_points=[80, 80, 80], batches=40)
    orders = policy.act(view(problem, 0, on_hand=[80, 81, 30]))
    np.testing.assert_allclose(orders, [[40, 0, 90]])  # up to 80 + 40


def test_s_S_batch_is_near_the_economic_order_quantity():
    problem = restock.load_problem("pooled-supply", horizon=400)
    policy = restock.make_policy("s-S", problem)
    batch = dict(zip(problem.nodes, policy.batch[0], strict=True))
    assert batch["dealer"] == pytest.approx(np.sqrt(2 * 4 * 18 / 0.035), rel=0.2)
    assert batch["plant"] == pytest.approx(np.sqrt(2 * (2 + 3) * 18 / 0.9 / 0.016), rel=0.2)
    assert batch["part-maker-a"] == 0.0  # its orders cost nothing by themselves


def test_s_S_with_deterministic_demand_costs_what_the_textbook_says():
    # 10 a period, K = 40, h = 1: an order for three periods costs 40 + 20 + 10 in three periods.
    problem = restock.load_problem(
        one_node(link={"fixed_cost": 40.0}), demand={"mean": 10, "distribution": "deterministic"}
    )
    costs = {}
    for periods in (1, 2, 3, 5, 6):
        policy = restock.make_policy("s-S", problem, reorder_points=0.0, batches=10 * periods)
        costs[periods] = -restock.simulate(problem, policy, episodes=1).profit[0]
    assert costs == {n: pytest.approx(30 / n * (40 + 10 * n * (n - 1) / 2)) for n in costs}
    assert min(costs, key=costs.__getitem__) == 3


def test_r_Q_orders_the_fewest_batches_that_lead_above():
    problem = restock.load_problem("serial")
    policy = restock.make_policy("r-Q", problem, reorder_points=[80, 80, 80], batches=30)
    orders = policy.act(view(problem, 0, on_hand=[81, 80, 15]))
    np.testing.assert_allclose(orders, [[0, 30, 90]])  # 15 + 2 * 30 = 75 would not do


def test_R_S_orders_in_every_R_th_period_only():
    problem = restock.load_problem("serial")
    policy = restock.make_policy("R-S", problem, review=4, levels=[120, 110, 90])
    orders = restock.simulate(problem, policy, episodes=3).trajectory["ordered"]
    assert np.flatnonzero(orders.sum(axis=(0, 2))).tolist() == [0, 4, 8, 12, 16, 20, 24]
    planned = restock.make_policy("R-S", problem, review=4, service=0.95)
    # Lead time 4: what is ordered now has to do for the demand of 5, 6, 7 and 8 periods, each as important. Node 2: it
    # can leave at the review of period 8, and has to do until that of period 12.
    for level, periods in zip(planned.levels, (np.arange(5, 9), np.arange(9, 13)), strict=False):
        law = stats.norm(20 * periods, np.sqrt(20 * periods))
        best = optimize.brentq(lambda s, law=law: law.cdf(s).mean() - 0.95, 0, 400)
        assert level == stats.poisson(20 * periods[-1]).ppf(law.cdf(best)[-1])


def test_R_S_reviews_no_less_often_than_capacity_allows():
    # The dealer would order every sqrt(2 * 4 / (.035 * 18)) = 3.6 periods; the plant makes 60 at most, 3.3 times 18.
    assert restock.make_policy("R-S", "pooled-supply").review == 3
    assert restock.make_policy("R-S", "serial").review == 1


def test_cap_binds():
    problem = restock.load_problem("serial")
    policy = restock.make_policy("capped-base-stock", problem, levels=[120, 110, 90], caps=[40, 40, 25])
    np.testing.assert_allclose(policy.act(view(problem, 0, on_hand=[100, 60, 50])), [[20, 40, 25]])


def test_newsvendor_runs_after_demand_from_the_prior_on():
    problem = restock.load_problem(one_node(), demand={"mean": 20, "distribution": "normal"}, horizon=5)
    policy = restock.make_policy("newsvendor", problem, memory=4, service=0.9)
    demand = np.array([28.0, 12.0, 40.0, 20.0, 20.0])
    orders = restock.simulate(problem, policy, exogenous={"demand": demand[None, :, None]}).trajectory["ordered"]
    safety = z(0.9) * float(problem.demand.distribution.deviation(np.array(20.0)))
    forecast, position, by_hand = 20.0, 0.0, []
    for asked in demand:
        by_hand.append(forecast + safety - position)
        position += by_hand[-1] - asked
        forecast += (asked - forecast) / 4
    np.testing.assert_allclose(orders[0, :, 0], np.maximum(by_hand, 0.0))


def test_holt_by_hand():
    problem = restock.load_problem(one_node(link={"lead_time": 1}), demand={"mean": 20}, horizon=6)
    a, b, phi = 0.5, 0.4, 0.8
    policy = restock.make_policy("holt-base-stock", problem, alpha=a, beta=b, damping=phi, service=0.5)
    demand = np.array([24.0, 30.0, 33.0, 41.0, 44.0, 50.0])
    orders = restock.simulate(problem, policy, exogenous={"demand": demand[None, :, None]}).trajectory["ordered"]
    level, trend, position, by_hand = 20.0, 0.0, 0.0, []
    for t, asked in enumerate(demand):
        ahead = min(2, 6 - t)
        wanted = sum(level + trend * sum(phi**i for i in range(1, k + 1)) for k in range(1, ahead + 1))
        by_hand.append(max(wanted - position, 0.0) if t < 5 else 0.0)
        position += by_hand[-1] - asked
        before = level
        level = a * asked + (1 - a) * (level + phi * trend)
        trend = b * (level - before) + (1 - b) * phi * trend
    np.testing.assert_allclose(orders[0, :, 0], by_hand)


def test_a_blind_forecast_begins_afresh_with_every_episode():
    problem = restock.load_problem("serial")
    policy = restock.make_policy("holt-base-stock", problem)
    together = restock.simulate(problem, policy, episodes=6, seed=5)
    alone = [restock.simulate(problem, policy, seeds=[seed]).profit[0] for seed in together.chance.seeds]
    np.testing.assert_array_equal(together.profit, alone)


LEVELS = ("newsvendor", "base-stock", "echelon-base-stock", "capped-base-stock", "s-S", "r-Q", "R-S", "holt-base-stock")


@pytest.mark.parametrize("name", LEVELS)
@pytest.mark.parametrize("information", ["blind", "informed"])
def test_blind_and_informed_differ_where_the_mean_moves(name, information):
    still = restock.load_problem("divergent")
    moving = restock.load_problem("divergent", demand={"effects": ["trend", "shock"]})
    if name == "holt-base-stock" and information == "informed":
        with pytest.raises(restock.InvalidInput, match="decides on these levels: blind"):
            restock.make_policy(name, still, information=information)
        return
    one = restock.make_policy(name, still, information=information).parameters
    other = restock.make_policy(name, moving, information=information).parameters
    assert np.array_equal(one, other) == (information == "blind")


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("echelon-base-stock", {"levels": 5, "service": 0.9}, "service = 0.9: levels are given, so there is nothing"),
        ("echelon-base-stock", {"levels": 5, "multiples": 1}, "multiples = 1: levels are given"),
        ("base-stock", {"multiples": 1, "mean": 4}, "mean = 4: multiples are given"),
        ("base-stock", {"multiples": [1, 2]}, "multiples = [1, 2]: must be one number, or one for each of 1, 2, 3"),
        ("base-stock", {"multiples": [[1, 2, 3], [1, 2]]}, "multiples = [1, 2]: must be one number"),
        ("base-stock", {"multiples": [[1, 2, 3]] * 31}, "there are 31 lists for 30 periods"),
        ("base-stock", {"multiples": []}, "multiples = []"),
        ("base-stock", {"multiples": -1}, "multiples = -1: must be finite and at least 0"),
        ("base-stock", {"multiples": "many"}, "multiples = 'many': must be one number"),
        ("base-stock", {"shares": [1, 1]}, "shares = [1, 1]: must be one number, or one for each of"),
        ("base-stock", {"shares": [0, 1, 1]}, "shares = [0, 1, 1]: node 1 would order from nobody"),
        ("s-S", {"batches": -1}, "batches = -1: must be finite and at least 0"),
        ("s-S", {"reorder_points": 3, "multiples": 1}, "multiples = 1: reorder_points are given"),
        ("s-S", {"echelon": "yes"}, "echelon = 'yes': must be true or false"),
        ("s-S", {"service": 1.0}, "service = 1.0: a critical ratio must lie between 0 and 1"),
        ("r-Q", {"batches": 0}, "batches = 0: must be more than 0"),
        ("R-S", {"review": 0}, "review = 0: must be an integer number of periods, 1 to 30"),
        ("R-S", {"review": 2.5}, "review = 2.5: must be an integer number of periods"),
        ("R-S", {"review": True}, "review = True: must be an integer number of periods"),
        ("capped-base-stock", {"caps": [1]}, None),
        ("capped-base-stock", {"caps": "low"}, "caps = 'low': must be one number"),
        ("newsvendor", {"memory": 0}, "memory = 0: must be at least 1 period"),
        ("newsvendor", {"memory": float("nan")}, "memory = nan"),
        ("newsvendor", {"memory": 5, "information": "informed"}, "memory = 5: an informed policy forecasts nothing"),
        ("holt-base-stock", {"alpha": 1.5}, "alpha = 1.5: must be a number from 0 to 1"),
        ("holt-base-stock", {"damping": "none"}, "damping = 'none': must be a number from 0 to 1"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(name, params, said):
    if said is None:
        assert restock.make_policy(name, "serial", **params).name == name
        return
    with pytest.raises(restock.InvalidInput) as caught:
        restock.make_policy(name, "serial", **params)
    assert said in str(caught.value)


def test_the_search_begins_with_what_is_in_force():
    policy = restock.make_policy("echelon-base-stock", "serial")
    start = policy.tunables()["multiples"].start
    same = restock.make_policy("echelon-base-stock", "serial", multiples=start.tolist())
    np.testing.assert_allclose(same.levels, policy.levels)
    assert same.tunables()["multiples"].start.tolist() == start.tolist()
    assert restock.make_policy("s-S", "serial", multiples=1.3).tunables()["multiples"].start.tolist() == [[1.3] * 3] * 4
    assert set(policy.tunables()) == {"multiples", "levels"}  # nobody has a choice of suppliers
    assert "shares" in restock.make_policy("newsvendor", "diamond").tunables()
