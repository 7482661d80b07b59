"""Forms of action and observation of shared stock."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.forms import ActionForm, Block, bounded, choose
from restock.core.validation import LARGEST

if TYPE_CHECKING:
    from restock.problems.sharing.problem import SharingProblem

MOST = 100.0  # units of one order, as in the published example


def action_form(problem: SharingProblem, kind: str, max_order: Any = None) -> ActionForm:
    """Return the action form of that kind.

    `matrix`: units ordered, a[to][from], 0 to 100 (`max_order` overrides that), shape (n, n).
    `quantity`: the same numbers in one row. `normalized`: the same bound mapped to [-1, 1]; -1 orders nothing.

    Raises:
        InvalidInput: No such kind, or a bad `max_order`.
    """
    choose(kind, problem.action_kinds, "action")
    n = problem.spec.n_locations
    most = MOST if max_order is None else max_order
    if isinstance(most, bool) or not isinstance(most, (int, float, np.integer, np.floating)) or not 0 < most <= LARGEST:
        raise InvalidInput("max_order", max_order, "this is the most units of one order", "Write a positive number.")
    bounds = np.full(n * n, float(most))
    arrows = [f"order {j} -> {i}" for i in range(n) for j in range(n)]
    if kind == "normalized":
        return bounded(kind, arrows, bounds, "order from each location to each")
    form = bounded("quantity", arrows, bounds, "units ordered, all sources of the first location, then of the next")
    return form if kind == "quantity" else replace(form, kind=kind, words="units ordered, a[to][from]", shape=(n, n))


def seen(problem: SharingProblem) -> dict[str, Block]:
    """Return the blocks of the observation; yardsticks: stock at the start, and the most that is expected on a day."""
    stock, need = np.maximum(problem.start, 1.0), np.maximum(problem.expected.max(axis=0), 1e-6)

    def block(words: str, yardstick: Any) -> Block:
        return Block([f"{words} {i}" for i in range(problem.spec.n_locations)], yardstick)

    return {
        "inventory": block("inventory of", stock),
        "expected_demand": block("expected demand of", need),
        "expected_demand_ratio": block("inventory over expected demand of", stock / need),
        "pipeline_inventory": block("coming to", MOST),
    }
