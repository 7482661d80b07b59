"""The hindsight optimum: the best plan with the demand known.

Where demand does not depend on what the policy does, one full-horizon program on the realised
demand gives a plan and a proven bound. Under goodwill demand answers to service; the plan is then a
fixed point: solve for a demand path, replay the plan, solve again for the demand it met, from a
pessimistic start (nothing is ordered) and an optimistic one (nobody is ever left unserved), and keep
the best replay. That is the strongest plan known, but not a proven bound.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from restock.core.play import Episodes, Table, play
from restock.core.problem import Array
from restock.problems.network import NetworkProblem
from restock.solvers.lp import NetworkProgram

ROUNDS = 10  # of the fixed point, from each start
TOLERANCE = 1.0  # units of demand by which two rounds may differ at a fixed point


@dataclasses.dataclass(frozen=True)
class Hindsights:
    """Hindsight optima of a batch of episodes.

    Attributes:
        orders: The plans, shape (B, T, E) (units).
        profit: What each earns when it is played, shape (B,).
        bound: No policy earns more, shape (B,); infinite where that is not proven.
    """

    orders: Array
    profit: Array
    bound: Array


def hindsight(
    problem: NetworkProblem, episodes: Episodes, progress: Callable[[int, int], None] | None = None
) -> Hindsights:
    """Return the hindsight optimum of each episode.

    Args:
        problem: A supply network.
        episodes: What happens in it.
        progress: Called with (steps done, steps in all).

    Raises:
        InvalidInput: HiGHS finds no optimum.
    """
    program = NetworkProgram(problem)
    count = len(episodes)
    idle = np.zeros((len(episodes), problem.horizon, len(problem.links)))
    met = play(problem, episodes, idle)
    if not problem.demand.state_dependent or not episodes.seeds:
        solutions = []
        for b, demand in enumerate(met["demand"]):
            program.forget()
            solutions.append(program.solve(demand))
            if progress is not None:
                progress(b + 1, count)
        orders = np.stack([solution.orders for solution in solutions])
        profit = play(problem, episodes, orders).rewards.sum(axis=-1)
        return Hindsights(orders, profit, np.array([solution.bound for solution in solutions]))
    total = 2 * count
    first = None if progress is None else lambda done: progress(done, total)
    second = None if progress is None else lambda done: progress(count + done, total)
    pessimistic = _fixed_point(problem, program, episodes, met["demand"], first)
    optimistic = _fixed_point(problem, program, episodes, _always_served(problem, episodes), second)
    better = optimistic.profit >= pessimistic.profit
    return Hindsights(
        np.where(better[:, None, None], optimistic.orders, pessimistic.orders),
        np.maximum(optimistic.profit, pessimistic.profit),
        np.full(count, np.inf),
    )


def _always_served(problem: NetworkProblem, episodes: Episodes) -> Array:
    """Return the demand that would be met if everyone were always served, shape (B, T, M)."""
    table = Table(problem, episodes)
    nothing = np.zeros((len(episodes), len(problem.links)))
    owed = np.concatenate([problem.layout.columns["unmet"], problem.layout.columns["backlog"]])
    for _ in range(problem.horizon):
        table.advance(nothing)
        table.memory[:, owed] = 0.0
    return table.trajectory()["demand"].copy()


def _fixed_point(
    problem: NetworkProblem,
    program: NetworkProgram,
    episodes: Episodes,
    demand: Array,
    progress: Callable[[int], None] | None,
) -> Hindsights:
    """Solve, replay, and solve for the demand met until it settles; return the best replay of each episode."""
    count = len(episodes)
    best_orders = np.zeros((count, problem.horizon, len(problem.links)))
    best = np.full(count, -np.inf)
    for b in range(count):
        one = episodes.rows(slice(b, b + 1))
        current = demand[b]
        program.forget()
        for _ in range(ROUNDS):
            orders = program.solve(current).orders
            met = play(problem, one, orders[None])
            profit = float(met.rewards.sum())
            if profit > best[b]:
                best[b], best_orders[b] = profit, orders
            change = float(np.abs(met["demand"][0] - current).sum())
            current = met["demand"][0]
            if change <= TOLERANCE:
                break
        if progress is not None:
            progress(b + 1)
    return Hindsights(best_orders, best, np.full(count, np.inf))
