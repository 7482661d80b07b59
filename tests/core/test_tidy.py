"""What is told has no rounding dust in it, and the simulation keeps its numbers to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import restock
from restock.core.scene import Place
from restock.core.trajectory import DUST, tidy
from restock.envs.structured import StructuredEnvironment
from tests.problems.network.networks import random_network

QUANTITIES = ("on_hand", "in_transit", "backlog", "demand", "sold", "unmet", "shipped")


def test_what_is_nothing_beside_its_scale_is_zero_and_all_else_stays() -> None:
    values = np.array([-6e-14, 0.0, -0.0, 1e-9, 1.1e-9, 3.0, -3.0, 1e-3, np.inf])
    told = tidy(values, np.array([20.0] * 7 + [1e7, 1e7]))
    np.testing.assert_array_equal(told, [0.0, 0.0, 0.0, 0.0, 0.0, 3.0, -3.0, 0.0, np.inf])
    assert not np.signbit(told[:5]).any()
    assert tidy(np.array([1e-8]), 0.0) == 1e-8


def played(seed: int, scale: float, periods: int = 12) -> StructuredEnvironment:
    """A random network with demand and orders of a size, after some periods of fractional orders."""
    problem = restock.load_problem(
        random_network(seed, means=False), demand={"mean": scale, "distribution": "normal"}, horizon=periods,
        backlog=seed % 2 == 0,
    )  # fmt: skip
    env = StructuredEnvironment(problem)
    env.reset(seed=seed)
    return env


@settings(max_examples=40)
@given(st.integers(0, 60), st.sampled_from([0.3, 7.3, 1e4 / 3, 1e9 / 3]), st.randoms(use_true_random=False))
def test_no_observation_of_a_network_has_dust_in_it(seed: int, scale: float, random: Any) -> None:
    env = played(seed, scale)
    links = list(env.records.action(np.ones(len(env.problem.links))).orders)  # type: ignore[attr-defined]
    largest = dict.fromkeys(QUANTITIES, 0.0)
    for t in range(env.problem.horizon):
        if t % 4 == 0:  # orders that end leave pipelines and backlogs that run dry
            orders = {link: scale * random.random() for link in links}
        seen = env.observe() if t == 0 else env.step({"orders": orders if t % 4 < 2 else {}})
        raw = env.played.lines[env.period]
        for name in QUANTITIES:
            told = np.array(list(getattr(seen, name).values()))
            kept = raw[env.problem.layout.columns[name]]
            largest[name] = max(largest[name], float(np.abs(kept).max()))
            above = DUST * max(1.0, max(largest.values()))
            assert (told >= 0.0).all(), name
            np.testing.assert_allclose(told, kept, rtol=0.0, atol=above)
            assert (told[told != kept] == 0.0).all()
        parts = {node: [value] for node, value in seen.on_hand.items()}
        for link, value in seen.in_transit.items():
            parts[link.split("->")[1]].append(value)
        for market, value in seen.backlog.items():
            parts[market.split("->")[0]].append(-value)
        for node, position in seen.inventory_position.items():
            size = max(1.0, sum(map(abs, parts[node])))
            assert position == pytest.approx(sum(parts[node]), abs=2.0 * DUST * size)
            assert position == 0.0 or abs(position) > DUST
        assert all(units == 0.0 or units > DUST for arriving in seen.arriving.values() for units in arriving)


def test_a_pipeline_that_has_run_dry_holds_nothing() -> None:
    """In transit are then -6e-14 units by the simulation's own count, or the like."""
    found = []
    for orders in np.random.default_rng(0).random((40, 6, 3)) * 300.0:
        env = StructuredEnvironment("serial", horizon=20)
        env.reset(exogenous={"demand": np.zeros((20, 1))})
        for order in orders:
            env.step({"orders": dict(zip(("2->1", "3->2", "4->3"), order.tolist(), strict=True))})
        for _ in range(12):
            seen = env.step({})
        found.append(env.played.lines[env.period][env.problem.layout.columns["in_transit"]])
        assert seen.in_transit == {"2->1": 0.0, "3->2": 0.0, "4->3": 0.0}
    assert np.any(np.array(found) != 0.0) and np.abs(found).max() < 1e-10


def test_the_plain_records_of_any_problem_are_told_without_dust() -> None:
    from restock.core.records import PlainRecords

    env = StructuredEnvironment("serial", horizon=20)
    env.reset(exogenous={"demand": np.zeros((20, 1))})
    env.environment._episode.lines[0, env.problem.layout.columns["in_transit"]] = [-6e-14, 2.0, 0.0]
    assert list(PlainRecords(env.problem).observation(env.played).stocks["in_transit"].values()) == [0.0, 2.0, 0.0]


def test_a_picture_shows_no_dust_and_no_shortage_of_it() -> None:
    place = Place("1", "market", 3e-14, 20.0, (("demand", 4e6), ("sold", -1e-14)), short=3e-4)
    assert (place.stock, place.figures, place.short) == (0.0, (("demand", 4e6), ("sold", 0.0)), 0.0)
    assert Place("1", "market", None, 0.0, (("of", 1e12),), short=1e4).short == 1e4
