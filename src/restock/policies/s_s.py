"""(s, S): a node that has fallen to its reorder point orders up to its level."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from restock.core.operations import positive, when
from restock.core.problem import Array
from restock.policies._base import Information, Tunable
from restock.policies.flows import per_entity
from restock.policies.levels import LevelPolicy, order_quantities
from restock.problems.network import NetworkProblem
from restock.problems.network.interface import echelon_position


def act(
    t: int, parameters: Any, nodes: Any, links: Any, markets: Any, rules: Any, state: Any, chance: Any, flows: Any
) -> None:
    """At or below the reorder point of the period, order up to that and a batch more."""
    n = len(state.on_hand)
    e = len(flows.ordered)
    position = flows.used
    echelon_position(position, parameters[0:e], parameters[e : 2 * e], links, markets, state)
    goodwill = 1.0 + parameters[4 * e] * (state.sentiment[0] - 1.0)
    batch = 4 * e + 1
    reorder = batch + n + t * n
    for i in range(e):
        j = links.buyer[i]
        missing = parameters[reorder + j] * goodwill - position[j]
        # The least unit lets a position that is the reorder point but for rounding count as reached.
        order = when(missing + 1e-9, positive(missing) + parameters[batch + j] * goodwill, 0.0)
        flows.ordered[i] = when(parameters[3 * e + i] - t, parameters[2 * e + i] * order, 0.0)


class ReorderPointLevel(LevelPolicy):
    """The (s, S) policy: order up to S_j once the inventory position has fallen to s_j.

    Every period node j orders S_j - IP_j if IP_j <= s_j, else nothing. By default

        s_j(t) = E[D_j(t)] + z_j sd[D_j(t)],     S_j = s_j + Q_j,     Q_j = sqrt(2 K_j lambda_j / h_j)

    with the demand D_j that comes until an order arrives, z_j the normal quantile of b / (b + h_j), and
    the economic order quantity Q_j of the node's fixed costs K_j, usage rate lambda_j and holding cost
    h_j. Without fixed costs that is a base-stock policy. Notation, suppliers, end of the horizon: see
    `restock.policies.levels`. Sources: Scarf (1960), The optimality of (S, s) policies in the dynamic
    inventory problem (optimal at a single node); Zipkin (2000), Foundations of Inventory Management,
    ch. 9 for s and Q from the two formulas. Good where orders cost something by themselves.

    Args:
        problem: A supply network.
        reorder_points: s (units), one number or one for each node (in order of `problem.nodes`).
        multiples: s as a multiple of the mean coming demand: one number, one for each node, or a list of
            those, spread evenly over the horizon and joined by straight lines; under goodwill s and S move
            with it.
        batches: S - s in periods of what the node uses up, one number or one for each node; default: Q.
        service: Critical ratio in (0, 1), one or one for each node, in place of b / (b + h).
        shares: How much each link gets of what its buyer orders, one number for each link; default:
            inversely to the landed cost of a unit.
        echelon: Whether positions count what lies downstream.
        information: `blind` plans for the configured prior, `informed` for the mean curve.

    Raises:
        InvalidInput: A parameter is not a usable number, or reorder points are given in two ways.
    """

    name: ClassVar[str] = "s-S"
    summary: ClassVar[str] = "(s, S): at the reorder point s, order up to S"
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
        self.batch = order_quantities(self) if batches is None else read_batches(batches, self)
        self.parameters = self.pack(self.batch)

    def parameters_in_words(self) -> dict[str, Any]:
        """Reorder point s and level S of each node in the first period."""
        return {
            **self.by_node("reorder point", self.levels),
            **self.by_node("order-up-to level", self.levels + self.batch),
        }

    def tunables(self) -> dict[str, Tunable]:
        """Multiples, shares and batches."""
        return {**super().tunables(), "batches": tunable_batches(self, self.batch, least=0.0)}


def read_batches(batches: Any, policy: LevelPolicy) -> Array:
    """Batches given in periods of what each node uses up, as units, shape (N,).

    Raises:
        InvalidInput: They are not numbers of at least 0.
    """
    return np.asarray(per_entity("batches", batches, policy.problem.nodes) * policy.rate)


def tunable_batches(policy: LevelPolicy, batch: Array, least: float) -> Tunable:
    """Batches in periods of what each node uses up, from those in force on (but 20 of them at most)."""
    periods = np.divide(batch, policy.rate, out=np.ones_like(batch), where=policy.rate > 0.0)
    low = np.full_like(batch, least)
    return Tunable(np.clip(periods, least, 20.0), 0.25 * (1.0 + periods), low, np.full_like(batch, 40.0))
