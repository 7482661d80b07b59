"""Intervals of shares and of what is missing to a bound: within their range, and they hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

import restock
from restock.evaluation.shares import gap_estimate, mean_of_ratios, share_estimate
from restock.evaluation.stats import episodes_for_t, estimate, skewness


@pytest.mark.parametrize(
    ("right", "of", "low", "high"), [(9, 10, 0.596, 0.982), (0, 20, 0.0, 0.161), (50, 100, 0.404, 0.596)]
)
def test_yes_or_no_answers_have_wilsons_interval(right, of, low, high):
    """Published with the normal quantile; with that of t it is a little wider."""
    found = share_estimate(np.array([1.0] * right + [0.0] * (of - right)))
    assert found.mean == right / of
    assert low - 0.06 < found.low <= low + 1e-3 and high - 1e-3 <= found.high < high + 0.03
    assert 0.0 <= found.low and found.high <= 1.0


@pytest.mark.parametrize("share", [0.05, 0.5, 0.97])
@pytest.mark.parametrize("block", [1, 5])
def test_shares_hold_the_truth_and_stay_in_range(share, block):
    rng = np.random.default_rng(1)
    held = usual = 0
    count = 1000
    for _ in range(count):
        values = rng.beta(20.0 * share, 20.0 * (1.0 - share), 60)
        if block > 1:
            values = np.convolve(
                rng.beta(20.0 * share, 20.0 * (1.0 - share), 60 + block - 1), np.ones(block) / block, "valid"
            )
        found = share_estimate(np.clip(values, 0.0, 1.0), block)
        assert 0.0 <= found.low <= found.mean <= found.high <= 1.0
        held += found.low <= share <= found.high
        usual += (other := estimate(values, block)).low <= share <= other.high
    assert held / count > (0.92 if block == 1 else 0.90) and held >= usual - 0.01 * count


def test_a_share_near_one_leaves_the_usual_interval_no_room():
    values = np.array([1.0] * 18 + [0.9, 0.2])
    assert estimate(values).high > 1.0
    assert share_estimate(values).high < 1.0


def test_ever_served_is_no_certainty():
    found = share_estimate(np.ones(100))
    assert found.high == 1.0 and 0.95 < found.low < 0.97
    same = share_estimate(np.full(10, 0.4))
    assert (same.low, same.high) == pytest.approx((0.4, 0.4))
    assert math.isnan(share_estimate(np.ones(1)).low)


def test_a_gap_by_hand():
    found = gap_estimate(np.array([90.0, 80.0, 70.0]), np.array([100.0, 100.0, 100.0]))
    half = 4.302653 * 0.1 / math.sqrt(3)
    assert (found.mean, found.low, found.high) == pytest.approx((0.2, max(0.2 - half, 0.0), 0.2 + half), abs=1e-6)


def test_a_cost_has_a_gap_too():
    """Least cost 100, paid 125: a quarter above, whichever sign costs have."""
    found = gap_estimate(np.array([-125.0, -130.0, -120.0]), np.array([-100.0, -100.0, -100.0]))
    assert found.mean == pytest.approx(0.25) and 0.0 <= found.low < 0.25 < found.high
    assert gap_estimate(np.array([1.0, 2.0]), np.zeros(2)) is None


def test_a_gap_to_a_proven_bound_is_never_negative():
    profit = np.array([99.0, 100.0, 80.0])
    limit = np.full(3, 100.0)
    assert gap_estimate(profit, limit).low == 0.0 > gap_estimate(profit, limit, proven=False).low


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_gaps_hold_the_truth(sign):
    rng = np.random.default_rng(2)
    held, count = 0, 2000
    for _ in range(count):
        limit = rng.normal(100.0, 20.0, 30) * sign
        profit = limit - rng.gamma(4.0, 5.0, 30)
        found = gap_estimate(profit, limit)
        held += found.low <= 0.2 <= found.high
    assert abs(held / count - 0.95) < 0.02


def test_the_mean_of_ratios_is_capped_only_where_it_must_be():
    parts = [np.array([0.2, -0.2, 0.1, -0.1])]
    assert mean_of_ratios([0.99], parts, True).high == 1.0 < mean_of_ratios([0.99], parts, False).high
    assert math.isnan(mean_of_ratios([0.9], [np.full(4, math.nan)], True).low)
    both = mean_of_ratios([0.5, 0.7], parts * 2, True)
    assert both.mean == pytest.approx(0.6)
    single = mean_of_ratios([0.6], parts, True)
    assert both.high - both.low < single.high - single.low


# rare large values -----------------------------------------------------------------------------------


def test_skewness_is_that_of_scipy():
    import scipy.stats

    values = np.random.default_rng(3).exponential(size=50)
    assert skewness(values) == pytest.approx(scipy.stats.skew(values))
    assert skewness(np.ones(5)) == 0.0


@pytest.mark.parametrize("count", [10, 30, 100])
def test_no_warning_of_normal_values(count):
    samples = np.random.default_rng(4).normal(7.0, 3.0, (1000, count))
    assert np.mean([episodes_for_t(sample) is not None for sample in samples]) < 0.06


def test_most_intervals_that_miss_a_skewed_mean_are_warned_of():
    """Lognormal costs: t intervals of 30 values hold the mean in 79% of samples; the rest is said."""
    rng = np.random.default_rng(5)
    samples = np.exp(1.5 * rng.standard_normal((2000, 30)))
    truth, missed, warned = math.exp(1.125), 0, 0
    for sample in samples:
        found = estimate(sample)
        if not found.low <= truth <= found.high:
            missed += 1
            warned += episodes_for_t(sample) is not None
    assert 0.15 < missed / 2000 < 0.27
    assert warned / missed > 0.9


def test_what_is_rare_is_warned_of_wherever_it_is_in_the_sample():
    """A loss of 10,000 in one episode of a hundred: in 26% of samples of 30 it is there, and then it is said."""
    rng = np.random.default_rng(6)
    hit = rng.random((1000, 30)) < 0.01
    samples = np.where(hit, -10_000.0, 0.0) + rng.normal(100.0, 10.0, hit.shape)
    told = np.array([episodes_for_t(sample) is not None for sample in samples])
    assert told[hit.any(axis=1)].all()
    assert told[~hit.any(axis=1)].mean() < 0.03  # nothing in those tells of it: the report says so


def test_neighbours_that_share_data_count_as_fewer():
    values = np.random.default_rng(7).exponential(size=150)
    assert episodes_for_t(values) is None and episodes_for_t(values, block=5) > 150


# where they are told ---------------------------------------------------------------------------------


def test_a_simulation_tells_rates_within_their_range():
    found = restock.simulate("serial", "base-stock", episodes=30, seed=1).estimates()
    assert found["fill_rate"].high <= 1.0 and found["alpha_service"].low >= 0.0
    assert found["profit"] == estimate(restock.simulate("serial", "base-stock", episodes=30, seed=1).profit)


def test_a_bound_below_zero_makes_a_gap_of_cost():
    costly = restock.load_problem("serial").spec.model_dump(by_alias=True, exclude_none=True, exclude={"demand"})
    costly["markets"][0]["price"] = 0.0
    table = restock.compare(costly, ["base-stock"], episodes=6)
    assert table.bound.mean < 0
    paid = table.row("base-stock").simulation.profit.sum()
    least = table.row("hindsight").simulation.bound.sum()
    row = table.row("base-stock")
    assert row.gap == pytest.approx(paid / least - 1.0) and row.gap > 0.0
    assert 0.0 <= row.gap_interval.low < row.gap < row.gap_interval.high
    assert table.row("hindsight").gap == pytest.approx(0.0, abs=1e-9)


def test_a_rate_of_demand_is_that_of_all_episodes_together():
    """A slow mover that is never served: episodes without any demand must not count as served in full."""
    slow = {
        "name": "slow", "horizon": 30, "backlog": False,
        "nodes": [{"id": "shop", "initial_inventory": 0, "holding_cost": 0.1}, {"id": "supplier"}],
        "links": [{"from": "supplier", "to": "shop", "lead_time": 3, "price": 1}],
        "markets": [{"from": "shop", "to": "customers", "price": 2, "shortage_cost": 1, "mean": 0.02}],
    }  # fmt: skip
    problem = restock.load_problem(slow)
    result = restock.simulate(problem, restock.make_policy("constant-order", problem, quantity=0), 200)
    assert (result.kpis["demand"] == 0).mean() > 0.4
    for rate in ("fill_rate", "served_rate"):
        assert result.estimates()[rate].mean == 0.0 and 0.0 <= result.estimates()[rate].high < 0.1
    stocked = restock.simulate("serial", "base-stock", 50)
    filled = (stocked.kpis["fill_rate"] * stocked.kpis["demand"]).sum() / stocked.kpis["demand"].sum()
    assert stocked.estimates()["fill_rate"].mean == pytest.approx(filled)
    assert restock.compare("serial", ["base-stock"], 50).row("base-stock").kpis["fill_rate"] == pytest.approx(filled)


def test_the_interval_of_a_weighted_share_holds():
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(400):
        weights = rng.poisson(1.2, 60).astype(float)
        values = np.divide(rng.binomial(weights.astype(int), 0.8), weights, out=np.ones(60), where=weights > 0)
        found = share_estimate(values, weights=weights)
        held += found.low <= 0.8 <= found.high
    assert held / 400 > 0.92
