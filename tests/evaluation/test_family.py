"""Comparisons made at once: error rates over all pairs, intervals that match, and levels that follow."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import scipy.stats

import restock
from benchmarks.bench_error_rates import KINDS, rates, statistics
from restock.evaluation.family import NORMAL_FROM, Family
from restock.evaluation.stats import LEVEL, degrees_of, p_value, t_quantile
from restock.evaluation.table import more_episodes, table
from restock.policies.base_stock import BaseStock

STUDIES = 2000
CHANCE = 3.0 * math.sqrt(0.05 * 0.95 / STUDIES)  # three standard errors of a share of 5%


@pytest.mark.parametrize("policies", [2, 5, 10, 20])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "overlapping windows"])
def test_equal_policies_are_told_apart_in_at_most_5_percent_of_studies(kind, policies):
    assert rates(kind, policies, STUDIES, seed=1).new < LEVEL + CHANCE


@pytest.mark.parametrize("policies", [2, 5, 10, 20])
def test_overlapping_windows_err_no_more_often_than_a_single_interval_of_them(policies):
    found = rates("overlapping windows", policies, STUDIES, seed=1)
    assert found.single < 0.07 + CHANCE  # the present intervals: 93% and more
    assert found.new < 0.07 + CHANCE


def test_holm_against_the_best_of_the_sample_did_not_hold():
    found = rates("normal", 10, STUDIES, seed=1)
    assert found.holm > 0.12 and found.intervals > 0.5


def test_the_statistics_of_the_simulation_are_those_of_the_package():
    numbers = np.random.default_rng(0)
    profit = numbers.standard_normal((2, 40, 3))
    for block in (1, 4):
        found, degrees = statistics(profit, block), degrees_of(40, block)
        p = p_value(profit[1, :, 0] - profit[1, :, 2], block)
        assert p == pytest.approx(2.0 * scipy.stats.t.sf(found[1, 0, 2], degrees))


@pytest.mark.parametrize("policies", [3, 5, 10, 20])
def test_with_many_episodes_it_is_tukeys_studentised_range(policies):
    exact = scipy.stats.studentized_range.ppf(1.0 - LEVEL, policies, np.inf) / math.sqrt(2.0)
    assert Family(policies, NORMAL_FROM).critical == pytest.approx(exact, abs=0.03)
    assert Family(policies, 500).critical == pytest.approx(exact, abs=0.06)


def test_two_policies_are_compared_by_the_paired_t_test():
    values = np.random.default_rng(1).normal(0.4, 1.0, 12)
    for family in (Family(2, 11), Family(2, 11, named=True)):
        difference, p = family.judge(values)
        assert p == pytest.approx(scipy.stats.ttest_1samp(values, 0.0).pvalue)
        half = t_quantile(0.975, 11) * values.std(ddof=1) / math.sqrt(12)
        assert (difference.low, difference.high) == pytest.approx((values.mean() - half, values.mean() + half))


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("policies", [2, 4, 12])
@pytest.mark.parametrize("block", [1, 3])
def test_p_is_below_5_percent_where_the_interval_leaves_out_zero(policies, named, block):
    rng = np.random.default_rng(2)
    family = Family(policies, degrees_of(24, block), named)
    seen = set()
    for size in np.linspace(0.2, 2.0, 150):
        difference, p = family.judge(rng.normal(size, 1.0, 24), block)
        excludes = not difference.low <= 0.0 <= difference.high
        assert excludes == (p < LEVEL)
        seen.add(excludes)
    assert seen == {True, False}


def test_p_falls_and_is_never_zero_by_simulation_alone():
    family = Family(8, 29)
    p = [family.p(t) for t in np.linspace(0.0, 30.0, 200)]
    assert p == sorted(p, reverse=True) and p[0] == 1.0 and 0.0 < p[-1] < 1e-12
    assert family.p(-4.0) == family.p(4.0) and math.isnan(family.p(math.nan))


def test_a_reference_named_beforehand_is_sharper_than_all_pairs():
    assert Family(6, 49, named=True).size == 5 and Family(6, 49).size == 15
    assert t_quantile(0.975, 49) < Family(6, 49, named=True).critical < Family(6, 49).critical


def test_differences_to_a_named_reference_hold_together():
    numbers = np.random.default_rng(3)
    wrong, family = 0, Family(8, 19, named=True)
    for _ in range(STUDIES // 250):
        found = statistics(numbers.standard_normal((250, 20, 8)))[:, 0]
        wrong += int((found.max(axis=1) > family.critical).sum())
    assert wrong / STUDIES < LEVEL + CHANCE


@pytest.mark.parametrize("named", [False, True])
def test_so_many_more_episodes_tell_the_difference_in_four_of_five_studies(named):
    rng = np.random.default_rng(4)
    values = rng.normal(size=40)
    values = (values - values.mean()) / values.std(ddof=1) + 0.3
    family = Family(6, 39, named)
    count = 40 + more_episodes(values, family)
    later = Family(6, count - 1, named)
    sample = rng.normal(0.3, 1.0, (2000, count))
    t = sample.mean(axis=1) / sample.std(axis=1, ddof=1) * math.sqrt(count)
    assert abs((np.abs(t) > later.critical).mean() - 0.80) < 0.035
    assert more_episodes(values, Family(20, 39, named)) > more_episodes(values, Family(2, 39, named))


@pytest.fixture(scope="module")
def played():
    """One simulation, whose profits are replaced by others."""
    problem = restock.load_problem("serial", horizon=2)
    return restock.simulate(problem, "base-stock", episodes=25, seed=1)


def made(played, profits, named=None):
    runs = {f"policy {k}": dataclasses.replace(played, profit=values) for k, values in enumerate(profits)}
    return table(played.problem, runs, played.chance, 1, 1, named)


def test_a_table_of_equal_policies_errs_in_at_most_5_percent(played):
    """Of p-values and of intervals alike: whichever policy turns out best."""
    numbers, count = np.random.default_rng(5), 400
    alarms = excluding = 0
    for _ in range(count):
        rows = made(played, 100.0 + numbers.normal(size=(6, 25))).rows
        alarms += any(row.p is not None and row.p < LEVEL for row in rows)
        apart = [row.difference for row in rows if row.difference is not None]
        excluding += any(not one.low <= 0.0 <= one.high for one in apart)
    limit = LEVEL + 3.0 * math.sqrt(0.05 * 0.95 / count)
    assert alarms / count < limit and excluding / count < limit


def test_a_table_with_a_named_reference(played):
    profits = np.random.default_rng(6).normal(100.0, 1.0, (4, 25))
    profits[2] -= 5.0
    found = made(played, profits, "policy 2")
    assert found.reference == "policy 2" and found.family == Family(4, 24, named=True)
    rivals = [row for row in found.rows if row.name != "policy 2"]
    assert all(row.difference.low > 0.0 and row.p < 0.001 for row in rivals)
    assert found.row("policy 2").difference is None
    told = found.to_dict()
    assert told["reference_named"] is True and told["differences_judged"] == 3


def test_compare_takes_a_reference():
    problem = restock.load_problem("serial")
    chosen = {"low": BaseStock(problem, levels=10), "high": BaseStock(problem, levels=100)}
    found = restock.compare(problem, chosen, episodes=5, reference="low")
    assert found.reference == "low" and found.row("high").difference.mean > 0.0
    with pytest.raises(restock.InvalidInput, match=r"reference = 'lo': there is no such policy.*low"):
        restock.compare(problem, chosen, episodes=5, reference="lo")
