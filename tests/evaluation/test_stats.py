"""Means with their uncertainty: quantiles against SciPy, coverage by simulation, overlapping windows."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from restock.evaluation.stats import estimate, t_quantile


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 7, 10, 20, 50, 99, 999, 10**6])
@pytest.mark.parametrize("probability", [0.975, 0.95, 0.9, 0.6, 0.025])
def test_quantiles_of_students_t(probability, degrees):
    exact = scipy.stats.t.ppf(probability, degrees)
    # The expansion is good to 1.5 % at 3 degrees and to 0.2 % from 4 on.
    close = 1e-12 if degrees <= 2 else 0.015 if degrees == 3 else 0.002
    np.testing.assert_allclose(t_quantile(probability, degrees), exact, rtol=close)


def test_interval_by_hand():
    found = estimate(np.array([1.0, 2.0, 3.0]))
    half = 4.302653 * 1.0 / math.sqrt(3)  # t quantile with 2 degrees of freedom, standard deviation 1
    np.testing.assert_allclose([found.mean, found.low, found.high], [2, 2 - half, 2 + half], rtol=1e-6)
    assert str(found) == "2 [-0.484138, 4.48414]"


@pytest.mark.parametrize("count", [3, 5, 10, 40])
def test_the_interval_covers_the_truth_in_95_of_100_samples(count):
    samples = np.random.default_rng(1).normal(7.0, 3.0, (4000, count))
    ends = [estimate(sample) for sample in samples]
    covered = np.mean([end.low <= 7.0 <= end.high for end in ends])
    assert abs(covered - 0.95) < 0.012  # three standard errors of a share of 4000


def windows_of_one_series(rng: np.random.Generator, count: int, length: int) -> np.ndarray:
    """Sums over windows that each share all but one period with the next."""
    series = rng.normal(size=count + length - 1)
    return np.convolve(series, np.ones(length), "valid")


def test_overlapping_windows_are_less_certain_than_they_seem():
    values = windows_of_one_series(np.random.default_rng(2), 200, 20)
    naive, honest = estimate(values), estimate(values, block=20)
    assert naive.mean == honest.mean
    assert honest.low < honest.mean < honest.high
    assert honest.high - honest.low > 2.5 * (naive.high - naive.low)


def test_blocks_cover_where_the_naive_interval_fails():
    rng = np.random.default_rng(3)
    naive, honest = [], []
    for _ in range(60):
        values = windows_of_one_series(rng, 300, 10)
        for found, intervals in ((estimate(values), naive), (estimate(values, block=10), honest)):
            intervals.append(found.low <= 0.0 <= found.high)
    assert np.mean(naive) < 0.7
    assert np.mean(honest) > 0.85


def test_a_block_of_independent_values_changes_little():
    values = np.random.default_rng(4).normal(size=400)
    plain, blocked = estimate(values), estimate(values, block=4)
    assert (blocked.high - blocked.low) / (plain.high - plain.low) == pytest.approx(1.0, abs=0.2)
    assert estimate(values, block=4) == blocked


def test_values_without_an_interval():
    one = estimate(np.array([5.0]))
    assert one.mean == 5.0 and math.isnan(one.low) and math.isnan(one.high)
    endless = estimate(np.array([1.0, np.inf]))
    assert endless.mean == math.inf and math.isnan(endless.low)
    same = estimate(np.array([2.0, 2.0, 2.0]))
    assert (same.low, same.high) == (2.0, 2.0)
    short = estimate(np.array([1.0, 2.0, 4.0]), block=50)
    assert short.low <= short.mean <= short.high
