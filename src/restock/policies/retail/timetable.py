"""Orders by a timetable: each day a delivery method, prices, and levels to order up to.

The text of every rule of the store, and the parameters that it reads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from restock.core.operations import positive, smaller
from restock.core.problem import Array
from restock.policies.parameters import PERIOD, PRODUCT, Packing, Parameter

PACKING = Packing(
    "Timetable",
    __name__,
    paid_first=Parameter((PRODUCT,), "product", "products in the order in which the cash is spent on them"),
    way=Parameter((PERIOD,), "", "way of delivery of each day"),
    mornings=Parameter((PERIOD,), "days", "coming mornings that count as stock, this one included"),
    price=Parameter((PERIOD, PRODUCT), "", "price multipliers"),
    level=Parameter((PERIOD, PRODUCT), "units", "levels of the position"),
)


def order(t: int, own: Any, products: Any, deliveries: Any, rules: Any, state: Any, chance: Any, flows: Any) -> None:
    """Order what stock and the arrivals of the coming mornings lack of the level, within cash and room."""
    count = len(state.on_hand)
    room = len(state.pipe) // count
    way = int(own.way)
    cash = state.cash[0]
    flows.decision[count] = 0.0 * cash + way
    for i in range(count):
        k = int(own.paid_first[i])
        position = state.on_hand[k]
        if products.life[k] > 0:
            position = position - state.batches[products.first[k]]  # expires this morning
        space = products.capacity[k] - position - state.pipe[k * room]
        for j in range(int(own.mornings)):
            position = position + state.pipe[k * room + j]
        unit = products.cost[k] + deliveries.cost[way]
        lacking = smaller(own.level[k] - position, space)
        quantity = positive(smaller(lacking, cash / unit) - 0.5)  # rounded when ordered: never more than is paid for
        cash = cash - (quantity + 0.5) * unit
        flows.decision[k] = quantity
        flows.decision[count + 1 + k] = 0.0 * cash
        flows.decision[2 * count + 1 + k] = 0.0 * cash + own.price[k]


def fastest(problem: Any) -> int:
    """Return the delivery method that is certain to arrive first."""
    return int(np.argmin([way.lead_time + way.jitter for way in problem.spec.deliveries]))


def cheapest(problem: Any) -> int:
    """Return the delivery method that costs least."""
    return int(np.argmin([way.cost for way in problem.spec.deliveries]))


def by_return(problem: Any, price: Array, shipping: float) -> Array:
    """Return products by the return on a unit of money spent, shape (K,)."""
    spent = np.array([product.cost for product in problem.spec.products]) + shipping
    listed = np.array([product.price for product in problem.spec.products])
    earns = (listed * price.mean(axis=0) - spent) / np.maximum(spent, 1e-9)
    return np.argsort(-earns, kind="stable").astype(np.float64)
