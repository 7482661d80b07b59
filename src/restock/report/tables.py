"""A comparison in rows of words: one source for the terminal and the page."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from restock.core.kpis import KPIS, MONEY
from restock.evaluation.compare import Comparison, Row
from restock.evaluation.stats import Estimate
from restock.report.certainty import VERDICTS, verdict
from restock.report.numbers import NONE, amount, decimals, interval, p_in_words, places_for, share, share_interval
from restock.report.words import Calling, attained, bounded, called, costs, knows, kpi_name, model, parts_of, shown_rows

JOINT, ADJUSTED = "joint 95% interval", "adjusted p"  # over all pairs of policies, or all differences to a named one
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


def summary(comparison: Comparison, words: Calling = None, ends: bool = True) -> Table:
    """Return profit, share of the bound and paired difference of each policy, best first.

    Args:
        comparison: What is shown.
        words: What to call things.
        ends: Whether the share of the bound has its interval behind it.
    """
    words = called(comparison.problem, words)
    policies = shown_rows(comparison)
    places = decimals([row.profit.mean for row in policies])
    limited = bounded(comparison)
    to_bound = "gap to bound" if costs(comparison) else "of bound"
    header = ("policy", words.worth, "95% interval", *((to_bound,) if limited else ()))
    more = any(row.more_episodes is not None for row in policies)
    header += ("difference", JOINT, "more, same, less", ADJUSTED)
    header += (*((f"more {words.episodes}",) if more else ()), "verdict")
    rows = []
    for row in policies:
        cells = [row.name, amount(row.profit.mean, places), interval(row.profit, places)]
        if limited:
            cells.append(_of_bound(row, comparison, ends))
        if row.difference is None:
            last = "the reference" if comparison.family.named else "the best"
            cells += [NONE, NONE, NONE, NONE, *((NONE,) if more else ()), last]
        else:
            fine = places_for(row.difference)
            cells += [amount(row.difference.mean, fine, True), interval(row.difference, fine, True)]
            counts = (row.wins, row.ties, row.losses)
            cells.append(NONE if None in counts else ", ".join(amount(count) for count in counts if count is not None))
            cells.append(NONE if row.p is None else p_in_words(row.p))
            if more:
                cells.append(NONE if row.more_episodes is None else amount(row.more_episodes))
            limit = "the bound" if attained(comparison) else "knows all"
            cells.append(limit if row.information == "clairvoyant" else verdict(row))
        rows.append(tuple(cells))
    caption = (
        f"{words.worth.capitalize()} per {words.episode} of {comparison.problem.horizon} {words.periods}, mean over "
        f"{comparison.episodes} {words.episodes} that all policies share. Difference: to {comparison.reference}, "
        f"paired; more, same, less: in how many {words.episodes} the policy earned more than it, the same, and less."
    )
    return Table(caption, header, tuple(rows))


def _of_bound(row: Row, comparison: Comparison, ends: bool) -> str:
    """Return the share of the bound that a policy earns, or its excess if the bound is a cost, with its interval."""
    found = row.gap_interval
    if found is None:
        return NONE
    if not costs(comparison):
        found = Estimate(1.0 - found.mean, 1.0 - found.high, 1.0 - found.low)
    if not ends or row.information == "clairvoyant" or not math.isfinite(found.low):
        return share(found.mean, 1)
    return f"{share(found.mean, 1)} ({share_interval(found, 1)})"


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


def columns(comparisons: Sequence[Comparison], words: Calling = None) -> dict[str, str]:
    """Return what the columns of `summary` mean, by name."""
    worth, limited = called(comparisons[0].problem, words).worth, any(bounded(c) for c in comparisons)
    found = {
        "95% interval": "where the long-run mean probably lies; of many such intervals, about 95 in 100 hold it",
        JOINT: "the same of a difference, wide enough that all intervals of the table hold together in 95 of "
        "100 tables, whichever policy turns out best; the interval of a single mean stands for itself",
        ADJUSTED: "how likely a difference at least so large would be anywhere among the policies by chance, "
        "were they all equal (paired t, largest of all pairs); below 0.05 where the joint interval excludes 0",
        "verdict": VERDICTS,
    }
    if limited and any(costs(c) for c in comparisons):
        found["gap to bound"] = f"(bound - {worth}) / |bound|, both summed: the cost above the least; 95% interval"
    if limited and not all(costs(c) for c in comparisons):
        found["share of the bound (of bound)"] = f"{worth} / bound, both summed over all episodes; 95% interval"
    if any(row.more_episodes is not None for comparison in comparisons for row in comparison.rows):
        found["more episodes"] = "how many would find a difference of the size seen clear, in four of five such studies"
    return found


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
    return found | {f"knows: {kind}": knows(kind, words) for kind in kinds} | columns([comparison])
