"""A comparison in words: one source for the terminal, the JSON and the page."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from restock.core.kpis import KPIS
from restock.core.problem import Problem
from restock.core.wording import Wording
from restock.evaluation.compare import Comparison, Row
from restock.problems.network.words import WORDING
from restock.report.certainty import CLEAR, apart, earned_the_same, lead, size, surely
from restock.report.certainty import verdict as verdict
from restock.report.numbers import NONE, amount, decimals, interval, share


@dataclasses.dataclass(frozen=True)
class Words:
    """The words of a report that differ from the problem's own (None: the problem's).

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

PARTS = {
    "revenue": "sales revenue",
    "purchases": "purchases",
    "operating": "operating cost",
    "holding": "cost of stock held",
    "pipeline_holding": "cost of goods under way",
    "shortage": "shortage cost",
    "fixed_orders": "fixed order costs",
}


def called(problem: Problem, words: Calling = None) -> Wording:
    """Return the words for a problem."""
    if isinstance(words, Wording):
        return words
    own = {} if words is None else dataclasses.asdict(words)
    return dataclasses.replace(problem.wording, **{name: word for name, word in own.items() if word is not None})


def knows(information: str, words: Wording) -> str:
    """Return what a policy of an information level may know when it decides."""
    return {
        "blind": f"{words.sees}; not the future",
        "informed": f"the same, and the mean of demand in every {words.period} to come; not demand itself",
        "clairvoyant": f"all {words.chance} in advance; nobody can use it, it marks what could have been "
        f"{'earned' if words.worth == 'profit' else 'reached'} at best",
    }[information]


def kpi_name(key: str, words: Wording | None = None) -> str:
    """Return the readable name of a key figure."""
    words = words or WORDING
    if key in words.figures:
        return words.figures[key][0]
    declared = KPIS[key].title.format(words=words) if key in KPIS else ""
    return part_name(key, words) or declared or key.replace("_", " ")


def part_name(part: str, words: Wording | None = None) -> str:
    """Return the readable name of a part of the reward; empty if it has only its key."""
    return (words or WORDING).parts.get(part) or PARTS.get(part, "")


def parts_of(comparison: Comparison) -> dict[str, dict[str, float]]:
    """Return the parts of the reward that ever change, by policy and name: signed means that add up."""
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
    """Return the row that the bound comes from."""
    return next((row for row in comparison.rows if row.information == "clairvoyant"), None)


def bounded(comparison: Comparison) -> bool:
    """Return whether there is a bound to compare policies with: proven, or a plan that no policy beats."""
    gap = comparison.row(comparison.reference).gap
    return comparison.bound is not None and (comparison.bound_proven or gap is None or gap >= 0.0)


def costs(comparison: Comparison) -> bool:
    """Return whether the bound is a cost: nothing can be earned, so there is no share of it, only an excess."""
    return comparison.bound is not None and comparison.bound.mean <= 0.0


def attained(comparison: Comparison) -> bool:
    """Return whether the plan behind the bound earns as much as the bound."""
    row, bound = bound_row(comparison), comparison.bound
    if not comparison.bound_proven:
        return False
    return row is None or bound is None or row.profit.mean >= bound.mean - 1e-4 * max(1.0, abs(bound.mean))


def shown_rows(comparison: Comparison) -> list[Row]:
    """Return the rows that are policies; the bound is one if its plan reaches the bound and no policy is better.

    A proven bound whose plan cannot be carried out is a line that nobody crosses, and no row. A plan that is not proven
    and that a policy beats is not even that.
    """
    judged = [row for row in comparison.rows if row.information != "clairvoyant"]
    beaten = any(row.gap is not None and row.gap < 0.0 for row in judged)
    if attained(comparison) or comparison.bound is None or not (comparison.bound_proven or beaten):
        return list(comparison.rows)
    return judged or list(comparison.rows)


def bound_told(comparison: Comparison, words: Calling = None) -> str:
    """Return the profit of the clairvoyant plan in words, if it has no row; else nothing."""
    row, bound, words = bound_row(comparison), comparison.bound, called(comparison.problem, words)
    if row is None or bound is None or row in shown_rows(comparison):
        return ""
    reached = amount(row.profit.mean, decimals([row.profit.mean]))
    if not comparison.bound_proven:
        return (
            f"The best plan found with all {words.chance} known, {row.name}, reaches {reached} per {words.episode}, "
            f"less than {leader(comparison).name}: it is no bound here, and no row of the table."
        )
    return (
        f"The bound, {row.name}, is {amount(bound.mean, decimals([bound.mean]))} per {words.episode}: with all "
        f"{words.chance} known in advance nobody earns more. Its plan cannot be carried out as it stands: followed as "
        f"far as it can be, it earns {reached}, so it is no row of the table."
    )


