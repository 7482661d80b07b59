"""What policies plan without being told any numbers: levels that carry the flow, and cost what the textbook says."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from scipy import stats

import restock
from restock.policies.plan import plan_of
from restock.problems.network.load import instances
from restock.solvers.reorder_point import expected_costs, optimal_r_Q, optimal_s_S
from restock.solvers.single_location import count_probabilities
from tests.problems.network.networks import random_network

CLASSICAL = (
    "base-stock", "newsvendor", "s-S", "r-Q", "R-S", "capped-base-stock", "echelon-base-stock", "holt-base-stock",
)  # fmt: skip
MADE = [(name, information) for name in CLASSICAL for information in ("blind", "informed")][:-1]


def shop(**more: Any) -> dict[str, Any]:
    """One shop with an outside supplier."""
    link = {"from": "supplier", "to": "shop", "lead_time": 0, "price": 0.0, **more.pop("link", {})}
    market = {"from": "shop", "to": "customers", "price": 0.0, "shortage_cost": 9.0, **more.pop("market", {})}
    node = {"id": "shop", "initial_inventory": 0, "holding_cost": 1.0, **more.pop("node", {})}
    return {"name": "shop", "nodes": [node, {"id": "supplier"}], "links": [link], "markets": [market], **more}


# the flow is carried --------------------------------------------------------------------------------


def roomy(network: dict[str, Any]) -> dict[str, Any]:
    """The network with capacities that nobody reaches."""
    network = copy.deepcopy(network)
    for node in network["nodes"]:
        if "capacity" in node:
            node["capacity"] = 1e6
    return network


def late_service(problem: Any, name: str, information: str) -> float:
    """Share of the demand that is sold in the second half of an episode."""
    policy = restock.make_policy(name, problem, information=information)
    flows = restock.simulate(problem, policy, episodes=1).trajectory
    half = problem.horizon // 2
    return float(flows["sold"][0, half:].sum() / flows["demand"][0, half:].sum())


@pytest.mark.parametrize(("name", "information"), MADE)
@pytest.mark.parametrize("network", instances())
@pytest.mark.parametrize("backlog", [True, False])
def test_defaults_carry_a_certain_demand_on_every_shipped_network(network, name, information, backlog):
    problem = restock.load_problem(network, demand={"mean": 20, "distribution": "deterministic"}, horizon=400,
                                   backlog=backlog)  # fmt: skip
    assert late_service(problem, name, information) > 0.99


@pytest.mark.parametrize(("name", "information"), MADE)
@pytest.mark.parametrize("seed", range(25))
def test_defaults_carry_a_certain_demand_on_random_networks(seed, name, information):
    network = roomy(random_network(seed, means=True))
    problem = restock.load_problem({**network, "demand": {"distribution": "deterministic"}}, horizon=400, backlog=True)
    if problem.demand.mean.sum() > 0.0:
        assert late_service(problem, name, information) > 0.99


def test_a_node_that_ships_on_covers_a_period_more():
    plan = plan_of(restock.load_problem("serial"))
    np.testing.assert_array_equal(plan.window(False).count, [5, 6, 2])
    np.testing.assert_array_equal(plan.window(False).first, [0, 4, 9])
    np.testing.assert_array_equal(plan.window(True).count, [5, 10, 11])
    # Every third period: what arrives in period 4 leaves at the review of period 6.
    np.testing.assert_array_equal(plan.window(False, 3).count, [7, 9, 6])


def test_a_node_that_sells_and_ships_takes_the_larger_window():
    both = {
        "nodes": [{"id": k, "initial_inventory": 0, "holding_cost": 1.0} for k in (1, 2)] + [{"id": 3}],
        "links": [{"from": 2, "to": 1, "lead_time": 2, "price": 1}, {"from": 3, "to": 2, "lead_time": 3, "price": 1}],
        "markets": [{"from": k, "to": 10 + k, "price": 5, "shortage_cost": 1, "mean": 10 * k} for k in (1, 2)],
    }
    problem = restock.load_problem({**both, "demand": {"distribution": "deterministic"}}, horizon=60)
    np.testing.assert_allclose(restock.make_policy("base-stock", problem).levels, [30.0, 1.05 * 5 * 30.0])


def test_each_market_has_its_own_way():
    plan = plan_of(restock.load_problem("distribution-tree"))
    problem = restock.load_problem("distribution-tree")
    south = problem.nodes.index("south")
    ways = plan.window(True).count[plan.ways().node == south]
    assert sorted(ways) == [5 + 1 + 2, 5 + 1 + 3]  # L = 4 and a period to ship on, then 2 or 3 to the shop, then a day


# quantiles ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", [0.05, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("mean", [0.02, 0.7, 20.0, 900.0])
@pytest.mark.parametrize("lead", [0, 3])
def test_counts_get_the_exact_quantile(ratio, mean, lead):
    for law, twin in [
        ("poisson", stats.poisson(mean * (lead + 1))),
        ({"name": "negative_binomial", "dispersion": 2.0}, stats.nbinom(2.0 * (lead + 1), 2.0 / (2.0 + mean))),
    ]:
        problem = restock.load_problem(shop(link={"lead_time": lead}), demand={"mean": mean, "distribution": law})
        level = restock.make_policy("base-stock", problem, service=ratio).levels[0]
        assert level == twin.ppf(ratio)
        assert restock.make_policy("R-S", problem, service=ratio).levels[0] == twin.ppf(ratio)


def test_one_period_of_any_law_gets_its_own_quantile():
    problem = restock.load_problem(shop(), demand={"distribution": {"name": "uniform", "low": 10, "high": 30}})
    assert restock.make_policy("base-stock", problem, service=0.95).levels[0] == pytest.approx(29.0)
    wild = restock.load_problem(shop(), demand={"mean": 20, "distribution": {"name": "normal", "cv": 1.0}})
    asked = restock.simulate(wild, restock.make_policy("constant-order", wild), 2000).trajectory["demand"]
    level = restock.make_policy("base-stock", wild, service=0.9).levels[0]
    assert (asked <= level).mean() == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("block", [1, 5, "window"])
@pytest.mark.parametrize("lead", [0, 4])
def test_a_resampled_series_is_covered_as_often_as_is_asked_for(lead, block):
    """Also where neighbouring days belong together, so that the root of the lead time would be too little."""
    series = np.repeat(np.random.default_rng(3).gamma(0.7, 20.0, 60), 5).round()
    demand = {"series": series, "distribution": {"name": "empirical", "block": block}}
    problem = restock.load_problem(shop(link={"lead_time": lead}), demand=demand, horizon=40)
    asked = restock.simulate(problem, restock.make_policy("constant-order", problem), 3000).trajectory["demand"][..., 0]
    sums = np.cumsum(np.pad(asked, ((0, 0), (1, 0))), axis=1)
    sums = (sums[:, lead + 1 :] - sums[:, : -lead - 1])[:, 5:]
    for service in (0.5, 0.8, 0.95):
        for name in ("base-stock", "newsvendor"):
            level = restock.make_policy(name, problem, service=service)
            found = level.levels[0] if name == "base-stock" else level.newsvendor(service)[0, 0]
            near = 0.06 if lead and block != 1 else 0.02
            # Whole numbers: a level between two of them covers the lower one.
            assert (sums < found - 1.0).mean() - near <= service <= (sums <= found + 1.0).mean() + near


# what a unit short and a unit left over cost --------------------------------------------------------


def test_the_newsvendor_of_one_season():
    # Bought at 4, sold at 7, demand 50 +- 10, nothing is worth anything afterwards: (7 - 4) / 7 of all seasons.
    season = shop(horizon=1, link={"price": 4.0}, market={"price": 7.0, "shortage_cost": 0.0}, node={"holding_cost": 0})
    demand = {"mean": 50, "distribution": {"name": "normal", "sd": 10}}
    best = 50 + 10 * stats.norm.ppf(3 / 7)
    for backlog in (True, False):
        problem = restock.load_problem(season, demand=demand, backlog=backlog)
        earned = {}
        for name in ("newsvendor", "base-stock", "s-S", "R-S", "echelon-base-stock"):
            policy = restock.make_policy(name, problem)
            result = restock.simulate(problem, policy, 4000)
            assert result.trajectory["ordered"][:, 0, 0] == pytest.approx(best, abs=1e-6), name
            earned[name] = result.profit.mean()
        exact = 3 * 50 - 7 * 10 * stats.norm.pdf(stats.norm.ppf(3 / 7))
        assert earned["newsvendor"] == pytest.approx(exact, abs=3.0)


def test_what_is_cheap_to_lack_is_kept_below_the_mean():
    """A critical ratio below one half is kept as it is."""
    problem = restock.load_problem(shop(market={"shortage_cost": 0.25}), demand=20, horizon=2000)
    level = restock.make_policy("base-stock", problem).levels[0]
    assert level == pytest.approx(stats.poisson(20).ppf(0.2), abs=1)
    costs = [
        -restock.simulate(problem, restock.make_policy("base-stock", problem, levels=s), 20).profit.mean()
        for s in (level - 1, level, level + 1, 20)
    ]
    assert min(costs) == costs[1]


@pytest.mark.parametrize("fixed", [0.0, 4.0])
def test_every_policy_takes_its_service(fixed):
    """Higher service, more stock: for every policy, under every law of demand. Nothing is taken without effect."""
    series = [3.0, 9.0, 22.0, 17.0, 30.0, 8.0, 12.0, 0.0, 5.0, 44.0]
    for demand in (
        {"mean": 15}, {"mean": 15, "distribution": "normal"}, {"mean": 15, "distribution": "uniform"},
        {"mean": 15, "distribution": "negative_binomial"}, {"series": series, "distribution": "empirical"},
        {"series": series, "distribution": {"name": "empirical", "block": 7}},
        {"series": series * 8, "past": 40}, {"series": series * 8, "prior": 15},
        {"mean": 15, "distribution": {"name": "normal", "cv": 1.5}, "noise_scale": 0.5},
    ):  # fmt: skip
        problem = restock.load_problem(shop(link={"lead_time": 2, "fixed_cost": fixed}), demand=demand, horizon=30)
        for name in CLASSICAL:
            stock = [
                restock.simulate(problem, restock.make_policy(name, problem, service=service), 40).kpis[
                    "average_inventory"
                ].mean()
                for service in (0.5, 0.9, 0.999)
            ]  # fmt: skip
            assert stock[0] + 0.3 < stock[1] and stock[1] + 0.3 < stock[2], (name, demand, stock)


# fixed costs ----------------------------------------------------------------------------------------

# Zheng and Federgruen (1991): Poisson demand, no lead time, h = 1, p = 9, K = 64: mean, s, S, cost.
ZHENG_FEDERGRUEN = [
    (23, 17, 52, 52.757), (25, 19, 56, 54.262), (40, 33, 87, 64.512), (45, 37, 97, 67.776), (51, 43, 110, 71.611),
    (60, 52, 129, 77.306), (61, 52, 131, 77.929), (63, 54, 73, 78.287), (64, 55, 74, 78.402),
]  # fmt: skip


@pytest.mark.parametrize(("mean", "s", "top", "cost"), ZHENG_FEDERGRUEN)
def test_optimal_s_S_are_the_published_ones(mean, s, top, cost):
    demand = count_probabilities(float(mean), 0.0)
    found = optimal_s_S(demand, *expected_costs(demand, 1, 1.0, 9.0), 64.0)
    assert (found.reorder_point, found.reorder_point + found.quantity) == (s, top)
    assert found.cost == pytest.approx(cost, abs=6e-4)


@pytest.mark.parametrize("lead", [0, 2])
@pytest.mark.parametrize("mean", [5, 25])
def test_s_S_and_r_Q_cost_what_their_optimum_costs(mean, lead):
    problem = restock.load_problem(
        shop(horizon=2000, link={"lead_time": lead, "fixed_cost": 64.0}), demand={"mean": mean}
    )
    demand = count_probabilities(float(mean), 0.0)
    costs = expected_costs(demand, lead + 1, 1.0, 9.0)
    for name, solve in (("s-S", optimal_s_S), ("r-Q", optimal_r_Q)):
        result = restock.simulate(problem, restock.make_policy(name, problem), 40, 1)
        paid = sum(
            result.trajectory[part][:, 100:-20].sum(axis=(1, 2)) for part in ("holding", "shortage", "fixed_orders")
        )
        exact = solve(demand, *costs, 64.0).cost
        assert (paid / 1880).mean() == pytest.approx(exact, rel=0.01), name
    every = restock.simulate(problem, restock.make_policy("base-stock", problem), 40, 1)
    assert -every.profit.mean() / 2000 > 1.05 * exact


def test_orders_of_a_season_do_not_outlast_it():
    problem = restock.load_problem(shop(horizon=12, link={"fixed_cost": 100.0, "price": 2.0}), demand=10)
    left = restock.simulate(problem, restock.make_policy("s-S", problem), 200).trajectory["on_hand"][:, -1, 0]
    assert left.mean() < 10.0


def test_batches_are_units():
    problem = restock.load_problem(shop(horizon=60), demand=10)
    ordered = restock.simulate(problem, restock.make_policy("r-Q", problem, batches=35)).trajectory["ordered"]
    assert set(np.unique(ordered)) <= {0.0, 35.0, 70.0} and ordered.max() > 0
    levels = restock.make_policy("s-S", problem, reorder_points=12, batches=35).parameters_in_words()
    assert levels == {"reorder point shop": 12.0, "order-up-to level shop": 47.0}


def test_the_cap_binds_where_sales_are_lost():
    """Zipkin (2008): Poisson demand of 5, four periods of lead time, h = 1, p = 9; the optimum costs 6.836."""
    lost = shop(horizon=3000, backlog=False, link={"lead_time": 4}, demand={"mean": 5})
    problem = restock.load_problem(lost)
    cost = {
        name: -restock.simulate(problem, restock.make_policy(name, problem), 20).profit.mean() / 3000
        for name in ("base-stock", "capped-base-stock")
    }
    capped = restock.make_policy("capped-base-stock", problem)
    orders = restock.simulate(problem, capped, 5).trajectory["ordered"]
    assert (orders == capped.caps[0]).mean() > 0.2
    assert 6.836 < cost["capped-base-stock"] < 0.96 * cost["base-stock"]


# parameters by name ---------------------------------------------------------------------------------


def test_parameters_are_given_and_told_by_name():
    by_name = restock.make_policy("base-stock", "serial", levels={"3": 40, "1": 110, 2: 120})
    in_order = restock.make_policy("base-stock", "serial", levels=[110, 120, 40])
    np.testing.assert_array_equal(by_name.levels, in_order.levels)
    shares = {"2->1": 1, "3->2": 1, "4->3": 1}
    assert restock.make_policy("s-S", "serial", shares=shares, batches={"1": 5, "2": 6, "3": 7}).name == "s-S"
    multiples = {"1": [1, 2], "2": [1, 1], "3": [2, 2]}
    one = restock.make_policy("base-stock", "serial", multiples=multiples)
    two = restock.make_policy("base-stock", "serial", multiples=[[1, 1, 2], [2, 1, 2]])
    np.testing.assert_array_equal(one.table, two.table)
    with pytest.raises(restock.InvalidInput, match=r"levels.4 = 5: there is no such entry"):
        restock.make_policy("base-stock", "serial", levels={"1": 5, "2": 5, "4": 5})
    with pytest.raises(restock.InvalidInput, match=r"3 is missing\. Name all of 1, 2, 3"):
        restock.make_policy("base-stock", "serial", levels={"1": 5, "2": 5})
    with pytest.raises(restock.InvalidInput, match="the lists are of different lengths"):
        restock.make_policy("base-stock", "serial", multiples={"1": [1, 2], "2": [1], "3": [1, 2]})


@pytest.mark.parametrize("name", ["base-stock", "newsvendor", "s-S", "capped-base-stock"])
def test_what_fit_finds_is_named_and_goes_back_in(name):
    found = restock.fit("divergent", name, episodes=8, budget=30)
    for parameter, value in found.parameters.items():
        if parameter == "shares":
            assert list(value)[:2] == ["2->1", "3->1"]
        elif parameter != "information":
            assert list(value) == ["1", "2", "3", "4", "5", "6"], parameter
    again = restock.make_policy(name, "divergent", **found.parameters)
    np.testing.assert_array_equal(again.parameters, found.policy.parameters)


# found by an independent recomputation --------------------------------------------------------------


def long_run(problem: Any, name: str, **params: Any) -> float:
    """Holding, shortage and fixed costs of a period, without the beginning and the end."""
    flows = restock.simulate(problem, restock.make_policy(name, problem, **params), 10, 1).trajectory
    parts = [flows[part][:, 300:-20].sum(axis=(1, 2)) for part in ("holding", "shortage", "fixed_orders")]
    return float(np.mean(sum(parts)) / (problem.horizon - 320))


@pytest.mark.parametrize(
    ("fixed", "mean", "s", "top", "batch", "cost"),
    [(10000, 20, -9, 2824, 2843, 140.7), (1000, 20, 11, 901, 900, 44.55)],
)
def test_a_large_fixed_cost_gets_the_batch_it_asks_for(fixed, mean, s, top, batch, cost):
    dear = shop(horizon=6000, node={"holding_cost": 0.05, "initial_inventory": 20}, market={"shortage_cost": 5.0},
                link={"fixed_cost": float(fixed)})  # fmt: skip
    problem = restock.load_problem(dear, demand=mean)
    assert list(restock.make_policy("s-S", problem).parameters_in_words().values()) == [s, top]
    assert list(restock.make_policy("r-Q", problem).parameters_in_words().values()) == [s, batch]
    for name in ("s-S", "r-Q"):
        assert long_run(problem, name) == pytest.approx(cost, rel=0.01)


@pytest.mark.parametrize(
    ("name", "fixed", "batches", "point", "cost"),
    [("r-Q", 64, 10, 33, 67.1), ("r-Q", 64, 100, 20, 52.9), ("s-S", 64, 10, 31, 55.7), ("r-Q", 0, 100, 20, 46.5),
     ("s-S", 0, 100, 20, 48.6)],
)  # fmt: skip
def test_a_given_batch_gets_the_reorder_point_that_is_best_for_it(name, fixed, batches, point, cost):
    problem = restock.load_problem(shop(horizon=3000, link={"lead_time": 2, "fixed_cost": float(fixed)}), demand=10)
    assert restock.make_policy(name, problem, batches=batches).levels[0] == pytest.approx(point, abs=1)
    assert long_run(problem, name, batches=batches) == pytest.approx(cost, rel=0.01)


def test_without_a_fixed_cost_batches_are_units():
    problem = restock.load_problem(
        shop(horizon=1500, market={"shortage_cost": 0.9}, node={"holding_cost": 0.1}), demand=10
    )
    assert long_run(problem, "r-Q") == pytest.approx(long_run(problem, "base-stock"))


@pytest.mark.parametrize(
    ("fixed", "holding", "short", "mean", "lead", "cost"),
    [(64, 0.5, 2, 10, 2, 24.1), (300, 1, 9, 20, 2, 109.8), (64, 1, 9, 10, 0, 37.8)],
)
def test_a_level_for_several_periods_counts_the_cost_of_each(fixed, holding, short, mean, lead, cost):
    rare = shop(horizon=3000, link={"lead_time": lead, "fixed_cost": fixed}, market={"shortage_cost": short},
                node={"holding_cost": holding, "initial_inventory": 20})  # fmt: skip
    assert long_run(restock.load_problem(rare, demand=mean), "R-S") == pytest.approx(cost, rel=0.01)


def test_money_that_is_tied_up_costs_interest():
    """The best constant level of an enumeration is 38, and earns 29.2; without the interest it would be 45 and 24.2."""
    tied = shop(
        horizon=400, discount=0.95, link={"lead_time": 3, "price": 2.0},
        market={"price": 2.2, "shortage_cost": 0.1}, node={"holding_cost": 0.02, "initial_inventory": 30},
    )  # fmt: skip
    policy = restock.make_policy("base-stock", restock.load_problem(tied, demand=10))
    assert abs(policy.levels[0] - 38) <= 1


def test_negative_binomial_levels_are_whole():
    wild = shop(node={"holding_cost": 0.1}, link={"lead_time": 1, "fixed_cost": 10.0}, market={"shortage_cost": 1.0})
    problem = restock.load_problem(
        wild, demand={"mean": 1, "distribution": {"name": "negative_binomial", "dispersion": 0.5}}
    )
    assert list(restock.make_policy("s-S", problem).parameters_in_words().values()) == [0.0, 15.0]


@pytest.mark.parametrize("cv", [1.0, 2.0])
def test_the_deviation_of_a_cut_normal_is_that_of_what_is_drawn(cv):
    demand = {"mean": 10, "distribution": {"name": "normal", "cv": cv}, "noise_scale": 0.5}
    problem = restock.load_problem(shop(), demand=demand, horizon=400)
    asked = restock.simulate(problem, "constant-order", 100).trajectory["demand"]
    assert problem.demand.deviation(problem.demand.mean)[0, 0] == pytest.approx(asked.std(), rel=0.02)
    assert asked.mean() == pytest.approx(10, rel=0.02)


def test_a_mean_of_nothing_is_nothing():
    problem = restock.load_problem(shop(), demand={"mean": 0, "distribution": {"name": "normal", "sd": 5}})
    assert restock.simulate(problem, "constant-order", 20).trajectory["demand"].max() == 0.0
    assert restock.make_policy("base-stock", problem).levels[0] == 0.0


@pytest.mark.parametrize("name", ["rolling", "stochastic"])
def test_a_look_that_ends_before_the_goods_arrive_is_refused(name):
    with pytest.raises(restock.InvalidInput, match="Look at least 11 periods ahead"):
        restock.make_policy(name, "serial", horizon=10)
    assert restock.make_policy(name, "serial", horizon=11).horizon == 11


@pytest.mark.parametrize(("leads", "best"), [((0, 10), 67.5), ((1, 6), 52.5), ((0, 3), 30.5)])
def test_suppliers_with_different_lead_times_cover_each_their_share(leads, best):
    """Half of an order is here long before the rest: covering the longest time costs three to six times as much."""
    both = {
        "horizon": 800,
        "nodes": [{"id": "shop", "initial_inventory": 30, "holding_cost": 0.1}, {"id": "near"}, {"id": "far"}],
        "links": [
            {"from": name, "to": "shop", "lead_time": lead, "price": 2.0}
            for name, lead in zip(("near", "far"), leads, strict=True)
        ],
        "markets": [{"from": "shop", "to": "customers", "price": 0.0, "shortage_cost": 0.9, "mean": 10}],
    }
    problem = restock.load_problem(both)
    for name in ("base-stock", "echelon-base-stock"):
        assert restock.make_policy(name, problem).levels[0] == pytest.approx(best, rel=0.03)
        found = long_run(problem, name)
        assert found < 1.03 * long_run(problem, name, levels=best)


def test_a_look_ahead_keeps_goodwill_where_demand_is_certain():
    problem = restock.load_problem("serial", demand={"distribution": "deterministic", "goodwill": True})
    table = restock.compare(problem, ["rolling", "base-stock"], episodes=2)
    assert table.row("rolling").profit.mean > 0.94 * table.row("hindsight").profit.mean
