"""Base-stock: raise each node's inventory position to its level, every period."""

from __future__ import annotations

from graphlib import TopologicalSorter
from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.operations import positive, when
from restock.core.problem import Array
from restock.policies._base import Information, TextPolicy
from restock.policies.flows import last_useful_period, mean_flow, per_entity, supplier_shares
from restock.problems.network import NetworkProblem
from restock.problems.network.interface import inventory_position


def act(
    t: int, parameters: Any, nodes: Any, links: Any, markets: Any, rules: Any, state: Any, chance: Any, flows: Any
) -> None:
    """Order up to the level parameters[j], suppliers sharing; nothing that would come too late."""
    n = len(state.on_hand)
    e = len(flows.ordered)
    position = flows.used
    inventory_position(position, links, markets, state)
    for i in range(e):
        j = links.buyer[i]
        gap = positive(parameters[j] - position[j])
        flows.ordered[i] = when(parameters[n + e + i] - t, parameters[n + i] * gap, 0.0)


class BaseStock(TextPolicy):
    """Installation base-stock policy with levels from the newsvendor formula, or given.

    S_j = mu_j (L_j + 1) + z(CR_j) sigma_j sqrt(L_j + 1), where mu_j and sigma_j are mean and standard
    deviation of what leaves node j in a period, L_j is its longest lead time and CR_j = b / (b + h_j)
    the critical ratio: b is the largest shortage cost downstream (plus the margin where sales are
    lost), h_j the node's holding cost. Source: Zipkin (2000), Foundations of Inventory Management, ch. 6.

    A node with several suppliers splits its order inversely to their landed cost. Orders that cannot
    reach a market before the horizon are not placed.

    Args:
        problem: A supply network.
        levels: Base-stock level, one number or one for each node (in order of `problem.nodes`).
        mean: Mean demand to plan for, one number or one for each market; default: the configured
            mean, averaged over the horizon.
        sd: Standard deviation to plan for, likewise; default: that of the distribution at `mean`.
        service: Critical ratio of every node in (0, 1), in place of b / (b + h).
        information: `blind` plans for the configured prior, `informed` for the mean curve.

    Raises:
        InvalidInput: A parameter is not a usable number, or `levels` comes with the others.
    """

    name: ClassVar[str] = "base-stock"
    summary: ClassVar[str] = "order up to a level at each node (newsvendor formula, or given levels)"
    may_know: ClassVar[tuple[Information, ...]] = ("blind", "informed")
    text = staticmethod(act)

    def __init__(
        self,
        problem: NetworkProblem,
        levels: Any = None,
        mean: Any = None,
        sd: Any = None,
        service: Any = None,
        information: Information | None = None,
    ) -> None:
        super().__init__(problem, information)
        problem = self.problem
        if levels is not None:
            for name, value in (("mean", mean), ("sd", sd), ("service", service)):
                if value is not None:
                    raise InvalidInput(name, value, "levels are given, so there is nothing to plan", "Drop one.")
            self.levels = per_entity("levels", levels, problem.nodes)
        else:
            self.levels = newsvendor_levels(problem, mean, sd, service)
        self.parameters = np.concatenate([self.levels, supplier_shares(problem), last_useful_period(problem)])

    def parameters_in_words(self) -> dict[str, Any]:
        """The level of each node."""
        return {f"level {node}": float(s) for node, s in zip(self.problem.nodes, self.levels, strict=True)}


def newsvendor_levels(problem: NetworkProblem, mean: Any = None, sd: Any = None, service: Any = None) -> Array:
    """Base-stock levels by the newsvendor formula, shape (N,) (units); see `BaseStock`.

    Raises:
        InvalidInput: A parameter is not a usable number.
    """
    markets = problem.markets
    mu = problem.demand.mean.mean(axis=0) if mean is None else per_entity("mean", mean, markets)
    sigma = problem.demand.noise_scale * problem.demand.distribution.deviation(mu)
    sigma = sigma if sd is None else per_entity("sd", sd, markets)
    if service is not None and not (isinstance(service, (int, float)) and 0.0 < service < 1.0):
        raise InvalidInput("service", service, "a critical ratio lies between 0 and 1", "Write for instance 0.95.")
    out, _ = mean_flow(problem, mu)
    # Nodes see the deviations of the markets downstream in proportion to the flow they carry for them.
    each = [mean_flow(problem, deviation)[0] for deviation in np.diag(sigma)]
    spread = np.sqrt((np.array(each) ** 2).sum(axis=0))
    lead = {node: 0 for node in problem.nodes}
    for link in problem.spec.ordered_links:
        lead[link.target] = max(lead[link.target], link.lead_time)
    cover = np.array([lead[node] + 1.0 for node in problem.nodes])
    ratio = np.array([service] * len(cover)) if service is not None else critical_ratios(problem)
    z = np.array([NormalDist().inv_cdf(float(r)) for r in ratio])
    levels: Array = np.maximum(out * cover + z * spread * np.sqrt(cover), 0.0)
    return levels


def critical_ratios(problem: NetworkProblem) -> Array:
    """The critical ratio b / (b + h) of each node, shape (N,), kept within [0.5, 0.999]."""
    links = problem.spec.ordered_links
    buyers: dict[Any, set[Any]] = {node.id: set() for node in problem.spec.managed}
    for link in links:
        buyers.setdefault(link.source, set()).add(link.target)
    downstream: dict[Any, set[Any]] = {}
    for node_id in TopologicalSorter(buyers).static_order():
        downstream[node_id] = {node_id}.union(*(downstream[buyer] for buyer in buyers[node_id]))
    ratios = []
    for node in problem.spec.managed:
        reach = downstream[node.id]
        worst = 0.0
        for market in problem.spec.ordered_markets:
            if market.source in reach:
                paid = min(link.price for link in links if link.target == market.source)
                margin = 0.0 if problem.spec.backlog else max(market.price - paid, 0.0)
                worst = max(worst, market.shortage_cost + margin)
        holding = node.holding_cost or 0.0
        ratio = worst / (worst + holding) if worst + holding > 0.0 else 0.5
        ratios.append(min(max(ratio, 0.5), 0.999))
    return np.array(ratios)
