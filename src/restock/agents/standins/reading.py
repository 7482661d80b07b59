"""The state behind an observation in JSON, as a policy sees it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from restock.core.problem import Array, Problem
from restock.policies._base import View

Seen = Mapping[str, Any]


def object_in(text: str) -> dict[str, Any]:
    """Return the first JSON object in a text, after other words."""
    found: dict[str, Any] = json.JSONDecoder().raw_decode(text, text.index("{"))[0]
    return found


def view_of(problem: Problem, seen: Seen) -> View:
    """Return the view of a policy that decides from the present state.

    Args:
        problem: What is played.
        seen: An observation of it, as plain data.
    """
    now = {name: np.zeros((1, len(columns))) for name, columns in problem.layout.columns.items()}
    read: Callable[[Any, Seen], dict[str, Any]] = _READERS.get(problem.family, _any)
    for name, values in read(problem, seen).items():
        now[name] = np.array([values], dtype=np.float64)
    return View(int(seen.get("period", seen.get("day", seen.get("current_day", 0)))), now, {}, None)


def _network(problem: Any, seen: Seen) -> dict[str, Any]:
    found = {name: list(seen[name].values()) for name in ("on_hand", "in_transit", "backlog", "unmet")}
    return found | {"sentiment": [seen["goodwill"]]}


def _sharing(problem: Any, seen: Seen) -> dict[str, Any]:
    named = {"on_hand": "on_hand", "expected": "expected_demand", "in_transit": "in_transit"}
    return {field: list(seen[name].values()) for field, name in named.items()}


def _production(problem: Any, seen: Seen) -> dict[str, Any]:
    one = {name: [seen[name]] for name in ("raw_price", "product_price", "cash")}
    return one | {"last_demand": [seen["demand"]], "on_hand": [seen["raw_material"], seen["product"]]}


def _minimal(problem: Any, seen: Seen) -> dict[str, Any]:
    return {"on_hand": [seen["on_hand"]]}


def _retail(problem: Any, seen: Seen) -> dict[str, Any]:
    count, day = len(problem.names), int(seen["current_day"])
    products: Any = problem.fixed.products
    batches = np.zeros(count + int(problem.life.sum()))
    pipe = np.zeros(count * problem.room)
    for k, name in enumerate(problem.names):
        for units, days in seen["updated_inventory"][name]:
            batches[int(products.first[k]) + (days or 0)] += units
        for delivery in seen["updated_deliveries"]:
            for units, arrival in [delivery[name]] if name in delivery else []:
                pipe[k * problem.room + arrival - day - 1] += units
    on_hand: Array = np.array([sum(batch[0] for batch in seen["updated_inventory"][name]) for name in problem.names])
    return {"on_hand": on_hand, "batches": batches, "pipe": pipe, "cash": [seen["total_cash"]]}


def _any(problem: Problem, seen: Seen) -> dict[str, Any]:
    return {name: list(values.values()) for group in ("stocks", "flows") for name, values in seen[group].items()}


_READERS: dict[str, Callable[[Any, Seen], dict[str, Any]]] = {
    "network": _network,
    "sharing": _sharing,
    "production": _production,
    "minimal": _minimal,
    "retail": _retail,
}
