"""Echelon base-stock: raise the stock at and below each node to its level, every period."""

from __future__ import annotations

from typing import Any, ClassVar

from restock.policies._base import Information
from restock.policies.base_stock import quantity
from restock.policies.level_text import level_parameters
from restock.policies.levels import LevelPolicy
from restock.policies.parameters import Packing
from restock.problems.network import NetworkProblem


class EchelonBaseStock(LevelPolicy):
    """Echelon base-stock policy with levels from newsvendor bounds, given, or multiples of coming demand.

    Every period node j orders positive(S_j(t) - IP_j), where IP_j counts the node's own inventory position
    and all that lies downstream of it. Where a node has several suppliers, each counts what lies
    downstream by its share, so that no unit is counted twice. Without `levels` or `multiples`

        S_j(t) = E[D_j(t)] + z_j sd[D_j(t)]

    where D_j(t) is the demand until an order of period t is sold, cut off at the horizon, and z_j the
    mean of the normal quantiles of (b + H_(j+1)) / (b + H_1) and (b + H_(j+1)) / (b + H_j) with the
    local holding costs H of the node j, its supplier j + 1 and the retailer 1. Notation, suppliers, end
    of the horizon: see `restock.policies.levels`. Sources: Clark and Scarf (1960), Optimal policies for
    a multi-echelon inventory problem, Management Science 6 (optimal for serial systems with backlog);
    Shang and Song (2003), Newsvendor bounds and heuristic for optimal policies in serial supply chains,
    Management Science 49. Good in chains with backlog and without fixed costs.

    Args:
        problem: A supply network.
        levels: Echelon level (units), one number or {node: number}.
        service: Critical ratio in (0, 1), one number or {node: number}, in place of those above.
        multiples: Level as a multiple of the mean coming demand: one number, {node: number} or {node: list}; a list
            is spread evenly over the horizon and joined by straight lines; under goodwill levels
            move with it.
        shares: How much each link gets of what its buyer orders, {link: number}; default:
            inversely to the landed cost of a unit.
        information: `blind` plans for the configured prior, `informed` for the mean curve.

    Raises:
        InvalidInput: A parameter is not a usable number, or levels are given in two ways.
    """

    name: ClassVar[str] = "echelon-base-stock"
    summary: ClassVar[str] = "order up to a level of all that stands at and below each node"
    may_know: ClassVar[tuple[Information, ...]] = ("blind", "informed")
    helpers = (quantity,)
    packing = Packing("EchelonLevels", __name__, **level_parameters("echelon level"))

    def __init__(
        self,
        problem: NetworkProblem,
        levels: Any = None,
        service: Any = None,
        multiples: Any = None,
        shares: Any = None,
        information: Information | None = None,
    ) -> None:
        super().__init__(problem, information, True, shares)
        self.planned("levels", levels, multiples, service)
        self.reads_levels()
