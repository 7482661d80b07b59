"""Look-ahead programs: hand-computed decisions, known optima, and independence of what was solved before."""

from __future__ import annotations

import dataclasses
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

import restock
from restock.core.errors import InvalidInput
from restock.core.play import draw
from restock.evaluation.simulate import run
from restock.policies.forecast import Belief, window_spread
from restock.solvers.rolling import RollingProgram, Situation, _same_so_far
from restock.solvers.structure import replacement_costs

SHOP: dict[str, Any] = {
    "name": "shop",
    "horizon": 1,
    "backlog": False,
    "nodes": [{"id": "shop", "initial_inventory": 0, "holding_cost": 0.5}, {"id": "supplier"}],
    "links": [{"from": "supplier", "to": "shop", "lead_time": 0, "price": 1.0}],
    "markets": [{"from": "shop", "to": "customers", "price": 3.0, "shortage_cost": 0.25}],
    "demand": {"mean": 100, "distribution": {"name": "normal", "sd": 20}},
}


def shop(**changes: Any) -> Any:
    return restock.load_problem({**SHOP, **changes})


def first_orders(problem: Any, name: str = "rolling", **params: Any) -> np.ndarray:
    policy = restock.make_policy(name, problem, **params)
    return run(problem, policy, draw(problem, 1, 1), 1).trajectory["ordered"][0, 0]


def test_one_period_is_the_newsvendor():
    """Underage p - c + b = 2.25, overage c + h = 1.5: order the quantile of 0.6; tangents lie 0.5 deviations apart."""
    exact = 100.0 + 20.0 * NormalDist().inv_cdf(2.25 / 3.75)
    assert first_orders(shop())[0] == pytest.approx(exact, abs=0.25 * 20.0)
    assert first_orders(shop(), hedge=False)[0] == pytest.approx(100.0)


def test_it_pays_for_safety_where_shortage_is_dear_and_saves_where_stock_is():
    dear, cheap = (
        first_orders(shop(markets=[{**SHOP["markets"][0], "shortage_cost": b, "price": p}]))[0]
        for b, p in ((50.0, 3.0), (0.0, 1.2))
    )
    assert dear > 130.0 and cheap < 85.0


@pytest.mark.parametrize("instance", ["serial", "divergent", "diamond", "distribution-tree", "w-network"])
@pytest.mark.parametrize("backlog", [True, False])
def test_without_chance_it_is_the_hindsight_optimum(instance, backlog):
    demand = {"distribution": "deterministic", "effects": ["trend", "seasonal"]}
    problem = restock.load_problem(instance, demand=demand, backlog=backlog)
    table = restock.compare(problem, ["rolling"], episodes=1, seed=1)
    assert table.row("rolling").gap == pytest.approx(0.0, abs=1e-9)


def test_with_fixed_costs_it_is_near_it():
    """Both are mixed-integer programs, solved to 1% (hindsight) and 0.5% (each look)."""
    problem = restock.load_problem(
        "pooled-supply", demand={"distribution": "deterministic", "effects": ["trend"]}, horizon=8
    )
    assert abs(restock.compare(problem, ["rolling"], episodes=1, seed=1).row("rolling").gap) < 0.02


@pytest.mark.parametrize("instance", ["diamond", "distribution-tree", "w-network"])
@pytest.mark.parametrize("information", ["informed", "blind"])
@pytest.mark.parametrize("name", ["rolling", "stochastic"])
def test_it_runs_on_every_network_below_the_bound(instance, name, information):
    problem = restock.load_problem(instance, demand={"effects": ["shock"], "goodwill": True}, backlog=False, horizon=10)
    params = {"paths": 3} if name == "stochastic" else {}
    result = restock.simulate(problem, restock.make_policy(name, problem, information=information, **params), 2, 5)
    best = restock.simulate(problem, "hindsight", 2, 5)
    assert (result.profit <= best.profit + 1e-6).all()


@pytest.mark.parametrize("demand", [{"effects": ["seasonal"]}, {"effects": ["trend"], "goodwill": True}])
@pytest.mark.parametrize(("name", "params"), [("rolling", {}), ("stochastic", {"paths": 3}), ("published-dlp", {})])
@pytest.mark.parametrize("information", ["informed", "blind"])
def test_a_decision_depends_on_its_state_alone(name, params, demand, information):
    """Same episodes alone, together, after others, and by two threads: the same to the last bit."""
    problem = restock.load_problem("serial", demand=demand, horizon=14)
    policy = restock.make_policy(name, problem, information=information, **params)
    seeds = range(11, 15)
    together = restock.simulate(problem, policy, seed=11, seeds=seeds).profit
    np.testing.assert_array_equal(restock.simulate(problem, policy, seed=11, seeds=seeds).profit, together)
    if name != "stochastic":
        alone = [restock.simulate(problem, policy, seed=one, seeds=[one]).profit[0] for one in seeds]
        np.testing.assert_array_equal(alone, together)
    if name != "published-dlp":
        threads = restock.make_policy(name, problem, information=information, jobs=2, **params)
        np.testing.assert_array_equal(restock.simulate(problem, threads, seed=11, seeds=seeds).profit, together)


