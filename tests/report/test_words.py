"""Sentences, tables and numbers of a comparison."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from restock.evaluation.compare import Comparison, compare
from restock.evaluation.stats import Estimate
from restock.policies.registry import make_policy
from restock.problems.load import load_problem
from restock.report import tables
from restock.report import words as say
from restock.report.certainty import verdict as verdict_of
from restock.report.figures import coarse, grain, on_one_scale, sample
from restock.report.numbers import amount, decimals, interval, p_in_words, share
from restock.report.svg import Scale, ticks
from restock.report.words import Words

WEEK = Words(episode="week", episodes="weeks", period="day", periods="days")


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare("serial", ["base-stock", "constant-order", "random"], episodes=20, seed=3)


def told(comparison: Comparison, p: float, more: int | None = None, **differences: Estimate) -> Comparison:
    """The comparison with other differences of that p-value."""
    best = comparison.row(comparison.reference).profit.mean
    rows = [
        dataclasses.replace(
            row,
            difference=differences[row.name],
            relative=differences[row.name].mean / best,
            p=p,
            more_episodes=more,
        )
        if row.name in differences
        else row
        for row in comparison.rows
    ]
    return dataclasses.replace(comparison, rows=tuple(rows))


def test_numbers() -> None:
    assert amount(1234.5) == "1,235"
    assert amount(-1234.56, 1) == "\N{MINUS SIGN}1,234.6"
    assert amount(12.0, 1, sign=True) == "+12.0"
    assert amount(-0.01, 1) == "0.0"  # no minus before nothing
    assert amount(math.nan) == amount(math.inf) == "\N{EN DASH}"
    assert share(0.9512, 1) == "95.1%"
    assert interval(Estimate(1.0, math.nan, math.nan)) == "\N{EN DASH}"
    assert interval(Estimate(0.0, -3.0, 4.0), 0, True) == "\N{MINUS SIGN}3 to +4"
    assert [decimals([x]) for x in (0.5, 9.94, 9.96, 99.4, 99.6, 5e6)] == [2, 2, 1, 1, 0, 0]


def test_answer_names_the_best_and_how_sure(comparison: Comparison) -> None:
    first, second, *_ = say.rivals(comparison)
    assert second.name == "random"
    sentences = " ".join(say.answer(comparison, WEEK))
    best = comparison.row(comparison.reference)
    assert best.gap is not None
    assert sentences.lower().startswith(f"{comparison.reference} earned most: {amount(best.profit.mean)} per week")
    assert f"{share(1.0 - best.gap)} of the" in sentences
    assert f"The next, {first.name}," in sentences
    assert "Random earned" in sentences
    assert "episode" not in sentences


@pytest.mark.parametrize(
    ("p", "more", "difference", "verdict", "words"),
    [
        (0.0004, None, -80.0, "clear", "a clear difference (p < 0.001, adjusted for all 3 pairs)."),
        (0.0312, None, -80.0, "clear", "a clear difference (p = 0.031, adjusted for all 3 pairs)."),
        (0.0312, None, -7.5, "clear but small", "a clear but small difference, below 1% (p = 0.031, adjusted for all"),
        (
            0.214,
            1200,
            -80.0,
            "too close to call",
            "too close to call (p = 0.21, adjusted for all 3 pairs); about 1,200 ",
        ),
        (1.0, None, -80.0, "too close to call", "too close to call (p = 1.00, adjusted for all 3 pairs)."),
    ],
)
def test_verdict_follows_the_adjusted_p_and_the_size(
    comparison: Comparison, p: float, more: int | None, difference: float, verdict: str, words: str
) -> None:
    second = say.rivals(comparison)[0].name
    changed = told(comparison, p, more, **{second: Estimate(difference, difference - 12.0, difference + 12.0)})
    assert verdict_of(changed.row(second)) == verdict
    sentences = " ".join(say.answer(changed))
    assert words in sentences
    # Seen from the best policy the interval is turned around.
    ends = f"{amount(-difference - 12.0, 1)} to {amount(-difference + 12.0, 1)}"
    assert f"{amount(-difference, 1)} less (" in sentences and f"; 95% interval {ends})" in sentences
    table = tables.summary(changed)
    cells = dict(zip(table.header, next(row for row in table.rows if row[0] == second), strict=True))
    assert cells["verdict"] == verdict
    assert cells["adjusted p"] == p_in_words(p)
    assert cells.get("more episodes") == (None if more is None else "1,200")


def test_what_lies_within_one_percent_is_practically_equal(comparison: Comparison) -> None:
    second = say.rivals(comparison)[0].name
    changed = told(comparison, 0.4, **{second: Estimate(-1.0, -5.0, 3.0)})
    assert "practically equal, to within 1% (p = 0.40" in " ".join(say.answer(changed))
    wider = told(comparison, 0.4, **{second: Estimate(-1.0, -25.0, 23.0)})
    assert verdict_of(wider.row(second)) == "too close to call"


def test_wins_ties_and_losses_are_told(comparison: Comparison) -> None:
    """A policy may earn less on average and more in most episodes."""
    second = say.rivals(comparison)[0].name
    rows = [
        dataclasses.replace(row, wins=11, ties=2, losses=7) if row.name == second else row for row in comparison.rows
    ]
    changed = dataclasses.replace(comparison, rows=tuple(rows))
    assert "it earned more in 11, the same in 2 and less in 7 of the 20 weeks: " in " ".join(say.answer(changed, WEEK))
    table = tables.summary(changed)
    cells = dict(zip(table.header, next(row for row in table.rows if row[0] == second), strict=True))
    assert cells["more, same, less"] == "11, 2, 7"


def test_size_is_told_as_a_share_too(comparison: Comparison) -> None:
    third = say.rivals(comparison)[1]
    assert f"Random earned {amount(-third.difference.mean)} less ({share(-third.relative)}; " in " ".join(
        say.answer(comparison)
    )


def test_identical_episodes_say_why_there_is_no_interval() -> None:
    table = compare(
        load_problem("serial", demand={"distribution": "deterministic"}), ["base-stock", "random"], episodes=9
    )
    sentences = " ".join(say.answer(table, WEEK))
    assert "interval" not in sentences and "clear" not in sentences and "p =" not in sentences
    assert "all 9 weeks are the same" in sentences
    assert any("All 9 episodes of serial are the same" in warning for warning in say.warnings(table))


def test_rare_large_values_are_warned_of(comparison: Comparison) -> None:
    plain = [dataclasses.replace(row, skewed=None, difference_skewed=None) for row in comparison.rows]
    even = dataclasses.replace(comparison, rows=tuple(plain))
    assert not any("rare large values" in warning for warning in say.warnings(even))
    rows = [dataclasses.replace(row, skewed=4200 if row.name == "random" else None) for row in plain]
    found = say.warnings(dataclasses.replace(comparison, rows=tuple(rows)))
    assert any("the mean profit of random" in warning and "About 4,200 episodes" in warning for warning in found)


def test_a_reference_named_beforehand_is_called_so() -> None:
    table = compare("serial", ["base-stock", "constant-order", "random"], episodes=20, seed=3, reference="random")
    sentences = " ".join(say.answer(table))
    assert sentences.startswith("Random earned ") and "named beforehand" in sentences
    assert " more (" in sentences and "adjusted for 2 differences" in sentences and "The next" not in sentences


def test_a_bound_that_is_a_cost_has_no_share() -> None:
    free = {**_shop(), "name": "shop"}
    free["markets"] = [{**free["markets"][0], "price": 0.0}]
    table = compare(free, ["base-stock", "constant-order"], episodes=10)
    assert table.bound is not None and table.bound.mean < 0.0
    sentences = " ".join(say.answer(table))
    assert "more cost than the" in sentences and "of bound" not in tables.summary(table).header
    assert "gap to bound" in tables.summary(table).header


def test_an_open_verdict_on_any_policy_is_told(comparison: Comparison) -> None:
    third = say.rivals(comparison)[1].name
    changed = told(comparison, 0.3, 77, **{third: Estimate(-8.0, -20.0, 4.0)})
    expected = f"{say.upper(third)}: too close to call (p = 0.30, adjusted for all 3 pairs); about 77 more weeks"
    assert any(sentence.startswith(expected) for sentence in say.answer(changed, WEEK))


def test_one_episode_claims_nothing() -> None:
    once = compare("serial", ["base-stock", "constant-order"], episodes=1, seed=3)
    sentences = " ".join(say.answer(once))
    assert "that may be chance" in sentences
    assert "interval" not in sentences


def test_equal_policies_are_called_equal() -> None:
    problem_levels = {"a": "constant-order", "b": "constant-order"}
    same = compare("serial", problem_levels, episodes=5, bound=False)
    assert "The next, b, earned the same in every episode." in say.answer(same)


def test_overall_tells_clear_from_open(comparison: Comparison) -> None:
    second = say.rivals(comparison)[0].name
    clear = told(comparison, 0.001, **{second: Estimate(-80.0, -92.0, -68.0)})
    small = told(comparison, 0.001, **{second: Estimate(-7.5, -9.0, -6.0)})
    unsettled = told(comparison, 0.4, **{second: Estimate(-8.0, -20.0, 4.0)})
    best = comparison.row(comparison.reference).profit.mean
    one = " ".join(say.overall([clear, clear]))
    assert f"On both networks, {comparison.reference} earned most" in one
    assert f"It is clearly ahead of {second} (by {share(80.0 / best)}) and random (by " in one
    tiny = " ".join(say.overall([small, small]))
    assert "It is clearly ahead of random (by " in tiny
    assert f"Its lead over {second} is clear but small everywhere (per episode 7.50 on serial" in tiny
    two = " ".join(say.overall([clear, unsettled]))
    assert "It is clearly ahead of random (by " in two
    assert f"Its lead over {second} is clear on serial (80.0 per episode) and too close to call on serial" in two


def test_overall_says_once_what_holds_everywhere(comparison: Comparison) -> None:
    second = say.rivals(comparison)[0].name
    unsettled = told(comparison, 0.4, **{second: Estimate(-8.0, -20.0, 4.0)})
    told_once = f"Its lead over {second} is too close to call everywhere (per episode 8.0 on serial and 8.0 on serial)."
    assert told_once in say.overall([unsettled, unsettled])


def test_overall_with_different_winners(comparison: Comparison) -> None:
    other = dataclasses.replace(comparison, reference="random")
    assert say.overall([comparison, other, comparison])[0].startswith("No policy earned most on all 3 networks: ")


def test_what_a_policy_lacks_adds_up(comparison: Comparison) -> None:
    bound = comparison.row("hindsight")
    parts = say.parts_of(comparison)
    for row in comparison.rows:
        assert next(iter(parts[row.name])) == "revenue"
        assert sum(parts[row.name].values()) == pytest.approx(row.profit.mean)
        for part, value in parts[row.name].items():
            assert abs(value) == pytest.approx(row.kpis[part])
    table = tables.gaps(comparison)
    assert table is not None and len(table.rows) == 3
    for cells in table.rows:
        numbers = [float(cell.replace("\N{MINUS SIGN}", "-").replace(",", "")) for cell in cells[1:]]
        lack = bound.profit.mean - comparison.row(cells[0]).profit.mean
        assert numbers[0] == pytest.approx(lack, abs=0.51)
        assert sum(numbers[1:]) == pytest.approx(numbers[0], abs=0.51 * len(numbers))


def test_discounted_parts_add_up_too() -> None:
    table = compare({"name": "x", **_shop(), "discount": 0.9}, ["base-stock"], episodes=3)
    for row in table.rows:
        assert sum(say.parts_of(table)[row.name].values()) == pytest.approx(row.profit.mean)
    assert all(one.startswith("Base-stock lacks") for one in say.losses(table))


def _shop() -> dict:
    return {
        "nodes": [{"id": "shop", "initial_inventory": 60, "holding_cost": 0.03}, {"id": "maker"}],
        "links": [{"from": "maker", "to": "shop", "lead_time": 2, "price": 1.2}],
        "markets": [{"from": "shop", "to": "all", "price": 2.0, "shortage_cost": 0.1}],
    }


def test_key_figures_leave_out_only_what_never_moves(comparison: Comparison) -> None:
    shown = {cells[0] for _, table in tables.key_figures(comparison) for cells in table.rows}
    absent = set(tables.left_out(comparison))
    assert absent == {"fixed order costs", "lost sales", "goodwill at the end"}
    assert shown.isdisjoint(absent)
    keys = {say.kpi_name(key) for row in comparison.rows for key in row.kpis}
    assert shown | absent == keys


def test_policies_that_dwarf_the_others_are_off_the_scale() -> None:
    assert on_one_scale({"a": 1.0, "b": 2.0, "c": 5.9, "d": 50.0}) == {"a", "b", "c"}
    assert on_one_scale({"a": 0.0, "b": 100.0}) == {"a", "b"}
    assert on_one_scale({}) == set()


def test_long_episodes_are_drawn_as_means() -> None:
    assert (grain(31), grain(150), grain(151), grain(501)) == (1, 1, 2, 4)
    values = np.arange(501.0)
    drawn = coarse(values, grain(501))
    assert 100 < len(drawn) <= 150
    assert np.diff(drawn).min() >= 3.0 and drawn[-1] > 498.0  # no short piece is left at the end
    assert np.array_equal(coarse(values, 1), values)


def test_many_episodes_are_drawn_thinly() -> None:
    assert sample(5) == [0, 1, 2, 3, 4]
    many = sample(10_000)
    assert len(many) == len(set(many)) == 600
    assert (many[0], many[-1]) == (0, 9_999)


def test_ticks_are_round_and_inside() -> None:
    assert ticks(0.0, 900.0, 4) == [0.0, 250.0, 500.0, 750.0]
    assert ticks(3.0, 3.0) == [3.0]
    for low, high in ((-1713.0, 84.0), (0.0, 0.031), (-5e6, 2e7)):
        values = ticks(low, high)
        assert 2 <= len(values) <= 11
        assert low <= values[0] and values[-1] <= high
        assert np.allclose(np.diff(values), values[1] - values[0])


def test_scale() -> None:
    scale = Scale(10.0, 20.0, 100.0, 300.0)
    assert (scale(10.0), scale(15.0), scale(20.0)) == (100.0, 200.0, 300.0)
    assert scale.clip(25.0) == 20.0
    assert Scale(1.0, 1.0, 0.0, 10.0)(1.0) == 5.0


def test_policies_that_earn_the_same_are_said_to():
    """Two names of one rule: no p-value, no "0.00 less", and nobody "earned most"."""
    pair = {name: make_policy("base-stock", "serial", levels=[110, 120, 45]) for name in ("one", "other", "third")}
    table = compare("serial", pair, episodes=20, bound=False)
    assert {verdict_of(row) for row in table.rows if row.difference is not None} == {"the same"}
    said = " ".join(say.answer(table))
    assert "earned the same in every episode" in said and "earned most" not in said and "p =" not in said
