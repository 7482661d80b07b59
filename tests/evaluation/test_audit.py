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


def test_a_thief_of_the_future_is_caught():
    (found,) = audit(Thief, restock.load_problem("serial", demand=TOLD, horizon=12))
    assert found.knows == "future" and found.difference > 0
    assert found.period == 3, "it looks one period ahead, and the futures part in period 4"
    assert "what happens later" in str(found)


@pytest.mark.parametrize("demand", [TOLD, {"mean": 12}, {"series": list(range(5, 17))}])
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