def test_whole_orders_are_whole():
    problem = restock.load_problem("serial", demand={"effects": ["trend"]}, horizon=8)
    orders = restock.simulate(problem, restock.make_policy("rolling", problem, integer=True), 2, 3).trajectory[
        "ordered"
    ]
    np.testing.assert_array_equal(orders, np.round(orders))
    assert orders.max() > 0


def test_fixed_costs_gather_orders():
    """A cost of 60 an order: fewer orders than without, and more profit than who does not know of it."""
    links = [{**SHOP["links"][0], "fixed_cost": 60.0}]
    costly = shop(horizon=8, links=links, demand={"mean": 20})
    free = shop(horizon=8, demand={"mean": 20})
    orders = run(costly, restock.make_policy("rolling", costly), draw(costly, 2, 3), 3)
    naive = run(free, restock.make_policy("rolling", free), draw(free, 2, 3), 3).trajectory["ordered"]
    times = (orders.trajectory["ordered"] > 1e-9).sum(axis=(1, 2))
    assert (times < (naive > 1e-9).sum(axis=(1, 2))).all()
    assert (orders.trajectory["fixed_orders"].sum(axis=(1, 2)) == 60.0 * times).all()


def test_an_order_is_placed_whole_or_not_at_all_on_every_path():
    """A cost of 60 an order, two paths: each pays for its own orders, none for a fraction of one."""
    problem = shop(horizon=4, links=[{**SHOP["links"][0], "fixed_cost": 60.0}], demand={"mean": 20})
    program = RollingProgram(problem, paths=2)
    demand = np.array([[[20.0], [10.0], [30.0], [20.0]], [[20.0], [30.0], [10.0], [5.0]]])
    nothing = np.zeros((4, 1))
    program.solve(0, Situation(np.zeros(1), np.zeros(1), nothing, demand, nothing, np.zeros(4)))
    values = np.array(program._model.getSolution().col_value)
    switches = values[[column for _, column, _ in program._switches]]
    assert len(switches) == 8 and switches.any()
    np.testing.assert_allclose(switches, np.round(switches), atol=1e-6)


def test_what_is_left_after_a_short_look_is_worth_what_it_cost():
    """Serial chain: the supplier's goods need 8 periods to the shop, so a look over 6 sees no use for them."""
    problem = restock.load_problem("serial", demand={"distribution": "deterministic"}, horizon=40)
    nodes, retailers = len(problem.nodes), 1
    mean = problem.demand.mean
    now = Situation(
        np.array([100.0, 100.0, 0.0]), np.zeros(1), np.zeros((40, nodes)), mean[None],
        np.zeros((40, retailers)), np.zeros(40),
    )  # fmt: skip
    ordered = {
        salvage: RollingProgram(problem, 6, hedge=False, salvage=salvage).solve(0, now).orders.sum(axis=0)
        for salvage in (True, False)
    }
    assert ordered[False][1] == ordered[False][2] == 0.0
    assert ordered[True][0] > 0.0


def test_replacement_costs_follow_the_cheapest_way():
    """Serial: raw .5; 3 -> 2 adds o .01 and 4 periods at .005; 2 -> 1 adds 4 periods at .010."""
    costs = replacement_costs(restock.load_problem("serial"))
    np.testing.assert_allclose(costs, [0.5 + 0.01 + 0.02 + 0.04, 0.5 + 0.01 + 0.02, 0.5])


def test_paths_ship_the_same_as_long_as_their_demand_is():
    demand = np.array([[[1.0], [2.0], [3.0]], [[1.0], [2.0], [4.0]], [[2.0], [2.0], [4.0]]])
    assert list(_same_so_far(demand, 0, 3)) == [3, 1]
    assert list(_same_so_far(demand, 2, 3)) == [1, 1]


