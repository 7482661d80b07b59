"""Base-stock: raise each node's inventory position to its level, every period."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.operations import positive, when
from restock.core.problem import Array
from restock.policies._base import Information
from restock.policies.flows import mean_flow, per_entity
from restock.policies.levels import LevelPolicy
from restock.policies.ratios import critical_ratios, quantiles
from restock.problems.network import NetworkProblem
from restock.problems.network.interface import echelon_position


def act(
    t: int, parameters: Any, nodes: Any, links: Any, markets: Any, rules: Any, state: Any, chance: Any, flows: Any
) -> None:
    """Order up to the level of the period, suppliers sharing; nothing that would come too late."""
    n = len(state.on_hand)
    e = len(flows.ordered)
    position = flows.used
    echelon_position(position, parameters[0:e], parameters[e : 2 * e], links, markets, state)
    goodwill = 1.0 + parameters[4 * e] * (state.sentiment[0] - 1.0)
    level = 4 * e + 1 + t * n
    for i in range(e):
        j = links.buyer[i]
        gap = positive(parameters[level + j] * goodwill - position[j])
        flows.ordered[i] = when(parameters[3 * e + i] - t, parameters[2 * e + i] * gap, 0.0)


class BaseStock(LevelPolicy):
    """Installation base-stock policy: levels from the newsvendor formula, given, or multiples of coming demand.

    Every period node j orders positive(S_j - IP_j). Without `levels` or `multiples`

        S_j = mu_j (L_j + 1) + z(CR_j) sigma_j sqrt(L_j + 1)

    where mu_j and sigma_j are mean and standard deviation of what leaves node j in a period, L_j is its
    longest lead time and CR_j = b / (b + h_j) the critical ratio: b is the largest shortage cost
    downstream (plus the margin where sales are lost), h_j the node's holding cost. With `multiples`
    S_j(t) = multiple_j(t) D_j(t), so levels follow the mean curve and the end of the horizon; under
    goodwill they move with it. Notation, suppliers, end of the horizon: see `restock.policies.levels`.
    Source: Zipkin (2000), Foundations of Inventory Management, ch. 6. Good where orders have no
    fixed cost; along a chain echelon levels do better.

    Args:
        problem: A supply network.
        levels: Base-stock level (units), one number or one for each node (in order of `problem.nodes`).
        mean: Mean demand to plan for (units/period), one number or one for each market; default: the
            configured mean, averaged over the horizon.
        sd: Standard deviation to plan for, likewise; default: that of the distribution at `mean`.
        service: Critical ratio of every node in (0, 1), in place of b / (b + h).
        multiples: Level as a multiple of the mean coming demand: one number, one for each node, or a list
            of those, spread evenly over the horizon and joined by straight lines.
        shares: How much each link gets of what its buyer orders, one number for each link; default:
            inversely to the landed cost of a unit.
        information: `blind` plans for the configured prior, `informed` for the mean curve.

    Raises:
        InvalidInput: A parameter is not a usable number, or levels are given in two ways.
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
        multiples: Any = None,
        shares: Any = None,
        information: Information | None = None,
    ) -> None:
        super().__init__(problem, information, False, shares)

        def formula() -> Array:
            return newsvendor_levels(self.problem, mean, sd, service)[None]

        self.planned("levels", levels, multiples, service, formula=formula, mean=mean, sd=sd)
        self.parameters = self.pack()

    def parameters_in_words(self) -> dict[str, Any]:
        """The level of each node in the first period (in all, but for multiples of a mean that moves)."""
        return self.by_node("level", self.levels)


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
    levels: Array = np.maximum(out * cover + quantiles(ratio) * spread * np.sqrt(cover), 0.0)
    return levels
