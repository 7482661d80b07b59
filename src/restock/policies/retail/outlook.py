"""Expected demand of a store, from the range of its demand, its weekends and its events."""

from __future__ import annotations

import dataclasses

import numpy as np

from restock.core.problem import Array
from restock.problems.retail import RetailProblem
from restock.problems.retail.sources import moved

MOST_LEVELS = 200  # of a wide range of demand, so many are looked at
GRID = 101  # price multipliers looked at


@dataclasses.dataclass(frozen=True)
class Outlook:
    """Prices, and demand at these prices.

    Attributes:
        price: Price multipliers, shape (T, K).
        mean: Mean demand, shape (T, K) (units).
        variance: Its variance, shape (T, K).
    """

    price: Array
    mean: Array
    variance: Array


def at_prices(problem: RetailProblem, price: Array) -> Outlook:
    """Return the demand at given price multipliers, shape (T, K)."""
    demand = _demand(problem)
    elasticity = np.array([product.elasticity for product in problem.spec.products])
    asked = np.floor(demand * price ** (0.0 - elasticity))
    return Outlook(price, asked.mean(axis=0), asked.var(axis=0))


def at_best_prices(problem: RetailProblem, shipping: float, least: float) -> Outlook:
    """Return the prices at which a day is expected to earn most, stock provided.

    Demand is whole, so that a high price may leave none of it: a unit that two out of three would have bought
    is not sold at a price that two thirds of the demand would have paid.

    Args:
        problem: The store.
        shipping: Cost of the delivery of a unit (money/unit).
        least: No multiplier below this is looked at.
    """
    spec = problem.spec
    demand = _demand(problem)
    products = {name: np.array([getattr(p, name) for p in spec.products]) for name in ("price", "cost", "elasticity")}
    best = np.full(demand.shape[1:], -np.inf)
    price = np.ones_like(best)
    for multiplier in np.linspace(max(least, spec.price_range[0]), spec.price_range[1], GRID):
        asked = np.floor(demand * multiplier ** (0.0 - products["elasticity"])).mean(axis=0)
        earned = asked * (multiplier * products["price"] - products["cost"] - shipping)
        price = np.where(earned >= best, multiplier, price)
        best = np.maximum(earned, best)
    return at_prices(problem, price)


def _demand(problem: RetailProblem) -> Array:
    """Return equally likely demands at list price of every day, shape (L, T, K) (units)."""
    least, most = np.array([product.demand for product in problem.spec.products], dtype=np.float64).T
    levels = int(min(np.max(most - least) + 1.0, MOST_LEVELS)) * 4
    share = (np.arange(levels) + 0.5) / levels
    drawn = least + np.floor(share[:, None] * (most - least + 1.0))
    return moved(problem.spec, np.broadcast_to(drawn[:, None], (levels, problem.horizon, len(least))))
