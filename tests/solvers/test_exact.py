"""The exact optimum of a single location: published costs, and a recursion through the dynamics themselves."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import pytest

import restock
from restock.core.problem import Problem
from restock.policies._base import Policy, View
from restock.solvers.exact import Optimum, optimum
from restock.solvers.single_location import single_location
from tests.policies.homes import shop

GEOMETRIC = {"name": "negative_binomial", "dispersion": 1.0}

# Long-run average cost with mean demand 5 and a holding cost of 1. Zipkin (2008), Old and new methods for
# lost-sales inventory systems, Operations Research 56(5).
PUBLISHED = [
    (1, 4.0, "poisson", 4.04),
    (2, 4.0, "poisson", 4.40),
    (3, 4.0, "poisson", 4.60),
    (4, 4.0, "poisson", 4.73),
    (1, 9.0, "poisson", 5.44),
    (2, 9.0, "poisson", 6.09),
    (3, 9.0, "poisson", 6.53),
    (4, 39.0, "poisson", 10.79),
    (2, 9.0, GEOMETRIC, 15.50),
]


def solved(lead_time: int, shortage: float, law: Any, **how: Any) -> Optimum:
    demand = {"mean": 5.0, "distribution": law}
    return optimum(restock.load_problem(shop(lead_time, shortage_cost=shortage, demand=demand)), **how)


@pytest.mark.parametrize(("lead_time", "shortage", "law", "cost"), PUBLISHED)
def test_published_costs_of_lost_sales(lead_time, shortage, law, cost):
    assert round(solved(lead_time, shortage, law).cost, 2) == cost


@pytest.mark.parametrize(("lead_time", "law"), [(1, "poisson"), (2, GEOMETRIC), (3, "poisson")])
def test_wider_bounds_change_nothing(lead_time, law):
    near, far = solved(lead_time, 9.0, law), solved(lead_time, 9.0, law, widened=1.6)
    assert far.tables[-1].shape > near.tables[-1].shape
    assert math.isclose(near.cost, far.cost, rel_tol=1e-6)
    # On every state from which nothing beyond the narrower bounds is reached.
    narrow = near.tables[-1]
    position = sum(np.indices(narrow.shape))
    inside = position < narrow.shape[0]
    assert (narrow == far.tables[-1][tuple(map(slice, narrow.shape))])[inside].all()


def test_bounds_that_are_too_narrow_are_widened():
    assert solved(2, 9.0, "poisson", widened=0.3).cost == pytest.approx(6.0936, abs=1e-4)


def test_where_sales_wait_the_level_is_the_quantile_of_the_demand_to_come():
    found = optimum(restock.load_problem(shop(3, backlog=True, shortage_cost=9.0)))
    coming = np.cumsum([math.exp(-20.0 + k * math.log(20.0) - math.lgamma(k + 1)) for k in range(80)])
    level = int(np.argmax(coming >= 0.9))
    left = sum((level - k) * p for k, p in enumerate(np.diff(coming, prepend=0.0)) if k < level)
    assert found.levels is not None and found.levels[-1] == level
    assert found.cost == pytest.approx(left + 9.0 * (left - level + 20.0), abs=1e-5)


# against the dynamics themselves ------------------------------------------------------------------

FEW = np.array([0.3, 0.4, 0.2, 0.1])  # demand of 0 to 3 units


class Few:
    """A problem whose demand takes four values, played by its own text of the dynamics."""

    def __init__(self, problem: Problem, most: int) -> None:
        self.problem, self.most = problem, most

    def after(self, t: int, state: tuple[float, ...], order: float, demand: float) -> tuple[float, tuple[float, ...]]:
        """Reward, and the memory behind the period."""
        memory = np.array(state)
        world = self.problem.world(memory)
        world[6].ordered[0] = order
        world[5].draw[t, 0] = demand
        reward = float(self.problem.texts.step(t, *world))
        # What is over says nothing of what is to come: forgotten, so that equal states are one.
        for name, field in world[6]._asdict().items():
            if name != "shipped":
                field[:] = 0.0
        world[5].draw[:] = 0.0
        world[4].pipe[: t + 1] = 0.0
        world[4].unmet[:] = 0.0
        world[6].shipped[:] = 0.0
        return reward, tuple(np.round(memory, 9))

    def worth(self, t: int, state: tuple[float, ...], order: float, then: Any) -> float:
        if t == self.problem.horizon:
            return 0.0
        outcomes = [self.after(t, state, order, float(d)) for d in range(len(FEW))]
        return sum(p * (reward + then(t + 1, new)) for p, (reward, new) in zip(FEW, outcomes, strict=True))

    @functools.cache  # noqa: B019 - lives as long as one test
    def best(self, t: int, state: tuple[float, ...]) -> float:
        """Profit of the best orders from here on."""
        if t == self.problem.horizon:
            return 0.0
        return max(self.worth(t, state, float(q), self.best) for q in range(self.most + 1))

    def of(self, policy: Policy) -> float:
        """Expected profit of a policy that sees nothing but the state."""

        @functools.cache
        def earned(t: int, state: tuple[float, ...]) -> float:
            if t == self.problem.horizon:
                return 0.0
            return self.worth(t, state, float(policy.act(self.view(t, state))[0, 0]), earned)

        return earned(0, self.start)

    def view(self, t: int, state: tuple[float, ...]) -> View:
        now = self.problem.world(np.array(state))[4]
        lead = int(self.problem.world(self.problem.plain.fresh)[1].lead_time[0])
        shipped = np.zeros((1, t, 1))
        for slot in range(min(lead, t)):
            shipped[0, t - min(lead, t) + slot, 0] = now.pipe[t + lead - min(lead, t) + slot]
        stocks = {name: np.array(field, ndmin=2) for name, field in now._asdict().items() if name != "pipe"}
        return View(t, stocks, {"shipped": shipped}, None)

    @property
    def start(self) -> tuple[float, ...]:
        chance = self.problem.replay({"demand": np.zeros(self.problem.horizon)})
        return tuple(self.problem.rows(chance[None])[0])


CASES = {
    "lost": {"lead_time": 1, "initial_inventory": 2},
    "lost, two periods": {"lead_time": 2, "price": 3.0, "purchase": 0.8, "pipeline_cost": 0.1},
    "lost, at once": {"lead_time": 0, "price": 2.0, "purchase": 1.0},
    "lost, discounted": {"lead_time": 1, "price": 2.5, "discount": 0.9, "capacity": 9.0, "operating_cost": 0.4},
    "waits": {"lead_time": 1, "backlog": True, "initial_inventory": 2},
    "waits, two periods": {
        "lead_time": 2, "backlog": True, "price": 3.0, "purchase": 0.8, "pipeline_cost": 0.1,
        "shortage_cost": 0.5,
    },
    "waits, at once, discounted": {
        "lead_time": 0, "backlog": True, "price": 1.0, "purchase": 1.2, "discount": 0.8, "shortage_cost": 0.3,
    },
    "not worth it": {"lead_time": 1, "price": 1.0, "purchase": 9.0, "shortage_cost": 0.5},
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_no_orders_earn_more_than_the_policy(case, monkeypatch):
    monkeypatch.setattr("restock.solvers.single_location.count_probabilities", lambda mean, size: FEW)
    given = {"holding_cost": 0.7, "horizon": 4, **CASES[case]}
    problem = restock.load_problem(shop(**given))
    few = Few(problem, most=6)
    best = few.best(0, few.start)
    assert few.of(restock.make_policy("optimal", problem)) == pytest.approx(best, abs=1e-9)
    # A policy that is not the best one earns less where ordering pays, so the recursion can tell.
    if case != "not worth it":
        assert few.of(restock.make_policy("constant-order", problem, quantity=2.0)) < best - 1e-3


def test_the_policy_earns_in_simulation_what_was_computed():
    problem = restock.load_problem(shop(2, horizon=240))
    found = restock.simulate(problem, "optimal", episodes=60, seed=3)
    cost = -found.trajectory.rewards[:, 20:-20].mean(axis=1)
    assert abs(cost.mean() - solved(2, 4.0, "poisson").cost) < 4.0 * cost.std(ddof=1) / np.sqrt(60)


def test_the_policy_stands_beside_others_and_earns_most():
    problem = restock.load_problem(shop(3))
    fitted = restock.fit(problem, "base-stock", episodes=64, budget=60, information="informed").policy
    rows = restock.compare(problem, {"fitted": fitted, "optimal": "optimal"}, episodes=400, bound=False).rows
    assert [row.name for row in rows] == ["optimal", "fitted"]
    assert rows[1].difference.high < 0.0


# what cannot be solved ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "why"),
    [
        ("serial", "3 stocking points"),
        (shop(fixed_cost=2.0), "fixed cost"),
        (shop(initial_inventory=1.5), "integer"),
        (shop(demand={"mean": 5.0, "effects": {"trend": {"slope": 0.1}}}), "changes over time"),
        (shop(demand={"mean": 5.0, "goodwill": True}), "goodwill"),
        (shop(demand={"mean": 5.0, "distribution": "normal"}), "normal"),
        (shop(demand={"mean": 5.0, "noise_scale": 0.5}), "noise scale"),
        (shop(4, demand={"mean": 60.0}), "too large"),
    ],
)
def test_what_cannot_be_solved_is_refused(network, why):
    problem = restock.load_problem(network)
    with pytest.raises(restock.InvalidInput, match=why):
        restock.make_policy("optimal", problem)


def test_demand_without_noise_is_met_exactly():
    problem = restock.load_problem(shop(2, demand={"mean": 5.0, "distribution": "deterministic", "noise_scale": 0}))
    assert single_location(problem).demand.tolist() == [0, 0, 0, 0, 0, 1]
    assert optimum(problem).cost == pytest.approx(0.0, abs=1e-6)
