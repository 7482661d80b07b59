"""The columns of a comparison: page, terminal and CSV choose from `COLUMNS`, and none has a heading or cell of its own.

To add one, add a field to `Row` (JSON has it then) and an entry here, and name it where it shall be seen.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

from restock.core.wording import Wording
from restock.evaluation.compare import Comparison, Row
from restock.evaluation.stats import Estimate
from restock.report.certainty import VERDICTS, verdict
from restock.report.numbers import NONE, amount, decimals, interval, p_in_words, places_for, share, share_interval
from restock.report.words import Calling, attained, bounded, called, costs, shown_rows

ENDS = "95% interval"
ENDS_MEANING = "where the long-run mean probably lies; of many such intervals, about 95 in 100 hold it"


@dataclasses.dataclass(frozen=True)
class Shown:
    """A comparison as it is shown, with what the cells of all its rows have in common.

    Attributes:
        comparison: What is shown.
        words: What to call things.
    """

    comparison: Comparison
    words: Wording

    @cached_property
    def rows(self) -> list[Row]:
        """The rows that are policies."""
        return shown_rows(self.comparison)

    @cached_property
    def places(self) -> int:
        """Decimals of the profits, side by side."""
        return decimals([row.profit.mean for row in self.rows])

    def reference(self, row: Row) -> str:
        """Return what the policy is that the others are compared with; empty for the others."""
        if row.difference is not None or (row.information == "clairvoyant" and not self.comparison.family.named):
            return ""
        return "the reference" if self.comparison.family.named else "the best"


Cell = Callable[[Row, Shown], str]


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of a comparison.

    Attributes:
        name: What layouts call it, and its column in CSV.
        title: Heading; `{words...}` and `{reference}` (the best, or the reference) are filled in.
        cell: The words of a row.
        meaning: What it is, for readers; empty where the title says it.
        fields: Fields of `Row` that CSV has of it; an estimate has its ends in columns of their own.
        ends: The 95% interval in words, where the column is a mean.
        ends_title: Heading of that interval on pages; empty where it stands behind the mean.
        ends_meaning: What that interval is.
        wrapped: Heading in the terminal, in two lines; an interval stands in the same column there.
        applies: Whether a comparison has the column.
    """

    name: str
    title: str
    cell: Cell = lambda row, shown: NONE
    meaning: str = ""
    fields: tuple[str, ...] = ()
    ends: Cell | None = None
    ends_title: str = ENDS
    ends_meaning: str = ENDS_MEANING
    wrapped: str = ""
    applies: Callable[[Comparison], bool] = lambda comparison: True

    def heading(self, shown: Shown, wrapped: bool = False) -> str:
        """Return the heading, in two lines for the terminal if `wrapped`."""
        best = "the reference" if shown.comparison.family.named else "the best"
        return ((wrapped and self.wrapped) or self.title).format(words=shown.words, reference=best)


def _difference(row: Row, shown: Shown) -> str:
    found = row.difference
    return NONE if found is None else amount(found.mean, places_for(found), True)


def _difference_ends(row: Row, shown: Shown) -> str:
    found = row.difference
    return NONE if found is None else interval(found, places_for(found), True)


def _counts(row: Row, shown: Shown) -> str:
    counts = (row.wins, row.ties, row.losses)
    return NONE if None in counts else ", ".join(amount(count) for count in counts if count is not None)


def _of_bound(row: Row) -> Estimate | None:
    gap = row.gap_interval
    return None if gap is None else Estimate(1.0 - gap.mean, 1.0 - gap.high, 1.0 - gap.low)


def _share(row: Row, found: Estimate | None) -> str:
    return NONE if found is None else share(found.mean, 1)


def _share_ends(row: Row, found: Estimate | None) -> str:
    told = found is not None and row.information != "clairvoyant" and math.isfinite(found.low)
    return share_interval(found, 1) if found is not None and told else NONE


