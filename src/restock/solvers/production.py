"""The exact value of a plant: a dynamic program over raw material and product.

Prices are martingales and enter the rewards linearly, and the best thing to do does not depend on them, so
each stands at its base. Cash does not bind: with enough of it at the start, bankruptcy is out of reach.
Left out with it are the floor under the prices and the first steps of the walk, which have mean zero.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from restock.core.problem import Array
from restock.problems.production import ProductionProblem
from restock.problems.production.problem import BUY, CONVERT, IDLE
from restock.solvers.dp import Optimum, backward

MOST_RAW = 4  # units of raw material, more than two cycles need
MOST_PRODUCT = 4.0  # units
PER_UNIT = 8  # grid points for each unit of product: what is left of one after a small demand
NO_CHOICE = -1e18


def solve(problem: ProductionProblem) -> Optimum:
    """Return the optimum over states (raw material, product), see `states`; the first of them has nothing in stock.

    Args:
        problem: The plant; its `max_steps` is the number of periods.

    Example:
        >>> from restock import load_problem
        >>> round(solve(load_problem("production", max_steps=50)).value, 1)
        -1944.9
    """
    s = problem.spec
    grid = np.arange(int(MOST_PRODUCT * PER_UNIT) + 1) / PER_UNIT
    shape = (MOST_RAW + 1, len(grid))
    states = math.prod(shape)
    rewards, chances = np.full((states, 3), NO_CHOICE), np.zeros((states, 3, states))
    after = np.array([_left(stock, grid, s.demand_mean, s.demand_volatility) for stock in grid])
    sold = grid - after @ grid
    short = _mean_demand(s.demand_mean, s.demand_volatility) - sold
    paid = s.raw_price_base if s.reward == "cash" else 0.0
    effects = {IDLE: (0, 0, 0.0), BUY: (1, 0, -paid), CONVERT: (-2, PER_UNIT, s.conversion_bonus)}
    for raw in range(shape[0]):
        for k in range(shape[1]):
            for choice, (more_raw, more_product, worth) in effects.items():
                left, made = raw + more_raw, k + more_product
                if not (0 <= left < shape[0] and made < shape[1]):
                    continue
                sales = s.product_price_base * sold[made] - s.stockout_penalty * short[made]
                held = s.holding_cost * (left + after[made] @ grid)
                here = raw * shape[1] + k
                rewards[here, choice] = worth + sales - held
                chances[here, choice, left * shape[1] : (left + 1) * shape[1]] = after[made]
    return backward(rewards, chances, problem.horizon)


def states(fields: Mapping[str, Array]) -> NDArray[np.int64]:
    """Return the index of the state of each episode, the product taken to the nearest grid point, shape (B,)."""
    columns = int(MOST_PRODUCT * PER_UNIT) + 1
    raw, product = fields["on_hand"].T
    place = np.minimum(raw, MOST_RAW) * columns + np.minimum(np.rint(product * PER_UNIT), columns - 1)
    return np.asarray(place, dtype=np.int64)


def _left(stock: float, grid: Array, mean: float, sd: float) -> Array:
    """Return the weights of the grid points for the stock left by demand; exact for values linear in between."""
    width = grid[1] - grid[0]
    points = (*(grid - width), grid[-1], grid[-1] + width)
    beyond = np.array([_expected_left(stock - point, mean, sd) for point in points])
    weights = (beyond[:-2] - 2.0 * beyond[1:-1] + beyond[2:]) / width
    weights[0] = 1.0 - (beyond[1] - beyond[2]) / width
    return np.asarray(weights)


def _expected_left(stock: float, mean: float, sd: float) -> float:
    """Return the expected positive part of stock - max(0, N(mean, sd))."""
    return _loss(stock, mean, sd) - _loss(0.0, mean, sd) if stock > 0.0 else 0.0


def _mean_demand(mean: float, sd: float) -> float:
    """Return the expected max(0, N(mean, sd))."""
    return mean + _loss(0.0, mean, sd)


def _loss(stock: float, mean: float, sd: float) -> float:
    """Return the expected positive part of stock - N(mean, sd)."""
    if sd == 0.0:
        return max(stock - mean, 0.0)
    z = (stock - mean) / sd
    below = 0.5 * math.erfc(-z / math.sqrt(2.0))
    return (stock - mean) * below + sd * math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
