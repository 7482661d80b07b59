"""Critical ratios: how sure a node should be to serve what comes, from shortage and holding costs."""

from __future__ import annotations

from graphlib import TopologicalSorter
from statistics import NormalDist
from typing import Any

import numpy as np

from restock.core.problem import Array
from restock.policies.plan import plan_of
from restock.problems.network import NetworkProblem


def shortage_costs(problem: NetworkProblem) -> Array:
    """Largest cost of a unit short downstream of each node [b], shape (N,): its margin too where sales are lost."""
    links = problem.spec.ordered_links
    buyers: dict[Any, set[Any]] = {node.id: set() for node in problem.spec.managed}
    for link in links:
        buyers.setdefault(link.source, set()).add(link.target)
    downstream: dict[Any, set[Any]] = {}
    for node_id in TopologicalSorter(buyers).static_order():
        downstream[node_id] = {node_id}.union(*(downstream[buyer] for buyer in buyers[node_id]))
    costs = []
    for node in problem.spec.managed:
        reach = downstream[node.id]
        worst = 0.0
        for market in problem.spec.ordered_markets:
            if market.source in reach:
                paid = min(link.price for link in links if link.target == market.source)
                margin = 0.0 if problem.spec.backlog else max(market.price - paid, 0.0)
                worst = max(worst, market.shortage_cost + margin)
        costs.append(worst)
    return np.array(costs)


def critical_ratios(problem: NetworkProblem) -> Array:
    """The critical ratio b / (b + h) of each node, shape (N,), kept within [0.5, 0.999]."""
    shortage = shortage_costs(problem)
    whole = shortage + np.array([node.holding_cost or 0.0 for node in problem.spec.managed])
    ratio = np.divide(shortage, whole, out=np.full_like(whole, 0.5), where=whole > 0.0)
    return np.asarray(np.clip(ratio, 0.5, 0.999))


def echelon_ratios(problem: NetworkProblem, shares: Array) -> tuple[Array, Array]:
    """Lower and upper critical ratios of the echelon levels after Shang and Song, each of shape (N,).

    For a serial system they are (b + H_(j+1)) / (b + H_1) and (b + H_(j+1)) / (b + H_j), where H_j is
    the holding cost of node j, j + 1 its supplier and 1 the retailer. Here b is the largest shortage
    cost downstream (plus the margin where sales are lost), H_1 the largest holding cost of a retailer
    downstream, and H_(j+1) the mean of the suppliers by their shares (0 for an outside source). Kept
    within [0.5, 0.999].
    """
    plan = plan_of(problem)
    own = np.array([node.holding_cost or 0.0 for node in problem.spec.managed])
    shortage = shortage_costs(problem)
    retail = np.zeros(len(own))
    retail[plan.retailer] = own[plan.retailer]
    for i in plan.inner:
        j = plan.supplier[i]
        if j >= 0:
            retail[j] = max(retail[j], retail[plan.buyer[i]])
    behind = np.where(plan.supplier >= 0, own[plan.supplier], 0.0)
    above = np.bincount(plan.buyer, shares * behind, minlength=len(own))

    def ratio(holding: Array) -> Array:
        whole = shortage + holding
        plain = np.divide(shortage + above, whole, out=np.full_like(own, 0.5), where=whole > 0.0)
        return np.asarray(np.clip(plain, 0.5, 0.999))

    return ratio(retail), ratio(own)


def quantiles(ratios: Array) -> Array:
    """Standard normal quantiles of ratios in (0, 1), same shape."""
    return np.array([NormalDist().inv_cdf(float(ratio)) for ratio in ratios])
