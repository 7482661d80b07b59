"""The answer of a comparison in sentences: which policy, by how much, how sure."""

from __future__ import annotations

import math

from restock.evaluation.compare import Comparison, Row
from restock.evaluation.stats import Estimate, estimate


def verdict(table: Comparison) -> list[str]:
    """Sentences that say what the table means, most important first.

    Example:
        >>> from restock.evaluation.compare import compare
        >>> print(verdict(compare("serial", ["base-stock", "random"], episodes=20, seed=42))[0])
        Best of the policies that do not know the future: base-stock, 851.0 an episode [95 % interval 838.9 to 863.1].
    """
    honest = [row for row in table.rows if row.information != "clairvoyant"]
    best = table.row(table.reference)
    sentences = [_winner(best, bool(honest))]
    if len(honest) > 1:
        sentences.append(_by_how_much(table, best, honest[1]))
    if table.bound is not None:
        sentences += _bound(table, best)
    return sentences


def warnings(table: Comparison) -> list[str]:
    """What a reader must know before believing the table; empty where all is well."""
    told = []
    if table.exceeded:
        names = ", ".join(table.exceeded)
        told.append(
            f"Something is wrong: {names} earned more than a proven bound in some episode. Such a policy knows "
            "something it should not, or the bound has an error. Do not trust this table."
        )
    if table.episodes == 1:
        told.append("One episode says nothing about certainty: run more.")
    return told


def money(value: float) -> str:
    """An amount as tables show it: at least three digits, no more decimals than that needs."""
    if not math.isfinite(value):
        return "-"
    size = abs(value)
    decimals = 0 if size >= 1000 or size == 0 else 1 if size >= 100 else 2 if size >= 1 else 3
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def interval(value: Estimate) -> str:
    """A 95 % interval as tables show it; a dash where there is none."""
    if not (math.isfinite(value.low) and math.isfinite(value.high)):
        return "-"
    return f"{money(value.low)} to {money(value.high)}"


def _winner(best: Row, honest: bool) -> str:
    who = "Best of the policies that do not know the future" if honest else "Best of policies that all know the future"
    return f"{who}: {best.name}, {money(best.profit.mean)} an episode{_within(best.profit)}."


def _by_how_much(table: Comparison, best: Row, second: Row) -> str:
    """How far the best is ahead of the next, and whether that could be chance."""
    ahead = best.simulation.profit - second.simulation.profit
    lead = estimate(ahead, table.block)
    share = float((ahead > 1e-9).mean())
    words = (
        f"That is {money(lead.mean)} more than {second.name}, the next best{_within(lead)}; "
        f"it is ahead in {share:.0%} of the {table.episodes} episodes. "
    )
    if not math.isfinite(lead.low):
        return words + "One episode cannot say whether that is chance."
    if lead.low > 0:
        return words + "The interval excludes 0, so chance alone does not explain it."
    return words + f"The interval includes 0, so these {table.episodes} episodes cannot tell the two apart."


def _bound(table: Comparison, best: Row) -> list[str]:
    """What foresight would have earned, and whether that is proven."""
    assert table.bound is not None
    foresight = f"Knowing the future would have earned {money(table.bound.mean)}"
    if best.gap is not None and best.information != "clairvoyant":
        foresight += f"; {best.name} misses {max(best.gap, 0.0):.1%} of it" if best.gap > -5e-4 else ""
    if table.bound_proven:
        return [f"{foresight}. This bound is proven: no policy can earn more in these episodes."]
    return [
        f"{foresight}. This is the best plan found with the demand known, not a proven bound: demand answers to "
        "service here (goodwill), and a policy may earn more."
    ]


def _within(value: Estimate) -> str:
    text = interval(value)
    return "" if text == "-" else f" [95 % interval {text}]"
