"""The exact optimum of the shelf, by backward induction over its stock."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from restock.core.problem import Array
from restock.problems.minimal import MinimalProblem
from restock.solvers.dp import Optimum, backward


def solve(problem: MinimalProblem) -> Optimum:
    """Return the optimum over the stock 0 .. C.

    Example:
        >>> from restock import load_problem
        >>> round(solve(load_problem("minimal")).value, 1)
        99.9
    """
    s = problem.spec
    stocks, orders = range(s.capacity + 1), range(s.most_order + 1)
    demands = [(d + extra, chance / s.demand) for d in range(s.demand)
               for extra, chance in ((s.rush, s.rush_chance), (0, 1.0 - s.rush_chance))]  # fmt: skip
    rewards = np.zeros((len(stocks), len(orders)))
    chances = np.zeros((len(stocks), len(orders), len(stocks)))
    for stock, order, slip, (demand, chance) in itertools.product(stocks, orders, (-1, 0, 1), demands):
        there = stock + min(max(order + slip, 0), s.most_order)
        kept = min(there, s.capacity)
        reward = (1.0 if demand <= kept else -1.0) - (s.overflow_penalty if there > kept else 0.0)
        rewards[stock, order] += chance / 3.0 * reward
        chances[stock, order, max(kept - demand, 0)] += chance / 3.0
    return backward(rewards, chances, problem.horizon, np.full(len(stocks), 1.0 / len(stocks)))


def states(fields: Mapping[str, Array]) -> NDArray[np.int64]:
    """Return the index of the state of each episode, shape (B,)."""
    return fields["on_hand"][:, 0].astype(np.int64)
