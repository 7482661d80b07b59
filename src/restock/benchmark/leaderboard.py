"""The leaderboard: the policies of one or more runs of a suite, beside published results."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from restock.benchmark.entries import BOUND
from restock.benchmark.folder import RunFolder
from restock.benchmark.published import Published, load_published
from restock.benchmark.standing import Lead, Leaderboard, Standing
from restock.benchmark.suite import Suite, load_suite
from restock.benchmark.task import Plan
from restock.core.errors import InvalidInput
from restock.core.play import draw_each
from restock.core.problem import Array, Problem
from restock.core.trust import may_trust
from restock.evaluation.bootstrap import differences, improvement, interquartile_mean, mean_ratio, resamples
from restock.evaluation.stats import LEVEL, Estimate, alone, episodes_needed, holm, holm_levels, p_value

TOLERANCE = 1e-6  # relative; what a profit may be above a proven bound by rounding


@may_trust
def leaderboard(runs: Sequence[str | Path], published: bool = True, *, trust: bool = False) -> Leaderboard:
    """Return the leaderboard of one or more runs of the same suite.

    Args:
        runs: Their folders.
        published: Whether published results for the suite are shown too.
        trust: Whether code that the suite of a run names may be run, see `restock.core.trust`.

    Raises:
        InvalidInput: There is no run, runs are of different suites, a file is damaged, or the bound is
            not finished.
    """
    if not runs:
        raise InvalidInput("runs", list(runs), "there is nothing to show", "Name the folder of a run.")
    folders = [RunFolder(run) for run in runs]
    for k, folder in enumerate(folders):
        if any(folder.path.resolve() == other.path.resolve() for other in folders[:k]):
            raise InvalidInput("runs", str(folder.path), "this run is named twice", "Name each run once.")
    plans = [folder.plan() for folder in folders]
    first = plans[0]
    for folder, plan in zip(folders, plans, strict=True):
        if plan.suite_mark != first.suite_mark:
            problem = (
                f"this run is of suite {plan.suite.name} {plan.suite_mark}, not {first.suite.name} {first.suite_mark}"
            )
            raise InvalidInput("runs", str(folder.path), problem, "Compare runs of one suite.")
    known = _profits(folders, plans)
    bound, proven = _bound(first, known)
    table = load_published(first.suite.published) if published and first.suite.published else None
    rows = [_own(first.suite, name, one, bound, proven) for name, one in known.items()]
    gap = None
    if table is not None:
        rows += _published(first.suite, table)
        mine = bound.mean(axis=1)
        theirs = np.array([table.oracle[scenario.name] for scenario in first.suite.scenarios])
        gap = float(np.abs(mine / theirs - 1.0).max())
    ordered = _ranked(rows)
    ordered = _with_leads(ordered, {name: one.profit / bound for name, one in known.items()})
    same, same_demand = _same(first.suite)
    if len(same) == len(first.suite.scenarios):
        ordered = [_without_intervals(row) for row in ordered]
    names = [scenario.name for scenario, sure in zip(first.suite.scenarios, proven, strict=True) if sure]
    versions = {str(folder.path): plan.versions for folder, plan in zip(folders, plans, strict=True)}
    return Leaderboard(
        first.suite, first.suite_mark, tuple(ordered), tuple(names), table, gap, versions, same, same_demand
    )


def published_board(name: str) -> Leaderboard:
    """Return the leaderboard of published results for a shipped suite, without any run.

    Raises:
        InvalidInput: There is no such suite, or nothing is published for it.
    """
    suite = load_suite(name)
    if suite.published is None:
        mend = "Name one that has published results: gym-invmgmt."
        raise InvalidInput("suite", name, "nothing is published for this suite", mend)
    found = load_published(suite.published)
    return Leaderboard(suite, suite.mark, tuple(_ranked(_published(suite, found))), (), found, None, {})


# reading --------------------------------------------------------------------------------------------


@dataclasses.dataclass
class _Known:
    """Known results of a policy: profit and bound by scenario and seed, NaN where missing."""

    information: str
    profit: Array
    bound: Array
    seconds: list[float]
    caught: list[str]
    parameters: Mapping[str, Any]
    counted: dict[str, float | None] | None


def _profits(folders: Sequence[RunFolder], plans: Sequence[Plan]) -> dict[str, _Known]:
    """Return all finished results by the name that the table gives the policy."""
    suite = plans[0].suite
    place = {scenario.name: s for s, scenario in enumerate(suite.scenarios)}
    column = {seed: r for r, seed in enumerate(suite.seeds)}
    short = [folder.path.name for folder in folders]
    labels = [name if short.count(name) == 1 else str(folders[k].path) for k, name in enumerate(short)]
    taken: dict[str, str] = {}
    known: dict[str, _Known] = {}
    for label, folder, plan in zip(labels, folders, plans, strict=True):
        for result in folder.results(plan):
            name = result["policy"]
            if taken.setdefault(name, label) != label:
                if name == BOUND:
                    continue
                name = f"{name} ({label})"
            empty = np.full((len(place), len(column)), np.nan)
            fresh = _Known(result["information"], empty, empty.copy(), [], [], result["parameters"], None)
            one = known.setdefault(name, fresh)
            one.counted = _sums(one.counted, result.get("counted"))
            one.caught += [f"{result['scenario']}: {finding}" for finding in result["audit"] or ()]
            for episode in result["episodes"]:
                where = place[result["scenario"]], column[episode["seed"]]
                one.profit[where] = episode["profit"]
                one.bound[where] = np.nan if episode["bound"] is None else episode["bound"]
            one.seconds.append(result["seconds"]["deciding"] / (len(result["episodes"]) * result["horizon"]))
    return known


def _sums(one: dict[str, float | None] | None, other: Mapping[str, float | None] | None) -> Any:
    """Return the sums of the numbers by name; None if one of them is unknown."""
    if one is None or other is None:
        return other if one is None else one
    summed = {name: (one.get(name, 0), other.get(name, 0)) for name in {**one, **other}}  # some are of earlier versions
    return {name: None if None in pair else sum(n for n in pair if n is not None) for name, pair in summed.items()}


def _same(suite: Suite) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the scenarios whose episodes are all the same, and the others whose demand is."""
    problems = {scenario.name: scenario.problem() for scenario in suite.scenarios}
    same = tuple(name for name, problem in problems.items() if _identical(problem, suite.seeds))
    fixed = [name for name, problem in problems.items() if problem.fixed_demand and len(suite.seeds) > 1]
    return same, tuple(name for name in fixed if name not in same)


