"""Compiled Poisson demand: NumPy's counts from NumPy's bits, and the quantiles of the counter streams."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from restock.core import streams
from restock.demand import draws, laws
from restock.problems.load import load_problem
from restock.problems.network import sources
from tests.problems.network.networks import random_network

MEANS = {
    "constant": np.full((30, 1), 20.0),
    "small": np.linspace(0.01, 9.99, 300)[:, None],
    "large": np.geomspace(10.0, 1e9, 300)[:, None],
    "of every kind": np.random.default_rng(0).choice([0.0, 0.3, 9.9999, 10.0, 33.3, 470.0, 5e5], (100, 3)),
}


@pytest.mark.parametrize("name", MEANS)
def test_counts_are_those_of_numpy_and_take_the_same_bits(name: str) -> None:
    mean = MEANS[name]
    theirs = [streams.generator(seed) for seed in range(40)]
    ours = [streams.generator(seed) for seed in range(40)]
    demand = np.empty((40, mean.size))
    counts = draws.Counts(mean, 1.0)
    bits = np.array([streams.bits_of(generator) for generator in ours])
    for _ in range(3):
        counts.draw(bits, demand)
        np.testing.assert_array_equal(demand, [generator.poisson(mean).ravel() for generator in theirs])
    assert [generator.random() for generator in ours] == [generator.random() for generator in theirs]


@pytest.mark.parametrize("kind", [np.random.PCG64DXSM, np.random.MT19937, np.random.SFC64, np.random.Philox])
def test_any_bit_generator_will_do(kind: Any) -> None:
    theirs, ours = np.random.Generator(kind(5)), np.random.Generator(kind(5))
    demand = np.empty((1, 30))
    draws.Counts(MEANS["constant"], 1.0).draw(np.array([streams.bits_of(ours)]), demand)
    np.testing.assert_array_equal(demand[0], theirs.poisson(20.0, 30))


@pytest.mark.parametrize("name", ["constant", "small", "of every kind"])
def test_counts_read_from_counter_streams_are_the_quantiles_at_their_numbers(name: str) -> None:
    mean = np.minimum(MEANS[name], 2000.0)
    keys = np.array([streams.key(seed, "demand") for seed in range(20)], dtype=np.uint64)
    episodes = np.arange(20)
    demand = np.empty((20, mean.size))
    draws.Counts(mean, 1.0).read(keys, episodes.view(np.uint64), demand)
    uniform = streams.uniforms(keys, episodes, mean.size)
    expected = [[laws.poisson_quantile(u, m) for u, m in zip(row, mean.ravel(), strict=True)] for row in uniform]
    np.testing.assert_array_equal(demand, expected)


def test_more_means_than_tables_are_searched_for() -> None:
    mean = np.linspace(1.0, 40.0, draws.MOST_TABLES + 1)[:, None]
    keys, episodes = np.array([7], dtype=np.uint64), np.array([3])
    demand = np.empty((1, len(mean)))
    draws.Counts(mean, 1.0).read(keys, episodes.view(np.uint64), demand)
    uniform = streams.uniforms(keys, episodes, len(mean))[0]
    expected = [laws.poisson_quantile(u, m) for u, m in zip(uniform, mean.ravel(), strict=True)]
    np.testing.assert_array_equal(demand[0], expected)


@pytest.mark.parametrize("noise_scale", [0.0, 0.5, 1.0, 3.0])
def test_demand_keeps_its_distance_from_the_mean_and_is_never_negative(noise_scale: float) -> None:
    mean = np.full((200, 1), 2.5)
    theirs, ours = streams.generator(1), streams.generator(1)
    demand = np.empty((1, 200))
    draws.Counts(mean, noise_scale).draw(np.array([streams.bits_of(ours)]), demand)
    expected = np.maximum(2.5 + noise_scale * (theirs.poisson(2.5, 200) - 2.5), 0.0)
    np.testing.assert_array_equal(demand[0], expected)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("sampler", ["numpy", "inverse"])
def test_many_rows_meet_what_each_would_meet_alone(seed: int, sampler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    demand = {"sampler": sampler, "effects": ["trend"], "noise_scale": 1.3 if seed % 2 else 1.0}
    problem = load_problem(random_network(seed, means=True), demand=demand, horizon=12)
    order = [np.arange(4), np.array([2]), np.array([3, 0]), np.arange(4)]
    many = problem.source([5, 6, 7, 8])
    alone = [problem.source([5 + row]) for row in range(4)]
    monkeypatch.setattr(sources, "same_counts", lambda: False)  # as under a NumPy that counts otherwise
    uncompiled = problem.source([5, 6, 7, 8])
    for rows in order:
        drawn = many.next(rows)
        np.testing.assert_array_equal(drawn, uncompiled.next(rows))
        np.testing.assert_array_equal(drawn, np.concatenate([alone[row].next(np.zeros(1, int)) for row in rows]))


def test_this_numpy_counts_as_expected() -> None:
    assert draws.same_counts()
