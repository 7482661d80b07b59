"""The audit: whether a policy decides only from the information it may have.

Three traps. Two recorded futures with the same past: a policy that sees only the past must decide the
same in both up to the period in which they part. Drawn episodes that begin in the same state: it must
begin all of them alike, so what it is told of them (the mean of demand) must not tell them apart. A
blind policy must also decide the same in two problems whose mean curves differ, as long as it meets
the same demand in both.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from restock.core.play import Episodes, draw, play, recorded
from restock.core.problem import Array, Problem
from restock.evaluation.simulate import run
from restock.policies._base import Policy

EPISODES = 2


@dataclasses.dataclass(frozen=True)
class Finding:
    """A decision that depends on something the policy may not know.

    Attributes:
        knows: `future`: what happens later; `mean curve`: means of demand that a blind policy is not told.
        period: First period in which the decision differs.
        difference: Largest difference of a decision there (units).
    """

    knows: str
    period: int
    difference: float

    def __str__(self) -> str:
        what = "what happens later" if self.knows == "future" else "the mean curve"
        return f"in period {self.period} it decides by {what} (the decision moves by {self.difference:g})"


def audit(make: Callable[[Problem], Policy], problem: Problem, seed: int = 0) -> tuple[Finding, ...]:
    """Check with changed futures whether a policy uses information it may not have.

    Args:
        make: Makes the policy for a problem; it is made anew for every trap.
        problem: Where it is tried.
        seed: Of the demand, and of the policy's own random numbers.

    Returns:
        What was found, nothing for an honest policy. A clairvoyant policy may know everything.

    Example:
        >>> from restock import load_problem, make_policy
        >>> audit(lambda problem: make_policy("base-stock", problem), load_problem("serial"))
        ()
    """
    policy = make(problem)
    if policy.information == "clairvoyant":
        return ()
    chance = _as_recorded(problem, draw(problem, EPISODES, seed))
    other = _as_recorded(problem, draw(problem, EPISODES, seed, "audit: another future"))
    decided = _decisions(problem, policy, chance, seed)
    findings = []
    for part in sorted({problem.horizon // 3, 2 * problem.horizon // 3}):
        mixed = {name: _parted(chance[name], other[name], part, problem.horizon) for name in chance}
        found = _first_difference(decided, _decisions(problem, make(problem), mixed, seed), part + 1)
        if found:
            findings.append(Finding("future", *found))
            break
    if not findings and (found := _begins_apart(make, problem, seed)):
        findings.append(Finding("future", *found))
    elsewhere = problem.counterpart()
    if policy.information == "blind" and elsewhere is not None:
        found = _first_difference(decided, _decisions(elsewhere, make(elsewhere), chance, seed), problem.horizon)
        if found:
            findings.append(Finding("mean curve", *found))
    return tuple(findings)


def _begins_apart(make: Callable[[Problem], Policy], problem: Problem, seed: int) -> tuple[int, float] | None:
    """Return whether the first decisions differ between drawn episodes that begin in the same state."""
    begun = [run(problem, make(problem), draw(problem, EPISODES, first), seed) for first in (seed, seed + 10_000)]
    starts = [np.concatenate([one.trajectory[name][:, 0] for name in one.trajectory.stocks], axis=1) for one in begun]
    alike = (starts[0] == starts[1]).all(axis=1)
    first, second = (one.trajectory[problem.decision][alike, :1] for one in begun)
    return _first_difference(first, second, 1) if alike.any() else None


def _as_recorded(problem: Problem, episodes: Episodes) -> dict[str, Array]:
    """Return the exogenous information of episodes played without decisions, as `recorded` takes it."""
    idle = np.zeros((len(episodes), problem.horizon, len(problem.labels()[problem.decision])))
    met = play(problem, episodes, idle)
    return {name: np.array(met.exogenous[name]) for name in problem.exogenous}


def _decisions(problem: Problem, policy: Policy, exogenous: dict[str, Array], seed: int) -> Array:
    """Return all decisions, shape (B, T, A)."""
    return np.array(run(problem, policy, recorded(problem, exogenous), seed).trajectory[problem.decision])


def _parted(one: Array, other: Array, after: int, horizon: int) -> Array:
    """Combine two episodes: the first up to period `after`, the second from there on; later decisions may differ.

    Information with one entry more than there are periods begins with what is known at the start;
    information without a time axis stays.
    """
    mixed = np.array(one)
    if mixed.ndim > 1 and mixed.shape[1] >= horizon:
        begins = mixed.shape[1] - horizon + after
        mixed[:, begins:] = other[:, begins:]
    return mixed


def _first_difference(one: Array, other: Array, before: int) -> tuple[int, float] | None:
    """Return the first period with another decision, and the difference; None if there is none."""
    apart = np.abs(one[:, :before] - other[:, :before]).max(axis=(0, 2))
    differing = np.flatnonzero(apart > 0.0)
    return (int(differing[0]), float(apart[differing[0]])) if len(differing) else None
