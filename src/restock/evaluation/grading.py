"""Grades of the store: the published score, and what it leaves out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from restock.core.errors import InvalidInput
from restock.core.problem import Array, Problem
from restock.problems.load import load_problem
from restock.problems.manifest import manifest_for, resolved
from restock.problems.retail.grader import scale

BASELINE = "tuned-price-and-cover"  # what a score is held against where none is named


@dataclasses.dataclass(frozen=True)
class Grade:
    """The grade of a profit.

    Attributes:
        profit: Earned (money).
        floor: Earned by who buys nothing (money).
        ceiling: The published ceiling; better prices can earn more (money).
        score: The published score, 0.002 to 0.998.
        unclamped: The same share of the way from floor to ceiling, wherever it lies.
        bound: No policy earns more (money).
        list_price_bound: No policy that sells at list price earns more (money).
        gap: What is missing to the bound, as a share of it; 0 where nothing can be earned.
    """

    profit: float
    floor: float
    ceiling: float
    score: float
    unclamped: float
    bound: float
    list_price_bound: float
    gap: float

    def to_dict(self) -> dict[str, float]:
        """Return all of it by name, for JSON."""
        return dataclasses.asdict(self)


def grade(problem: Any, profit: float, demand: Array | None = None) -> Grade:
    """Grade the profit of an episode. The same profit always has the same grade.

    Args:
        problem: A store, or anything `load_problem` takes.
        profit: In money, whatever the reward of the store is: `earned` among the key figures (money).
        demand: That the profit was earned with, shape (T, K); default: that of the task.

    Raises:
        InvalidInput: It is no store, the profit is no number, or the demand is not known.

    Example:
        >>> grade("retail-easy", 13000.0).score
        0.77...
    """
    from restock.solvers.retail import best_plan

    store = _store(problem)
    number = not isinstance(profit, bool) and isinstance(profit, (int, float)) and abs(profit) < float("inf")
    if not number:
        raise InvalidInput("profit", profit, "must be an amount of money", "Write for instance 13000.0.")
    by = scale(store, demand)
    known = store.demand if demand is None else demand
    assert known is not None  # else there is no scale
    bound, at_list_price = (best_plan(store, known, pricing).bound for pricing in (True, False))
    return Grade(
        profit=float(profit),
        floor=by.floor,
        ceiling=by.ceiling,
        score=by.score(profit),
        unclamped=by.unclamped(profit),
        bound=bound,
        list_price_bound=at_list_price,
        gap=1.0 - profit / bound if bound > 0.0 else 0.0,
    )


def graded(problem: Problem, figures: Mapping[str, float], exogenous: Mapping[str, Array]) -> Grade | None:
    """Return the grade of an episode; None of a problem whose family has no published score.

    Args:
        problem: What was played.
        figures: Its key figures.
        exogenous: What it met, as a trajectory keeps it.
    """
    named = manifest_for(problem).grade
    if named is None:
        return None
    found: Grade = resolved(named)(problem, figures["earned"], exogenous["demand"])
    return found


def grade_policy(problem: Any, policy: str = BASELINE) -> Grade:
    """Grade a policy on the episode of a published store, with its own demand and deliveries.

    Args:
        problem: A store, or anything `load_problem` takes.
        policy: Name of the policy.

    Raises:
        InvalidInput: It is no store, it has no demand of its own, or there is no such policy.

    Example:
        >>> grade_policy("retail-easy", "passive").profit
        2200.0
    """
    from restock.evaluation.simulate import simulate
    from restock.policies.registry import make_policy

    store = _store(problem)
    scale(store)
    seed = store.spec.seed
    played = simulate(store, make_policy(policy, store), seed=seed, seeds=[seed]).trajectory
    return grade(store, float(store.figures(played)["earned"][0]))


def _store(problem: Any) -> Any:
    store = load_problem(problem)
    if manifest_for(store).grader is None:
        raise InvalidInput("problem", store.name, "only stores are graded", "Give restock/Retail-v0 or a task of it.")
    return store
