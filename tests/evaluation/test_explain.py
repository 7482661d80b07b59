"""Explaining a policy: maps that are known in advance, and observations whose worth is known."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import restock
from restock.core.play import draw
from restock.core.problem import Array, Problem
from restock.evaluation.explain import Explanation, explain
from restock.evaluation.influence import Group, Influence, _elsewhen, _replaced
from restock.evaluation.simulate import run
from restock.evaluation.views import Asked, Seen
from restock.policies._base import Policy, View
from restock.policies.registry import make_policy
from tests.policies.homes import shop


@pytest.fixture(scope="module")
def lost() -> Problem:
    return restock.load_problem(shop(3, horizon=24))


@pytest.fixture(scope="module")
def beside_optimum(lost: Problem) -> Explanation:
    level = make_policy("base-stock", lost, levels=22, information="informed")
    return explain(lost, level, 80, 5, beside={"optimal": "optimal"}, observations=False)


def by_name(found: Explanation) -> dict[str, Influence]:
    return {one.name: one for one in found.influences}


# maps ---------------------------------------------------------------------------------------------


def test_a_base_stock_policy_orders_what_is_missing_in_every_cell(beside_optimum):
    split, period = beside_optimum.maps
    assert (split.kind, split.period, period.kind, period.period) == ("split", 12, "period", None)
    missing = np.broadcast_to(np.maximum(22.0 - split.position, 0.0), split.orders["base-stock"].shape)
    known = np.isfinite(split.orders["base-stock"])
    np.testing.assert_allclose(split.orders["base-stock"][known], missing[known])
    # What is under way is part of the position; sales that are lost cannot make it less.
    np.testing.assert_array_equal(known, split.other[:, None] <= split.position)
    assert (~known).any()
    last = 24 - 3  # an order of this period or later would arrive after the end
    for t, row in zip(period.other, period.orders["base-stock"], strict=True):
        there = np.isfinite(row)
        expected = np.maximum(22.0 - period.position, 0.0) if t < last else np.zeros(len(row))
        np.testing.assert_allclose(row[there], expected[there])


def test_the_optimum_orders_less_when_more_of_the_position_is_under_way(beside_optimum):
    slopes = beside_optimum.maps[0].slopes
    assert slopes["base-stock"][1] == 0.0
    assert slopes["optimal"][1] < -0.02
    assert -1.0 < slopes["optimal"][0] < 0.0


def test_a_cell_of_the_optimum_is_the_optimum_of_such_states(beside_optimum):
    split, solution = beside_optimum.maps[0], beside_optimum.beside["optimal"].solution
    q, p = len(split.other) // 2, len(split.position) // 2
    position, under_way = int(split.position[p]), int(split.other[q])
    first, second = (part.ravel() for part in np.meshgrid(*[np.arange(under_way + 1)] * 2))
    possible = first + second <= under_way
    pipeline = np.stack([first, second, under_way - first - second], axis=1)[possible]
    on_hand = np.full(len(pipeline), position - under_way)
    every = solution.orders(24 - 12, on_hand, pipeline, np.zeros(len(pipeline)))
    assert every.min() <= split.orders["optimal"][q, p] <= every.max()


def test_answers_to_one_unit_more(beside_optimum):
    (answer,) = beside_optimum.responses
    assert answer.places == (-1, 0, 1, 2) and answer.unit == 1.0
    base = [one.mean for one in answer.change["base-stock"]]
    np.testing.assert_allclose(base, base[0])
    optimum = [one.mean for one in answer.change["optimal"]]
    # On hand and arriving today are the same to it; what was ordered last weighs most, but never fully.
    assert optimum[0] == optimum[1] > optimum[2] > optimum[3] > -1.0


def test_states_that_are_asked_hold_together(lost):
    class Looks(Policy):
        """Orders up to 20 and checks what it is shown."""

        name = "looks"
        may_know = ("informed",)

        def begin(self, episodes: int, seed: int, chance: Any) -> None:
            self.next, self.rows = 0, episodes

        def act(self, view: View) -> Array:
            assert view.t == self.next and len(view["on_hand"]) == self.rows
            self.next += 1
            sent = view.past["shipped"][:, max(view.t - 3, 0) : view.t, 0].sum(axis=1)
            np.testing.assert_allclose(sent, view["in_transit"][:, 0])
            np.testing.assert_array_equal(view.past["shipped"], np.rint(view.past["shipped"]))
            assert (view["on_hand"] >= 0.0).all()
            if view.t:
                np.testing.assert_array_equal(view.past["on_hand"][:, -1], view["on_hand"])
            assert view.mean is not None and view.mean.shape == (self.rows, 24, 1)
            return np.asarray(np.maximum(20.0 - view["on_hand"] - view["in_transit"], 0.0))

    found = explain(lost, Looks(lost), 30, beside={}, observations=False)
    whole = [found.maps[0].position, found.maps[0].other]
    assert all(np.array_equal(values, np.rint(values)) for values in whole)


def test_where_demand_waits_a_small_position_is_backlog():
    problem = restock.load_problem(shop(2, backlog=True, horizon=20))
    found = explain(problem, make_policy("base-stock", problem, levels=12), 40, beside={}, observations=False)
    split = found.maps[0]
    assert (split.other[:, None] > split.position).any() and np.isfinite(split.orders["base-stock"]).all()
    np.testing.assert_allclose(
        split.orders["base-stock"], np.maximum(12.0 - split.position, 0.0)[None] + 0 * split.other[:, None]
    )


def test_links_and_policies_beside():
    found = explain("serial", "echelon-base-stock", 20, links=["3->2", "4->3"], observations=False)
    assert {one.link for one in found.maps} == {"3->2", "4->3"}
    assert [one.kind for one in found.maps if one.link == "4->3"] == ["period"]  # nothing is ever under way
    assert list(found.maps[0].orders) == ["echelon-base-stock", "base-stock (fitted)"]
    assert "3 stocking points" in found.no_optimum
    assert found.beside["base-stock (fitted)"].information == found.policy.information == "blind"


# observations ---------------------------------------------------------------------------------------


class Follows(Policy):
    """Orders what was asked for last."""

    name = "follows"

    def act(self, view: View) -> Array:
        return view["demand"].copy()


class Alternates(Policy):
    """Orders for two periods in every other one."""

    name = "alternates"

    def act(self, view: View) -> Array:
        return np.full((len(view["on_hand"]), 1), 10.0 if view.t % 2 else 0.0)


def test_a_policy_that_follows_demand_is_moved_by_it_as_far_as_two_draws_lie_apart(lost):
    found = by_name(explain(lost, Follows(lost), 300, beside={}))
    one = found.pop("last demand")
    generator = np.random.default_rng(1)
    apart = np.abs(np.subtract(*generator.poisson(5.0, (2, 400_000)))).mean() * 23 / 24  # nothing is known in period 0
    assert one.change.low < apart < one.change.high
    assert one.change.high - one.change.low < 0.1 * apart
    assert one.loss.low > 0.0  # it no longer replaces what was sold
    for other in found.values():
        assert other.change.mean == other.loss.mean == 0.0, other.name


def test_a_policy_that_follows_the_calendar_is_moved_by_it_alone(lost):
    found = by_name(explain(lost, Alternates(lost), 40, beside={}))
    one = found.pop("period")
    assert one.change.mean > 1.0
    assert all(other.change.mean == other.loss.mean == 0.0 for other in found.values())


def test_base_stock_loses_most_by_its_position_and_nothing_by_demand():
    found = explain("serial", make_policy("base-stock", "serial", multiples=1.1), 60, 3, beside={})
    parts = by_name(found)
    assert all(parts[f"pipeline {one} \N{RIGHTWARDS ARROW} {two}"].loss.low > 0.0 for one, two in ((2, 1), (3, 2)))
    assert parts["last demand"].change.mean == parts["earlier demand"].change.mean == 0.0
    # Stock at a node moves the orders of its own links only.
    np.testing.assert_array_equal(parts["stock at 2"].by_link > 0.0, [False, True, False])
    losses = [one.loss.mean for one in found.influences]
    assert losses == sorted(losses, reverse=True)


def test_misleading_a_policy_does_not_touch_the_world(lost):
    policy, chance = make_policy("base-stock", lost, levels=20), draw(lost, 10, 0)
    base = run(lost, policy, chance, 0)
    blank = Asked(policy, lambda view: View(view.t, {**view.now, "on_hand": 0.0 * view["on_hand"]}, view.past, None),
                  np.array(base.trajectory["ordered"]))  # fmt: skip
    again = run(lost, blank, chance, 0)
    np.testing.assert_allclose(again.profit, base.profit)
    told = np.maximum(20.0 - base.trajectory["in_transit"][:, :-1, 0], 0.0)
    np.testing.assert_allclose(blank.answers[:, :21, 0], told[:, :21])


def test_what_is_replaced_and_what_is_not(lost):
    ours, theirs = (
        Seen.of(restock.simulate(lost, "base-stock", 6, seed).trajectory, True) for seed in (0, 100)
    )  # fmt: skip
    group = {"fields": ("demand", "sold", "revenue"), "entry": 0}
    for when, now, last, earlier in (("all", 1, 1, 1), ("last", 1, 1, 0), ("earlier", 0, 0, 1)):
        view = _replaced(ours.view(7), Group("demand", when=when, **group), theirs)
        for replaced, got, mine, other in (
            (now, view["demand"], ours.view(7)["demand"], theirs.view(7)["demand"]),
            (last, view.past["demand"][:, -1], ours.view(7)["demand"], theirs.view(7)["demand"]),
            (earlier, view.past["demand"][:, :-1], ours.view(7).past["demand"][:, :-1],
             theirs.view(7).past["demand"][:, :-1]),
        ):  # fmt: skip
            np.testing.assert_array_equal(got, other if replaced else mine)
        np.testing.assert_array_equal(view["on_hand"], ours.view(7)["on_hand"])


def test_another_period_has_a_past_of_its_length(lost):
    seen = Seen.of(restock.simulate(lost, "base-stock", 3, 0).trajectory, True)
    for other in (4, 9, 15):
        calendar = np.full(24, other)
        view = _elsewhen(seen.view(9), calendar)
        assert view.t == other and view.past["shipped"].shape == (3, other, 1)
        both = min(9, other)
        np.testing.assert_array_equal(view.past["demand"][:, -both:], seen.view(9).past["demand"][:, -both:])
    assert not view.past["shipped"][:, :6].any()
    np.testing.assert_array_equal(view.past["demand"][:, :6], np.repeat(seen.view(9).past["demand"][:, :1], 6, axis=1))


def test_goodwill_and_markets_are_told_apart():
    several = restock.load_problem("w-network")
    names = set(by_name(explain(several, Zero(several), 4, beside={})))
    assert "goodwill" not in names
    assert sum(name.startswith("last demand of") for name in names) == len(several.markets) > 1
    loyal = restock.load_problem("serial", demand={"goodwill": True})
    assert "goodwill" in by_name(explain(loyal, Zero(loyal), 4, beside={}))


class Zero(Policy):
    """Orders nothing."""

    name = "zero"

    def act(self, view: View) -> Array:
        return np.zeros((len(view["on_hand"]), len(self.problem.links)))


# the whole ------------------------------------------------------------------------------------------


def test_same_arguments_same_result_and_plain_data():
    one, other = (explain("serial", "s-S", 12, 7, beside={}) for _ in range(2))
    text = json.dumps({**one.to_dict(), "seconds": 0})
    assert text == json.dumps({**other.to_dict(), "seconds": 0})
    assert one.to_dict()["maps"][0]["link"] == "2->1"
    assert restock.explain is explain


def test_progress_reaches_its_end():
    told: list[tuple[int, int]] = []
    explain("serial", "base-stock", 4, beside={}, progress=lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == list(range(1, told[0][1] + 1))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"policy": "hindsight"}, "knows the future"),
        ({"episodes": 3}, ">= 4"),
        ({"links": ["1->2"]}, "no such link"),
        ({"links": "2->1"}, "list of links"),
        ({"period": 30}, "the last one is 29"),
        ({"beside": {"base-stock": "s-S"}}, "name of the explained policy"),
    ],
)
def test_what_cannot_be_explained_is_refused(given, words):
    with pytest.raises(restock.InvalidInput, match=words):
        explain("serial", **{"policy": "base-stock", "beside": {}, **given})
