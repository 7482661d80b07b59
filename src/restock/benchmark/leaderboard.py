"""Who is ahead: every policy of one or more runs of a suite, beside what is published for it."""

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
from restock.benchmark.suite import Suite
from restock.benchmark.task import Plan
from restock.core.errors import InvalidInput
from restock.core.problem import Array
from restock.evaluation.bootstrap import differences, improvement, interquartile_mean, mean_ratio, resamples
from restock.evaluation.stats import LEVEL, Estimate, episodes_needed, holm, holm_levels, p_value

TOLERANCE = 1e-6  # relative; what a profit may be above a proven bound by rounding


@dataclasses.dataclass(frozen=True)
class Lead:
    """How a policy does against the next one below it of which episodes are known.

    Attributes:
        over: Name of that one.
        improvement: Probability to earn more than it in an episode.
        difference: Difference of the mean ratios.
        p: p-value of that difference, corrected for all leads of the board (Holm).
        more_seeds: Where p is not below 5 %: how many more seeds would tell such a difference.
    """

    over: str
    improvement: Estimate
    difference: Estimate
    p: float
    more_seeds: int | None


@dataclasses.dataclass(frozen=True)
class Standing:
    """One row of the leaderboard.

    Attributes:
        name: The policy.
        information: What it may know (`blind`, `informed`, `clairvoyant`).
        published: Whether this is a published result; of those only means are known.
        rank: 1 is the best; None for a clairvoyant policy, for one that lacks scenarios, and for one that
            the audit caught.
        scenarios: How many scenarios it was run in.
        ratio: Mean over scenarios of sum(profit) / sum(bound); None where scenarios are missing.
        middle: Interquartile mean of profit / bound over all episodes; None without episodes.
        lead: Over the next policy below; None without episodes of either.
        by_scenario: sum(profit) / sum(bound) in each scenario.
        by_group: Mean of these over the scenarios of each group that are all there.
        decision_seconds: Mean time of one decision.
        exceeded: Episodes in which it earned more than a proven bound, as (scenario, seed).
        above_best_known: Episodes in which it earned more than the best plan known, where none is proven.
        caught: What the audit found: decisions by what the policy may not know, with the scenario.
        parameters: As its policy tells them in the first scenario.
    """

    name: str
    information: str
    published: bool
    rank: int | None
    scenarios: int
    ratio: Estimate | None
    middle: Estimate | None
    lead: Lead | None
    by_scenario: Mapping[str, float]
    by_group: Mapping[str, float]
    decision_seconds: float
    exceeded: tuple[tuple[str, int], ...] = ()
    above_best_known: int = 0
    caught: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def counts(self) -> bool:
        """Whether it has a rank."""
        return self.information != "clairvoyant" and self.ratio is not None and not self.caught

    @property
    def shown(self) -> str:
        """The name as tables show it."""
        return f"{self.name} (published)" if self.published else self.name


@dataclasses.dataclass(frozen=True)
class Leaderboard:
    """Policies on the scenarios of a suite, best first.

    Attributes:
        suite: What they were run on.
        suite_mark: Its hash.
        rows: Best first; clairvoyant ones on top, those that lack scenarios at the end.
        proven: Scenarios in which the bound is proven.
        published: The published table, where the suite has one.
        oracle_gap: Largest relative difference of a scenario's bound to the published one.
        versions: Of what made each run, by run.
    """

    suite: Suite
    suite_mark: str
    rows: tuple[Standing, ...]
    proven: tuple[str, ...]
    published: Published | None
    oracle_gap: float | None
    versions: Mapping[str, Mapping[str, str]]

    def row(self, name: str, published: bool = False) -> Standing:
        """The row of a policy."""
        return next(row for row in self.rows if row.name == name and row.published == published)

    @property
    def exceeded(self) -> tuple[str, ...]:
        """Policies that earned more than a proven bound somewhere: something is wrong."""
        return tuple(row.name for row in self.rows if row.exceeded)

    def to_dict(self) -> dict[str, Any]:
        """The board as plain data, for JSON."""
        return {
            "suite": self.suite.name,
            "suite_hash": self.suite_mark,
            "scenarios": [scenario.name for scenario in self.suite.scenarios],
            "seeds": list(self.suite.seeds),
            "bound_proven": list(self.proven),
            "published_source": None if self.published is None else self.published.source,
            "published_oracle_gap": self.oracle_gap,
            "versions": {run: dict(found) for run, found in self.versions.items()},
            "exceeded": list(self.exceeded),
            "rows": [dataclasses.asdict(row) for row in self.rows],
        }