def warnings(comparison: Comparison, words: Calling = None) -> list[str]:
    """Return what must not be overlooked."""
    words = called(comparison.problem, words)
    found = []
    if comparison.exceeded:
        names = ", ".join(comparison.exceeded)
        found.append(
            f"On {comparison.problem.name}, {names} earned more than a proven bound. That cannot be: simulation and "
            "bound disagree, so trust neither until this is explained."
        )
    if comparison.bound is not None and not comparison.bound_proven and not bound_told(comparison, words):
        found.append(
            f"On {comparison.problem.name} the bound is the best plan found with {words.chance} known, not a proven "
            "one: a policy may earn more."
        )
    found += doubts(comparison, words)
    return found


def doubts(comparison: Comparison, words: Calling = None) -> list[str]:
    """Return why the intervals and p-values cannot be trusted, or are missing."""
    words = called(comparison.problem, words)
    name, count = comparison.problem.name, comparison.episodes
    if comparison.identical:
        return [
            f"All {count} {words.episodes} of {name} are the same, so there are no intervals and no tests: the figures "
            f"are those of one {words.episode}, and say nothing of how another one would turn out."
        ]
    found = demand_doubt([name] if comparison.problem.fixed_demand else [], count, words)
    judged = [row for row in comparison.rows if row.information != "clairvoyant"]
    parts, needed = [], 0
    for field, what in (("skewed", f"the mean {words.worth} of"), ("difference_skewed", "the difference of")):
        rows = {row.name: n for row in judged if (n := getattr(row, field)) is not None}
        if rows:
            parts.append(f"{what} {listed(list(rows))}")
            needed = max(needed, *rows.values())
    if not parts:
        return found
    return [
        *found,
        f"On {name}, rare large values sway {' and '.join(parts)}: with {amount(count)} {words.episodes} the 95% "
        "intervals may be off more often than stated, and p with them. "
        f"About {amount(needed)} {words.episodes} would do.",
    ]


def demand_doubt(names: Sequence[str], count: int, words: Wording = WORDING) -> list[str]:
    """Return what intervals do not tell on problems whose demand is the same in every episode; nothing without any."""
    if not names or count < 2:
        return []
    return [
        f"On {listed(list(names))} demand is the same in all {count} {words.episodes}: intervals and tests allow for "
        "what else differs between them, such as deliveries, and say nothing of how other demand would turn out."
    ]


def answer(comparison: Comparison, words: Calling = None) -> list[str]:
    """Return which policy is best, by how much, and how certainly, in a few sentences on one comparison."""
    words = called(comparison.problem, words)
    best = comparison.row(comparison.reference)
    others = rivals(comparison)
    places = decimals([best.profit.mean])
    sure = f" (95% interval {interval(best.profit, places)})" if math.isfinite(best.profit.low) else ""
    same = [row for row in others if earned_the_same(row)]
    most = "earned most:" if len(same) < len(others) and best.name == leader(comparison).name else "earned"
    said = [f"{upper(best.name)} {most} {amount(best.profit.mean, places)} per {words.episode} on average{sure}"]
    said[0] += _to_bound(comparison, best, places, words) + "."
    if comparison.family.named and others:
        said.append(f"It was named beforehand as the one to compare with, and {leader(comparison).name} earned most.")
        if leader(comparison) is best:
            said[-1] = "It was named beforehand as the one to compare with."
    if others:
        said.append(lead(comparison, others[0], best, words))
    further = [row for row in others[1:] if row not in same]
    if alike := [row.name for row in others[1:] if row in same]:
        said.append(f"{upper(listed(alike))} earned the same in every {words.episode}.")
    if further:
        said.append(f"{upper(listed([f'{row.name} {apart(row)}' for row in further]))}.")
        open_ones = [row for row in further if verdict(row) not in (CLEAR, NONE)]
        said += [f"{upper(row.name)}: {surely(comparison, row, words)}" for row in open_ones]
    return said


def _to_bound(comparison: Comparison, best: Row, places: int, words: Wording) -> str:
    """Return how far the best policy is from the bound."""
    if not bounded(comparison) or best.information == "clairvoyant":
        return ""
    if comparison.bound is None or best.gap is None:
        return ""
    limit = amount(comparison.bound.mean, places)
    proven = comparison.bound_proven
    if costs(comparison):
        reached = f"could be reached with {words.chance} known in advance" if proven else "the best plan found reaches"
        return f", {share(best.gap)} more cost than the {limit} that {reached}"
    reached = f", {share(1.0 - best.gap)} of the {limit} that "
    if proven:
        return reached + f"was possible with {words.chance} known in advance"
    return reached + f"the best plan found earns with {words.chance} known"


def leader(comparison: Comparison) -> Row:
    """Return the best policy that does not know the future; the best of all if every one does."""
    return next((row for row in comparison.rows if row.information != "clairvoyant"), comparison.rows[0])


