"""Stores as the recorded cases describe them, and decisions as they were sent."""

from __future__ import annotations

from typing import Any

import numpy as np

import restock


def store(case: dict[str, Any], **changes: Any) -> Any:
    """The store of a recorded case."""
    given = case["task_config"]
    published: Any = restock.load_problem("retail-medium")
    products = []
    for product in published.spec.products:
        name = product.name
        update = {
            "initial_stock": given["initial_stock"][name],
            "capacity": given["inventory_capacity"][name],
            "demand": given["base_demand"][name],
        }
        products.append(product.model_copy(update=update))
    effects = published.spec.event_effects | {event: {} for event in given["events"] if event == "mystery_event"}
    return restock.load_problem(
        "retail-medium",
        name=case["name"],
        seed=given["seed"],
        horizon=given["max_days"],
        initial_cash=given["initial_cash"],
        products=products,
        events=given["events"],
        event_effects=effects,
        **changes,
    )


def exogenous(case: dict[str, Any], problem: Any) -> dict[str, Any]:
    """Demand and jitter as `reset` takes them."""
    demand = [[step["demand_before_price"][name] for name in problem.names] for step in case["steps"]]
    jitter = np.zeros((len(demand), len(problem.names)))
    for t, step in enumerate(case["steps"]):
        for order in step["accepted_orders"]:
            jitter[t, problem.names.index(order["product"])] = order["jitter"]
    return {"demand": demand, "jitter": jitter}


def sent(problem: Any, action: dict[str, Any]) -> Any:
    """The decision a recorded action asks for, with what an `Action` refuses; products there are not are left out."""
    count = len(problem.names)
    found = np.zeros(3 * count + 1)
    found[2 * count + 1 :] = 1.0
    for field, start in (("buy_quantities", 0), ("liquidate", count + 1), ("price_multipliers", 2 * count + 1)):
        for name, amount in action.get(field, {}).items():
            if name in problem.names:
                found[start + problem.names.index(name)] = amount
    ways = [delivery.name for delivery in problem.spec.deliveries]
    found[count] = ways.index(action.get("delivery_method", "slow"))
    return found
