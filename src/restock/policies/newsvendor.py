"""Newsvendor: order up to the quantile of lead-time demand that the costs ask for."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from restock.core.errors import InvalidInput
from restock.policies._base import Information, Tunable
from restock.policies.holt_base_stock import ForecastPolicy
from restock.problems.network import NetworkProblem


class Newsvendor(ForecastPolicy):
    """Order up to the newsvendor quantile of the demand over the coming lead time.

    Every period node j orders positive(S_j(t) - IP_j) with

        P(D_j(t) <= S_j(t)) = b / (b + h_j)

    where D_j(t) is the demand that comes until the next order can arrive, cut off at the horizon. The last
    order that can still be sold is the newsvendor's own: short by a unit costs b and the margin, over by a
    unit the holding cost and what the unit cost. Informed, demand comes from the mean curve, so levels rise
    before demand does. Blind, its mean comes from a running forecast, f' = f + (D - f) / memory for every
    market, from the configured mean on; the safety stock above the mean is that of the configured prior.
    Notation, suppliers, end of the horizon: see
    `restock.policies.levels`. Sources: Arrow, Harris, Marschak (1951), Optimal inventory policy,
    Econometrica 19 (the critical ratio); Zipkin (2000), Foundations of Inventory Management, ch. 6
    (lead times). Good at single nodes without fixed costs; in a chain every node guards itself alone.

    Args:
        problem: A supply network.
        service: Critical ratio in (0, 1), one number or {node: number}, in place of b / (b + h).
        memory: Periods over which the running forecast averages, at least 1; only for `blind`.
        shares: How much each link gets of what its buyer orders, {link: number}; default:
            inversely to the landed cost of a unit.
        echelon: Whether positions count what lies downstream (and ratios are those of Shang and Song,
            see `EchelonBaseStock`).
        information: `blind` forecasts from past demand and the configured prior, `informed` knows the
            mean curve.

    Raises:
        InvalidInput: A parameter is not a usable number.
    """

    name: ClassVar[str] = "newsvendor"
    summary: ClassVar[str] = "order up to the newsvendor quantile of demand over the coming lead time"
    may_know: ClassVar[tuple[Information, ...]] = ("blind", "informed")

    def __init__(
        self,
        problem: NetworkProblem,
        service: Any = None,
        memory: Any = None,
        shares: Any = None,
        echelon: bool = False,
        information: Information | None = None,
    ) -> None:
        super().__init__(problem, information, echelon, shares)
        if memory is not None:
            number = isinstance(memory, (int, float, np.number)) and not isinstance(memory, bool)
            if not number or not memory >= 1.0:
                raise InvalidInput("memory", memory, "must be at least 1 period", "Write 5.")
            if self.information != "blind":
                raise InvalidInput("memory", memory, "an informed policy forecasts nothing", "Drop it.")
        self.memory = 5.0 if memory is None else float(memory)
        self.service = self.before_the_end(service)
        levels = self.newsvendor(service)
        informed = self.information == "informed"
        fixed = levels if informed else levels - self.coming().mean
        multiples = np.zeros(levels.shape) if informed else np.ones(levels.shape)
        weight = 1.0 / self.memory
        self.reads_forecast((weight, 0.0, 1.0), fixed, multiples)

    def parameters_in_words(self) -> dict[str, Any]:
        """Return the critical ratios, and the memory of a blind forecast."""
        memory = {"memory": self.memory} if self.information == "blind" else {}
        return {**memory, **self.by_node("service", self.service)}

    def tunables(self) -> dict[str, Tunable]:
        """Return the critical ratios and shares."""
        ratio = np.clip(self.service, 0.01, 0.999)
        low, high = np.full_like(ratio, 0.01), np.full_like(ratio, 0.999)
        return {
            "service": Tunable(ratio, np.full_like(ratio, 0.1), low, high, names=self.nodes),
            **self.tunable_shares(),
        }
