"""The comparison table: rows of policies, their paired differences, and their uncertainty."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from restock.core.play import Episodes
from restock.core.problem import Array, Problem
from restock.evaluation.family import Family
from restock.evaluation.shares import gap_estimate
from restock.evaluation.simulate import Simulation, identical
from restock.evaluation.stats import (
    LEVEL,
    Estimate,
    alone,
    degrees_of,
    episodes_for_t,
    episodes_needed,
    estimate,
    without_rounding,
)


@dataclasses.dataclass(frozen=True)
class Row:
    """One policy in a comparison.

    Attributes:
        name: How the table calls it.
        information: What it may know (`blind`, `informed`, `clairvoyant`).
        profit: Mean profit of an episode; its interval stands for itself.
        difference: Mean paired difference to the reference; None for that one. Intervals of a table
            hold together, over all pairs of its policies (or all differences to a named reference).
        relative: That difference as a share of the reference's mean profit (absolute); None without.
        gap: What is missing to the bound, (sum(bound) - sum(profit)) / |sum(bound)|: of a gain the share
            not earned, of a cost what it is above the least; None without a bound.
        gap_interval: The same with its 95% interval.
        wins: Episodes in which it earns more than the reference; None for that one, and where all
            episodes are the same.
        ties: Episodes in which both earn the same.
        losses: Episodes in which it earns less.
        better_in: Share of the episodes in which it earns more than the reference.
        p: p-value of the difference, adjusted for all pairs of policies (or all differences to a named
            reference); None for the reference, for a clairvoyant policy, and where all episodes are the same.
        more_episodes: Where p is not below 5%: how many more episodes would tell such a difference
            (power 80%, at the level used here); None where it is clear, or nothing can be said.
        skewed: Episodes from which on the interval of the profit would hold, where rare values sway it
            (see `stats.episodes_for_t`); None where it holds.
        difference_skewed: The same of the difference.
        kpis: Means of the key figures.
        seconds: Time for all episodes.
        simulation: Everything that happened.
    """

    name: str
    information: str
    profit: Estimate
    difference: Estimate | None
    relative: float | None
    gap: float | None
    gap_interval: Estimate | None
    wins: int | None
    ties: int | None
    losses: int | None
    better_in: float | None
    p: float | None
    more_episodes: int | None
    skewed: int | None
    difference_skewed: int | None
    kpis: Mapping[str, float]
    seconds: float
    simulation: Simulation

    def to_dict(self) -> dict[str, Any]:
        """Return every field but the simulation as plain data, and the parameters of the policy."""
        first = {
            "name": self.name,
            "information": self.information,
            "parameters": self.simulation.policy.parameters_in_words(),
        }
        names = [field.name for field in dataclasses.fields(self) if field.name != "simulation"]
        return first | {name: _plain(getattr(self, name)) for name in names}


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Policies on common episodes, best first.

    Attributes:
        problem: What was compared on.
        rows: One a policy, by mean profit.
        reference: Name of the policy that the differences are to.
        family: The differences that are judged together: all pairs, or those to a reference named beforehand.
        bound: Upper bound on the profit of each episode, shape (B,); None without one.
        bound_proven: Whether no policy can earn more than the bound; under goodwill it is only the
            best plan found with the demand known.
        episodes: How many [B].
        seed: What the episodes were drawn from; None for recorded ones, and for seeds of your own.
        seeds: Of each episode: `reset(seed=seeds[i])` of an environment begins it; empty for recorded ones.
        identical: Whether all episodes are the same, so that nothing can be said of others.
        block: Neighbouring episodes taken to depend on each other (1: none).
        exceeded: Policies that earned more than a proven bound in some episode: something is wrong.
    """

    problem: Problem
    rows: tuple[Row, ...]
    reference: str
    family: Family
    bound: Estimate | None
    bound_proven: bool
    episodes: int
    seed: int | None
    seeds: tuple[int, ...]
    identical: bool
    block: int
    exceeded: tuple[str, ...]

    def row(self, name: str) -> Row:
        """Return the row of a policy."""
        return next(row for row in self.rows if row.name == name)

    def to_dict(self) -> dict[str, Any]:
        """Return the table as plain data, for JSON."""
        return {
            "problem": self.problem.name,
            "episodes": self.episodes,
            "seed": self.seed,
            "seeds": list(self.seeds),
            "identical": self.identical,
            "block": self.block,
            "reference": self.reference,
            "reference_named": self.family.named,
            "differences_judged": self.family.size,
            "bound": _plain(self.bound),
            "bound_proven": self.bound_proven,
            "exceeded": list(self.exceeded),
            "policies": [row.to_dict() for row in self.rows],
        }