def _identical(problem: Problem, seeds: Sequence[int]) -> bool:
    """Return whether the episodes of all seeds are equal; they are drawn one by one, as far as they are."""
    first = draw_each(problem, seeds[:1])
    if len(seeds) < 2 or first.generators is not None:
        return False
    return all((draw_each(problem, [seed]).vectors == first.vectors).all() for seed in seeds[1:])


def _bound(plan: Plan, known: Mapping[str, _Known]) -> tuple[Array, Any]:
    """Return the bound of each episode, and the scenarios in which it is proven."""
    one = known.get(BOUND)
    if one is None or np.isnan(one.profit).any():
        mend = "Finish the run first: start the same restock bench again."
        raise InvalidInput("runs", BOUND, "the bound is not finished in every scenario", mend)
    proven: Any = np.isfinite(one.bound).all(axis=1)
    bound = np.where(proven[:, None], one.bound, one.profit)
    if (bound <= 0.0).any():
        worst = plan.suite.scenarios[int(np.argmin(bound.min(axis=1)))].name
        problem = "in some episode nothing can be earned here, so there is no ratio to the bound"
        raise InvalidInput("runs", worst, problem, "Leave this scenario out of the suite.")
    return bound, proven


# rows -----------------------------------------------------------------------------------------------


def _own(suite: Suite, name: str, one: _Known, bound: Array, proven: Any) -> Standing:
    there: Any = ~np.isnan(one.profit).any(axis=1)
    ratios = {
        scenario.name: float(one.profit[s].sum() / bound[s].sum())
        for s, scenario in enumerate(suite.scenarios)
        if there[s]
    }
    above = one.profit > bound + TOLERANCE * np.maximum(1.0, np.abs(bound))
    broken = tuple((suite.scenarios[s].name, suite.seeds[r]) for s, r in np.argwhere(above & proven[:, None]).tolist())
    complete = bool(there.all())
    drawn = resamples(len(suite.seeds))
    return Standing(
        name=name,
        information=one.information,
        published=False,
        rank=None,
        scenarios=int(there.sum()),
        ratio=mean_ratio(one.profit, bound, drawn) if complete else None,
        middle=interquartile_mean(one.profit / bound, drawn) if complete else None,
        lead=None,
        by_scenario=ratios,
        by_group=_by_group(suite, ratios),
        decision_seconds=float(np.mean(one.seconds)),
        exceeded=broken,
        above_best_known=int((above & ~proven[:, None]).sum()),
        caught=tuple(one.caught),
        parameters=one.parameters,
        counted=one.counted,
    )


