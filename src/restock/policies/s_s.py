"""(s, S): a node that has fallen to its reorder point orders up to its level."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from restock.core.operations import positive, when
from restock.core.problem import Array
from restock.policies._base import Information, Tunable
from restock.policies.fixed_cost import Rule, optimal_points, read_batches, until_the_end
from restock.policies.level_text import level_parameters
from restock.policies.levels import LevelPolicy
from restock.policies.parameters import NODE, PERIOD, Packing, Parameter
from restock.problems.network import NetworkProblem
from restock.solvers.reorder_point import best_s, optimal_s_S


def quantity(t: int, j: int, missing: Any, goodwill: Any, own: Any) -> Any:
    """Return what leads to the reorder point and a batch more, at the reorder point or below it."""
    # The least unit lets a position that is the reorder point but for rounding count as reached.
    return when(missing + 1e-9, positive(missing) + own.batch[j] * goodwill, 0.0)


class ReorderPointLevel(LevelPolicy):
    """The (s, S) policy: order up to S_j once the inventory position has fallen to s_j.

    Every period node j orders S_j - IP_j if IP_j <= s_j, else nothing. By default a node with a fixed order
    cost has the (s, S) that is optimal for it alone in the long run, found by the algorithm of Zheng and
    Federgruen: demand at its mean over the horizon, a lead time as long as what has to be covered, and unmet
    demand that waits at the cost b of a unit short. s is carried to every period by its distance from the
    mean of the coming demand, in standard deviations; S - s is no more than what is asked for until the
    horizon. With `batches`, s is the best for them. A node without a fixed cost has s = S, the quantile of
    its coming demand at b / (b + h_j): a base-stock policy. Notation, suppliers, end of the horizon: see
    `restock.policies.levels`. Sources: Scarf
    (1960), The optimality of (S, s) policies in the dynamic inventory problem (optimal at a single node);
    Zheng and Federgruen (1991), Finding optimal (s, S) policies is about as simple as evaluating a single
    policy, Operations Research 39. Good where orders cost something by themselves.

    Args:
        problem: A supply network.
        reorder_points: s (units), one number or {node: number}.
        multiples: s as a multiple of the mean coming demand: one number, {node: number} or {node: list}; a list
            is spread evenly over the horizon and joined by straight lines; under goodwill s and S move
            with it.
        batches: S - s (units), one number or {node: number}.
        service: Critical ratio in (0, 1), one number or {node: number}, in place of b / (b + h).
        shares: How much each link gets of what its buyer orders, {link: number}; default:
            inversely to the landed cost of a unit.
        echelon: Whether positions count what lies downstream.
        information: `blind` plans for the configured prior, `informed` for the mean curve.

    Raises:
        InvalidInput: A parameter is not a usable number, or reorder points are given in two ways.
    """

    name: ClassVar[str] = "s-S"
    summary: ClassVar[str] = "(s, S): at the reorder point s, order up to S"
    may_know: ClassVar[tuple[Information, ...]] = ("blind", "informed")
    helpers = (quantity,)
    packing = Packing(
        "Batches", __name__, **level_parameters("reorder point"), batch=Parameter((PERIOD, NODE), "units", "S - s")
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
        points, quantity = None, given
        if given is None or (reorder_points is None and multiples is None):
            points, quantity = optimal_points(self, service, Rule(optimal_s_S, best_s), given)
        self.planned("reorder_points", reorder_points, multiples, service, formula=lambda: np.asarray(points))
        shape = (self.plan.horizon, len(self.problem.nodes))
        assert quantity is not None
        self.batch = until_the_end(self, quantity) if given is None else np.broadcast_to(given, shape)
        self.reads_levels(batch=self.batch)

    def parameters_in_words(self) -> dict[str, Any]:
        """Return the reorder point s and level S of each node in the first period."""
        return {**super().parameters_in_words(), **self.by_node("order-up-to level", self.levels + self.batch[0])}

    def tunables(self) -> dict[str, Tunable]:
        """Return multiples, shares and batches."""
        return {**super().tunables(), "batches": tunable_batches(self, self.batch[0])}


def tunable_batches(policy: LevelPolicy, batch: Array) -> Tunable:
    """Return batches, from those in force on (units)."""
    assert policy.packing is not None
    least, most = policy.packing["batch"].least, 40.0 * policy.rate + batch + 1.0
    return Tunable(
        np.clip(batch, least, most), 0.25 * (policy.rate + batch) + 1e-3, np.full_like(batch, least), most,
        names=policy.nodes,
    )  # fmt: skip
