"""What a comparison says, in rows of words: one source for the terminal and the page."""

from __future__ import annotations

import dataclasses

from restock.core.kpis import MEANINGS
from restock.evaluation.compare import Comparison
from restock.report.numbers import NONE, amount, decimals, interval, p_in_words, places_for, share
from restock.report.words import PLAIN, Words, bound_row, kpi_name, money_parts, verdict

SHARES = ("fill_rate", "cycle_service_level")
GROUPS = (
    ("Service", ("demand", "sold", "fill_rate", "cycle_service_level", "backlog", "lost_sales", "goodwill")),
    ("Stock", ("average_inventory", "average_in_transit", "inventory_turns")),
    ("Orders", ("bullwhip_cv", "bullwhip_variance")),
)


@dataclasses.dataclass(frozen=True)
class Table:
    """Cells in words.

    Attributes:
        caption: What the rows are.
        header: Names of the columns; the first names the rows.
        rows: Cells, the first one the name of the row.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def summary(comparison: Comparison, words: Words = PLAIN) -> Table:
    """Profit, share of the bound and paired difference of each policy, best first."""
    places = decimals([row.profit.mean for row in comparison.rows])
    bounded = comparison.bound is not None
    header = ("policy", "profit", "95% interval", *(("of bound",) if bounded else ()))
    more = any(row.more_episodes is not None for row in comparison.rows)
    header += ("difference", "95% interval", "ahead in", "p (Holm)")
    header += (*((f"more {words.episodes}",) if more else ()), "verdict")
    rows = []
    for row in comparison.rows:
        cells = [row.name, amount(row.profit.mean, places), interval(row.profit, places)]
        if bounded:
            cells.append(NONE if row.gap is None else share(1.0 - row.gap))
        if row.difference is None or row.better_in is None:
            cells += [NONE, NONE, NONE, NONE, *((NONE,) if more else ()), "the best"]
        else:
            fine = places_for(row.difference)
            cells += [amount(row.difference.mean, fine, True), interval(row.difference, fine, True)]
            cells += [share(row.better_in), NONE if row.p is None else p_in_words(row.p)]
            if more:
                cells.append(NONE if row.more_episodes is None else amount(row.more_episodes))
            cells.append("the bound" if row.information == "clairvoyant" else verdict(row))
        rows.append(tuple(cells))
    caption = (
        f"Profit per {words.episode} of {comparison.problem.horizon} {words.periods}, mean over {comparison.episodes} "
        f"{words.episodes} that all policies share. Difference: to {comparison.reference}, paired; ahead in: share of "
        f"{words.episodes} in which the policy earned more than it."
    )
    return Table(caption, header, tuple(rows))


def key_figures(comparison: Comparison, words: Words = PLAIN) -> list[tuple[str, Table]]:
    """Key figures by group, a column for each policy; those that are zero everywhere are left out."""
    parts = comparison.problem.layout.money
    groups = ((f"Money per {words.episode}", ("profit", "profit_per_period", *parts)), *GROUPS)
    header = tuple(row.name for row in comparison.rows)
    tables = []
    for title, keys in groups:
        rows = []
        for key in keys:
            values = [row.kpis[key] for row in comparison.rows if key in row.kpis]
            if len(values) < len(comparison.rows) or _says_nothing(key, values):
                continue
            if key in SHARES:
                cells = [share(value, 1) for value in values]
            else:
                cells = [amount(value, decimals(values)) for value in values]
            rows.append((kpi_name(key).replace("period", words.period), *cells))
        if rows:
            tables.append((title, Table(title, (title, *header), tuple(rows))))
    return tables


def left_out(comparison: Comparison) -> list[str]:
    """Key figures that `key_figures` leaves out, because they are zero (goodwill: one) everywhere."""
    keys = [*comparison.problem.layout.money, *(key for _, group in GROUPS for key in group)]
    found = []
    for key in keys:
        values = [row.kpis[key] for row in comparison.rows if key in row.kpis]
        if values and _says_nothing(key, values):
            found.append(kpi_name(key))
    return found


def _says_nothing(key: str, values: list[float]) -> bool:
    idle = 1.0 if key == "goodwill" else 0.0
    return all(abs(value - idle) < 1e-9 for value in values)


def meanings(comparison: Comparison) -> list[tuple[str, str]]:
    """The key figures that appear, and what each is."""
    known = {key for row in comparison.rows for key in row.kpis}
    return [(kpi_name(key), meaning) for key, meaning in MEANINGS.items() if key in known]


def gaps(comparison: Comparison, words: Words = PLAIN) -> Table | None:
    """What each policy lacks to the bound, part by part; None where the parts do not add up."""
    bound, parts = bound_row(comparison), money_parts(comparison)
    if bound is None or not parts:
        return None
    shown = [p for p in parts if not _says_nothing(p, [row.kpis[p] for row in comparison.rows])]
    header = ("policy", "gap to the bound", *("sales not made" if p == "revenue" else kpi_name(p) for p in shown))
    rows = []
    for row in comparison.rows:
        if row is bound:
            continue
        lacks = [bound.profit.mean - row.profit.mean]
        lacks += [(bound.kpis[p] - row.kpis[p]) if p == parts[0] else (row.kpis[p] - bound.kpis[p]) for p in shown]
        rows.append((row.name, *(amount(value, 0 if abs(lacks[0]) >= 20.0 else 1) for value in lacks)))
    caption = f"What each policy lacks to the bound per {words.episode}, part by part. Negative: it spends less there."
    return Table(caption, header, tuple(rows))
