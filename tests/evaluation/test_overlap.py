"""How often 95% intervals hold the true mean when windows overlap."""

from __future__ import annotations

import numpy as np
import pytest

from restock.evaluation.stats import estimate
from restock.evaluation.windows import cut


def held(persistence: float, every: int, block: int | None, series: int = 400) -> float:
    """Share of simulated series of 583 days whose windows' interval holds the true mean of 30 days."""
    generator = np.random.default_rng(5)
    count = 0
    for _ in range(series):
        shocks = generator.normal(size=783)
        days = np.empty(783)
        days[0] = shocks[0]
        for t in range(1, 783):
            days[t] = persistence * days[t - 1] + shocks[t]
        windows = cut(days[200:] + 100.0, length=30, every=every)
        value = estimate(windows.episodes.sum(axis=1), windows.block if block is None else block)
        count += value.low <= 3000.0 <= value.high
    return count / series


@pytest.mark.parametrize(
    ("persistence", "every", "least"), [(0.0, 5, 0.91), (0.5, 5, 0.91), (0.0, 30, 0.92), (0.95, 5, 0.86)]
)
def test_intervals_over_overlapping_windows_hold_the_mean(persistence: float, every: int, least: float) -> None:
    assert least <= held(persistence, every, None) <= 0.985


def test_taking_overlapping_windows_as_independent_would_not() -> None:
    assert held(0.0, 5, block=1) < 0.7


def test_windows_that_do_not_overlap_get_the_t_interval() -> None:
    values = np.array([1.0, 2.0, 4.0, 7.0])
    half = 3.182446 * values.std(ddof=1) / 2.0
    value = estimate(values, 1)
    assert value.mean == 3.5
    assert value.high - value.mean == pytest.approx(half, rel=0.02)


def test_a_constant_sample_is_certain_and_a_single_one_is_not() -> None:
    same = estimate(np.full(40, 3.0), 6)
    assert (same.low, same.high) == (pytest.approx(3.0), pytest.approx(3.0))
    one = estimate(np.array([3.0]), 6)
    assert np.isnan(one.low) and np.isnan(one.high)


def test_order_matters_only_with_a_block() -> None:
    values = np.sort(np.random.default_rng(2).normal(size=60))
    shuffled = np.random.default_rng(3).permutation(values)
    assert estimate(values).high == pytest.approx(estimate(shuffled).high)
    wide, narrow = estimate(values, 6), estimate(shuffled, 6)
    assert wide.high - wide.low > 2.0 * (narrow.high - narrow.low)  # a trend is long-run variance