def _published(suite: Suite, table: Published) -> list[Standing]:
    rows = []
    for one in table.rows:
        ratios = {
            scenario.name: one.profit[scenario.name] / table.oracle[scenario.name]
            for scenario in suite.scenarios
            if scenario.name in one.profit
        }
        complete = len(ratios) == len(suite.scenarios)
        mean = float(np.mean(list(ratios.values())))
        horizons = {scenario.name: scenario.problem().horizon for scenario in suite.scenarios}
        seconds = [one.seconds[name] / horizons[name] for name in ratios]
        rows.append(
            Standing(
                name=one.name,
                information=one.information,
                published=True,
                rank=None,
                scenarios=len(ratios),
                ratio=Estimate(mean, math.nan, math.nan) if complete else None,
                middle=None,
                lead=None,
                by_scenario=ratios,
                by_group=_by_group(suite, ratios),
                decision_seconds=float(np.mean(seconds)),
            )
        )
    return rows


def _without_intervals(row: Standing) -> Standing:
    """Return the row without what resampled seeds say, where every seed brings the same."""
    lead = row.lead and dataclasses.replace(
        row.lead,
        improvement=alone(row.lead.improvement.mean), difference=alone(row.lead.difference.mean),
        p=math.nan, more_seeds=None,
    )  # fmt: skip
    ratio, middle = (None if value is None else alone(value.mean) for value in (row.ratio, row.middle))
    return dataclasses.replace(row, ratio=ratio, middle=middle, lead=lead)


def _by_group(suite: Suite, ratios: Mapping[str, float]) -> dict[str, float]:
    """Return the mean ratio of each group whose scenarios are all finished."""
    found = {}
    for group in suite.groups:
        names = [scenario.name for scenario in suite.scenarios if group in scenario.groups]
        if all(name in ratios for name in names):
            found[group] = float(np.mean([ratios[name] for name in names]))
    return found


def _ranked(rows: Sequence[Standing]) -> list[Standing]:
    """Return the rows ranked, best first; rows equal to six digits share a rank, own ones first."""

    def key(row: Standing) -> tuple[int, float, bool, str]:
        part = 0 if row.information == "clairvoyant" else 1 if row.counts else 2
        return part, 0.0 if row.ratio is None else -round(row.ratio.mean, 6), row.published, row.name

    ordered: list[Standing] = []
    rank = count = 0
    value = math.nan
    for row in sorted(rows, key=key):
        if row.counts:
            assert row.ratio is not None
            count += 1
            rank = rank if round(row.ratio.mean, 6) == value else count
            value = round(row.ratio.mean, 6)
            row = dataclasses.replace(row, rank=rank)
        ordered.append(row)
    return ordered


def _with_leads(rows: Sequence[Standing], ratios: Mapping[str, Array]) -> list[Standing]:
    """Return each ranked row with its lead over the next such row.

    Who is next is told by the same episodes, but that makes such a lead smaller, not larger, than one of two
    policies named beforehand: neighbours by rank are the pairs that lie nearest. So Holm's method over the
    leads of the board keeps its 5%, which it does not for differences to the best.
    """
    places = [k for k, row in enumerate(rows) if row.rank is not None and not row.published]
    pairs = [(rows[a], rows[b]) for a, b in itertools.pairwise(places)]
    # One number a seed: what is shared by all scenarios of a seed is not counted as many times.
    both = [(ratios[above.name], ratios[below.name]) for above, below in pairs]
    apart = [differences(one, other).mean(axis=0) for one, other in both]
    alone = [p_value(values) for values in apart]
    drawn = resamples(next(iter(ratios.values())).shape[1])
    changed = list(rows)
    corrected, levels = holm(alone), holm_levels(alone)
    found = zip(places[:-1], pairs, both, apart, corrected, levels, strict=True)
    for k, (above, below), (one, other), values, p, level in found:
        enough = None if p < LEVEL or math.isnan(p) else episodes_needed(values, level=level)
        lead = Lead(
            over=below.name,
            improvement=improvement(one, other, drawn),
            difference=mean_ratio(differences(one, other), np.ones_like(one), drawn),
            p=p,
            more_seeds=None if enough is None else max(enough - len(values), 1),
        )
        changed[k] = dataclasses.replace(above, lead=lead)
    return changed
