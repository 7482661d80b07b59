"""Flows and lead times of a network, and when an order is still useful."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Any

import numpy as np

from restock.core.errors import InvalidInput, nearest
from restock.core.problem import Array
from restock.problems.network import NetworkProblem


def supplier_shares(problem: NetworkProblem) -> Array:
    """Return the share of each link in its buyer's orders, shape (E,); shares of a buyer add up to 1.

    Inversely proportional to the landed cost of a unit: price + pipeline cost * lead time.
    """
    landed = np.array([k.price + k.pipeline_cost * k.lead_time + 1e-9 for k in problem.spec.ordered_links])
    weight = 1.0 / landed
    buyers = [buyer for _, buyer in problem.links]
    total = {buyer: sum(w for w, b in zip(weight, buyers, strict=True) if b == buyer) for buyer in buyers}
    return np.array([w / total[b] for w, b in zip(weight, buyers, strict=True)])


def mean_flow(problem: NetworkProblem, mean: Array) -> tuple[Array, Array]:
    """Return the units a period that each node sends out and each link carries, under given mean demand.

    Args:
        problem: The network.
        mean: Mean demand of each market, shape (M,).

    Returns:
        Out-flow of the nodes, shape (N,), and flow of the links, shape (E,).
    """
    index = {node: j for j, node in enumerate(problem.nodes)}
    share = supplier_shares(problem)
    units_in = problem.fixed.nodes.units_in
    out = np.zeros(len(problem.nodes))
    flow = np.zeros(len(problem.links))
    for (retailer, _), units in zip(problem.markets, mean, strict=True):
        out[index[retailer]] += units
    sold = out.copy()
    for j in downstream_first(problem):
        needed = sold[j] + (out[j] - sold[j]) * units_in[j]
        for i, (supplier, buyer) in enumerate(problem.links):
            if buyer == problem.nodes[j]:
                flow[i] = share[i] * needed
                if supplier in index:
                    out[index[supplier]] += flow[i]
    return out, flow


def downstream_first(problem: NetworkProblem) -> list[int]:
    """Return node indices, every customer before its suppliers."""
    index = {node: j for j, node in enumerate(problem.nodes)}
    buyers: dict[int, list[int]] = {j: [] for j in range(len(problem.nodes))}
    for supplier, buyer in problem.links:
        if supplier in index:
            buyers[index[supplier]].append(index[buyer])
    return list(TopologicalSorter(buyers).static_order())


def planned_orders(problem: NetworkProblem) -> Array:
    """Return the flow of each link at the mean demand over the horizon, shape (E,)."""
    return mean_flow(problem, problem.demand.mean.mean(axis=0))[1]


def periods_to_market(problem: NetworkProblem) -> Array:
    """Return the least periods from a unit's arrival at a node to its sale, shape (N,).

    A retailer sells on the day of arrival; elsewhere a unit can be shipped on the next day.
    """
    index = {node: j for j, node in enumerate(problem.nodes)}
    retailers = {source for source, _ in problem.markets}
    wait = np.full(len(problem.nodes), np.inf)
    for j in downstream_first(problem):
        node = problem.nodes[j]
        if node in retailers:
            wait[j] = 0.0
        for link in problem.spec.ordered_links:
            if link.source == node:
                wait[j] = min(wait[j], 1.0 + link.lead_time + wait[index[link.target]])
    return wait


def last_useful_period(problem: NetworkProblem) -> Array:
    """Return the first period in which an order on the link can no longer be sold before the end, shape (E,)."""
    index = {node: j for j, node in enumerate(problem.nodes)}
    wait = periods_to_market(problem)
    return np.array(
        [problem.horizon - link.lead_time - wait[index[link.target]] for link in problem.spec.ordered_links]
    )


def per_entity(field: str, value: Any, entities: Sequence[Any]) -> Array:
    """Return an array of one number >= 0 per entity, from numbers in their order or a mapping of their names.

    Raises:
        InvalidInput: It is not.
    """
    names = [str(entity) for entity in entities]
    if isinstance(value, Mapping):
        value = _in_order(field, value, names)
    try:
        numbers = np.asarray(value)
        if numbers.dtype.kind not in "iuf":
            raise ValueError
        numbers = np.broadcast_to(numbers.astype(np.float64), (len(entities),)).copy()
    except (ValueError, TypeError):
        known = ", ".join(names)
        mend = f"Write {{{names[0]}: 1, ...}}, or numbers in that order."
        raise InvalidInput(field, value, f"must be one number, or one for each of {known}", mend) from None
    if not (np.isfinite(numbers).all() and (numbers >= 0).all()):
        raise InvalidInput(field, value, "must be finite and at least 0", "Write numbers of at least 0.")
    return numbers


def _in_order(field: str, value: Mapping[Any, Any], names: Sequence[str]) -> list[Any]:
    """Return the values of a mapping in the order of the names, which are its keys."""
    given = {str(key): entry for key, entry in value.items()}
    for name in given:
        if name not in names:
            raise InvalidInput(f"{field}.{name}", given[name], "there is no such entry", nearest(name, names))
    for name in names:
        if name not in given:
            raise InvalidInput(field, dict(value), f"{name} is missing", f"Name all of {', '.join(names)}.")
    return [given[name] for name in names]