def _plain(value: Any) -> Any:
    """Return an estimate or a mapping as a dictionary of its own, anything else as it is."""
    if isinstance(value, Estimate):
        return dataclasses.asdict(value)
    return dict(value) if isinstance(value, Mapping) else value


def table(
    problem: Problem,
    runs: Mapping[str, Simulation],
    chance: Episodes,
    seed: int | None,
    block: int,
    named: str | None,
) -> Comparison:
    """Return the comparison of simulations on the same episodes.

    Args:
        problem: What was simulated.
        runs: By the names of the policies.
        chance: The episodes.
        seed: What they were drawn from.
        block: Neighbouring episodes that share data.
        named: The reference, where it was named beforehand.
    """
    order = sorted(runs, key=lambda name: (-float(runs[name].profit.mean()), name))
    honest = [name for name in order if runs[name].policy.information != "clairvoyant"]
    reference = named or (honest or order)[0]
    tested = [name for name in honest if name != reference]
    policies = len(tested) + 1 if named else max(len(honest), 1)
    family = Family(policies, max(degrees_of(len(chance), block), 1), named is not None)
    same = identical(list(runs.values()), chance)
    limit, proven = _bound(runs)
    rows, exceeded = [], []
    for name in order:
        one = runs[name]
        if limit is not None and proven and (one.profit > limit + 1e-6 * np.maximum(1.0, np.abs(limit))).any():
            exceeded.append(name)
        gap = None if limit is None else gap_estimate(one.profit, limit, block, proven)
        rows.append(
            Row(
                name=name,
                information=one.policy.information,
                profit=alone(one.profit.mean()) if same else estimate(one.profit, block),
                gap=None if gap is None else gap.mean,
                gap_interval=alone(gap.mean) if same and gap is not None else gap,
                skewed=None if same else episodes_for_t(one.profit, block),
                kpis={key: value.mean for key, value in one.estimates(block).items()},
                seconds=one.seconds,
                simulation=one,
                **_apart(one.profit, runs[reference].profit, family, block, name == reference, name in tested, same),
            )
        )
    return Comparison(
        problem, tuple(rows), reference, family,
        None if limit is None else alone(limit.mean()) if same else estimate(limit, block), proven,
        len(chance), seed, chance.seeds, same, block, tuple(exceeded),
    )  # fmt: skip


def _apart(
    profit: Array, best: Array, family: Family, block: int, itself: bool, tested: bool, same: bool
) -> dict[str, Any]:
    """Return a row's difference to the reference and its statistics."""
    fields = ("difference", "relative", "wins", "ties", "losses", "better_in", "p", "more_episodes")
    found: dict[str, Any] = dict.fromkeys((*fields, "difference_skewed"))
    if itself:
        return found
    apart = without_rounding(profit - best, np.maximum(1.0, np.abs(best)))
    size = abs(float(best.mean()))
    found["difference"], p = family.judge(profit - best, block)
    found["relative"] = float(apart.mean()) / size if size > 0.0 else None
    if same:
        return found | {"difference": alone(apart.mean())}
    wins, losses = int((apart > 0.0).sum()), int((apart < 0.0).sum())
    found |= {"wins": wins, "ties": len(apart) - wins - losses, "losses": losses, "better_in": wins / len(apart)}
    if tested:
        found["difference_skewed"] = episodes_for_t(apart, block)
        p = family.judge(apart, block)[1]
        found |= {"p": p, "more_episodes": None if p < LEVEL else more_episodes(apart, family, block)}
    return found


def more_episodes(differences: Array, family: Family, block: int = 1) -> int | None:
    """Return how many more episodes would show such a difference, at the level that the family leaves for it.

    Args:
        differences: Paired, shape (B,).
        family: What is judged together.
        block: At least the number of neighbours that share data.
    """
    enough = episodes_needed(differences, block, family.level)
    if enough is None:
        return None
    again = episodes_needed(differences, block, family.level_at(degrees_of(enough, block)))
    return max((enough if again is None else again) - len(differences), 1)


def _bound(runs: Mapping[str, Simulation]) -> tuple[Array | None, bool]:
    """Return the bound of each episode and whether it is proven."""
    for one in runs.values():
        if one.bound is not None:
            proven = bool(np.isfinite(one.bound).all())
            return (one.bound if proven else one.profit), proven
    return None, False
