"""What a comparison says, in words: one source for the terminal, the JSON and the page."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from restock.evaluation.compare import Comparison, Row
from restock.evaluation.stats import LEVEL
from restock.report.numbers import NONE, amount, decimals, interval, p_in_words, places_for, share


@dataclasses.dataclass(frozen=True)
class Words:
    """What to call things.

    Attributes:
        system: What was simulated.
        episode: One episode.
        episodes: Several.
        period: One period.
        periods: Several.
    """

    system: str = "network"
    episode: str = "episode"
    episodes: str = "episodes"
    period: str = "period"
    periods: str = "periods"


PLAIN = Words()
CLEAR, OPEN = "clear", "too close to call"
INFORMATION = {
    "blind": "stock, goods under way, orders owed and past demand; not the future",
    "informed": "the same, and the mean of demand in every period to come; not demand itself",
    "clairvoyant": "all demand in advance; nobody can use it, it marks what could have been earned at best",
}
PARTS = {
    "revenue": "sales revenue",
    "purchases": "purchases",
    "operating": "operating cost",
    "holding": "cost of stock held",
    "pipeline_holding": "cost of goods under way",
    "shortage": "shortage cost",
    "fixed_orders": "fixed order costs",
}
KPI_NAMES = {
    "profit_per_period": "profit per period",
    "fill_rate": "fill rate",
    "cycle_service_level": "cycle service level",
    "backlog": "backlog at the end",
    "lost_sales": "lost sales",
    "average_inventory": "average inventory per node",
    "inventory_turns": "inventory turns",
    "average_in_transit": "average in transit",
    "bullwhip_cv": "bullwhip, ratio of variation",
    "bullwhip_variance": "bullwhip, ratio of variance",
    "goodwill": "goodwill at the end",
}


def kpi_name(key: str) -> str:
    """A key figure as people call it."""
    return PARTS.get(key) or KPI_NAMES.get(key) or key.replace("_", " ")


def money_parts(comparison: Comparison) -> tuple[str, ...]:
    """Parts of the profit by name, income first; empty where they are not costs that add up to it (discounting)."""
    parts = comparison.problem.layout.money
    for row in comparison.rows:
        if any(part not in row.kpis for part in parts):
            return ()
        total = row.kpis[parts[0]] - sum(row.kpis[part] for part in parts[1:]) if parts else math.nan
        if not math.isclose(total, row.profit.mean, rel_tol=1e-6, abs_tol=1e-6):
            return ()
    return tuple(parts)


def bound_row(comparison: Comparison) -> Row | None:
    """The row that the bound comes from."""
    return next((row for row in comparison.rows if row.information == "clairvoyant"), None)


def warnings(comparison: Comparison) -> list[str]:
    """What must not be overlooked."""
    found = []
    if comparison.exceeded:
        names = ", ".join(comparison.exceeded)
        found.append(
            f"On {comparison.problem.name}, {names} earned more than a proven bound. That cannot be: simulation and "
            "bound disagree, so trust neither until this is explained."
        )
    if comparison.bound is not None and not comparison.bound_proven:
        found.append(
            f"On {comparison.problem.name} the bound is the best plan found with demand known, not a proven one: "
            "demand answers to what the policies do."
        )
    return found


def answer(comparison: Comparison, words: Words = PLAIN) -> list[str]:
    """Which policy, by how much, how sure: a few sentences on one comparison."""
    best = comparison.row(comparison.reference)
    others = rivals(comparison)
    places = decimals([best.profit.mean])
    sure = f" (95% interval {interval(best.profit, places)})" if math.isfinite(best.profit.low) else ""
    most = "earned most:" if others else "earned"
    said = [f"{upper(best.name)} {most} {amount(best.profit.mean, places)} per {words.episode} on average{sure}"]
    if comparison.bound is not None and best.gap is not None and best.information != "clairvoyant":
        reached = f", {share(1.0 - best.gap)} of the {amount(comparison.bound.mean, places)} that "
        proven = "was possible with demand known in advance"
        said[0] += reached + (proven if comparison.bound_proven else "the best plan found earns with demand known")
    said[0] += "."
    if others:
        said.append(_lead(comparison, others[0], best, words))
    if len(others) > 1:
        behind = [f"{row.name} {_less(row)}" for row in others[1:]]
        said.append(f"{upper(_listed(behind))}.")
        said += [f"{upper(row.name)}: {surely(comparison, row, words)}" for row in others[1:] if verdict(row) == OPEN]
    return said


def overall(comparisons: Sequence[Comparison], words: Words = PLAIN) -> list[str]:
    """Which policy, by how much, how sure: what several comparisons say together."""
    names = [comparison.problem.name for comparison in comparisons]
    winners = [comparison.reference for comparison in comparisons]
    all_of_them = f"both {words.system}s" if len(names) == 2 else f"all {len(names)} {words.system}s"
    if len(set(winners)) > 1:
        each = _listed([f"{winner} on {name}" for winner, name in zip(winners, names, strict=True)])
        return [f"No policy earned most on {all_of_them}: {each}."]
    best = winners[0]
    said = [f"On {all_of_them}, {best} earned most"]
    shares = [comparison.row(best).gap for comparison in comparisons]
    if all(gap is not None for gap in shares):
        parts = [share(1.0 - gap) for gap in shares if gap is not None]
        each = _listed([f"{part} on {name}" for part, name in zip(parts, names, strict=True)])
        said[0] += f": {each if len(set(parts)) > 1 else parts[0]} of what was possible with demand known in advance"
    said[0] += "."
    clear = [row.name for row in rivals(comparisons[0]) if _verdicts(comparisons, row.name) == {CLEAR}]
    if clear:
        said.append(f"It is clearly ahead of {_listed(clear)}.")
    for row in rivals(comparisons[0]):
        verdicts = _verdicts(comparisons, row.name)
        if row.name not in clear and None not in verdicts:
            rows = [(c.problem.name, c.row(row.name)) for c in comparisons]
            if len(verdicts) == 1:
                sizes = _listed([f"{_size(one)} on {name}" for name, one in rows])
                each = f"{verdict(row)} everywhere (per {words.episode} {sizes})"
            else:
                each = _listed([f"{verdict(one)} on {name} ({_size(one)} per {words.episode})" for name, one in rows])
            said.append(f"Its lead over {row.name} is {each}.")
    return said


def _verdicts(comparisons: Sequence[Comparison], name: str) -> set[str | None]:
    """The verdicts on a policy; None among them where it did not take part."""
    return {next((verdict(row) for row in rivals(c) if row.name == name), None) for c in comparisons}


def rivals(comparison: Comparison) -> list[Row]:
    """Policies other than the best one that do not know the future, best first."""
    return [row for row in comparison.rows if row.difference is not None and row.information != "clairvoyant"]


def verdict(row: Row) -> str:
    """How sure the difference to the best policy is, by its corrected p-value."""
    if row.p is None or not math.isfinite(row.p):
        return NONE
    return CLEAR if row.p < LEVEL else OPEN


def surely(comparison: Comparison, row: Row, words: Words = PLAIN) -> str:
    """The verdict on a policy with what it rests on."""
    assert row.p is not None
    others = len(rivals(comparison))
    p = p_in_words(row.p)
    p = f"p {p}" if p.startswith("<") else f"p = {p}"
    corrected = f"{p}, corrected for {others} comparisons" if others > 1 else p
    if verdict(row) == CLEAR:
        return f"a clear difference ({corrected})."
    if row.more_episodes is None:
        return f"{OPEN} ({corrected})."
    return f"{OPEN} ({corrected}); about {amount(row.more_episodes)} more {words.episodes} would tell."


def _lead(comparison: Comparison, row: Row, best: Row, words: Words) -> str:
    """The lead of the best policy over the next one."""
    assert row.difference is not None and row.better_in is not None
    if np.array_equal(row.simulation.profit, best.simulation.profit):
        return f"The next, {row.name}, earned the same in every {words.episode}."
    if row.p is None or not math.isfinite(row.p):
        return f"The next, {row.name}, {_less(row)}; with one {words.episode} that may be chance."
    said = f"The next, {row.name}, {_less(row, True)} and was ahead in {share(row.better_in)} of the {words.episodes}: "
    return said + surely(comparison, row, words)


def _less(row: Row, named: bool = False) -> str:
    """How much less than the best policy, with the interval."""
    assert row.difference is not None
    if not math.isfinite(row.difference.low):
        return f"earned {_size(row)} less"
    places = places_for(row.difference)
    ends = f"{amount(-row.difference.high, places)} to {amount(-row.difference.low, places)}"
    return f"earned {_size(row)} less ({'95% interval ' if named else ''}{ends})"


def _size(row: Row) -> str:
    """The lead of the best policy over this one."""
    assert row.difference is not None
    return amount(-row.difference.mean, places_for(row.difference))


def losses(comparison: Comparison) -> list[str]:
    """Where each policy loses against the bound: the largest parts of its gap."""
    bound, parts = bound_row(comparison), money_parts(comparison)
    if bound is None or not parts:
        return []
    said = []
    for row in comparison.rows:
        gap = bound.profit.mean - row.profit.mean
        if row is bound or gap <= 0.0:
            continue
        worse = {part: row.kpis[part] - bound.kpis[part] for part in parts[1:]}
        worse[parts[0]] = bound.kpis[parts[0]] - row.kpis[parts[0]]
        large = sorted((part for part in worse if worse[part] >= 0.15 * gap), key=lambda part: -worse[part])
        places = 0 if gap >= 20.0 else 1
        pieces = [
            f"{amount(worse[part], places)} "
            + ("in sales not made in time" if part == "revenue" else f"more {kpi_name(part)}")
            for part in large
        ]
        cheaper = sorted((part for part in worse if worse[part] <= -0.15 * gap), key=lambda part: worse[part])
        less = "".join(f", less {amount(-worse[part], places)} saved on {kpi_name(part)}" for part in cheaper)
        said.append(f"{upper(row.name)} lacks {amount(gap, places)}: {_listed(pieces)}{less}.")
    return said


def heading(comparison: Comparison, words: Words = PLAIN) -> str:
    """What was simulated, as a heading."""
    name = comparison.problem.name
    return upper(name if name.endswith(words.system) else f"{name} {words.system}")


def upper(text: str) -> str:
    """With a capital letter in front."""
    return text[:1].upper() + text[1:]


def _listed(pieces: list[str]) -> str:
    return pieces[0] if len(pieces) == 1 else ", ".join(pieces[:-1]) + " and " + pieces[-1] if pieces else ""


def facts(comparison: Comparison, words: Words = PLAIN) -> str:
    """Stock at the start beside the demand of an episode."""
    trajectory = comparison.rows[0].simulation.trajectory
    if "on_hand" not in trajectory or "demand" not in comparison.rows[0].kpis:
        return ""
    start = float(trajectory["on_hand"][:, 0].sum(axis=-1).mean())
    return (
        f"It starts with {amount(start)} units in stock; a {words.episode} asks for "
        f"{amount(comparison.rows[0].kpis['demand'])} on average."
    )
