"""Comparing policies fairly: every policy meets the same episodes, and differences are paired."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.play import Episodes, draw, recorded
from restock.core.problem import Array, Problem
from restock.evaluation.simulate import Simulation, as_policy, run
from restock.evaluation.stats import (
    LEVEL,
    Estimate,
    episodes_needed,
    estimate,
    holm,
    holm_levels,
    p_value,
    without_rounding,
)
from restock.policies._base import Policy, Progress
from restock.policies.registry import list_policies, make_policy
from restock.problems.load import load_problem


@dataclasses.dataclass(frozen=True)
class Row:
    """One policy in a comparison.

    Attributes:
        name: How the table calls it.
        information: What it may know (`blind`, `informed`, `clairvoyant`).
        profit: Mean profit of an episode.
        difference: Mean paired difference to the best policy that is not clairvoyant; None for that one.
        gap: Share of the bound that is missing, 1 - sum(profit) / sum(bound); None without a bound.
        better_in: Share of the episodes in which it earns more than the reference.
        p: p-value of that difference, corrected for all comparisons of the table (Holm); None for the
            reference and for a clairvoyant policy.
        more_episodes: Where p is not below 5 %: how many more episodes would tell such a difference
            (power 80 %); None where it is clear, or nothing can be said.
        kpis: Means of the key figures.
        seconds: Time for all episodes.
        simulation: Everything that happened.
    """

    name: str
    information: str
    profit: Estimate
    difference: Estimate | None
    gap: float | None
    better_in: float | None
    p: float | None
    more_episodes: int | None
    kpis: Mapping[str, float]
    seconds: float
    simulation: Simulation


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Policies on common episodes, best first.

    Attributes:
        problem: What was compared on.
        rows: One a policy, by mean profit.
        reference: Name of the policy that the differences are to.
        bound: Upper bound on the profit of each episode, shape (B,); None without one.
        bound_proven: Whether no policy can earn more than the bound; under goodwill it is only the
            best plan found with the demand known.
        episodes: How many [B].
        seed: What they were drawn from; None for recorded ones.
        block: Neighbouring episodes taken to depend on each other (1: none).
        exceeded: Policies that earned more than a proven bound in some episode: something is wrong.
    """

    problem: Problem
    rows: tuple[Row, ...]
    reference: str
    bound: Estimate | None
    bound_proven: bool
    episodes: int
    seed: int | None
    block: int
    exceeded: tuple[str, ...]

    def row(self, name: str) -> Row:
        """The row of a policy."""
        return next(row for row in self.rows if row.name == name)

    def to_dict(self) -> dict[str, Any]:
        """The table as plain data, for JSON."""

        def interval(value: Estimate | None) -> dict[str, float] | None:
            return None if value is None else dataclasses.asdict(value)

        return {
            "problem": self.problem.name,
            "episodes": self.episodes,
            "seed": self.seed,
            "block": self.block,
            "reference": self.reference,
            "bound": interval(self.bound),
            "bound_proven": self.bound_proven,
            "exceeded": list(self.exceeded),
            "policies": [
                {
                    "name": row.name,
                    "information": row.information,
                    "parameters": row.simulation.policy.parameters_in_words(),
                    "profit": interval(row.profit),
                    "difference": interval(row.difference),
                    "gap": row.gap,
                    "better_in": row.better_in,
                    "p": row.p,
                    "more_episodes": row.more_episodes,
                    "kpis": dict(row.kpis),
                    "seconds": row.seconds,
                }
                for row in self.rows
            ],
        }


def compare(
    problem: Any,
    policies: Sequence[Any] | Mapping[str, Any],
    episodes: int = 100,
    seed: int = 0,
    *,
    exogenous: Mapping[str, Any] | None = None,
    bound: bool = True,
    block: int = 1,
    progress: Callable[[str, int, int], None] | None = None,
) -> Comparison:
    """Run policies on common random numbers and tell them apart.

    Args:
        problem: A problem, or anything `load_problem` takes.
        policies: Names or policies; a mapping gives them names of your own.
        episodes: How many [B].
        seed: Episode i is the one an environment meets after `reset(seed=seed + i)`.
        exogenous: Recorded information to replay instead, arrays with a leading axis of B episodes.
        bound: Whether to add the hindsight optimum, where the problem has one.
        block: Neighbouring episodes that share data (overlapping windows of one series).
        progress: Called with (policy, steps done, steps in all); each policy is 100 steps.

    Raises:
        InvalidInput: An argument does not hold.

    Example:
        >>> table = compare("serial", ["constant-order", "base-stock"], episodes=20, seed=42)
        >>> table.rows[0].name
        'hindsight'
    """
    problem = load_problem(problem)
    if isinstance(block, bool) or not isinstance(block, int) or block < 1:
        raise InvalidInput("block", block, "this is a whole number of at least 1", "Write for instance 5.")
    chosen = _named(policies, problem)
    if (
        bound
        and "hindsight" in list_policies(problem.family)
        and not any(policy.name == "hindsight" for policy in chosen.values())
    ):
        if "hindsight" in chosen:
            raise InvalidInput("policies", "hindsight", "this is the name of the bound", "Call your policy otherwise.")
        chosen["hindsight"] = make_policy("hindsight", problem)
    chance = draw(problem, episodes, seed) if exogenous is None else recorded(problem, exogenous)
    runs: dict[str, Simulation] = {}
    for k, (name, policy) in enumerate(chosen.items()):
        tell = None if progress is None else _share(progress, name, k, len(chosen))
        if tell is not None:
            tell(0, 1)
        runs[name] = run(problem, policy, chance, seed, tell)
        if tell is not None:
            tell(1, 1)
    return _table(problem, runs, chance, None if exogenous is not None else seed, block)


