"""Forms of action and observation of shared stock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.problem import UNBOUNDED, ActionForm, ObservationForm, choose
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
    bounds, zero = np.full(n * n, float(most)), np.zeros(n * n)
    arrows = [f"{j} -> {i}" for i in range(n) for j in range(n)]
    if kind == "normalized":
        labels = tuple(f"order {arrow} (-1: nothing, 1: {most:g})" for arrow in arrows)
        words = "order from each location to each, -1 for nothing and 1 for the most"
        return ActionForm(kind, labels, zero - 1.0, zero + 1.0, bounds, False, words)
    labels = tuple(f"order {arrow} (units)" for arrow in arrows)
    if kind == "quantity":
        words = "units ordered, all sources of the first location, then of the next"
        return ActionForm(kind, labels, zero, bounds, bounds, False, words)
    return ActionForm(kind, labels, zero, bounds, bounds, False, "units ordered, a[to][from]", (n, n))


def observation_form(problem: SharingProblem, kind: str) -> ObservationForm:
    """Return the observation form of that kind.

    `dict`: the blocks inventory, expected_demand, expected_demand_ratio and pipeline_inventory. `flat`: the same
    numbers in one row. `scaled`: each over a fixed yardstick (stock at the start, most that is expected on a day).

    Raises:
        InvalidInput: No such kind.
    """
    choose(kind, problem.observation_kinds, "observation")
    n = problem.spec.n_locations
    blocks = {
        "inventory": "inventory of {}",
        "expected_demand": "expected demand of {}",
        "expected_demand_ratio": "inventory over expected demand of {}",
        "pipeline_inventory": "coming to {}",
    }
    labels = tuple(text.format(i) for text in blocks.values() for i in range(n))
    groups = {name: slice(k * n, (k + 1) * n) for k, name in enumerate(blocks)}
    scale = np.ones(4 * n)
    if kind == "scaled":
        stock = np.maximum(problem.start, 1.0)
        need = np.maximum(problem.expected.max(axis=0), 1e-6)
        scale = 1.0 / np.concatenate([stock, need, stock / need, np.full(n, MOST)])
    return ObservationForm(kind, labels, np.zeros(4 * n), np.full(4 * n, UNBOUNDED), scale, groups)
