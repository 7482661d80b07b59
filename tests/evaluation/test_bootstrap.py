"""Interquartile means, mean ratios, improvement: by hand, against SciPy, and coverage by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from restock.evaluation.bootstrap import improvement, interquartile_mean, mean_ratio, resamples
from restock.evaluation.stats import t_quantile

SCENARIOS, SEEDS = 22, 10


def ratios(rng: np.random.Generator, shared: float = 0.02, own: float = 0.05) -> np.ndarray:
    """Ratios to a bound that move together in all scenarios of a seed."""
    level = np.linspace(0.4, 0.95, SCENARIOS)[:, None]
    return level + shared * rng.normal(size=(1, SEEDS)) + own * rng.normal(size=(SCENARIOS, SEEDS))


def test_interquartile_mean_is_the_trimmed_mean():
    rng = np.random.default_rng(0)
    for shape in ((22, 10), (4, 5), (1, 7)):
        values = rng.normal(size=shape)
        found = interquartile_mean(values, resamples(shape[1], 10)).mean
        np.testing.assert_allclose(found, scipy.stats.trim_mean(values.ravel(), 0.25), rtol=1e-12)
    assert interquartile_mean(np.array([[1.0, 2.0, 3.0, 100.0, 4.0, 5.0, 6.0, -50.0]]), resamples(8, 10)).mean == 3.5


def test_mean_ratio_by_hand():
    profit, bound = np.array([[1.0, 2.0], [9.0, 0.0]]), np.array([[2.0, 4.0], [10.0, 10.0]])
    assert mean_ratio(profit, bound, resamples(2, 10)).mean == pytest.approx((3.0 / 6.0 + 9.0 / 20.0) / 2.0)


def test_improvement_counts_ties_half():
    first, second = np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([[1.0, 1.0, 4.0, 4.0 + 1e-12]])
    drawn = resamples(4, 10)
    assert improvement(first, second, drawn).mean == pytest.approx((0.5 + 1.0 + 0.0 + 0.5) / 4.0)
    assert improvement(second, first, drawn).mean == pytest.approx(0.5)
    better = improvement(first + 1.0, first, drawn)
    assert better.mean == 1.0


def test_the_same_every_time():
    np.testing.assert_array_equal(resamples(10), resamples(10))
    assert resamples(10).shape == (4000, 10) and set(np.unique(resamples(10))) == set(range(10))


def test_few_seeds_give_no_interval():
    values = np.random.default_rng(1).normal(size=(5, 4))
    assert math.isnan(interquartile_mean(values, resamples(4)).low)
    assert not math.isnan(interquartile_mean(np.ones((5, 5)), resamples(5)).low)


def test_one_scenario_gives_about_the_t_interval():
    values = np.random.default_rng(2).normal(0.8, 0.1, (1, 40))
    found = mean_ratio(values, np.ones_like(values), resamples(40))
    half = t_quantile(0.975, 39) * values.std(ddof=1) / math.sqrt(40)
    np.testing.assert_allclose([found.mean - found.low, found.high - found.mean], half, rtol=0.08)


def test_intervals_cover_and_drawing_each_scenario_by_itself_would_not():
    rng, drawn = np.random.default_rng(3), resamples(SEEDS, 1000)
    truth = np.linspace(0.4, 0.95, SCENARIOS).mean()
    middle = np.mean([interquartile_mean(ratios(rng), drawn).mean for _ in range(400)])
    means, middles, alone = [], [], []
    for _ in range(200):
        values = ratios(rng)
        found = mean_ratio(values, np.ones_like(values), drawn)
        means.append(found.low <= truth <= found.high)
        found = interquartile_mean(values, drawn)
        middles.append(found.low <= middle <= found.high)
        each = rng.integers(SEEDS, size=(300, SCENARIOS, SEEDS))
        apart = np.take_along_axis(values[None], each, axis=2).mean(axis=(1, 2))
        low, high = np.quantile(apart, [0.025, 0.975])
        alone.append(low <= truth <= high)
    least = 0.95 - 3.0 * math.sqrt(0.95 * 0.05 / 200)
    assert np.mean(means) > least
    assert np.mean(middles) > least
    assert np.mean(alone) < 0.85


def test_improvement_covers():
    rng, drawn = np.random.default_rng(4), resamples(SEEDS, 1000)
    truth = scipy.stats.norm.cdf(0.03 / math.sqrt(2 * 0.05**2))  # what is shared by all scenarios cancels
    covered = []
    for _ in range(200):
        luck = ratios(rng, own=0.0)
        first = luck + 0.03 + 0.05 * rng.normal(size=luck.shape)
        found = improvement(first, luck + 0.05 * rng.normal(size=luck.shape), drawn)
        covered.append(found.low <= truth <= found.high)
    assert np.mean(covered) > 0.95 - 3.0 * math.sqrt(0.95 * 0.05 / 200)
