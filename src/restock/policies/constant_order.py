"""Constant orders: the same quantity on each link, every period."""

from __future__ import annotations

from typing import Any, ClassVar

from restock.core.operations import when
from restock.core.problem import Array
from restock.policies._base import Information, TextPolicy
from restock.policies.flows import last_useful_period, per_entity, planned_orders
from restock.policies.parameters import LINK, Packing, Parameter
from restock.problems.network import NetworkProblem


def order(t, own, nodes, links, markets, rules, state, chance, flows):  # type: ignore[no-untyped-def]
    """Order the quantity of each link as long as it can still reach a market before the end."""
    for i in range(len(flows.ordered)):
        flows.ordered[i] = when(own.last[i] - t, own.quantity[i], 0.0)


class ConstantOrder(TextPolicy):
    """Order the same quantity every period; asymptotically optimal for long lead times.

    Source: Goldberg, Katz-Rogozhnikov, Lu, Sharma, Squillante (2016), Asymptotic optimality of
    constant-order policies for lost sales inventory models with large lead times.

    Args:
        problem: A supply network.
        quantity: Units a period, one number or {link: number}; default: the mean demand that
            flows through the link, suppliers sharing by landed cost.
        information: `blind` takes the configured mean, `informed` that of the mean curve.

    Raises:
        InvalidInput: `quantity` is not numbers of at least 0.
    """

    name: ClassVar[str] = "constant-order"
    summary: ClassVar[str] = "the same quantity every period, by default the mean flow of each link"
    may_know: ClassVar[tuple[Information, ...]] = ("blind", "informed")
    text = staticmethod(order)
    packing = Packing(
        "Orders",
        __name__,
        quantity=Parameter((LINK,), "units", "ordered in every period"),
        last=Parameter((LINK,), "period", "first period in which an order cannot reach a market any more"),
    )

    def __init__(self, problem: NetworkProblem, quantity: Any = None, information: Information | None = None) -> None:
        super().__init__(problem, information)
        problem = self.problem
        links = problem.labels()[problem.decision]
        given = quantity is not None
        self.quantity: Array = per_entity("quantity", quantity, links) if given else planned_orders(problem)
        self.reads(quantity=self.quantity, last=last_useful_period(problem))

    def parameters_in_words(self) -> dict[str, Any]:
        """Return the quantity of each link."""
        return {f"{s}->{b}": float(q) for (s, b), q in zip(self.problem.links, self.quantity, strict=True)}
