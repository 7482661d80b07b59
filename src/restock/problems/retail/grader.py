"""The published grader of the store: how far a profit lies between a floor and a ceiling."""

from __future__ import annotations

import dataclasses

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.problem import Array
from restock.problems.retail.problem import RetailProblem

LEAST, MOST = 0.002, 0.998  # a published score is never outside


@dataclasses.dataclass(frozen=True)
class Scale:
    """What a profit is graded by.

    Attributes:
        floor: Profit of who buys nothing and sells at list price (money).
        ceiling: Profit of who has all stock on the day, at the cheapest delivery (money); better prices can
            earn more.
    """

    floor: float
    ceiling: float

    def unclamped(self, profit: float) -> float:
        """Return the share of the way from floor to ceiling; below 0 under the floor, above 1 over the ceiling."""
        return (profit - self.floor) / (self.ceiling - self.floor)

    def score(self, profit: float) -> float:
        """Return the published score: the share, held to 0.002 .. 0.998."""
        return min(max(self.unclamped(profit), LEAST), MOST)


def scale(problem: RetailProblem, demand: Array | None = None) -> Scale:
    """Floor and ceiling of a store.

    Args:
        problem: The store.
        demand: At list price, after events, shape (T, K) (units); default: that of the task.

    Raises:
        InvalidInput: No demand is given, and every episode has its own; or floor and ceiling meet.
    """
    if demand is None:
        demand = problem.demand
    if demand is None:
        stream = problem.spec.demand_stream
        raise InvalidInput("demand", None, f"with demand_stream {stream} every episode has its own", "Give it.")
    shipping = min(delivery.cost for delivery in problem.spec.deliveries)
    ceiling = 0.0
    for product, total in zip(problem.spec.products, demand.sum(axis=0).tolist(), strict=True):
        stock = product.initial_stock
        bought = max(0.0, total - stock) * (product.price - product.cost - shipping)
        ceiling += min(stock, total) * product.price + bought
    found = Scale(floor(problem, demand), ceiling)
    if found.ceiling <= found.floor:
        what = f"{found.floor:g} to {found.ceiling:g}"
        raise InvalidInput("demand", what, "between floor and ceiling there is nothing to grade", "Ask for more.")
    return found


def floor(problem: RetailProblem, demand: Array) -> float:
    """Return the profit of who buys nothing and sells at list price for known demand of shape (T, K) (money)."""
    left = np.array([product.initial_stock for product in problem.spec.products], dtype=np.float64)
    price = np.array([product.price for product in problem.spec.products])
    earned = 0.0
    for t, wanted in enumerate(np.floor(demand)):
        sold = np.minimum(wanted, np.where((problem.life > 0) & (t + 1 > problem.life), 0.0, left))
        left -= sold
        earned += float(sold @ price)
    return earned
