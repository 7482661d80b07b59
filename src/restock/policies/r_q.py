"""(r, Q): a node at or below its reorder point orders whole batches until it is above."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.operations import positive, when
from restock.policies._base import Information, Tunable
from restock.policies.levels import LevelPolicy, order_quantities
from restock.policies.s_s import read_batches, tunable_batches
from restock.problems.network import NetworkProblem
from restock.problems.network.interface import echelon_position


def act(
    t: int, parameters: Any, nodes: Any, links: Any, markets: Any, rules: Any, state: Any, chance: Any, flows: Any
) -> None:
    """At or below the reorder point of the period, order the fewest batches that lead above it."""
    n = len(state.on_hand)
    e = len(flows.ordered)
    position = flows.used
    echelon_position(position, parameters[0:e], parameters[e : 2 * e], links, markets, state)
    goodwill = 1.0 + parameters[4 * e] * (state.sentiment[0] - 1.0)
    batch = 4 * e + 1
    reorder = batch + n + t * n
    for i in range(e):
        j = links.buyer[i]
        # The least unit lets a position that is the reorder point but for rounding count as reached.
        missing = parameters[reorder + j] * goodwill - position[j] + 1e-9
        count = positive(missing) // parameters[batch + j] + 1.0
        order = when(missing, count * parameters[batch + j], 0.0)
        flows.ordered[i] = when(parameters[3 * e + i] - t, parameters[2 * e + i] * order, 0.0)


class ReorderPointQuantity(LevelPolicy):
    """The (r, Q) policy, also (r, nQ): order batches of Q_j once the inventory position has fallen to r_j.

    Every period node j orders n Q_j if IP_j <= r_j, with the least n that leads above r_j. By default

        r_j(t) = E[D_j(t)] + z_j sd[D_j(t)],     Q_j = sqrt(2 K_j lambda_j / h_j)

    with the demand D_j that comes until an order arrives, z_j the normal quantile of b / (b + h_j), and
    the economic order quantity Q_j of the node's fixed costs K_j, usage rate lambda_j and holding cost
    h_j; without fixed costs Q_j is what the node uses up in a period. Notation, suppliers, end of the
    horizon: see `restock.policies.levels`. Sources: Harris (1913), How many parts to make at once; Hadley and
    Whitin (1963), Analysis of Inventory Systems, ch. 4; Zipkin (2000), Foundations of Inventory
    Management, ch. 6. Good where goods come in pallets or lots, and where orders cost something by
    themselves.

    Args:
        problem: A supply network.
        reorder_points: r (units), one number or one for each node (in order of `problem.nodes`).
        multiples: r as a multiple of the mean coming demand: one number, one for each node, or a list of
            those, spread evenly over the horizon and joined by straight lines; under goodwill r moves with
            it.
        batches: Q in periods of what the node uses up, one number or one for each node, above 0.
        service: Critical ratio in (0, 1), one or one for each node, in place of b / (b + h).
        shares: How much each link gets of what its buyer orders, one number for each link; default:
            inversely to the landed cost of a unit.
        echelon: Whether positions count what lies downstream.
        information: `blind` plans for the configured prior, `informed` for the mean curve.

    Raises:
        InvalidInput: A parameter is not a usable number, or reorder points are given in two ways.
    """

    name: ClassVar[str] = "r-Q"
    summary: ClassVar[str] = "(r, Q): at the reorder point r, order batches of Q"
    may_know: ClassVar[tuple[Information, ...]] = ("blind", "informed")
    text = staticmethod(act)

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
        self.planned("reorder_points", reorder_points, multiples, service)
        if batches is None:
            self.batch = order_quantities(self)
            self.batch = np.where(self.batch > 0.0, self.batch, self.rate)
        else:
            self.batch = read_batches(batches, self)
            if not (np.asarray(batches) > 0.0).all():
                raise InvalidInput("batches", batches, "a batch is more than nothing", "Write for instance 5.")
        self.batch = np.maximum(self.batch, 1e-6)  # of a node that nobody needs
        self.parameters = self.pack(self.batch)

    def parameters_in_words(self) -> dict[str, Any]:
        """Reorder point r of each node in the first period, and batch Q."""
        return {**self.by_node("reorder point", self.levels), **self.by_node("batch", self.batch)}

    def tunables(self) -> dict[str, Tunable]:
        """Multiples, shares and batches."""
        return {**super().tunables(), "batches": tunable_batches(self, self.batch, least=0.01)}