def leaderboard(runs: Sequence[str | Path], published: bool = True) -> Leaderboard:
    """The leaderboard of one or more runs of the same suite.

    Args:
        runs: Their folders.
        published: Whether published results for the suite are shown too.

    Raises:
        InvalidInput: There is no run, runs are of different suites, a file is damaged, or the bound is
            not finished.
    """
    if not runs:
        raise InvalidInput("runs", list(runs), "there is nothing to show", "Name the folder of a run.")
    folders = [RunFolder(run) for run in runs]
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
    names = [scenario.name for scenario, sure in zip(first.suite.scenarios, proven, strict=True) if sure]
    versions = {str(folder.path): plan.versions for folder, plan in zip(folders, plans, strict=True)}
    return Leaderboard(first.suite, first.suite_mark, tuple(ordered), tuple(names), table, gap, versions)


# reading --------------------------------------------------------------------------------------------


@dataclasses.dataclass
class _Known:
    """What is known of a policy: profit and bound by scenario and seed, NaN where missing."""

    information: str
    profit: Array
    bound: Array
    seconds: list[float]
    caught: list[str]
    parameters: Mapping[str, Any]


def _profits(folders: Sequence[RunFolder], plans: Sequence[Plan]) -> dict[str, _Known]:
    """Everything finished, by the name that the table gives the policy."""
    suite = plans[0].suite
    place = {scenario.name: s for s, scenario in enumerate(suite.scenarios)}
    column = {seed: r for r, seed in enumerate(suite.seeds)}
    taken: dict[str, RunFolder] = {}
    known: dict[str, _Known] = {}
    for folder, plan in zip(folders, plans, strict=True):
        for result in folder.results(plan):
            name = result["policy"]
            if taken.setdefault(name, folder) is not folder:
                if name == BOUND:
                    continue
                name = f"{name} ({folder.path.name})"
            empty = np.full((len(place), len(column)), np.nan)
            fresh = _Known(result["information"], empty, empty.copy(), [], [], result["parameters"])
            one = known.setdefault(name, fresh)
            one.caught += [f"{result['scenario']}: {finding}" for finding in result["audit"] or ()]
            for episode in result["episodes"]:
                where = place[result["scenario"]], column[episode["seed"]]
                one.profit[where] = episode["profit"]
                one.bound[where] = np.nan if episode["bound"] is None else episode["bound"]
            one.seconds.append(result["seconds"]["deciding"] / (len(result["episodes"]) * result["horizon"]))
    return known


def _bound(plan: Plan, known: Mapping[str, _Known]) -> tuple[Array, Any]:
    """Bound of each episode, and in which scenarios it is proven."""
    one = known.get(BOUND)
    if one is None or np.isnan(one.profit).any():
        mend = "Finish the run first: start the same restock bench again."
        raise InvalidInput("runs", BOUND, "the bound is not finished in every scenario", mend)
    proven: Any = np.isfinite(one.bound).all(axis=1)
    bound = np.where(proven[:, None], one.bound, one.profit)
    if (bound.sum(axis=1) <= 0.0).any():
        worst = plan.suite.scenarios[int(np.argmin(bound.sum(axis=1)))].name
        raise InvalidInput("runs", worst, "nothing can be earned here, so no ratio to the bound", "Change the suite.")
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


def _by_group(suite: Suite, ratios: Mapping[str, float]) -> dict[str, float]:
    """Mean ratio of each group of which all scenarios are there."""
    found = {}
    for group in suite.groups:
        names = [scenario.name for scenario in suite.scenarios if group in scenario.groups]
        if all(name in ratios for name in names):
            found[group] = float(np.mean([ratios[name] for name in names]))
    return found


def _ranked(rows: Sequence[Standing]) -> list[Standing]:
    """Best first, with ranks; rows that are equal to six digits share one, own ones first."""

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
    """Each ranked row with episodes against the next such row below it."""
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