def _share(progress: Callable[[str, int, int], None], name: str, k: int, count: int) -> Progress:
    """Progress of the k-th of so many policies as progress of the whole comparison."""
    return lambda done, total: progress(name, 100 * k + 100 * done // total, 100 * count)


def _named(policies: Sequence[Any] | Mapping[str, Any], problem: Problem) -> dict[str, Policy]:
    """Policies by the name that the table gives them."""
    if isinstance(policies, str) or not isinstance(policies, (Sequence, Mapping)):
        raise InvalidInput("policies", policies, "this is a list of policies", 'Write ["base-stock"].')
    if not policies:
        raise InvalidInput("policies", policies, "there is nothing to compare", 'Write ["base-stock"].')
    if isinstance(policies, Mapping):
        return {str(name): as_policy(policy, problem) for name, policy in policies.items()}
    named: dict[str, Policy] = {}
    for given in policies:
        policy = as_policy(given, problem)
        if policy.name in named:
            raise InvalidInput("policies", policy.name, "this is in the list twice", "Name them: {name: policy}.")
        named[policy.name] = policy
    return named


def _table(
    problem: Problem, runs: Mapping[str, Simulation], chance: Episodes, seed: int | None, block: int
) -> Comparison:
    order = sorted(runs, key=lambda name: (-float(runs[name].profit.mean()), name))
    honest = [name for name in order if runs[name].policy.information != "clairvoyant"]
    reference = (honest or order)[0]
    best = runs[reference].profit
    limit, proven = _bound(runs)
    apart = {
        name: without_rounding(runs[name].profit - best, np.maximum(1.0, np.abs(best)))
        for name in honest
        if name != reference
    }
    told = _told_apart(apart, block)
    rows, exceeded = [], []
    for name in order:
        one = runs[name]
        same = name == reference
        if limit is not None and proven and (one.profit > limit + 1e-6 * np.maximum(1.0, np.abs(limit))).any():
            exceeded.append(name)
        rows.append(
            Row(
                name=name,
                information=one.policy.information,
                profit=estimate(one.profit, block),
                difference=None if same else estimate(one.profit - best, block),
                gap=None if limit is None or limit.sum() <= 0 else float(1.0 - one.profit.sum() / limit.sum()),
                better_in=None if same else float((one.profit > best + 1e-9).mean()),
                p=told[name][0] if name in told else None,
                more_episodes=told[name][1] if name in told else None,
                kpis={key: float(np.mean(value)) for key, value in one.kpis.items()},
                seconds=one.seconds,
                simulation=one,
            )
        )
    return Comparison(
        problem, tuple(rows), reference, None if limit is None else estimate(limit, block), proven,
        len(chance), seed, block, tuple(exceeded),
    )  # fmt: skip


def _told_apart(differences: Mapping[str, Array], block: int) -> dict[str, tuple[float, int | None]]:
    """For each difference its corrected p-value, and how many more episodes it would take where that is not clear."""
    alone = [p_value(values, block) for values in differences.values()]
    found: dict[str, tuple[float, int | None]] = {}
    for (name, values), p, level in zip(differences.items(), holm(alone), holm_levels(alone), strict=True):
        enough = None if p < LEVEL else episodes_needed(values, block, level)
        found[name] = (p, None if enough is None else max(enough - len(values), 1))
    return found


def _bound(runs: Mapping[str, Simulation]) -> tuple[Array | None, bool]:
    """The bound of each episode and whether it is proven."""
    for one in runs.values():
        if one.bound is not None:
            proven = bool(np.isfinite(one.bound).all())
            return (one.bound if proven else one.profit), proven
    return None, False
