"""The start of training: the mean orders of a policy that knows the demand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from restock.core.play import draw
from restock.core.problem import Array
from restock.evaluation.simulate import run
from restock.learning.several import rules_of
from restock.policies.registry import make_policy, policy_class
from restock.problems.network import NetworkProblem

WITH_FIXED_COSTS = "s-S"  # there a look-ahead solves a mixed-integer program in every period, for minutes
PATHS = 8  # what the means are over, of one problem; half as many of each of several
STREAM = "start of training"  # of these paths


def plans(problems: Sequence[NetworkProblem], curves: Array | None, policy: str) -> Array:
    """Return the mean orders of a policy for each demand curve and each pair of rules, shape (C, 4, T, E) (units).

    Args:
        problems: What is trained for.
        curves: Of the belief, as factors on the prior mean, shape (C, T); None without a belief.
        policy: Its name; it is told the demand where it may be.
    """
    count = PATHS if len(problems) == 1 else (PATHS + 1) // 2
    first = problems[0]
    links = first.fixed.links
    if policy == "rolling" and np.any(links.fixed_cost > 0.0):
        policy = WITH_FIXED_COSTS
    found = np.zeros((1 if curves is None else len(curves), 4, first.horizon, len(first.links)))
    for problem in problems:
        orders = mean_orders(problem, policy, count)
        if len(problems) == 1:
            found[:] = orders
        else:
            found[_nearest(problem, curves), rules(problem)] = orders
    return found


def rules(problem: NetworkProblem) -> int:
    """Return the number of the pair of rules: 2 if unmet demand waits, plus 1 if goodwill moves demand."""
    waits, moves = rules_of(problem)
    return int(2 * waits + moves)


def mean_orders(problem: NetworkProblem, policy: str, count: int) -> Array:
    """Return the mean orders of a policy in each period, over a few paths, shape (T, E) (units)."""
    level: dict[str, Any] = {"information": "informed"} if "informed" in policy_class(policy).may_know else {}
    chance = draw(problem, count, 0, STREAM)
    result = run(problem, make_policy(policy, problem, **level), chance, 0)
    orders: Array = result.trajectory["shipped"].mean(axis=0)
    return orders


def _nearest(problem: NetworkProblem, curves: Array | None) -> int:
    """Return the curve that the demand of a problem follows most closely."""
    if curves is None:
        return 0
    prior = problem.prior().demand.mean.sum(axis=1)
    factors = problem.demand.mean.sum(axis=1) / np.maximum(prior, 1e-9)
    return int(np.abs(curves - factors).sum(axis=1).argmin())
