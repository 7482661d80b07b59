"""Traps for policies that know more than they say."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import restock
from restock.evaluation.audit import Finding, audit
from restock.policies._base import Policy, View
from restock.policies.registry import policy_class
from restock.problems.network.sources import DrawnSource
from tests.policies.homes import home

TOLD = {"effects": ["trend", "shock"], "goodwill": True}


class Still(Policy):
    name, summary = "still", ""
    may_know = ("blind", "informed")

    def order(self, view: View) -> float:
        return 20.0

    def act(self, view: View) -> np.ndarray:
        return np.full((len(view["on_hand"]), len(self.problem.links)), self.order(view))


class ByMean(Still):
    """Reads the mean curve from its view, as an informed policy may."""

    def order(self, view: View) -> float:
        return 20.0 if view.mean is None else float(view.mean[0, view.t :].sum())


class Keeper(Still):
    """Blind by name, and keeps the problem that it was made from."""

    def __init__(self, problem: Any) -> None:
        super().__init__(problem)
        self.kept = problem

    def order(self, view: View) -> float:
        return float(self.kept.demand.mean[view.t, 0])


class Thief(Still):
    """Finds the future in the memory of whoever called it."""

    def order(self, view: View) -> float:
        frame = sys._getframe(1)
        while "table" not in frame.f_locals:
            frame = frame.f_back
        world = self.problem.world(frame.f_locals["table"].memory[0])
        return float(world[5].draw[min(view.t + 1, self.problem.horizon - 1), 0])


class Prophet(Still):
    """Clairvoyant, and says so."""

    may_know = ("clairvoyant",)

    def begin(self, episodes: int, seed: int, chance: Any) -> None:
        self.chance = chance

    def order(self, view: View) -> float:
        return float(self.chance.vectors[0, -self.problem.horizon + view.t])


@pytest.mark.parametrize("instance", ["serial", "w-network"])
def test_honest_policies_pass(instance):
    problem = restock.load_problem(instance, demand=TOLD, horizon=12)
    assert audit(Still, problem) == ()
    assert audit(lambda p: ByMean(p, "informed"), problem) == ()
    assert audit(Prophet, problem) == ()


MODELS: dict[str, dict[str, Any]] = {
    "poisson": {"mean": 15},
    "normal": {"mean": 15, "distribution": {"name": "normal", "cv": 0.5}},
    "negative binomial": {"mean": 15, "distribution": "negative_binomial"},
    "uniform": {"mean": 15, "distribution": "uniform"},
    "resampled": {"series": [3.0, 9.0, 22.0, 17.0, 30.0, 8.0, 12.0], "distribution": "empirical"},
    "weeks": {"series": [3.0, 9.0, 22.0, 17.0, 30.0, 8.0, 12.0] * 4, "distribution": {"name": "empirical", "block": 7}},
    "window": {"series": np.arange(60.0) % 23, "distribution": {"name": "empirical", "block": "window"}},
}
SHOP = {
    "name": "shop",
    "horizon": 25,
    "backlog": False,
    "nodes": [{"id": "shop", "initial_inventory": 0, "holding_cost": 0.1}, {"id": "supplier"}],
    "links": [{"from": "supplier", "to": "shop", "lead_time": 0, "price": 1}],
    "markets": [{"from": "shop", "to": "customers", "price": 3, "shortage_cost": 1}],
}


class OrdersTheMean(Still):
    """Orders what it is told that demand will be on average in the period."""

    def act(self, view: View) -> np.ndarray:
        return np.array(view.mean[:, view.t])


@pytest.mark.parametrize(
    "extra", [{}, {"goodwill": True}, {"sampler": "inverse"}], ids=["plain", "goodwill", "inverse"]
)
@pytest.mark.parametrize("name", MODELS)
def test_the_mean_that_is_told_says_nothing_of_the_episode(name, extra):
    problem = restock.load_problem(SHOP, demand={**MODELS[name], **extra})
    assert audit(lambda p: OrdersTheMean(p, "informed"), problem) == ()
    means = [restock.simulate(problem, OrdersTheMean(problem, "informed"), 3, seed).trajectory.exogenous["mean"]
             for seed in (1, 7)]  # fmt: skip
    np.testing.assert_array_equal(means[0], means[1])
    table = restock.compare(problem, [OrdersTheMean(problem, "informed")], episodes=40, seed=3)
    bound, earned = table.row("hindsight").profit.mean, table.row("still").profit.mean
    assert earned < 0.97 * bound, "who orders the mean must not do as well as who knows the demand"


def test_a_mean_that_is_the_path_to_come_is_caught(monkeypatch):
    """The fault that the trap was made for: what is resampled was told as the mean of its episode."""
    problem = restock.load_problem(SHOP, demand=MODELS["resampled"])
    honest = DrawnSource.next

    def leaking(self: Any, rows: np.ndarray) -> np.ndarray:
        episodes = honest(self, rows)
        episodes[:, -2 * problem.horizon : -problem.horizon] = episodes[:, -problem.horizon :]
        return episodes

    monkeypatch.setattr(DrawnSource, "next", leaking)
    found = audit(lambda p: OrdersTheMean(p, "informed"), problem)
    assert [(one.knows, one.period) for one in found] == [("future", 0)]
    assert audit(lambda p: Still(p), problem) == ()


@pytest.mark.parametrize("block", [1, 3, 7, "window"])
def test_the_mean_told_of_resampled_demand_is_what_is_drawn_on_average(block):
    series = np.random.default_rng(2).gamma(1.0, 20.0, 45) + np.arange(45.0)
    demand = {"series": series, "distribution": {"name": "empirical", "block": block}, "effects": ["trend"]}
    problem = restock.load_problem("serial", demand=demand, horizon=20)
    result = restock.simulate(problem, Still(problem), 20_000)
    met = result.trajectory.exogenous["demand"][:, :, 0]
    told = result.trajectory.exogenous["mean"][0, :, 0]
    assert (np.abs(met.mean(axis=0) - told) < 5 * met.std(axis=0) / 20_000**0.5).all()


def test_a_thief_of_the_future_is_caught():
    (found,) = audit(Thief, restock.load_problem("serial", demand=TOLD, horizon=12))
    assert found.knows == "future" and found.difference > 0
    assert found.period == 3, "it looks one period ahead, and the futures part in period 4"
    assert "what happens later" in str(found)


@pytest.mark.parametrize("demand", [TOLD, {"mean": 12}, {"series": list(range(5, 17)), "prior": 9}])
def test_a_blind_policy_that_kept_the_mean_curve_is_caught(demand):
    (found,) = audit(Keeper, restock.load_problem("serial", demand=demand, horizon=12))
    assert found.knows == "mean curve" and "the mean curve" in str(found)


LEVELS = [
    (name, level)
    for name in restock.list_policies("network")
    for level in policy_class(name).may_know
    if level != "clairvoyant"
]


@pytest.mark.parametrize(("name", "level"), LEVELS)
def test_every_policy_decides_from_what_it_may_know(name, level):
    problem = home(name, demand=TOLD, horizon=9)
    given = {"information": level} if len(policy_class(name).may_know) > 1 else {}
    assert audit(lambda p: restock.make_policy(name, p, **given), problem) == ()


def test_a_finding_says_when_and_by_how_much():
    assert str(Finding("future", 4, 2.5)) == "in period 4 it decides by what happens later (the decision moves by 2.5)"