def overall(comparisons: Sequence[Comparison], words: Calling = None) -> list[str]:
    """Return which policy is best, by how much, and how certainly, over several comparisons."""
    words = called(comparisons[0].problem, words)
    names = [comparison.problem.name for comparison in comparisons]
    winners = [comparison.reference for comparison in comparisons]
    all_of_them = f"both {words.system}s" if len(names) == 2 else f"all {len(names)} {words.system}s"
    if len(set(winners)) > 1:
        each = listed([f"{winner} on {name}" for winner, name in zip(winners, names, strict=True)])
        return [f"No policy earned most on {all_of_them}: {each}."]
    best = winners[0]
    said = [f"On {all_of_them}, {best} earned most"]
    shares = [comparison.row(best).gap for comparison in comparisons]
    if all(gap is not None for gap in shares) and not any(costs(comparison) for comparison in comparisons):
        parts = [share(1.0 - gap) for gap in shares if gap is not None]
        each = listed([f"{part} on {name}" for part, name in zip(parts, names, strict=True)])
        said[0] += (
            f": {each if len(set(parts)) > 1 else parts[0]} of what was possible with {words.chance} known in advance"
        )
    said[0] += "."
    clear = [row.name for row in rivals(comparisons[0]) if _verdicts(comparisons, row.name) == {CLEAR}]
    if clear:
        said.append(f"It is clearly ahead of {listed([f'{name} ({_sizes(comparisons, name)})' for name in clear])}.")
    for row in rivals(comparisons[0]):
        verdicts = _verdicts(comparisons, row.name)
        if row.name not in clear and None not in verdicts:
            rows = [(c.problem.name, c.row(row.name)) for c in comparisons]
            if len(verdicts) == 1:
                sizes = listed([f"{size(one)} on {name}" for name, one in rows])
                each = f"{verdict(row)} everywhere (per {words.episode} {sizes})"
            else:
                each = listed([f"{verdict(one)} on {name} ({size(one)} per {words.episode})" for name, one in rows])
            said.append(f"Its lead over {row.name} is {each}.")
    return said


def _sizes(comparisons: Sequence[Comparison], name: str) -> str:
    """Return how much less a policy earned, as shares: one number, or the least to the most."""
    found = [abs(relative) for c in comparisons if (relative := c.row(name).relative) is not None]
    ends = list(dict.fromkeys(share(value) for value in (min(found), max(found)))) if found else [NONE]
    return f"by {' to '.join(ends)}"


def _verdicts(comparisons: Sequence[Comparison], name: str) -> set[str | None]:
    """Return the verdicts on a policy; None for comparisons without it."""
    return {next((verdict(row) for row in rivals(c) if row.name == name), None) for c in comparisons}


def rivals(comparison: Comparison) -> list[Row]:
    """Return the policies other than the reference that do not know the future, best first."""
    return [row for row in comparison.rows if row.difference is not None and row.information != "clairvoyant"]


def model(comparison: Comparison) -> Row:
    """Return the row that others are measured by: the best one, which is hindsight if its plan is the bound."""
    return comparison.rows[0]


def losses(comparison: Comparison, words: Calling = None) -> list[str]:
    """Return where each policy loses against the best one: the largest parts of its gap."""
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
        in_return = f"; in return {listed([pieces[part] for part in saved])}" if saved else ""
        lost = listed([pieces[part] for part in large])
        said.append(f"{upper(row.name)} lacks {amount(gap, places)}: {lost}{in_return}.")
    return said


def heading(comparison: Comparison, words: Calling = None) -> str:
    """Return a heading that says what was simulated."""
    words = called(comparison.problem, words)
    name = comparison.problem.name
    told = words.system == Wording.system or name.endswith(words.system)  # `problem` says nothing
    return upper(name if told else f"{name} {words.system}")


def upper(text: str) -> str:
    """Capitalise the first letter."""
    return text[:1].upper() + text[1:]


def listed(pieces: Sequence[str]) -> str:
    """Return names or phrases as people list them: `a, b and c`."""
    return pieces[0] if len(pieces) == 1 else ", ".join(pieces[:-1]) + " and " + pieces[-1] if pieces else ""


def a(noun: str) -> str:
    """Return the noun with its article."""
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def place_name(label: str, words: Wording) -> str:
    """Return the name of a node; a number alone gets a word in front."""
    return f"{words.place} {label}" if label.isdigit() else label.replace("_", " ")


def facts(comparison: Comparison, words: Calling = None) -> str:
    """Return the initial stock beside the demand of an episode, and what the reward counts."""
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
    beside = f" (without {listed(names)})" if names else ""
    return (
        f"It starts with {amount(start)} units in stock{beside}; {a(words.episode)} asks for "
        f"{amount(comparison.rows[0].kpis['demand'])} on average. {said}"
    ).rstrip()
