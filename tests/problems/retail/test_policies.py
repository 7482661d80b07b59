"""Policies, bounds and grades of the store, and the figures published of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import restock
from restock.core.play import draw, play
from restock.evaluation.grading import grade
from restock.policies.retail.outlook import at_best_prices, at_prices
from restock.problems.retail.grader import scale
from restock.problems.retail.sources import moved
from restock.solvers.retail import best_plan

FLOOR_AND_CEILING = {"easy": (2200.0, 16225.0), "medium": (4550.0, 30002.0), "hard": (2425.0, 42099.0)}
BOUNDS = {"easy": (15907.0, 22598.0), "medium": (28325.0, 44004.0), "hard": (33824.0, 61125.0)}
SIMPLE_RULE = {"easy": 16967.0, "medium": 32577.0, "hard": 44626.0}


@pytest.mark.parametrize("task", BOUNDS)
def test_the_bounds_are_the_published_ones(task: str) -> None:
    problem: Any = restock.load_problem(f"retail-{task}")
    for pricing, bound in zip((False, True), BOUNDS[task], strict=True):
        plan = best_plan(problem, problem.demand, pricing)
        assert plan.bound == pytest.approx(bound, abs=1.0)
        assert plan.revenue.sum() - plan.bound == pytest.approx(_spent(problem, plan.bought), rel=1e-9)


def _spent(problem: Any, bought: Any) -> float:
    cost = np.array([product.cost for product in problem.spec.products])
    shipping = np.array([way.cost for way in problem.spec.deliveries])
    return float((bought * (cost[:, None] + shipping)).sum())


def test_a_bound_by_hand() -> None:
    """One unit costs 4 and sells for 8; 10 in cash pay for 2 of them, and what these earn for the third one."""
    product = {"name": "tea", "price": 8.0, "cost": 3.0, "capacity": 10, "demand": [0, 9]}
    spec = {"problem": "retail", "horizon": 4, "initial_cash": 8.0, "products": [product],
            "deliveries": [{"name": "van", "cost": 1.0, "lead_time": 1}]}  # fmt: skip
    problem: Any = restock.load_problem(spec)
    assert best_plan(problem, np.array([[0.0], [2.0], [0.0], [9.0]]), False).bound == pytest.approx(2 * 4 + 4 * 4)
    # Elasticity 1: three buyers at 8 are two at 12 (a multiplier of 1.5 at most).
    assert best_plan(problem, np.array([[0.0], [3.0], [0.0], [0.0]]), True).bound == pytest.approx(2 * 12 - 2 * 4)


@pytest.mark.parametrize("task", BOUNDS)
def test_nobody_earns_more_than_the_bound(task: str) -> None:
    problem: Any = restock.load_problem(f"retail-{task}", demand_stream="seed", horizon=12)
    chance = draw(problem, 3, 50)
    best = [best_plan(problem, demand).bound for demand in problem.exogenous_of(*[chance.vectors] * 2)["demand"]]
    generator = np.random.default_rng(1)
    most = problem.action_form("quantity").most
    for scale_of in (0.02, 0.1):
        plans = generator.uniform(0.0, scale_of, (3, 12, len(most))) * most
        plans[..., 5], plans[..., 6:11], plans[..., 11:] = 2, 0, generator.uniform(0.8, 1.5, (3, 12, 5))
        assert (play(problem, chance, plans).rewards.sum(axis=1) <= best).all()
    for name in ("tuned-price-and-cover", "price-and-cover", "hindsight", "passive"):
        result = restock.simulate(problem, name, episodes=3, seed=50)
        assert (result.profit <= np.array(best) + 1e-6).all()
        if name == "hindsight":
            np.testing.assert_allclose(result.bound, best)  # type: ignore[arg-type]


def test_a_bound_is_told_only_where_it_is_one() -> None:
    for reward, pricing, told in (("profit", True, True), ("readme", True, False), ("profit", False, False)):
        problem = restock.load_problem("retail-easy", reward=reward)
        policy = restock.make_policy("hindsight", problem, pricing=pricing)
        result = restock.simulate(problem, policy, episodes=2)
        assert np.isfinite(result.bound).all() == told  # type: ignore[arg-type]


@pytest.mark.parametrize("task", SIMPLE_RULE)
def test_the_tuned_rule_beats_the_published_one(task: str) -> None:
    """On twelve seeds of jitter and the demand of the task, none of which it was fitted on."""
    for seed in (0, 2_000_000):
        earned = restock.simulate(f"retail-{task}", "tuned-price-and-cover", episodes=12, seed=seed)
        assert earned.profit.mean() > SIMPLE_RULE[task]
        assert (earned.profit < BOUNDS[task][1]).all()


def test_rules_in_their_order() -> None:
    for task in SIMPLE_RULE:
        table = restock.compare(
            f"retail-{task}", ["passive", "random", "restock-to-target", "price-and-cover"], episodes=8
        )
        mean = {row.name: row.profit.mean for row in table.rows}
        assert mean["random"] < mean["passive"] < mean["restock-to-target"] < mean["price-and-cover"]
        assert mean["passive"] == FLOOR_AND_CEILING[task][0] and not table.exceeded


def test_rules_pay_for_what_they_order_and_have_room_for_it() -> None:
    for name in ("restock-to-target", "price-and-cover", "tuned-price-and-cover"):
        met = restock.simulate("retail-hard", name, episodes=20, seed=3).trajectory
        assert (met["rejected"] == 0.0).all() and (met["failures"][..., :3] == 0.0).all()
        shipping = np.array([2.0, 5.0, 10.0])[met["decision"][..., [5]].astype(int)]
        cost = np.array([100.0, 25.0, 5.0, 130.0, 12.0])
        np.testing.assert_allclose(met["purchases"], met["ordered"] * (cost + shipping))  # no surcharge


def test_a_rule_decides_alike_inside_and_outside_the_compiled_loop() -> None:
    from restock.evaluation.simulate import run

    problem = restock.load_problem("retail-medium", demand_stream="fast")
    chance = draw(problem, 4, 9)
    for name in ("restock-to-target", "tuned-price-and-cover"):
        policy = restock.make_policy(name, problem)
        inside, outside = (run(problem, policy, chance, 0, compiled=compiled) for compiled in (True, False))
        np.testing.assert_allclose(inside.trajectory["decision"], outside.trajectory["decision"], rtol=1e-12)


def test_another_store_is_played_like_the_nearest_task() -> None:
    problem: Any = restock.load_problem("retail-hard", name="corner shop", seed=7)
    parameters = restock.make_policy("tuned-price-and-cover", problem).parameters_in_words()
    assert parameters == restock.make_policy("tuned-price-and-cover", "retail-hard").parameters_in_words()
    assert parameters != restock.make_policy("tuned-price-and-cover", "retail-easy").parameters_in_words()


def test_fitting_a_rule() -> None:
    found = restock.fit("retail-easy", "price-and-cover", episodes=8, budget=20)
    assert found.in_sample.mean > found.start.mean and "price" in found.tuned
    again = restock.make_policy("price-and-cover", "retail-easy", **found.parameters)
    assert again.parameters_in_words() == found.policy.parameters_in_words()


def test_expected_demand_is_that_of_the_stream() -> None:
    problem: Any = restock.load_problem("retail-hard", demand_stream="fast")
    expected = at_prices(problem, np.ones((30, 5)))
    drawn = problem.exogenous_of(*[draw(problem, 3000, 1).vectors] * 2)["demand"]
    np.testing.assert_allclose(expected.mean, drawn.mean(axis=0), rtol=0.05, atol=0.05)
    np.testing.assert_allclose(expected.variance, drawn.var(axis=0), rtol=0.15, atol=0.1)


def test_the_best_price_of_a_single_buyer_is_one_he_pays() -> None:
    """One or two pieces of furniture a day: at 1.5 times the list price the one buyer of two days in three is gone."""
    problem: Any = restock.load_problem("retail-easy")
    price = at_best_prices(problem, 10.0, 0.5).price
    furniture = price[0, problem.names.index("furniture")]
    asked = np.floor(moved(problem.spec, np.array([[[1.0] * 5] * 30])) * furniture**-0.8)
    assert asked[0, 0, 3] == 1.0 or furniture == 1.5
    assert (price <= 1.5).all() and price[0, 0] > 1.2


# grades -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", FLOOR_AND_CEILING)
def test_floor_and_ceiling_are_the_published_ones(task: str) -> None:
    problem: Any = restock.load_problem(f"retail-{task}")
    by = scale(problem)
    assert (by.floor, by.ceiling) == FLOOR_AND_CEILING[task]
    assert restock.simulate(problem, "passive", episodes=2).profit.tolist() == [by.floor] * 2


def test_scores() -> None:
    by = scale(restock.load_problem("retail-easy"))  # type: ignore[arg-type]
    for profit, score, unclamped in (
        (2200.0, 0.002, 0.0),
        (16225.0, 0.998, 1.0),
        (9212.5, 0.5, 0.5),
        (20e3, 0.998, 1.269),
    ):
        assert by.score(profit) == pytest.approx(score) and by.unclamped(profit) == pytest.approx(unclamped, abs=1e-3)
    found = grade("retail-easy", 17639.0)
    assert found == grade("retail-easy", 17639.0) and found.score == 0.998 and found.unclamped > 1.1
    assert found.gap == pytest.approx(1.0 - 17639.0 / 22597.95, abs=1e-5)
    assert set(found.to_dict()) >= {"floor", "ceiling", "score", "unclamped", "bound", "list_price_bound", "gap"}


def test_grades_need_known_demand() -> None:
    other = restock.load_problem("retail-easy", demand_stream="fast")
    with pytest.raises(restock.InvalidInput, match="every episode has its own"):
        grade(other, 1000.0)
    task: Any = restock.load_problem("retail-easy")
    assert grade(other, 1000.0, task.demand) == grade(task, 1000.0)
    for problem, profit, field in (
        ("serial", 1.0, "problem"),
        ("retail-easy", "much", "profit"),
        ("retail-easy", np.nan, "profit"),
    ):
        with pytest.raises(restock.InvalidInput) as found:
            grade(problem, profit)  # type: ignore[arg-type]
        assert found.value.field == field


# bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given", "field"),
    [
        ("restock-to-target", {"targets": [1, 2]}, "targets"),
        ("restock-to-target", {"targets": -1}, "targets"),
        ("restock-to-target", {"days": -1.0}, "days"),
        ("restock-to-target", {"delivery": "rocket"}, "delivery"),
        ("price-and-cover", {"price": "high"}, "price"),
        ("price-and-cover", {"price": 0.0}, "price"),
        ("price-and-cover", {"every": 0}, "every"),
        ("price-and-cover", {"cover": float("nan")}, "cover"),
        ("price-and-cover", {"safety": True}, "safety"),
        ("tuned-price-and-cover", {"price": 1.0}, "price"),
        ("hindsight", {"pricing": 1}, "pricing"),
        ("base-stock", {}, "policy"),
    ],
)
def test_bad_parameters(name: str, given: dict[str, Any], field: str) -> None:
    with pytest.raises(restock.InvalidInput) as found:
        restock.make_policy(name, "retail-easy", **given)
    assert found.value.field == field and found.value.mend