def _standing(row: Row, shown: Shown) -> str:
    limit = "the bound" if attained(shown.comparison) else "knows all"
    return shown.reference(row) or (limit if row.information == "clairvoyant" else verdict(row))


COLUMNS: Mapping[str, Column] = {
    column.name: column
    for column in (
        Column("policy", "policy", lambda row, shown: row.name, fields=("name",)),
        Column("information", "knows", lambda row, shown: row.information, fields=("information",)),
        Column(
            "profit", "{words.worth}", lambda row, shown: amount(row.profit.mean, shown.places),
            fields=("profit",), ends=lambda row, shown: interval(row.profit, shown.places),
            wrapped="mean {words.worth}\n" + ENDS,
        ),
        Column(
            "difference", "difference", _difference, fields=("difference",), ends=_difference_ends,
            ends_title="joint 95% interval", wrapped="difference to\n{reference}",
            ends_meaning="the same of a difference, wide enough that all intervals of the table hold together in 95 of "
            "100 tables, whichever policy turns out best; the interval of a single mean stands for itself",
        ),
        Column(
            "gap", "gap to bound", lambda row, shown: _share(row, row.gap_interval),
            "(bound - {words.worth}) / |bound|, both summed: the cost above the least; 95% interval",
            ("gap_interval",), lambda row, shown: _share_ends(row, row.gap_interval),
            "", wrapped="gap to\nbound", applies=bounded,
        ),
        Column(
            "of_bound", "of bound", lambda row, shown: _share(row, _of_bound(row)),
            "the share of the bound: {words.worth} / bound, both summed over all episodes; 95% interval",
            ends=lambda row, shown: _share_ends(row, _of_bound(row)), ends_title="", applies=bounded,
        ),
        Column("relative", "relative difference", fields=("relative",)),
        Column(
            "counts", "more, same, less", _counts, fields=("wins", "ties", "losses", "better_in"),
            wrapped="more, same,\nless often",
        ),
        Column(
            "p", "adjusted p", lambda row, shown: NONE if row.p is None else p_in_words(row.p),
            "how likely a difference at least so large would be anywhere among the policies by chance, were they all "
            "equal (paired t, largest of all pairs); below 0.05 where the joint interval excludes 0",
            ("p",), wrapped="adjusted\np",
        ),
        Column(
            "more_episodes", "more {words.episodes}",
            lambda row, shown: NONE if row.more_episodes is None else amount(row.more_episodes),
            "how many would find a difference of the size seen clear, in four of five such studies",
            ("more_episodes",),
            applies=lambda comparison: any(row.more_episodes is not None for row in comparison.rows),
        ),
        Column("verdict", "verdict", _standing, VERDICTS),
        Column("seconds", "seconds", fields=("seconds",)),
        Column(
            "fill_rate", "fill rate",
            lambda row, shown: share(row.kpis["fill_rate"], 1) if "fill_rate" in row.kpis else NONE,
            wrapped="fill\nrate",
        ),
    )
}  # fmt: skip
PAGE = ("policy", "profit", "of_bound", "difference", "counts", "p", "more_episodes", "verdict")
TERMINAL = ("policy", "information", "profit", "difference", "counts", "p", "gap", "fill_rate")


def chosen(comparison: Comparison, layout: Sequence[str] = PAGE) -> list[Column]:
    """Return the columns of a layout that a comparison has; of a cost there is an excess in place of a share."""
    names = ["gap" if name == "of_bound" and costs(comparison) else name for name in layout]
    return [column for name in names if (column := COLUMNS[name]).applies(comparison)]


def meanings(comparison: Comparison, words: Calling = None) -> Iterator[tuple[str, str]]:
    """Yield what the headings of a page mean, those of intervals included."""
    said = called(comparison.problem, words)
    for column in chosen(comparison):
        if column.ends is not None and column.ends_title:
            yield column.ends_title, column.ends_meaning
        if column.meaning:
            yield column.title.format(words=said), column.meaning.format(words=said)
