"""Means with their uncertainty: quantiles against SciPy, coverage by simulation, overlapping windows."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from restock.evaluation.stats import (
    MOST_EPISODES,
    episodes_needed,
    estimate,
    holm,
    holm_levels,
    p_value,
    t_probability,
    t_quantile,
)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 7, 10, 20, 50, 99, 999, 10**6])
@pytest.mark.parametrize("probability", [0.975, 0.95, 0.9, 0.6, 0.025])
def test_quantiles_of_students_t(probability, degrees):
    exact = scipy.stats.t.ppf(probability, degrees)
    np.testing.assert_allclose(t_quantile(probability, degrees), exact, rtol=2e-9)


@pytest.mark.parametrize("degrees", [1, 2.5, 4, 30, 1000])
@pytest.mark.parametrize("value", [-40.0, -3.0, -1e-3, 0.0, 0.7, 2.0, 12.0, math.inf, -math.inf])
def test_probabilities_of_students_t(value, degrees):
    exact = scipy.stats.t.cdf(value, degrees)
    np.testing.assert_allclose(t_probability(value, degrees), exact, rtol=1e-10, atol=1e-300)


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


def test_p_values_are_those_of_the_paired_t_test():
    rng = np.random.default_rng(6)
    for count in (2, 3, 10, 50):
        values = rng.normal(0.4, 1.0, count)
        np.testing.assert_allclose(p_value(values), scipy.stats.ttest_1samp(values, 0.0).pvalue, rtol=1e-9)
    assert p_value(np.ones(4)) == 0.0 and p_value(np.zeros(4)) == 1.0 and math.isnan(p_value(np.ones(1)))


@pytest.mark.parametrize("block", [1, 3])
def test_p_is_below_5_percent_where_the_interval_excludes_zero(block):
    rng = np.random.default_rng(7)
    seen = set()
    for _ in range(200):
        values = rng.normal(0.5, 1.0, 15)
        interval = estimate(values, block)
        excludes = not interval.low <= 0.0 <= interval.high
        assert excludes == (p_value(values, block) < 0.05)
        seen.add(excludes)
    assert seen == {True, False}


def test_holm_by_hand():
    # Sorted .005 .01 .03 .04, times 4 3 2 1: .02 .03 .06 .04; never below the one before: .06 twice.
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    assert holm([0.4, 0.6]) == [0.8, 0.8] and holm([0.9]) == [0.9] and holm([]) == []
    with_a_gap = holm([0.01, math.nan, 0.02])
    np.testing.assert_allclose(with_a_gap, [0.02, math.nan, 0.02])
    np.testing.assert_allclose(holm_levels([0.01, math.nan, 0.02]), [0.025, math.nan, 0.05])


def test_holm_keeps_false_alarms_to_5_percent():
    """Five policies that are all as good as the reference, differences correlated through it."""
    rng = np.random.default_rng(8)
    raw = corrected = 0
    for _ in range(600):
        reference = rng.normal(size=20)
        p = [p_value(rng.normal(size=20) - reference) for _ in range(5)]
        raw += min(p) < 0.05
        corrected += min(holm(p)) < 0.05
    assert raw / 600 > 0.11
    assert corrected / 600 < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 600)


@pytest.mark.parametrize(("size", "textbook"), [(0.2, 199), (0.5, 34), (1.0, 10)])
def test_episodes_needed_are_the_textbook_ones(size, textbook):
    """Paired t test, 5%, power 80% (Cohen 1988 and any table since)."""
    values = np.random.default_rng(9).normal(size=1000)
    values = (values - values.mean()) / values.std(ddof=1) + size
    assert episodes_needed(values) == textbook
    assert episodes_needed(-3.0 * values) == textbook  # neither sign nor unit matters
    assert episodes_needed(values, level=0.01) > textbook


def test_so_many_episodes_find_the_difference_in_four_of_five_studies():
    rng = np.random.default_rng(10)
    found = np.mean([p_value(rng.normal(0.5, 1.0, 34)) < 0.05 for _ in range(2000)])
    assert abs(found - 0.80) < 3 * math.sqrt(0.8 * 0.2 / 2000) + 0.01


def test_what_no_number_of_episodes_can_tell():
    assert episodes_needed(np.zeros(5)) is None
    assert episodes_needed(np.ones(1)) is None
    assert episodes_needed(np.ones(5)) == 2
    values = np.random.default_rng(11).normal(size=1000)
    assert episodes_needed(values - values.mean() + 1e-9) == MOST_EPISODES


def test_overlapping_windows_need_more():
    values = 2.0 + windows_of_one_series(np.random.default_rng(12), 400, 10)
    assert episodes_needed(values, block=10) > episodes_needed(values)