def test_the_first_orders_of_a_stochastic_program_weigh_its_paths():
    """Two equally likely demands, 80 and 120, known only after the order.

    A unit up to 80 earns p - c; from there to 120 it earns (p + b + h) / 2 - (c + h) = 0.375 > 0 on average.
    """
    problem = shop()
    program = RollingProgram(problem, paths=2)
    now = Situation(
        np.zeros(1), np.zeros(1), np.zeros((1, 1)), np.array([[[120.0]], [[80.0]]]), np.zeros((1, 1)), np.zeros(1)
    )
    plan = program.solve(0, now)
    assert plan.orders[0, 0] == pytest.approx(120.0)
    expected = 0.5 * (3 * 120 - 120) + 0.5 * (3 * 80 - 120 - 0.5 * 40)
    assert plan.profit == pytest.approx(expected)
    dearer = RollingProgram(shop(links=[{**SHOP["links"][0], "price": 1.9}]), paths=2).solve(0, now)
    assert dearer.orders[0, 0] == pytest.approx(80.0)


def test_an_expected_shortage_beyond_all_demand_has_a_plan():
    problem = restock.load_problem("serial", backlog=False)
    policy = restock.make_policy("rolling", problem)
    policy.begin(1, 0, None)
    start = policy._first_situation(1)
    wide = dataclasses.replace(start, on_hand=np.zeros(3), spread=np.full((30, 1), 500.0))
    assert np.isfinite(policy._programs[0].solve(0, wide).profit)


@pytest.mark.parametrize(
    ("name", "params", "field"),
    [
        ("rolling", {"horizon": 0}, "horizon"),
        ("rolling", {"horizon": 2.5}, "horizon"),
        ("rolling", {"horizon": True}, "horizon"),
        ("rolling", {"hedge": "yes"}, "hedge"),
        ("rolling", {"integer": 1}, "integer"),
        ("rolling", {"jobs": 0}, "jobs"),
        ("rolling", {"information": "clairvoyant"}, "information"),
        ("stochastic", {"paths": 0}, "paths"),
        ("stochastic", {"branching": []}, "branching"),
        ("stochastic", {"branching": [2, 0]}, "branching"),
        ("stochastic", {"branching": 3}, "branching"),
        ("stochastic", {"branching": [2], "paths": 2}, "paths"),
    ],
)
def test_a_bad_parameter_is_named(name, params, field):
    with pytest.raises(InvalidInput) as caught:
        restock.make_policy(name, "serial", **params)
    assert caught.value.field == field


def test_a_tree_tells_its_stages_apart():
    problem = restock.load_problem("serial", horizon=5)
    policy = restock.make_policy("stochastic", problem, branching=[2, 3])
    uniform = policy._uniform(np.random.default_rng(1), 1)[:, :, 0]
    assert uniform.shape == (6, 5)
    assert len(np.unique(uniform[:, 1])) == 2 and len(np.unique(uniform[:, 2])) == 6
    assert [len(np.unique(uniform[g : g + 3, 1])) for g in (0, 3)] == [1, 1]
    assert (uniform[:3, 2] * 3).astype(int).tolist() != [0, 0, 0], "three thirds in each branch"
    assert sorted((uniform[:3, 2] * 3).astype(int)) == sorted((uniform[3:, 2] * 3).astype(int)) == [0, 1, 2]


def test_the_spread_grows_with_the_periods_in_which_nothing_can_be_done():
    deviation = np.array([[3.0], [4.0], [12.0]])
    np.testing.assert_allclose(window_spread(deviation, 0, [1])[:, 0], [3, 4, 12])
    np.testing.assert_allclose(window_spread(deviation, 0, [2])[:, 0], [3, 5, np.hypot(4, 12)])
    np.testing.assert_allclose(window_spread(deviation, 1, [3])[1:, 0], [4, np.hypot(4, 12)])


def test_the_belief_finds_the_curve():
    """After a shock the forecast of who has seen it is near it; before, it is near the prior."""
    problem = restock.load_problem("serial", demand={"effects": {"shock": {"time": 10, "size": 2.0}}})
    blind = restock.make_policy("rolling", problem, information="blind")
    assert isinstance(blind._forecast, Belief)
    seen: list[np.ndarray] = []
    look = blind._forecast.look
    blind._forecast.look = lambda view: seen.append(look(view)) or seen[-1]  # type: ignore[func-returns-value]
    run(problem, blind, draw(problem, 8, 3), 3)
    assert abs(seen[9].mean[:, 9].mean() / 20.0 - 1.0) < 0.25
    assert abs(seen[20].mean[:, 22].mean() / 40.0 - 1.0) < 0.2
    assert (
        seen[20].doubt(0, problem.prior().demand.mean, 20, [5]).max()
        < seen[0].doubt(0, problem.prior().demand.mean, 0, [5]).max()
    )
