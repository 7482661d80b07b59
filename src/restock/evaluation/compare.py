"""Fair comparison of policies: all meet the same episodes, and differences are paired."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from restock.core.errors import InvalidInput, nearest
from restock.core.problem import Problem
from restock.core.streams import episode_seeds
from restock.evaluation.simulate import Simulation, as_policy, episodes_of, run
from restock.evaluation.table import Comparison as Comparison
from restock.evaluation.table import Row as Row
from restock.evaluation.table import table
from restock.policies._base import Policy, Progress
from restock.policies.registry import make_policy, yardsticks
from restock.problems.load import load_problem


class Enough(Exception):
    """Raised by the `progress` of a comparison to leave out the running policy."""


def compare(
    problem: Any,
    policies: Sequence[Any] | Mapping[str, Any],
    episodes: int = 100,
    seed: int = 0,
    *,
    seeds: Sequence[int] | None = None,
    exogenous: Mapping[str, Any] | None = None,
    bound: bool = True,
    block: int = 1,
    reference: str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Comparison:
    """Compare policies on common random numbers.

    Differences are to the best policy that does not know the future. As that one is chosen by the same
    episodes, p-values and intervals of differences hold for all pairs of policies together: among any
    number of equal policies, one in twenty tables calls a difference clear. With a `reference` named
    beforehand they hold for the differences to it, and are sharper.

    Args:
        problem: A problem, or anything `load_problem` takes.
        policies: Names or policies; a mapping gives them names of your own.
        episodes: How many [B].
        seed: Of the episodes, which share none with those of another seed; `Comparison.seeds` has the seed
            of each, and an environment meets episode i after `reset(seed=seeds[i])`.
        seeds: The episodes of these very seeds instead, as `reset(seed=...)` begins them.
        exogenous: Recorded information to replay instead, arrays with a leading axis of B episodes.
        bound: Whether to add the hindsight optimum, where the problem has one.
        block: Neighbouring episodes that share data (overlapping windows of one series).
        reference: Name of the policy that the others are compared with, chosen before anything is seen;
            default: the best of the table, and all pairs are allowed for.
        progress: Called with (policy, steps done, steps in all); each policy is 100 steps. Where it raises `Enough`,
            the policy that runs is left out of the table, and the next one begins.

    Raises:
        InvalidInput: An argument does not hold.
        Enough: Nothing is left to compare, or not the reference.

    Example:
        >>> table = compare("serial", ["constant-order", "base-stock"], episodes=20, seed=42)
        >>> table.rows[0].name
        'hindsight'
    """
    problem = load_problem(problem)
    if isinstance(block, bool) or not isinstance(block, int) or block < 1:
        raise InvalidInput("block", block, "must be an integer >= 1", "Write for instance 5.")
    chosen = _named(policies, problem)
    best = yardsticks(problem.family)[1] if bound else None
    if best is not None and not any(policy.name == best for policy in chosen.values()):
        if best in chosen:
            raise InvalidInput("policies", best, "this is the name of the bound", "Call your policy otherwise.")
        chosen[best] = make_policy(best, problem)
    if reference is not None and reference not in chosen:
        raise InvalidInput("reference", reference, "there is no such policy", nearest(str(reference), list(chosen)))
    chance = episodes_of(problem, episodes, seed, seeds, exogenous)
    runs: dict[str, Simulation] = {}
    for k, (name, policy) in enumerate(chosen.items()):
        tell = None if progress is None else _share(progress, name, k, len(chosen))
        with contextlib.suppress(Enough):
            if tell is not None:
                tell(0, 1)
            runs[name] = run(problem, policy, chance, seed, tell)
            if tell is not None:
                tell(1, 1)
    if not runs or (reference is not None and reference not in runs):
        raise Enough("nothing was finished that could be compared")
    derived = exogenous is None and chance.seeds == episode_seeds(seed, len(chance))
    return table(problem, runs, chance, seed if derived else None, block, reference)


def _share(progress: Callable[[str, int, int], None], name: str, k: int, count: int) -> Progress:
    """Return the progress of the k-th policy as progress of the whole comparison."""
    return lambda done, total: progress(name, 100 * k + 100 * done // total, 100 * count)


def _named(policies: Sequence[Any] | Mapping[str, Any], problem: Problem) -> dict[str, Policy]:
    """Return the policies by the names that the table gives them."""
    if isinstance(policies, str) or not isinstance(policies, (Sequence, Mapping)):
        raise InvalidInput("policies", policies, "must be a list of policies", 'Write ["base-stock"].')
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
