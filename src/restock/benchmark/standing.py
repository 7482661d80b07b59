"""The rows of a leaderboard, and the lead of each over the next."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from restock.benchmark.published import Published
from restock.benchmark.suite import Suite
from restock.evaluation.stats import Estimate


@dataclasses.dataclass(frozen=True)
class Lead:
    """The lead of a policy over the next one with known episodes.

    Attributes:
        over: Name of that one.
        improvement: Probability to earn more than it in an episode.
        difference: Difference of the mean ratios.
        p: p-value of that difference, corrected for all leads of the board (Holm).
        more_seeds: Where p is not below 5%: how many more seeds would tell such a difference.
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
        decision_seconds: Mean time of one decision: processor time; of published rows, as published.
        exceeded: Episodes in which it earned more than a proven bound, as (scenario, seed).
        above_best_known: Episodes in which it earned more than the best plan known, where none is proven.
        caught: What the audit found: decisions by what the policy may not know, with the scenario.
        parameters: As its policy tells them in the first scenario.
        counted: Of a guest, sums over all its episodes (replies, tokens, money ...); None of a policy.
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
    counted: Mapping[str, float | None] | None = None

    @property
    def counts(self) -> bool:
        """Whether the row has a rank."""
        return self.information != "clairvoyant" and self.ratio is not None and not self.caught

    @property
    def shown(self) -> str:
        """The name that tables show."""
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
        same: Scenarios whose episodes are all the same.
        same_demand: Scenarios whose episodes differ, and all have the same demand.
    """

    suite: Suite
    suite_mark: str
    rows: tuple[Standing, ...]
    proven: tuple[str, ...]
    published: Published | None
    oracle_gap: float | None
    versions: Mapping[str, Mapping[str, str]]
    same: tuple[str, ...] = ()
    same_demand: tuple[str, ...] = ()

    def row(self, name: str, published: bool = False) -> Standing:
        """Return the row of a policy."""
        return next(row for row in self.rows if row.name == name and row.published == published)

    @property
    def exceeded(self) -> tuple[str, ...]:
        """Policies that earned more than a proven bound somewhere, which means that something is wrong."""
        return tuple(row.name for row in self.rows if row.exceeded)

    def to_dict(self) -> dict[str, Any]:
        """Return the board as plain data, for JSON."""
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
            "same": list(self.same),
            "same_demand": list(self.same_demand),
            "rows": [dataclasses.asdict(row) for row in self.rows],
        }
