"""The main job: what is planned with, what is compared, and the numbers by an independent simulation."""

from __future__ import annotations

import csv
from importlib import resources

import numpy as np
import pytest

from restock.core.errors import InvalidInput
from restock.demand.series import SeriesSource
from restock.evaluation.restaurant import FORMULA, TUNED, Study, restaurant_study


@pytest.fixture(scope="module")
def study() -> Study:
    return restaurant_study(every=59)


def column(name: str) -> list[float]:
    text = resources.files("restock.data").joinpath("restaurant_demand.csv").read_text(encoding="utf-8")
    return [float(row[name]) for row in csv.DictReader(text.splitlines())]


def test_past_and_windows_are_apart(study: Study) -> None:
    days = column("koefte")
    assert len(days) == len(study.dates) == 765
    assert study.mean == pytest.approx(np.mean(days[:182]))
    assert study.sd == pytest.approx(np.std(days[:182], ddof=1))
    assert study.windows.starts[0] == 182
    assert study.dates[0].isoformat() == "2013-10-04"
    assert study.dates[-1].isoformat() == "2015-11-07"
    assert np.diff([day.toordinal() for day in study.dates]).tolist() == [1] * 764


def test_every_policy_meets_the_same_windows(study: Study) -> None:
    days = np.array(column("koefte"))
    for comparison in study.comparisons:
        for row in comparison.rows:
            met = row.simulation.trajectory["demand"][..., 0]
            expected = np.stack([days[start : start + 30] for start in study.windows.starts])
            np.testing.assert_array_equal(met, expected)


def test_nobody_beats_the_bound(study: Study) -> None:
    for comparison in study.comparisons:
        assert comparison.bound_proven
        assert comparison.exceeded == ()
        bound = comparison.row("hindsight").simulation.profit
        for row in comparison.rows:
            assert (row.simulation.profit <= bound + 1e-6).all()


def test_no_policy_was_planned_with_what_it_is_judged_on(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another future makes another profit, and no difference to any parameter."""
    days = np.array(column("koefte"))
    days[182:] = 1.5 * days[182:][::-1]
    monkeypatch.setattr(SeriesSource, "read", lambda self: days)
    other = restaurant_study(every=59)
    for mine, theirs in zip(study.comparisons, other.comparisons, strict=True):
        for name in (FORMULA, TUNED, "constant-order"):
            one, two = mine.row(name), theirs.row(name)
            assert one.profit.mean != two.profit.mean
            assert one.simulation.policy.parameters_in_words() == two.simulation.policy.parameters_in_words()


def serial_by_hand(levels: list[float], demand: list[float]) -> tuple[float, float, float]:
    """Profit, units sold and mean stock under base-stock levels on the serial network, from its description."""
    stock, backlog, profit, sold_in_all, held = [100.0, 100.0, 200.0], 0.0, 0.0, 0.0, []
    road: list[dict[int, float]] = [{}, {}, {}]  # arrivals by day at nodes 1, 2, 3
    lead = [4, 4, 0]
    for t, asked in enumerate(demand):
        position = [stock[j] + sum(road[j].values()) for j in range(3)]
        position[0] -= backlog
        # Until when an order still reaches the market: 4 days on the road to node 1, one more day at each stop.
        useful = [t < 30 - 4, t < 30 - 4 - 5, t < 30 - 0 - 5 - 5]
        order = [max(levels[j] - position[j], 0.0) if useful[j] else 0.0 for j in range(3)]
        sent = [min(order[0], stock[1]), min(order[1], stock[2], 100.0), order[2]]
        for j in range(3):
            road[j][t + lead[j]] = sent[j]
        stock[1] -= sent[0]
        stock[2] -= sent[1]
        for j in range(3):
            stock[j] += road[j].pop(t, 0.0)
        sold = min(asked + backlog, stock[0])
        backlog = asked + backlog - sold
        stock[0] -= sold
        sold_in_all += sold
        under_way = [sum(road[j].values()) for j in range(3)]
        profit += 2.0 * sold - 0.5 * sent[2] - 0.010 * sent[1]
        profit -= 0.030 * stock[0] + 0.020 * stock[1] + 0.010 * stock[2]
        profit -= 0.010 * under_way[0] + 0.005 * under_way[1] + 0.1 * backlog
        held.append(sum(stock) / 3.0)
    return profit, sold_in_all, float(np.mean(held))


@pytest.mark.parametrize("name", [FORMULA, TUNED])
def test_numbers_by_an_independent_simulation(study: Study, name: str) -> None:
    row = study.comparisons[0].row(name)
    levels = list(row.simulation.policy.parameters_in_words().values())
    by_hand = [serial_by_hand(levels, window.tolist()) for window in study.windows.episodes]
    profit, sold, stock = (np.array(values) for values in zip(*by_hand, strict=True))
    np.testing.assert_allclose(row.simulation.profit, profit, rtol=1e-9)
    demand = study.windows.episodes.sum(axis=1)
    assert row.profit.mean == pytest.approx(profit.mean(), rel=1e-9)
    assert row.kpis["served_rate"] == pytest.approx(sold.sum() / demand.sum(), rel=1e-9)
    assert row.kpis["average_inventory"] == pytest.approx(3 * stock.mean(), rel=1e-9)


def test_progress_never_runs_backwards() -> None:
    seen: list[float] = []
    restaurant_study(every=200, progress=lambda what, done, of: seen.append(done / of))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


@pytest.mark.parametrize(("changes", "field"), [({"ingredient": "steaks"}, "ingredient"), ({"every": 0}, "every")])
def test_bad_input(changes: dict, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        restaurant_study(**changes)
    assert caught.value.field == field
