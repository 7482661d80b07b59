"""The columns of a comparison: declared once, the same in the terminal, on the page, in CSV and in JSON."""

from __future__ import annotations

import dataclasses

import pytest

from restock.evaluation.compare import Comparison, Row, compare
from restock.report import columns
from restock.report.columns import COLUMNS, PAGE, TERMINAL, Column, Shown, chosen
from restock.report.documents import as_csv, comparison_document, comparison_rows
from restock.report.numbers import NONE
from restock.report.tables import summary
from tests.cli.running import run


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare("sharing", ["base-stock", "constant-shipment"], episodes=10)


def test_every_layout_names_declared_columns() -> None:
    assert set(PAGE) | set(TERMINAL) <= set(COLUMNS)
    assert {field for column in COLUMNS.values() for field in column.fields} <= {
        field.name for field in dataclasses.fields(Row)
    }


def test_terminal_and_page_show_the_same_numbers(comparison: Comparison) -> None:
    printed = run("compare", "sharing", "base-stock", "constant-shipment", "--episodes", "10", width=140).out
    table = summary(comparison)
    for cells in table.rows:
        shown = dict(zip(table.header, cells, strict=True))
        line = next(line for line in printed.splitlines() if line.strip().startswith(f"{cells[0]} "))
        for name in ("difference", "more, same, less", "adjusted p"):
            assert shown[name] == NONE or f" {shown[name]} " in line, name
        assert shown["joint 95% interval"] == NONE or f"[{shown['joint 95% interval']}]" in line


def test_json_and_csv_have_every_field(comparison: Comparison) -> None:
    document = comparison_document(comparison)
    for row, entry in zip(comparison.rows, document["policies"], strict=True):
        assert set(entry) == {field.name for field in dataclasses.fields(Row)} - {"simulation"} | {"parameters"}
        assert entry["wins"] == row.wins and entry["kpis"] == dict(row.kpis)
    head = as_csv(comparison_rows(document)).splitlines()[0]
    assert head.startswith(
        "policy,information,profit,profit_low,profit_high,difference,difference_low,difference_high,gap,gap_low,"
        "gap_high,relative,wins,ties,losses,better_in,p,more_episodes,seconds,profit_per_period,"
    )


def test_a_new_column_is_one_entry(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    half = Column("half", "half of {words.worth}", lambda row, shown: f"{row.profit.mean / 2.0:.1f}", "a half")
    monkeypatch.setattr(columns, "COLUMNS", {**COLUMNS, "half": half})
    table = summary(comparison, layout=("policy", "half"))
    assert table.header == ("policy", "half of reward")
    assert table.rows[0] == (comparison.rows[0].name, f"{comparison.rows[0].profit.mean / 2.0:.1f}")


def test_a_bound_that_is_none_is_no_column(comparison: Comparison) -> None:
    beaten = dataclasses.replace(comparison, bound=None)
    assert [column.name for column in chosen(beaten, ("policy", "gap", "of_bound"))] == ["policy"]
    assert Shown(beaten, beaten.problem.wording).rows == list(beaten.rows)
