from __future__ import annotations

import numpy as np
import pytest

import restock
from restock.agents.seat import Advised, Seat
from restock.agents.standins.reading import view_of as view_read
from restock.agents.standins.speakers import SPEAKERS, speaker
from restock.core.errors import InvalidInput
from restock.policies import TextPolicy
from restock.problems.manifest import manifest_of

NEEDED = {
    "network": ("on_hand", "in_transit", "backlog", "unmet", "sentiment"),
    "sharing": ("on_hand", "expected", "in_transit"),
    "retail": ("on_hand", "batches", "pipe", "cash"),
    "production": ("raw_price", "product_price", "last_demand", "on_hand", "cash"),
    "minimal": ("on_hand",),
}


@pytest.mark.parametrize("name", ["divergent", "sharing", "retail-medium", "production", "minimal"])
def test_the_state_is_read_back_from_what_is_shown(name):
    problem = restock.load_problem(name)
    seat = Seat(problem)
    seen = seat.reset(11)
    rule = Advised(restock.make_policy(manifest_of(problem.family).rule, problem), seat)
    for t in range(25):
        there, told = seat.view(t, False), view_read(problem, seen)
        assert told.t == t
        for field in NEEDED[problem.family]:
            # Goods under way are kept as a running sum, which rounding may leave a hair below zero.
            np.testing.assert_allclose(told[field], there[field], rtol=0, atol=1e-9, err_msg=field)
        seen = seat.step(rule.action())


@pytest.mark.parametrize("name", ["serial", "retail-easy", "sharing"])
def test_views_for_advice_are_those_of_a_simulation(name):
    problem = restock.load_problem(name)
    seat, seed = Seat(problem), 4
    seat.reset(seed)
    policy = restock.make_policy(manifest_of(problem.family).rule, problem)
    advised = Advised(policy, seat)
    while not seat.done:
        seat.step(advised.action())
    simulated = restock.simulate(problem, policy, seeds=[seed]).trajectory
    assert seat.trajectory.rewards.tolist() == simulated.rewards[0].tolist()


def test_advice_wanted_late_comes_from_a_policy_that_saw_everything():
    problem, seed = restock.load_problem("serial"), 4
    seat = Seat(problem)
    seat.reset(seed)
    early = Advised(restock.make_policy("published-exponential-smoothing", problem), seat)
    late = Advised(restock.make_policy("published-exponential-smoothing", problem), seat)
    for _ in range(12):
        seat.step(early.action())
    assert late.action() == early.action()


def test_the_anchored_order_lies_halfway():
    problem = restock.load_problem("serial")
    seen = Seat(problem).reset(1)
    rule, anchored = (speaker(name, problem).decided(seen) for name in ("base-stock", "mean-anchoring"))
    assert anchored == pytest.approx((rule + 20.0) / 2.0)


def test_stand_ins_that_there_are_not():
    problem = restock.load_problem("serial")
    assert isinstance(restock.make_policy("s-S", problem), TextPolicy) and speaker("stand-in:s-S", problem)
    with pytest.raises(InvalidInput, match="no such stand-in"):
        speaker("stand-in:nobody", problem)
    with pytest.raises(InvalidInput, match="from more than what is seen now"):
        speaker("stand-in:rolling", problem)
    with pytest.raises(InvalidInput, match="no mean demand"):
        speaker("mean-anchoring", restock.load_problem("production"))
    assert set(SPEAKERS) == {"base-stock", "sloppy", "mean-anchoring", "follower", "malformed", "obedient"}
