"""The size and certainty of the difference of two policies, in words.

A difference is told by both: what it comes to, also as a share of what the reference earns, and
whether it can be chance. One that is sure but below 1% is called small. One that is open, but whose
whole interval lies within 1%, is called practically equal.
"""

from __future__ import annotations

import math

from restock.core.wording import Wording
from restock.evaluation.compare import Comparison, Row
from restock.evaluation.stats import LEVEL
from restock.report.numbers import NONE, amount, p_in_words, places_for, share

SMALL = 0.01  # of the best policy's mean profit: a difference below is called small, however sure it is
CLEAR, TINY, EQUAL, OPEN = "clear", "clear but small", "practically equal", "too close to call"
SAME = "the same"
VERDICTS = (
    f"{SAME}: the policies earned the same in every episode; {CLEAR}: p is below 0.05 and the difference at least 1% "
    f"of what the reference earns; {TINY}: p is below 0.05 and the difference less than that; {EQUAL}: p is not below "
    f"0.05, and the whole interval lies within 1%; {OPEN}: none of these"
)


def verdict(row: Row) -> str:
    """Return the verdict on the difference to the reference, one of `VERDICTS`."""
    if earned_the_same(row):
        return SAME
    if row.p is None or row.difference is None or not math.isfinite(row.p):
        return NONE
    part = math.inf if row.relative is None else abs(row.relative)
    if row.p < LEVEL:
        return TINY if part < SMALL else CLEAR
    if row.relative is None or row.difference.mean == 0.0 or not math.isfinite(row.difference.low):
        return OPEN
    per_unit = part / abs(row.difference.mean)
    widest = max(abs(row.difference.low), abs(row.difference.high)) * per_unit
    return EQUAL if widest < SMALL else OPEN


def earned_the_same(row: Row) -> bool:
    """Return whether a policy earned exactly what the reference earned in every episode."""
    return row.wins == 0 and row.losses == 0 and row.ties is not None


def surely(comparison: Comparison, row: Row, words: Wording) -> str:
    """Return the verdict on a policy with its evidence."""
    assert row.p is not None
    p = p_in_words(row.p)
    p = f"p {p}" if p.startswith("<") else f"p = {p}"
    count, family = comparison.family.size, comparison.family
    over = f", adjusted for {f'all {count} pairs' if not family.named else f'{count} differences'}" if count > 1 else ""
    found = verdict(row)
    if found == CLEAR:
        return f"a clear difference ({p}{over})."
    if found == TINY:
        return f"a clear but small difference, below {share(SMALL)} ({p}{over})."
    if found == EQUAL:
        return f"{EQUAL}, to within {share(SMALL)} ({p}{over})."
    if row.more_episodes is None:
        return f"{OPEN} ({p}{over})."
    return f"{OPEN} ({p}{over}); about {amount(row.more_episodes)} more {words.episodes} would tell."


def standing(row: Row, words: Wording) -> str:
    """Return in how many episodes a policy earned more than, the same as and less than the reference."""
    assert row.wins is not None and row.ties is not None and row.losses is not None
    level = f", the same in {amount(row.ties)}" if row.ties else ""
    count = row.wins + row.ties + row.losses
    return f"more in {amount(row.wins)}{level} and less in {amount(row.losses)} of the {amount(count)} {words.episodes}"


def lead(comparison: Comparison, row: Row, best: Row, words: Wording) -> str:
    """Return the lead of the reference over the best of the others."""
    assert row.difference is not None
    who = f"{row.name[:1].upper()}{row.name[1:]}" if comparison.family.named else f"The next, {row.name},"
    if earned_the_same(row):
        return f"{who} earned the same in every {words.episode}."
    if comparison.identical:
        return f"{who} {apart(row)}; all {comparison.episodes} {words.episodes} are the same, so that is no estimate."
    if row.p is None or not math.isfinite(row.p):
        return f"{who} {apart(row)}; with one {words.episode} that may be chance."
    return f"{who} {apart(row, True)}; it earned {standing(row, words)}: {surely(comparison, row, words)}"


def apart(row: Row, named: bool = False) -> str:
    """Return the difference to the reference, as a share too, with its interval."""
    assert row.difference is not None
    more = row.difference.mean > 0.0
    what = f"earned {size(row)} {'more' if more else 'less'}"
    part = "" if row.relative is None else f"{_fine(abs(row.relative))}"
    if not math.isfinite(row.difference.low):
        return f"{what} ({part})" if part else what
    low, high = (1.0, 1.0) if more else (-1.0, -1.0)
    ends = sorted([low * row.difference.low, high * row.difference.high])
    places = places_for(row.difference)
    told = f"{'95% interval ' if named else ''}{amount(ends[0], places)} to {amount(ends[1], places)}"
    return f"{what} ({f'{part}; ' if part else ''}{told})"


def _fine(value: float) -> str:
    """Return a share of a difference, with two digits if it is small."""
    return share(value, 0 if value >= 0.0995 else 1 if value >= 0.00095 else 2)


def size(row: Row) -> str:
    """Return the size of this row's difference to the reference, without its sign."""
    assert row.difference is not None
    return amount(abs(row.difference.mean), places_for(row.difference))
