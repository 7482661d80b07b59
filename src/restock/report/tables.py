"""A comparison in rows of words: one source for the terminal and the page."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from restock.core.kpis import KPIS, MONEY
from restock.evaluation.compare import Comparison
from restock.report.columns import PAGE, Shown, chosen
from restock.report.columns import meanings as meanings_of_columns
from restock.report.numbers import NONE, amount, decimals, share
from restock.report.words import Calling, called, knows, kpi_name, model, parts_of

SHARES = (*(name for name, kpi in KPIS.items() if kpi.unit == "share"), "cash_gain")
GROUPS = {
    group: sorted((name for name, kpi in KPIS.items() if kpi.group == group), key=lambda name: KPIS[name].last)
    for group in dict.fromkeys(kpi.group for kpi in KPIS.values() if kpi.group != MONEY)
}


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of words.

    Attributes:
        caption: What the rows are.
        header: Names of the columns; the first names the rows.
        rows: Cells, the first one the name of the row.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def summary(comparison: Comparison, words: Calling = None, layout: Sequence[str] = PAGE, ends: bool = True) -> Table:
    """Return profit, share of the bound and paired difference of each policy, best first.

    Args:
        comparison: What is shown.
        words: What to call things.
        layout: Names of the columns, see `columns.COLUMNS`.
        ends: Whether a column that is not followed by its interval has it behind its mean.
    """
    words = called(comparison.problem, words)
    shown, columns = Shown(comparison, words), chosen(comparison, layout)
    header: list[str] = []
    for column in columns:
        header += [column.heading(shown), *([column.ends_title] if column.ends and column.ends_title else [])]
    rows = []
    for row in shown.rows:
        cells: list[str] = []
        for column in columns:
            mean, limits = column.cell(row, shown), NONE if column.ends is None else column.ends(row, shown)
            if column.ends is not None and column.ends_title:
                cells += [mean, limits]
            else:
                cells.append(f"{mean} ({limits})" if ends and limits != NONE else mean)
        rows.append(tuple(cells))
    caption = (
        f"{words.worth.capitalize()} per {words.episode} of {comparison.problem.horizon} {words.periods}, mean over "
        f"{comparison.episodes} {words.episodes} that all policies share. Difference: to {comparison.reference}, "
        f"paired; more, same, less: in how many {words.episodes} the policy earned more than it, the same, and less."
    )
    return Table(caption, tuple(header), tuple(rows))


def key_figures(comparison: Comparison, words: Calling = None) -> list[tuple[str, Table]]:
    """Return the key figures by group, a column per policy, without those that are zero everywhere.

    The first group holds the parts of the profit, signed: they add up to it.
    """
    words = called(comparison.problem, words)
    header = tuple(row.name for row in comparison.rows)
    parts = parts_of(comparison)
    shown = list(parts[comparison.rows[0].name])
    title = f"{words.worth.capitalize()} per {words.episode}, and its parts"
    money = [("profit", [row.kpis["profit"] for row in comparison.rows])]
    money += [(part, [parts[row.name][part] for row in comparison.rows]) for part in shown]
    money.append(("profit_per_period", [row.kpis["profit_per_period"] for row in comparison.rows]))
    groups = [(title, money)]
    for name, keys in (*GROUPS.items(), (f"Of this {words.system}", _own(comparison))):
        every = [(key, [row.kpis[key] for row in comparison.rows if key in row.kpis]) for key in keys]
        whole = [(key, values) for key, values in every if len(values) == len(comparison.rows)]
        groups.append((name, [(key, values) for key, values in whole if not _says_nothing(key, values)]))
    tables = []
    for name, figures in groups:
        rows = tuple((kpi_name(key, words), *_cells(key, values)) for key, values in figures)
        if rows:
            tables.append((name, Table(name, (name, *header), rows)))
    return tables


def _cells(key: str, values: list[float]) -> list[str]:
    if key in SHARES:
        return [share(value, 1) for value in values]
    return [amount(value, decimals(values)) for value in values]


def _own(comparison: Comparison) -> list[str]:
    """Return the key figures that only this family of problems has: those it has words for."""
    return list(comparison.problem.wording.figures)


def left_out(comparison: Comparison, words: Calling = None) -> list[str]:
    """Return the figures that `key_figures` leaves out because they are zero (goodwill: one) everywhere."""
    words = called(comparison.problem, words)
    shown = parts_of(comparison)[comparison.rows[0].name]
    absent = [part for part in comparison.problem.parts if part not in shown and part in comparison.rows[0].kpis]
    found = [kpi_name(part, words) for part in absent]
    recorded = comparison.rows[0].simulation.trajectory
    for key in [*(key for group in GROUPS.values() for key in group), *_own(comparison)]:
        if key == "backlog" and key not in recorded:
            continue  # nothing is ever owed here
        values = [row.kpis[key] for row in comparison.rows if key in row.kpis]
        if values and _says_nothing(key, values):
            found.append(kpi_name(key, words))
    return found


def _says_nothing(key: str, values: list[float]) -> bool:
    idle = KPIS[key].idle if key in KPIS else 0.0
    return all(abs(value - idle) < 1e-9 for value in values)


def meanings(comparison: Comparison, words: Calling = None) -> list[tuple[str, str]]:
    """Return the key figures shown, and their meaning."""
    words = called(comparison.problem, words)
    known = {key for row in comparison.rows for key in row.kpis}
    told = {name: kpi.meaning for name, kpi in KPIS.items()}
    told |= {key: meaning for key, (_, meaning) in words.figures.items()}
    if words.counted:
        told |= {"profit": f"sum of the rewards: {words.counted}"}
    told |= {"profit_per_period": f"{words.worth} / {words.periods}"}
    return [(kpi_name(key, words), meaning) for key, meaning in told.items() if key in known]


def gaps(comparison: Comparison, words: Calling = None) -> Table | None:
    """Return each policy's shortfall to the best one, part by part; None if there is no other."""
    words = called(comparison.problem, words)
    first, parts = model(comparison), parts_of(comparison)
    others = [row for row in comparison.rows if row is not first]
    if not others:
        return None
    shown = list(parts[first.name])
    header = ("policy", f"gap to {first.name}", *(kpi_name(part, words) for part in shown))
    rows = []
    for row in others:
        lacks = [first.profit.mean - row.profit.mean]
        lacks += [parts[first.name][part] - parts[row.name][part] for part in shown]
        rows.append((row.name, *(amount(value, 0 if abs(lacks[0]) >= 20.0 else 1) for value in lacks)))
    caption = (
        f"What each policy lacks to {first.name} per {words.episode}, part by part: they add up to the gap. Negative: "
        "there it does better."
    )
    return Table(caption, header, tuple(rows))


def words_of(comparison: Comparison) -> dict[str, str]:
    """Return what the words of a comparison mean: what is earned, what policies know, and the columns."""
    words = called(comparison.problem)
    found = {
        words.worth: f"the sum of the rewards of all {words.periods} of an episode, also called its return"
        + (f"; a reward is {words.counted}" if words.counted else ""),
        "difference": "to the policy that the others are compared with, in the same episodes",
        "more, same, less": f"in how many episodes a policy had more {words.worth} than that one, as much, or less",
    }
    kinds = dict.fromkeys(row.information for row in comparison.rows)
    return found | {f"knows: {kind}": knows(kind, words) for kind in kinds} | dict(meanings_of_columns(comparison))
