"""The text of policies that compare positions with levels, and the parameters that all of them read."""

from __future__ import annotations

from typing import Any

from restock.core.operations import when
from restock.policies.parameters import LINK, NODE, PERIOD, Parameter
from restock.problems.network.interface import echelon_position

SPLIT = {
    "inner": Parameter((LINK,), "link", "all links, a buyer's links to its customers before those that supply it"),
    "weight": Parameter((LINK,), "units/unit", "stock of the supplier that stands behind a unit at the buyer"),
    "share": Parameter((LINK,), "", "part of what its buyer orders that the link gets"),
    "last": Parameter((LINK,), "period", "first period in which an order cannot reach a market any more"),
    "follows": Parameter((), "", "1 where levels move in proportion to the goodwill of the customers, else 0"),
}


def level_parameters(label: str = "") -> dict[str, Parameter]:
    """Return the parameters of `order_to_levels`.

    Args:
        label: What reports call a level.
    """
    return {**SPLIT, "level": Parameter((PERIOD, NODE), "units", "level of the position", label)}


def order_to_levels(
    t: int, own: Any, nodes: Any, links: Any, markets: Any, rules: Any, state: Any, chance: Any, flows: Any
) -> None:
    """Order the policy's quantity for what every position lacks, suppliers sharing; nothing that would come too late.

    The policy says `quantity(t, j, missing, goodwill, own)`: how much node j orders where its level lies `missing`
    units above its position.
    """
    position = flows.used
    echelon_position(position, own.inner, own.weight, links, markets, state)
    goodwill = 1.0 + own.follows * (state.sentiment[0] - 1.0)
    for i in range(len(flows.ordered)):
        j = links.buyer[i]
        order = quantity(t, j, own.level[j] * goodwill - position[j], goodwill, own)
        flows.ordered[i] = when(own.last[i] - t, own.share[i] * order, 0.0)


def quantity(t: int, j: int, missing: Any, goodwill: Any, own: Any) -> Any:
    """Return what node j orders; every policy brings its own."""
    raise NotImplementedError
