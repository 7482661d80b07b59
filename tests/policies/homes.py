"""A problem in which a policy can decide: `serial`, but for policies that only know small problems."""

from __future__ import annotations

from typing import Any

import restock
from restock.core.problem import Problem


def shop(lead_time: int = 2, backlog: bool = False, **changes: Any) -> dict[str, Any]:
    """A network of one stocking point; `changes` are fields of its node, link and market, and of the network."""
    node = {"id": "shop", "initial_inventory": 0, "holding_cost": 1.0}
    link = {"from": "supplier", "to": "shop", "lead_time": lead_time, "price": 0.0}
    market = {"from": "shop", "to": "customers", "price": 0.0, "shortage_cost": 4.0}
    network: dict[str, Any] = {"name": "shop", "horizon": 12, "backlog": backlog, "demand": {"mean": 5.0}}
    for place, names in ((node, ("initial_inventory", "holding_cost", "capacity", "operating_cost")),
                         (link, ("purchase", "pipeline_cost", "fixed_cost")),
                         (market, ("price", "shortage_cost"))):  # fmt: skip
        for name in names:
            if name in changes:
                place["price" if name == "purchase" else name] = changes.pop(name)
    return {**network, "nodes": [{"id": "supplier"}, node], "links": [link], "markets": [market], **changes}


def home(name: str, **changes: Any) -> Problem:
    """A problem for the policy of that name; `changes` as `load_problem` takes them."""
    if name == "optimal":  # demand that moves cannot be solved exactly
        changes.pop("demand", None)
        return restock.load_problem(shop(), **changes)
    return restock.load_problem("serial", **changes)
