"""The hindsight optimum: against brute force, against the simulator, against every policy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import restock
from restock.core.play import Episodes, draw, play, recorded
from restock.solvers.hindsight import hindsight
from restock.solvers.lp import NetworkProgram
from tests.problems.network.networks import random_network

TINY: dict[str, Any] = {
    "name": "tiny",
    "horizon": 3,
    "nodes": [{"id": 1, "initial_inventory": 2, "holding_cost": 0.5}, {"id": 2}],
    "links": [{"from": 2, "to": 1, "lead_time": 1, "price": 1, "pipeline_cost": 0.25}],
    "markets": [{"from": 1, "to": 0, "price": 3, "shortage_cost": 1}],
    "demand": {"mean": 3},
}
CHAIN: dict[str, Any] = {
    "name": "chain",
    "horizon": 3,
    "nodes": [
        {"id": 1, "initial_inventory": 1, "holding_cost": 0.5},
        {"id": 2, "initial_inventory": 4, "holding_cost": 0.125, "capacity": 2, "operating_cost": 0.25, "yield": 0.5},
        {"id": 3},
    ],
    "links": [
        {"from": 2, "to": 1, "lead_time": 1, "price": 1.5, "pipeline_cost": 0.25},
        {"from": 3, "to": 2, "lead_time": 0, "price": 0.5},
    ],
    "markets": [{"from": 1, "to": 0, "price": 4, "shortage_cost": 1}],
    "demand": {"mean": 2},
}


def all_plans(problem: Any, demand: list[int], *most: int) -> np.ndarray:
    """Profit of every plan with orders of 0 .. most[i] on link i, played by the simulator."""
    each = itertools.product(*(range(limit + 1) for limit in most))
    plans = np.array(list(itertools.product(list(each), repeat=problem.horizon)), dtype=float)
    path = np.array(demand, dtype=float)[None, :, None]
    episodes = recorded(problem, {"demand": np.repeat(path, len(plans), axis=0)})
    return play(problem, episodes, plans).rewards.sum(axis=1)


def one_episode(problem: Any, demand: list[int]) -> Episodes:
    return recorded(problem, {"demand": np.array(demand, dtype=float)[None, :, None]})


@pytest.mark.parametrize("demand", [[3, 3, 3], [0, 7, 1], [5, 0, 6], [2, 0, 0], [0, 0, 0]])
@pytest.mark.parametrize("discount", [1.0, 0.9])
@pytest.mark.parametrize("backlog", [True, False])
@pytest.mark.parametrize("lead_time", [0, 1, 2])
def test_brute_force_on_one_link(demand, discount, backlog, lead_time):
    tiny = {**TINY, "links": [{**TINY["links"][0], "lead_time": lead_time}]}
    problem = restock.load_problem(tiny, backlog=backlog, discount=discount)
    found = hindsight(problem, one_episode(problem, demand))
    # The matrix is that of a flow, so whole numbers of demand have a best plan in whole numbers.
    best = all_plans(problem, demand, 13).max()
    np.testing.assert_allclose(found.profit, best, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.bound, best, rtol=0, atol=1e-9)


@pytest.mark.parametrize("backlog", [True, False])
@pytest.mark.parametrize("demand", [[1, 1, 1], [0, 3, 2], [2, 0, 3]])
def test_brute_force_on_a_factory_with_a_yield(demand, backlog):
    problem = restock.load_problem(CHAIN, backlog=backlog)
    found = hindsight(problem, one_episode(problem, demand))
    # Two units in make one unit out, so best plans are whole numbers again.
    assert problem.links == ((2, 1), (3, 2))
    best = all_plans(problem, demand, 2, 6).max()
    np.testing.assert_allclose(found.bound, best, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.profit, best, rtol=0, atol=1e-9)


@pytest.mark.parametrize("demand", [[3, 3, 3], [1, 6, 2], [0, 0, 1], [9, 0, 0]])
@pytest.mark.parametrize("fixed_cost", [0.5, 4.0, 50.0])
def test_brute_force_with_a_fixed_cost(demand, fixed_cost):
    tiny = {**TINY, "links": [{**TINY["links"][0], "fixed_cost": fixed_cost}]}
    problem = restock.load_problem(tiny)
    found = hindsight(problem, one_episode(problem, demand))
    best = all_plans(problem, demand, 13).max()
    # The program stops within 1% of its proven bound.
    assert best <= found.bound[0] + 1e-9
    assert found.bound[0] - 0.01 * abs(found.bound[0]) - 1e-9 <= found.profit[0] <= best + 1e-9
    free = restock.load_problem(TINY)
    assert found.bound[0] <= hindsight(free, one_episode(free, demand)).bound[0] + 1e-9


def test_a_bound_with_fixed_costs_holds_however_far_demand_is_from_its_mean():
    tiny = {**TINY, "links": [{**TINY["links"][0], "fixed_cost": 1.0}], "demand": {"mean": 1}}
    problem = restock.load_problem(tiny)
    episodes = one_episode(problem, [0, 5000, 5000])
    found = hindsight(problem, episodes)
    plan = np.array([[[4998.0], [5000.0], [0.0]]])
    assert play(problem, episodes, plan).rewards.sum() <= found.bound[0] + 1e-6
    assert found.profit[0] >= 0.99 * found.bound[0]


def test_nothing_trickles_through_a_link_that_is_switched_off():
    # One period asks for a million times the others: a switch off to a millionth still lets their demand pass.
    network = {
        **TINY,
        "horizon": 6,
        "nodes": [{"id": 1, "initial_inventory": 0, "holding_cost": 0.5}, {"id": 2}],
        "links": [{"from": 2, "to": 1, "lead_time": 0, "price": 1, "fixed_cost": 50}],
    }
    problem = restock.load_problem(network, backlog=False)
    found = hindsight(problem, one_episode(problem, [0, 0.0625, 0, 0.25, 0.25, 800_000]))
    np.testing.assert_array_equal(found.orders[0, :5, 0], 0.0)
    np.testing.assert_allclose(found.orders[0, 5, 0], 800_000.0, rtol=1e-6)


def test_a_bound_with_fixed_costs_counts_the_stock_upstream():
    # What lies at node 3 is dear to hold, so the best plan sends all of it down to node 1.
    network = {
        "name": "attic",
        "horizon": 4,
        "nodes": [
            {"id": 1, "initial_inventory": 0, "holding_cost": 0.0},
            {"id": 2, "initial_inventory": 0, "holding_cost": 5.0},
            {"id": 3, "initial_inventory": 100, "holding_cost": 5.0, "capacity": 500, "yield": 2},
            {"id": 4},
        ],
        "links": [
            {"from": 2, "to": 1, "lead_time": 0, "price": 1, "fixed_cost": 1},
            {"from": 3, "to": 2, "lead_time": 0, "price": 1, "fixed_cost": 1},
            {"from": 4, "to": 3, "lead_time": 0, "price": 1},
        ],
        "markets": [{"from": 1, "to": 0, "price": 3, "shortage_cost": 1}],
    }
    problem = restock.load_problem(network)
    episodes = one_episode(problem, [0, 0, 0, 1])
    assert problem.links == ((2, 1), (3, 2), (4, 3))
    down = np.array([[[0, 200, 0], [200, 0, 0], [0, 0, 0], [0, 0, 0]]], dtype=float)
    earned = play(problem, episodes, down).rewards.sum()
    np.testing.assert_allclose(earned, -5.0 * 200 - 2 + 3)  # one night at node 2, two orders, one sale
    found = hindsight(problem, episodes)
    assert found.bound[0] >= earned - 1e-6
    np.testing.assert_allclose(found.profit, earned, rtol=0.011)


def test_brute_force_with_a_fixed_cost_above_a_yield():
    links = [CHAIN["links"][0], {**CHAIN["links"][1], "fixed_cost": 0.25}]
    problem = restock.load_problem({**CHAIN, "links": links})
    demand = [1, 3, 3]
    found = hindsight(problem, one_episode(problem, demand))
    best = all_plans(problem, demand, 2, 6).max()
    assert best - 1e-9 <= found.bound[0] <= best + 0.01 * abs(found.bound[0]) + 1e-9
    assert found.profit[0] <= best + 1e-9


# against the simulator and every policy ------------------------------------------------------------


def plans_are_exact(network: dict[str, Any]) -> bool:
    """Whether the simulator sells as the program would: one market, which its node serves alone and gladly."""
    sellers = [market["from"] for market in network["markets"]]
    shipping = {link["from"] for link in network["links"]}
    operating = {node["id"]: node.get("operating_cost", 0.0) / node.get("yield", 1.0) for node in network["nodes"]}
    return (
        len(set(sellers)) == len(sellers)
        and not shipping & set(sellers)
        and all(market["price"] >= operating[market["from"]] for market in network["markets"])
    )


@settings(max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    exact=st.booleans(),
    backlog=st.booleans(),
    discount=st.sampled_from([1.0, 0.97, 0.8]),
    horizon=st.integers(1, 7),
)
def test_no_policy_earns_more_than_the_bound(seed, exact, backlog, discount, horizon):
    network = random_network(seed, exact=exact)
    problem = restock.load_problem(network, horizon=horizon, backlog=backlog, discount=discount)
    episodes = draw(problem, 3, seed)
    found = hindsight(problem, episodes)
    room = 1e-6 * np.maximum(1.0, np.abs(found.bound))
    assert (found.profit <= found.bound + room).all()
    rng = np.random.default_rng(seed)
    for most in (0.0, 5.0, 60.0, 1e4):
        plans = rng.uniform(0.0, most, (3, horizon, len(problem.links)))
        assert (play(problem, episodes, plans).rewards.sum(axis=1) <= found.bound + room).all()
    for policy in ("base-stock", "constant-order"):
        assert (restock.simulate(problem, policy, episodes=3, seed=seed).profit <= found.bound + room).all()


@settings(max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    backlog=st.booleans(),
    discount=st.sampled_from([1.0, 0.97, 0.8]),
    horizon=st.integers(1, 9),
)
def test_the_plan_earns_in_the_simulator_what_the_program_says(seed, backlog, discount, horizon):
    network = next(n for k in range(10_000) if plans_are_exact(n := random_network(seed + k)))
    problem = restock.load_problem(network, horizon=horizon, backlog=backlog, discount=discount)
    episodes = draw(problem, 3, seed)
    found = hindsight(problem, episodes)
    np.testing.assert_allclose(found.profit, found.bound, rtol=1e-7, atol=1e-6)


@pytest.mark.parametrize("name", ["serial", "divergent", "diamond", "w-network", "distribution-tree"])
def test_the_plan_is_exact_on_shipped_instances(name):
    problem = restock.load_problem(name)
    found = hindsight(problem, draw(problem, 3, 42))
    np.testing.assert_allclose(found.profit, found.bound, rtol=1e-9)


def test_a_market_that_does_not_pay_is_left_alone_by_the_program_only():
    # Two markets on one node: the simulator serves the first first, the program the one that pays.
    poor_first = {
        **TINY,
        "markets": [
            {"from": 1, "to": 0, "price": 0.0, "shortage_cost": 0.0},
            {"from": 1, "to": 9, "price": 9.0, "shortage_cost": 0.0},
        ],
        "links": [{**TINY["links"][0], "lead_time": 3}],
    }
    problem = restock.load_problem(poor_first, backlog=False)
    found = hindsight(problem, recorded(problem, {"demand": np.full((1, 3, 2), 2.0)}))
    assert found.profit[0] < found.bound[0]
    np.testing.assert_allclose(found.bound, 18.0)  # the two units of the start, sold to the second market at once


# conduct --------------------------------------------------------------------------------------


def test_an_episode_is_solved_alike_in_any_company():
    # A program with several best plans: which one is found depends on where the solver starts.
    problem = restock.load_problem("w-network")
    forward = draw(problem, 6, 7)
    backward = Episodes(forward.vectors[::-1].copy(), None, forward.seeds[::-1])
    first, second = hindsight(problem, forward), hindsight(problem, backward)
    np.testing.assert_array_equal(first.orders, second.orders[::-1])
    np.testing.assert_array_equal(first.bound, second.bound[::-1])


@pytest.mark.parametrize("sampler", ["sequential", "inverse", "numpy"])
def test_under_goodwill_the_best_plan_is_no_proven_bound(sampler):
    problem = restock.load_problem("serial", demand={"goodwill": True, "sampler": sampler})
    episodes = draw(problem, 3, 11)
    found = hindsight(problem, episodes)
    assert np.isinf(found.bound).all()
    np.testing.assert_allclose(play(problem, episodes, found.orders).rewards.sum(axis=1), found.profit)
    for policy in ("base-stock", "constant-order"):
        assert (found.profit > restock.simulate(problem, policy, episodes=3, seed=11).profit).all()


def test_recorded_demand_makes_the_bound_proven_again_under_goodwill():
    problem = restock.load_problem("serial", demand={"goodwill": True})
    found = hindsight(problem, recorded(problem, {"demand": np.full((2, 30), 20.0)[:, :, None]}))
    np.testing.assert_allclose(found.bound, found.profit, rtol=1e-9)


def test_progress_is_told_for_every_episode():
    for demand in ({}, {"goodwill": True}):
        problem = restock.load_problem("serial", demand=demand, horizon=8)
        steps: list[tuple[int, int]] = []
        hindsight(problem, draw(problem, 3, 0), lambda done, total, steps=steps: steps.append((done, total)))
        total = 6 if demand else 3
        assert steps == [(k + 1, total) for k in range(total)]


def test_an_unsolvable_program_is_told_and_not_passed_on(monkeypatch):
    problem = restock.load_problem("serial", horizon=4)
    program = NetworkProgram(problem)
    with pytest.raises(restock.InvalidInput, match="HiGHS found no optimum"):
        program.solve(np.full((4, 1), -5.0))  # nobody can sell less than nothing
