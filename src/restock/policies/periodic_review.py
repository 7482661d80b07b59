"""(R, S): every R periods, raise each node's inventory position to its level."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.operations import positive, when
from restock.policies._base import Information
from restock.policies.level_text import level_parameters
from restock.policies.levels import LevelPolicy, order_quantities
from restock.policies.parameters import Packing, Parameter
from restock.problems.network import NetworkProblem


def quantity(t: int, j: int, missing: Any, goodwill: Any, own: Any) -> Any:
    """Return what the position lacks of the level in every R-th period, from 0 on."""
    return when(0.5 - t % own.review, positive(missing), 0.0)


class PeriodicReview(LevelPolicy):
    """The (R, S) policy: order up to S_j every R periods, and nothing in between.

    In periods 0, R, 2 R, ... node j orders positive(S_j(t) - IP_j). By default

        mean over n = L_j + 1, ..., L_j + R of P(D_n <= S_j(t)) = b / (b + h_j)

    where D_n is the demand of n periods: an order has to do for so many, and costs arise in each (see
    `LevelPolicy.over_a_cycle`). R is by default the shortest of the nodes' reorder intervals
    sqrt(2 K / (h lambda)), rounded down, 1 without fixed costs, and not so long that the capacity of a
    period cannot make what is used up in R periods. Notation, suppliers, end of the horizon:
    see `restock.policies.levels`. Source: Silver, Pyke, Thomas (2017), Inventory and Production Management
    in Supply Chains, ch. 6. Good where trucks go on fixed days, or many goods are ordered together.

    Args:
        problem: A supply network.
        review: Periods from order to order [R], a whole number.
        levels: S (units), one number or {node: number}.
        multiples: S as a multiple of the mean coming demand: one number, {node: number} or {node: list}; a list
            is spread evenly over the horizon and joined by straight lines; under goodwill S moves
            with it.
        service: Critical ratio in (0, 1), one number or {node: number}, in place of b / (b + h).
        shares: How much each link gets of what its buyer orders, {link: number}; default:
            inversely to the landed cost of a unit.
        echelon: Whether positions count what lies downstream.
        information: `blind` plans for the configured prior, `informed` for the mean curve.

    Raises:
        InvalidInput: A parameter is not a usable number, or levels are given in two ways.
    """

    name: ClassVar[str] = "R-S"
    summary: ClassVar[str] = "(R, S): every R periods, order up to S"
    may_know: ClassVar[tuple[Information, ...]] = ("blind", "informed")
    helpers = (quantity,)
    packing = Packing(
        "Reviews",
        __name__,
        review=Parameter((), "periods", "from one order to the next", "review"),
        **level_parameters("level"),
    )

    def __init__(
        self,
        problem: NetworkProblem,
        review: Any = None,
        levels: Any = None,
        multiples: Any = None,
        service: Any = None,
        shares: Any = None,
        echelon: bool = False,
        information: Information | None = None,
    ) -> None:
        super().__init__(problem, information, echelon, shares)
        self.review = self._interval() if review is None else review
        whole = isinstance(self.review, (int, np.integer)) and not isinstance(self.review, bool)
        if not whole or not 1 <= self.review <= self.plan.horizon:
            what = f"must be an integer number of periods, 1 to {self.plan.horizon}"
            raise InvalidInput("review", review, what, "Write for instance 7.")
        self.planned("levels", levels, multiples, service, int(self.review))
        self.reads_levels(review=float(self.review))

    def _interval(self) -> int:
        """Return the shortest reorder interval that a node with a fixed cost has, as far as capacity allows."""
        nodes = self.problem.fixed.nodes
        quantity = order_quantities(self)
        costly = quantity > 0.0
        if not costly.any():
            return 1
        interval = (quantity[costly] / np.maximum(self.rate[costly], 1e-9)).min()
        allowed = (nodes.capacity / np.maximum(self.rate * nodes.units_out, 1e-9)).min()
        return int(np.clip(min(interval, allowed), 1, self.plan.horizon))
