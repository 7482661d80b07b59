"""(r, Q): a node at or below its reorder point orders whole batches until it is above."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.operations import positive, when
from restock.policies._base import Information, Tunable
from restock.policies.fixed_cost import Rule, optimal_points, read_batches, smallest_batches, whole_demand
from restock.policies.level_text import level_parameters
from restock.policies.levels import LevelPolicy
from restock.policies.parameters import NODE, Packing, Parameter
from restock.policies.s_s import tunable_batches
from restock.problems.network import NetworkProblem
from restock.solvers.reorder_point import best_r, optimal_r_Q


def quantity(t: int, j: int, missing: Any, goodwill: Any, own: Any) -> Any:
    """Return the fewest batches that lead above the reorder point, at that or below it."""
    # The least unit lets a position that is the reorder point but for rounding count as reached.
    lacking = missing + 1e-9
    return when(lacking, (positive(lacking) // own.batch[j] + 1.0) * own.batch[j], 0.0)


class ReorderPointQuantity(LevelPolicy):
    """The (r, Q) policy, also (r, nQ): order batches of Q_j once the inventory position has fallen to r_j.

    Every period node j orders n Q_j if IP_j <= r_j, with the least n that leads above r_j. By default a node
    with a fixed order cost has the r and Q that are best for it alone in the long run (with batches the
    inventory position is uniform on r + 1, ..., r + Q, so the cost is a mean of one-period costs): demand at
    its mean over the horizon, a lead time as long as what has to be covered, and unmet demand that waits at
    the cost b of a unit short. r is carried to every period by its distance from the mean of the coming
    demand, in standard deviations. With `batches`, r is the best for them. Without a fixed cost Q_j is a unit
    (of demand that comes in no whole units, a twentieth of what the node uses up in a period), and r_j so much
    below the quantile of the coming demand at b / (b + h_j). Notation, suppliers, end of the horizon: see
    `restock.policies.levels`. Sources: Hadley and Whitin (1963), Analysis of Inventory Systems, ch. 4;
    Federgruen and Zheng (1992), An efficient algorithm for computing an optimal (r, Q) policy in continuous
    review stochastic inventory systems, Operations Research 40. Good where goods come in pallets or lots, and
    where orders cost something by themselves.

    Args:
        problem: A supply network.
        reorder_points: r (units), one number or {node: number}.
        multiples: r as a multiple of the mean coming demand: one number, {node: number} or {node: list}; a list
            is spread evenly over the horizon and joined by straight lines; under goodwill r moves with
            it.
        batches: Q (units), one number or {node: number}, above 0.
        service: Critical ratio in (0, 1), one number or {node: number}, in place of b / (b + h).
        shares: How much each link gets of what its buyer orders, {link: number}; default:
            inversely to the landed cost of a unit.
        echelon: Whether positions count what lies downstream.
        information: `blind` plans for the configured prior, `informed` for the mean curve.

    Raises:
        InvalidInput: A parameter is not a usable number, or reorder points are given in two ways.
    """

    name: ClassVar[str] = "r-Q"
    summary: ClassVar[str] = "(r, Q): at the reorder point r, order batches of Q"
    may_know: ClassVar[tuple[Information, ...]] = ("blind", "informed")
    helpers = (quantity,)
    packing = Packing(
        "Quantities",
        __name__,
        **level_parameters("reorder point"),
        batch=Parameter((NODE,), "units", "Q", "batch", least=0.01),
    )

    def __init__(
        self,
        problem: NetworkProblem,
        reorder_points: Any = None,
        multiples: Any = None,
        batches: Any = None,
        service: Any = None,
        shares: Any = None,
        echelon: bool = False,
        information: Information | None = None,
    ) -> None:
        super().__init__(problem, information, echelon, shares)
        given = None if batches is None else read_batches(batches, self)
        if given is not None and not (given > 0.0).all():
            raise InvalidInput("batches", batches, "must be more than 0", "Write for instance 5.")
        batch, points = given, None
        if given is None or (reorder_points is None and multiples is None):
            points, quantity = optimal_points(self, service, Rule(optimal_r_Q, lambda _, *rest: best_r(*rest)), given)
            small = smallest_batches(self)
            batch = np.where(quantity > 0.0, quantity, small)
            # In small batches the position after an order is half a batch below the level on average; a unit: at it.
            below = np.where(whole_demand(self), small, 0.5 * small)
            points = np.where(quantity > 0.0, points, points - below)
        self.planned("reorder_points", reorder_points, multiples, service, formula=lambda: np.asarray(points))
        assert batch is not None
        self.batch = np.maximum(batch, 1e-6)  # of a node that nobody needs
        self.reads_levels(batch=self.batch)

    def tunables(self) -> dict[str, Tunable]:
        """Return multiples, shares and batches."""
        return {**super().tunables(), "batches": tunable_batches(self, self.batch)}
