"""Forms of action and observation of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.forms import UNBOUNDED, ActionForm, Array, Block, choose
from restock.core.validation import LARGEST

if TYPE_CHECKING:
    from restock.problems.retail.problem import RetailProblem

STEPS = 10  # a quantity or a price has this many steps, and one choice more, in the multidiscrete form


def bounds(problem: RetailProblem, max_order: Any = None) -> tuple[Array, Array]:
    """Return the least and most of each number of a decision, in physical units, each of shape (3 K + 1,).

    Raises:
        InvalidInput: A bad `max_order`.
    """
    spec = problem.spec
    count = len(spec.products)
    capacity = np.array([product.capacity for product in spec.products], dtype=np.float64)
    buy = capacity if max_order is None else _most(max_order, count)
    low = np.concatenate([np.zeros(2 * count + 1), np.full(count, spec.price_range[0])])
    high = np.concatenate([buy, [len(spec.deliveries) - 1.0], capacity, np.full(count, spec.price_range[1])])
    return low, high


def _most(max_order: Any, count: int) -> Array:
    try:
        most = np.broadcast_to(np.asarray(max_order, dtype=np.float64), (count,))
    except Exception:  # of another shape, or no numbers at all
        most = np.zeros(count)
    if isinstance(max_order, (bool, str)) or not ((most >= 1.0) & (most <= LARGEST)).all():
        mend = f"Write a number of at least 1, or {count} of them."
        raise InvalidInput("max_order", max_order, "this is the most units of one order", mend)
    return most


def action_form(problem: RetailProblem, kind: str, max_order: Any = None) -> ActionForm:
    """Return the action form of that kind.

    `quantity`: units to buy (at most the capacity, `max_order` overrides that), way of delivery (rounded), units
    to liquidate, price multipliers. `normalized`: the same bounds mapped to [-1, 1]. `multidiscrete`: quantities
    and prices in ten steps, with one choice for each way of delivery.

    Raises:
        InvalidInput: No such kind, or a bad `max_order`.
    """
    choose(kind, problem.action_kinds, "action")
    low, high = bounds(problem, max_order)
    names, ways = problem.names, [delivery.name for delivery in problem.spec.deliveries]
    listed = ", ".join(f"{k}: {way}" for k, way in enumerate(ways))
    what = [f"buy {name} (units)" for name in names] + [f"delivery ({listed})"]
    what += [f"liquidate {name} (units)" for name in names] + [
        f"price of {name} (multiple of list price)" for name in names
    ]
    words = "units to buy, the way they are delivered, units to liquidate, and prices"
    ones = np.ones(len(low))
    if kind == "normalized":
        labels = tuple(f"{text}, -1: {a:g}, 1: {b:g}" for text, a, b in zip(what, low, high, strict=True))
        return ActionForm(kind, labels, -ones, ones, high, False, f"{words}, from -1 for the least to 1 for the most")
    if kind == "quantity":
        return ActionForm(kind, tuple(what), low, high, high, False, words)
    choices = STEPS * ones
    choices[len(names)] = len(ways) - 1
    steps = zip(what, low, high, choices, strict=True)
    labels = tuple(f"{text}, from {a:g} in steps of {(b - a) / max(n, 1.0):g}" for text, a, b, n in steps)
    return ActionForm(kind, labels, np.zeros(len(low)), choices, high, True, f"{words}, each in steps")


def conversion(problem: RetailProblem, action: ActionForm | None) -> Array:
    """What an action is multiplied by, what is added to it, and the most it may say, shape (3, 3 K + 1)."""
    size = 3 * len(problem.names) + 1
    if action is None or action.kind == "quantity":
        most = np.full(size, LARGEST) if action is None else action.most
        return np.stack([np.ones(size), np.zeros(size), most])
    low, high = bounds(problem)[0], action.most
    unit = (high - low) / np.maximum(action.high - action.low, 1.0)
    return np.stack([unit, low - unit * action.low, high])


def seen(problem: RetailProblem, scaled: bool) -> dict[str, Block]:
    """Return the blocks of the observation, and what the scaled form divides them by."""
    spec, names, room = problem.spec, problem.names, problem.room
    capacity = np.array([product.capacity for product in spec.products], dtype=np.float64)
    usual = np.maximum(problem.usual_demand, 1.0) if scaled else capacity
    profits = ["profit of the day (money)", "profit so far (money)"]
    arriving = [f"{name} arriving after {j + 1} days (units)" for name in names for j in range(room)]
    batches = [f"{label} (units)" for label in problem.labels()["batches"]]
    return {
        "day": Block(["day"], spec.horizon),
        "cash": Block(["cash (money)"], 10.0 * spec.initial_cash),
        "profit": Block(profits, 10.0 * spec.initial_cash, low=-UNBOUNDED),
        "demand": Block([f"demand for {name} yesterday (units)" for name in names], usual),
        "remaining_capacity": Block([f"room for {name} (units)" for name in names], capacity),
        "stock": Block(batches, np.repeat(capacity, problem.life + 1)),
        "events": Block([f"days from yesterday until {event}" for event in spec.events], spec.horizon, low=-UNBOUNDED),
        "deliveries": Block(arriving, np.repeat(capacity, room)),
    }
