"""What a comparison says, in words: one source for the terminal, the JSON and the page."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from restock.core.problem import Problem
from restock.core.wording import Wording
from restock.evaluation.compare import Comparison, Row
from restock.evaluation.stats import LEVEL
from restock.problems.network.words import WORDING
from restock.report.numbers import NONE, amount, decimals, interval, p_in_words, places_for, share


@dataclasses.dataclass(frozen=True)
class Words:
    """What to call things in a report, where it is not what the problem calls them (None: as the problem does).

    Attributes:
        system: What was simulated.
        episode: One episode.
        episodes: Several.
        period: One period.
        periods: Several.
    """

    system: str | None = None
    episode: str | None = None
    episodes: str | None = None
    period: str | None = None
    periods: str | None = None


Calling = Words | Wording | None  # what functions take: other words, all words, or those of the problem

CLEAR, OPEN = "clear", "too close to call"
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
    "fill_rate": "fill rate",
    "served_rate": "served, late or at once",
    "ready_rate": "ready rate",
    "alpha_service": "periods without a shortage",
    "backlog": "backlog at the end",
    "lost_sales": "lost sales",
    "inventory_turns": "inventory turns",
    "average_in_transit": "average in transit",
    "bullwhip_cv": "bullwhip, ratio of variation",
    "bullwhip_variance": "bullwhip, ratio of variance",
    "goodwill": "goodwill at the end",
}


def called(problem: Problem, words: Calling = None) -> Wording:
    """What to call things on a problem."""
    if isinstance(words, Wording):
        return words
    own = {} if words is None else dataclasses.asdict(words)
    return dataclasses.replace(problem.wording, **{name: word for name, word in own.items() if word is not None})


def knows(information: str, words: Wording) -> str:
    """What a policy of that level may know when it decides."""
    return {
        "blind": f"{words.sees}; not the future",
        "informed": f"the same, and the mean of demand in every {words.period} to come; not demand itself",
        "clairvoyant": f"all {words.chance} in advance; nobody can use it, it marks what could have been "
        f"{'earned' if words.worth == 'profit' else 'reached'} at best",
    }[information]


def kpi_name(key: str, words: Wording | None = None) -> str:
    """A key figure as people call it."""
    words = words or WORDING
    own = {
        "profit": words.worth,
        "profit_per_period": f"{words.worth} per {words.period}",
        "average_inventory": f"average inventory, all {words.places}",
    }
    if key in words.figures:
        return words.figures[key][0]
    return own.get(key) or part_name(key, words) or KPI_NAMES.get(key) or key.replace("_", " ")


def part_name(part: str, words: Wording | None = None) -> str:
    """A part of the reward as people call it; empty where it has no name but its key."""
    return (words or WORDING).parts.get(part) or PARTS.get(part, "")


def parts_of(comparison: Comparison) -> dict[str, dict[str, float]]:
    """The parts of the reward that ever move, by policy and name: means over the episodes, signed, which add up."""
    means = {
        row.name: {part: float(values.mean()) for part, values in row.simulation.parts.items()}
        for row in comparison.rows
    }
    moving = [
        part
        for part in comparison.problem.parts
        if any(np.abs(row.simulation.parts[part]).max(initial=0.0) > 1e-9 for row in comparison.rows)
    ]
    return {name: {part: parts[part] for part in moving} for name, parts in means.items()}


def bound_row(comparison: Comparison) -> Row | None:
    """The row that the bound comes from."""
    return next((row for row in comparison.rows if row.information == "clairvoyant"), None)


def bounded(comparison: Comparison) -> bool:
    """Whether there is a bound to hold policies against: a proven one, or a plan that none of them beats."""
    gap = comparison.row(comparison.reference).gap
    return comparison.bound is not None and (comparison.bound_proven or gap is None or gap >= 0.0)


def attained(comparison: Comparison) -> bool:
    """Whether the plan that the bound comes from earns as much as that."""
    row, bound = bound_row(comparison), comparison.bound
    if not comparison.bound_proven:
        return False
    return row is None or bound is None or row.profit.mean >= bound.mean - 1e-4 * max(1.0, abs(bound.mean))


def warnings(comparison: Comparison) -> list[str]:
    """What must not be overlooked."""
    words = called(comparison.problem)
    found = []
    if comparison.exceeded:
        names = ", ".join(comparison.exceeded)
        found.append(
            f"On {comparison.problem.name}, {names} earned more than a proven bound. That cannot be: simulation and "
            "bound disagree, so trust neither until this is explained."
        )
    if comparison.bound is not None and not comparison.bound_proven:
        found.append(
            f"On {comparison.problem.name} the bound is the best plan found with {words.chance} known, not a proven "
            "one: a policy may earn more."
        )
    return found


def answer(comparison: Comparison, words: Calling = None) -> list[str]:
    """Which policy, by how much, how sure: a few sentences on one comparison."""
    words = called(comparison.problem, words)
    best = comparison.row(comparison.reference)
    others = rivals(comparison)
    places = decimals([best.profit.mean])
    sure = f" (95% interval {interval(best.profit, places)})" if math.isfinite(best.profit.low) else ""
    most = "earned most:" if others else "earned"
    said = [f"{upper(best.name)} {most} {amount(best.profit.mean, places)} per {words.episode} on average{sure}"]
    limited = bounded(comparison) and best.information != "clairvoyant"
    if limited and comparison.bound is not None and best.gap is not None:
        reached = f", {share(1.0 - best.gap)} of the {amount(comparison.bound.mean, places)} that "
        proven = f"was possible with {words.chance} known in advance"
        found = f"the best plan found earns with {words.chance} known"
        said[0] += reached + (proven if comparison.bound_proven else found)
    said[0] += "."
    if others:
        said.append(_lead(comparison, others[0], best, words))
    if len(others) > 1:
        behind = [f"{row.name} {_less(row)}" for row in others[1:]]
        said.append(f"{upper(_listed(behind))}.")
        said += [f"{upper(row.name)}: {surely(comparison, row, words)}" for row in others[1:] if verdict(row) == OPEN]
    return said


def overall(comparisons: Sequence[Comparison], words: Calling = None) -> list[str]:
    """Which policy, by how much, how sure: what several comparisons say together."""
    words = called(comparisons[0].problem, words)
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
        said[0] += (
            f": {each if len(set(parts)) > 1 else parts[0]} of what was possible with {words.chance} known in advance"
        )
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


def surely(comparison: Comparison, row: Row, words: Wording) -> str:
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


def _lead(comparison: Comparison, row: Row, best: Row, words: Wording) -> str:
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


def model(comparison: Comparison) -> Row:
    """What the others are measured by: the one that earned most, which is hindsight where its plan is the bound."""
    return comparison.rows[0]


def losses(comparison: Comparison, words: Calling = None) -> list[str]:
    """Where each policy loses against the one that earned most: the largest parts of its gap."""
    words = called(comparison.problem, words)
    first, parts = model(comparison), parts_of(comparison)
    said = []
    for row in comparison.rows:
        gap = first.profit.mean - row.profit.mean
        if row is first or gap <= 1e-9:
            continue
        lacks = {part: parts[first.name][part] - value for part, value in parts[row.name].items()}
        large = sorted((part for part in lacks if lacks[part] >= 0.15 * gap), key=lambda part: -lacks[part])
        places = 0 if gap >= 20.0 else 1
        fewer = {
            part: (parts[first.name][part] + parts[row.name][part] > 0.0) == (lack > 0.0)
            for part, lack in lacks.items()
        }
        pieces = {
            part: f"{amount(abs(lack), places)} {words.fewer if fewer[part] else 'more'} {kpi_name(part, words)}"
            for part, lack in lacks.items()
        }
        saved = sorted((part for part in lacks if lacks[part] <= -0.15 * gap), key=lambda part: lacks[part])
        in_return = f"; in return {_listed([pieces[part] for part in saved])}" if saved else ""
        lost = _listed([pieces[part] for part in large])
        said.append(f"{upper(row.name)} lacks {amount(gap, places)}: {lost}{in_return}.")
    return said


def heading(comparison: Comparison, words: Calling = None) -> str:
    """What was simulated, as a heading."""
    words = called(comparison.problem, words)
    name = comparison.problem.name
    told = words.system == Wording.system or name.endswith(words.system)  # `problem` says nothing
    return upper(name if told else f"{name} {words.system}")


def upper(text: str) -> str:
    """With a capital letter in front."""
    return text[:1].upper() + text[1:]


def _listed(pieces: list[str]) -> str:
    return pieces[0] if len(pieces) == 1 else ", ".join(pieces[:-1]) + " and " + pieces[-1] if pieces else ""


def a(noun: str) -> str:
    """The noun behind its article."""
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def place_name(label: str, words: Wording) -> str:
    """A place by its name; a number says nothing by itself."""
    return f"{words.place} {label}" if label.isdigit() else label.replace("_", " ")


def facts(comparison: Comparison, words: Calling = None) -> str:
    """Stock at the start beside the demand of an episode, and what the reward counts."""
    words = called(comparison.problem, words)
    trajectory = comparison.rows[0].simulation.trajectory
    said = f"Its {words.worth}: {words.counted}." if words.counted else ""
    if "on_hand" not in trajectory or "demand" not in comparison.rows[0].kpis:
        return said
    curve = next((curve for curve in comparison.problem.curves() if curve.field == "on_hand"), None)
    values = trajectory["on_hand"][:, 0]
    which = list(range(values.shape[-1])) if curve is None else curve.chosen(values.shape[-1])
    start = float(values[:, which].sum(axis=-1).mean())
    names = [place_name(name, words) for k, name in enumerate(trajectory.labels("on_hand")) if k not in which]
    beside = f" (without {_listed(names)})" if names else ""
    return (
        f"It starts with {amount(start)} units in stock{beside}; {a(words.episode)} asks for "
        f"{amount(comparison.rows[0].kpis['demand'])} on average. {said}"
    ).rstrip()
