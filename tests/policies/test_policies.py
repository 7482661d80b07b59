"""The first policies: levels by hand, one text in two loops, and what may go wrong when making them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import restock
from restock.core.errors import InvalidInput
from restock.core.play import draw
from restock.evaluation import simulate as module
from restock.policies._base import Policy, TextPolicy, View
from restock.policies.flows import (
    downstream_first,
    last_useful_period,
    mean_flow,
    periods_to_market,
    planned_orders,
    supplier_shares,
)
from restock.policies.registry import policy_class
from restock.problems.network.load import instances
from tests.policies.homes import home
from tests.problems.network.networks import random_network

TEXTS = [name for name in restock.list_policies("network") if issubclass(policy_class(name), TextPolicy)]

# Standard normal quantiles of the critical ratios below, from a table (six decimals).
Z = {0.95: 1.644854}


# base-stock ---------------------------------------------------------------------------------------


def ratio_on_serial(short: float, over: float, step: float) -> float:
    """The critical ratio of a level that is kept for 30 periods: what is left or missing at the end counts once.

    A unit at the shop has cost its price .5, operating .01 and the pipeline, .005 * 4 + .010 * 4.
    """
    margin = 2.0 - (0.5 + 0.01 + 0.005 * 4 + 0.010 * 4)
    under = short + (margin - (short - 0.1)) / 30
    return under / (under + over + step / 30)


def test_levels_by_hand_on_serial():
    # Poisson(20); goods that arrive today leave tomorrow, so nodes 2 and 3 cover L + 2 periods; b = 0.1. The last
    # step of a unit: pipeline .010 * 4 to node 1, .005 * 4 and operating .01 to node 2, price .5 to node 3.
    levels = restock.make_policy("base-stock", "serial").levels
    rows = [(5, 0.03, 0.04), (6, 0.02, 0.03), (2, 0.01, 0.5)]
    by_hand = [stats.poisson(20 * cover).ppf(ratio_on_serial(0.1, over, step)) for cover, over, step in rows]
    np.testing.assert_array_equal(levels, np.maximum(by_hand, [0.0, 1.05 * 120, 1.05 * 40]))


def test_levels_with_lost_sales_count_the_margin():
    # A lost sale costs b = 0.1 and what the network would have earned by it, not what the shop pays the next node.
    problem = restock.load_problem("serial", backlog=False)
    level = restock.make_policy("base-stock", problem).levels[0]
    margin = 2.0 - (0.5 + 0.01 + 0.005 * 4 + 0.010 * 4)
    assert level == stats.poisson(100).ppf(ratio_on_serial(0.1 + margin, 0.03, 0.04))


def test_levels_from_what_one_plans_for():
    planned = restock.make_policy("base-stock", "serial", mean=30, sd=3, service=0.95).levels
    np.testing.assert_allclose(planned, 30 * np.array([5, 6, 2]) + Z[0.95] * 3 * np.sqrt([5, 6, 2]), rtol=1e-6)
    without_noise = restock.make_policy("base-stock", restock.load_problem("serial", demand={"noise_scale": 0})).levels
    np.testing.assert_allclose(without_noise, [100, 1.05 * 120, 1.05 * 40])


def test_levels_where_markets_meet_add_their_variances():
    # w-network: the centre carries means 28 + 11 with variances 28 + 11, and ships on. Its suppliers take 4 and 7
    # periods; each share of its orders covers its own time, and what a market strays by adds up over both.
    problem = restock.load_problem("w-network")
    policy = restock.make_policy("base-stock", problem, service=0.95)
    level = dict(zip(problem.nodes, policy.levels, strict=True))
    share = [one for one, (_, buyer) in zip(policy.shares, problem.links, strict=True) if buyer == "centre"]
    mean = 39 * sum(part * periods for part, periods in zip(share, (6, 9), strict=True))
    spread = [sum(part * np.sqrt(each * n) for part, n in zip(share, (6, 9), strict=True)) for each in (28, 11)]
    assert level["centre"] == pytest.approx(mean + Z[0.95] * np.hypot(*spread), rel=1e-6)
    assert level["busy-store"] == stats.poisson(28 * 3).ppf(0.95)


def view(problem: Any, t: int, **stocks: list[float]) -> View:
    """A view of one episode with these stocks, all else zero."""
    now = {name: np.zeros((1, len(columns))) for name, columns in problem.layout.columns.items()}
    now |= {name: np.array([values], dtype=float) for name, values in stocks.items()}
    return View(t, now, {}, None)


def test_base_stock_orders_what_is_missing():
    problem = restock.load_problem("serial")
    assert problem.links == ((2, 1), (3, 2), (4, 3))
    policy = restock.make_policy("base-stock", problem, levels=[120, 110, 90])
    orders = policy.act(view(problem, 3, on_hand=[50, 70, 95], in_transit=[30, 25, 0], backlog=[7]))
    # Node 1: 120 - (50 + 30 - 7); node 2: 110 - (70 + 25); node 3 has enough.
    np.testing.assert_allclose(orders, [[47, 15, 0]])


def test_suppliers_share_by_landed_cost():
    problem = restock.load_problem("diamond")
    assert problem.links[0] == ("near-plant", "shop") and problem.links[1] == ("far-plant", "shop")
    near, far = 1 / (1.35 + 0.012 * 2), 1 / (0.85 + 0.005 * 8)
    np.testing.assert_allclose(supplier_shares(problem)[:2], [near / (near + far), far / (near + far)], rtol=1e-6)
    policy = restock.make_policy("base-stock", problem, levels=[0, 0, 300])
    assert problem.nodes[2] == "shop"
    orders = policy.act(view(problem, 0, on_hand=[0, 0, 100]))
    np.testing.assert_allclose(orders[0, :2], 200 * supplier_shares(problem)[:2])


# what all of them know of a network ---------------------------------------------------------------


@pytest.mark.parametrize("network", [*instances(), *range(12)], ids=str)
def test_shares_and_flows_add_up(network):
    problem = restock.load_problem(network if isinstance(network, str) else random_network(network))
    shares = supplier_shares(problem)
    assert (shares > 0).all()
    buyers = [buyer for _, buyer in problem.links]
    for node in problem.nodes:
        np.testing.assert_allclose(shares[[buyer == node for buyer in buyers]].sum(), 1.0)
    mean = problem.demand.mean.mean(axis=0)
    out, flow = mean_flow(problem, mean)
    units_in = problem.world(problem.plain.fresh)[0].units_in
    for j, node in enumerate(problem.nodes):
        sold = sum(m for (retailer, _), m in zip(problem.markets, mean, strict=True) if retailer == node)
        sent = sum(f for (supplier, _), f in zip(problem.links, flow, strict=True) if supplier == node)
        received = sum(f for (_, buyer), f in zip(problem.links, flow, strict=True) if buyer == node)
        np.testing.assert_allclose(out[j], sold + sent)
        np.testing.assert_allclose(received, sold + units_in[j] * sent)
    order = downstream_first(problem)
    assert sorted(order) == list(range(len(problem.nodes)))
    rank = {problem.nodes[j]: k for k, j in enumerate(order)}
    assert all(rank[buyer] < rank[supplier] for supplier, buyer in problem.links if supplier in rank)


def test_last_useful_period_by_hand_on_serial():
    # 4 periods to node 1 and sold that day; one day at node 2 and 4 on the way; one day at node 3 on top.
    problem = restock.load_problem("serial")
    np.testing.assert_array_equal(periods_to_market(problem), [0, 5, 10])
    np.testing.assert_array_equal(last_useful_period(problem), [26, 21, 20])


@pytest.mark.parametrize("link", [0, 1, 2])
def test_the_last_useful_order_is_sold_and_the_next_is_not(link):
    empty = restock.load_problem("serial").spec.model_dump(by_alias=True, exclude_none=True, exclude={"demand"})
    for node in empty["nodes"]:
        if "initial_inventory" in node:
            node["initial_inventory"] = 0
    problem = restock.load_problem(empty)
    last = int(last_useful_period(problem)[link])

    class Once(Policy):
        """Buys one unit at the start of the way that begins on `link`, and passes it on at once."""

        name, summary = "once", ""

        def __init__(self, problem: Any, period: int) -> None:
            super().__init__(problem)
            self.period = period

        def act(self, view: View) -> np.ndarray:
            orders = np.zeros((len(view["on_hand"]), 3))
            if view.t == self.period:
                orders[:, link] = 1.0
            orders[:, :link] = view["on_hand"][:, 1 : link + 1]
            return orders

    if link < 2:  # the supplier must have the unit to ship
        node = next(n for n in empty["nodes"] if n["id"] == link + 2)
        node["initial_inventory"] = 1
        problem = restock.load_problem(empty)
    for period, sold in ((last - 1, 1.0), (last, 0.0)):
        result = restock.simulate(problem, Once(problem, period), episodes=1)
        assert result.trajectory["sold"].sum() == sold


# constant order and random ------------------------------------------------------------------------


def test_constant_order_until_it_is_too_late():
    problem = restock.load_problem("serial")
    orders = restock.simulate(problem, "constant-order", episodes=2).trajectory["ordered"]
    for i, last in enumerate((26, 21, 20)):
        np.testing.assert_array_equal(orders[:, :last, i], 20.0)
        np.testing.assert_array_equal(orders[:, last:, i], 0.0)
    given = restock.make_policy("constant-order", problem, quantity=[1, 2, 3])
    assert given.parameters_in_words() == {"2->1": 1.0, "3->2": 2.0, "4->3": 3.0}
    np.testing.assert_array_equal(restock.simulate(problem, given, episodes=1).trajectory["ordered"][0, 0], [1, 2, 3])


def test_constant_order_defaults_to_the_mean_flow_with_yields():
    problem = restock.load_problem("pooled-supply")
    flow = dict(zip(problem.links, planned_orders(problem), strict=True))
    assert flow["plant", "dealer"] == pytest.approx(18.0)
    into = flow["part-maker-a", "plant"] + flow["part-maker-b", "plant"]
    assert into == pytest.approx(18 / 0.9)
    assert flow["polymer", "part-maker-b"] == pytest.approx(flow["part-maker-b", "plant"] / 0.8)


def test_random_orders_repeat_and_leave_demand_alone():
    first = restock.simulate("divergent", "random", episodes=4, seed=3).trajectory
    again = restock.simulate("divergent", "random", episodes=4, seed=3).trajectory
    other = restock.simulate("divergent", "random", episodes=4, seed=4).trajectory
    np.testing.assert_array_equal(first["ordered"], again["ordered"])
    assert not np.array_equal(first["ordered"], other["ordered"])
    # Its stream is its own: demand is what it is under any policy, and orders are what they are under any demand.
    np.testing.assert_array_equal(
        first["demand"], restock.simulate("divergent", "base-stock", episodes=4, seed=3).trajectory["demand"]
    )
    changed = restock.load_problem("divergent", demand={"distribution": "normal"})
    np.testing.assert_array_equal(
        first["ordered"], restock.simulate(changed, "random", episodes=4, seed=3).trajectory["ordered"]
    )
    most = restock.load_problem("divergent").action_form("quantity").most
    assert (first["ordered"] >= 0).all() and (first["ordered"] <= most).all()
    np.testing.assert_allclose(first["ordered"].mean(axis=(0, 1)), most / 2, rtol=0.25)


# one text, two loops --------------------------------------------------------------------------------


@pytest.mark.parametrize("goodwill", [False, True])
@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("network", [*instances(), 3, 8, 21], ids=str)
def test_text_policy_compiled_and_row_by_row(network, name, goodwill):
    instance = network if isinstance(network, str) else random_network(network)
    problem = restock.load_problem(instance, demand={"goodwill": goodwill, "sampler": "inverse"}, horizon=25)
    policy = restock.make_policy(name, problem)
    chance = draw(problem, 5, 1)
    compiled = module.run(problem, policy, chance, 0).trajectory
    by_rows = module.run(problem, policy, chance, 0, compiled=False).trajectory
    for field in compiled:
        np.testing.assert_allclose(compiled[field], by_rows[field], rtol=1e-12, atol=1e-9, err_msg=field)
    assert compiled["ordered"].sum() > 0


# making them --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("base-stok", {}, "policy = 'base-stok': there is no such policy. Did you mean 'base-stock'?"),
        (7, {}, "policy = 7: there is no such policy"),
        ("base-stock", {"level": 3}, "level = 3: base-stock has no such parameter. Did you mean 'levels'?"),
        ("random", {"most": 3}, "most = 3: random has no such parameter. random has no parameters."),
        ("base-stock", {"levels": [1, 2]}, "levels = [1, 2]: must be one number, or one for each of 1, 2, 3"),
        ("base-stock", {"levels": "high"}, "levels = 'high': must be one number"),
        ("base-stock", {"levels": [1, 2, -3]}, "levels = [1, 2, -3]: must be finite and at least 0"),
        ("base-stock", {"levels": float("nan")}, "levels = nan: must be finite"),
        ("base-stock", {"levels": True}, "levels = True: must be one number"),
        ("base-stock", {"levels": 100, "mean": 3}, "mean = 3: levels are given, so there is nothing to plan"),
        ("base-stock", {"levels": 100, "service": 0.9}, "service = 0.9: levels are given"),
        ("base-stock", {"mean": [1, 2]}, "mean = [1, 2]: must be one number, or one for each of 1->0"),
        ("base-stock", {"mean": -1}, "mean = -1: must be finite and at least 0"),
        ("base-stock", {"sd": "wide"}, "sd = 'wide': must be one number"),
        ("base-stock", {"service": 1}, "service = 1: a critical ratio must lie between 0 and 1"),
        ("base-stock", {"service": 0.0}, "service = 0.0: a critical ratio"),
        ("base-stock", {"service": "much"}, "service = 'much': must be one number"),
        ("base-stock", {"service": True}, "service = True: must be one number"),
        ("constant-order", {"quantity": [1]}, None),
        ("constant-order", {"quantity": [[1, 2, 3]]}, "quantity = [[1, 2, 3]]: must be one number"),
        ("constant-order", {"quantity": {}}, "quantity = {}: 2->1 is missing"),
    ],
)
def test_make_policy_says_what_is_wrong(name, params, said):
    if said is None:
        assert restock.make_policy(name, "serial", **params).name == name
        return
    with pytest.raises(restock.InvalidInput) as caught:
        restock.make_policy(name, "serial", **params)
    assert said in str(caught.value)


def test_every_known_policy_can_be_made_and_introduces_itself():
    for name in restock.list_policies("network"):
        kind = policy_class(name)
        assert kind.name == name
        assert kind.may_know and set(kind.may_know) <= {"blind", "informed", "clairvoyant"}
        assert kind.summary and len(kind.summary) < 90
        policy = restock.make_policy(name, home(name))
        assert all(isinstance(value, (float, int, str)) for value in policy.parameters_in_words().values())


def test_hindsight_cannot_be_begun_without_the_future():
    policy = restock.make_policy("hindsight", "serial")
    with pytest.raises(restock.InvalidInput, match="needs to know the future"):
        policy.begin(3, 0, None)


# what a text may read -------------------------------------------------------------------------------


def text_policy(act: Any) -> type[TextPolicy]:
    class Own(TextPolicy):
        name, summary = "own", ""
        text = staticmethod(act)
        parameters = np.array([7.0])

    return Own


def test_a_text_that_peeks_at_the_episode_is_refused():
    def peeks(t, parameters, nodes, links, markets, rules, state, chance, flows):
        for i in range(len(flows.ordered)):
            flows.ordered[i] = chance.draw[t][0]

    def peeks_by_another_name(t, p, a, b, c, discounting, s, fortune, f):
        means = fortune.mean
        for i in range(len(f.ordered)):
            f.ordered[i] = means[t][0]

    def reads_rules(t, parameters, nodes, links, markets, rules, state, chance, flows):
        for i in range(len(flows.ordered)):
            flows.ordered[i] = parameters[0] * rules.discount

    for act, name in ((peeks, "chance"), (peeks_by_another_name, "fortune"), (reads_rules, "rules")):
        with pytest.raises(restock.InvalidInput, match=f"policy own = '{name}': its text reads what belongs to the"):
            text_policy(act)(restock.load_problem("serial"))


def test_a_text_that_keeps_to_its_own_is_welcome():
    def honest(t, parameters, nodes, links, markets, rules, state, chance, flows):
        for i in range(len(flows.ordered)):
            flows.ordered[i] = parameters[0] + 0.0 * (nodes.holding_cost[links.buyer[i]] + markets.price[0])

    problem = restock.load_problem("serial")
    orders = restock.simulate(problem, text_policy(honest)(problem), episodes=2).trajectory["ordered"]
    np.testing.assert_array_equal(orders, 7.0)


def test_a_class_cannot_say_a_level_that_nobody_reads():
    with pytest.raises(InvalidInput, match="may_know"):
        type("Told", (Policy,), {"information": "informed"})


def test_a_level_that_a_policy_does_not_know_is_refused():
    with pytest.raises(InvalidInput, match="blind, informed"):
        restock.make_policy("base-stock", "serial", information="clairvoyant")


def test_a_blind_policy_is_made_for_the_prior_alone():
    told = {"mean": 12, "effects": ["trend", "seasonal", "shock"], "goodwill": True}
    problem = restock.load_problem("serial", demand=told)
    blind = restock.make_policy("base-stock", problem)
    assert (blind.problem.demand.mean == 12.0).all() and blind.problem.demand.state_dependent
    assert restock.make_policy("base-stock", problem, information="informed").problem is problem
    series = restock.load_problem("serial", demand={"series": list(range(30)), "prior": 7})
    assert (restock.make_policy("base-stock", series).problem.demand.mean == 7.0).all()
    flat = restock.load_problem("serial", demand=12)
    assert flat.prior() is flat


def test_blind_levels_do_not_depend_on_the_effects_and_informed_ones_do():
    flat, growing = (restock.load_problem("serial", demand={"effects": effects}) for effects in ([], ["trend"]))
    made = [
        [restock.make_policy("base-stock", problem, information=level).levels for problem in (flat, growing)]
        for level in ("blind", "informed")
    ]
    np.testing.assert_array_equal(*made[0])
    assert (made[1][1] > made[1][0]).all()
