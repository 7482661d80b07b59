"""Capped base-stock: order up to a level, but never more than a cap at once."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from restock.core.operations import positive, smaller
from restock.policies._base import Information, Tunable
from restock.policies.flows import per_entity
from restock.policies.level_text import level_parameters
from restock.policies.levels import RECOVERY, LevelPolicy
from restock.policies.parameters import NODE, PERIOD, Packing, Parameter
from restock.problems.network import NetworkProblem


def quantity(t: int, j: int, missing: Any, goodwill: Any, own: Any) -> Any:
    """Return what the position lacks of the level, at most the cap."""
    return smaller(positive(missing), own.cap[j])


class CappedBaseStock(LevelPolicy):
    """Base-stock with a cap: every period, node j orders min(positive(S_j(t) - IP_j), cap_j).

    By default

        P(D_j(t) <= S_j(t)) = b / (b + h_j),     cap_j(t) = (E[D_j(t)] + max(sd[D_j(t)], E[D_j(t)] / 20)) / n

    with the demand D_j that comes in the n periods until the next order arrives: what is ordered in a
    period is at most the mean of a period, and what pays off one standard deviation of D_j in n periods.
    Between base-stock (no cap) and constant orders (a level out of reach), and better than both where sales
    are lost and lead times long: the cap keeps a run of high demand from flooding the pipeline. Notation,
    suppliers, end of the horizon: see `restock.policies.levels`. Source: Xin (2021), Understanding the
    performance of capped base-stock policies in lost-sales inventory models, Operations Research 69.

    Args:
        problem: A supply network.
        levels: S (units), one number or {node: number}.
        multiples: S as a multiple of the mean coming demand: one number, {node: number} or {node: list}; a list
            is spread evenly over the horizon and joined by straight lines; under goodwill S moves
            with it.
        caps: Largest order of a node (units), one number or {node: number}.
        service: Critical ratio in (0, 1), one number or {node: number}, in place of b / (b + h).
        shares: How much each link gets of what its buyer orders, {link: number}; default:
            inversely to the landed cost of a unit.
        echelon: Whether positions count what lies downstream.
        information: `blind` plans for the configured prior, `informed` for the mean curve.

    Raises:
        InvalidInput: A parameter is not a usable number, or levels are given in two ways.
    """

    name: ClassVar[str] = "capped-base-stock"
    summary: ClassVar[str] = "order up to a level, a cap at most: for lost sales and long lead times"
    may_know: ClassVar[tuple[Information, ...]] = ("blind", "informed")
    helpers = (quantity,)
    packing = Packing(
        "Caps",
        __name__,
        **level_parameters("level"),
        cap=Parameter((PERIOD, NODE), "units", "most ordered at once", "cap"),
    )

    def __init__(
        self,
        problem: NetworkProblem,
        levels: Any = None,
        multiples: Any = None,
        caps: Any = None,
        service: Any = None,
        shares: Any = None,
        echelon: bool = False,
        information: Information | None = None,
    ) -> None:
        super().__init__(problem, information, echelon, shares)
        self.planned("levels", levels, multiples, service)
        shape = (self.plan.horizon, len(self.problem.nodes))
        coming = self.coming()
        beyond = np.maximum(np.sqrt(coming.variance), RECOVERY * coming.mean)
        default = (coming.mean + beyond) / np.maximum(coming.periods, 1.0)
        self.caps = default if caps is None else np.broadcast_to(per_entity("caps", caps, self.problem.nodes), shape)
        self.reads_levels(cap=self.caps)

    def tunables(self) -> dict[str, Tunable]:
        """Return multiples, shares and caps."""
        start, scale = self.caps.max(axis=0), 0.5 * self.rate + 1e-3
        caps = Tunable(start, scale, 0.0 * scale, start + 100.0 * scale, names=self.nodes)
        return {**super().tunables(), "caps": caps}
