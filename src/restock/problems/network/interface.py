"""How actions of a supply network are read, and what is told of it; run by every back end, so no NumPy here."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

from typing import Any

from restock.core.operations import MOST, form_of, linear, positive, reading, smaller

ACTIONS = ("quantity", "normalized", "order-up-to", "multidiscrete", "discrete")
ORDER_UP_TO = ACTIONS.index("order-up-to")


def inventory_position(position: Any, links: Any, markets: Any, state: Any) -> None:
    """Write on hand + in transit - backlog of every node."""
    for j in range(len(position)):
        position[j] = state.on_hand[j]
    for i in range(len(state.in_transit)):
        position[links.buyer[i]] = position[links.buyer[i]] + state.in_transit[i]
    for m in range(len(state.backlog)):
        position[markets.retailer[m]] = position[markets.retailer[m]] - state.backlog[m]


def echelon_position(position: Any, inner: Any, weight: Any, links: Any, markets: Any, state: Any) -> None:
    """Write the position of every node, and of what lies downstream in units of the node's own stock.

    Args:
        position: To be written, shape (N,).
        inner: All link indices, a buyer's links to its own customers before those that supply it, shape (E,).
        weight: Stock of the supplier that stands behind a unit at the buyer of each link, shape (E,); all 0
            leaves the installation position, on hand + in transit - backlog.
        links: Of the world.
        markets: Of the world.
        state: Of the world.
    """
    inventory_position(position, links, markets, state)
    for k in range(len(weight)):
        i = int(inner[k])
        j = links.supplier[i]
        if j >= 0:
            position[j] = position[j] + weight[i] * position[links.buyer[i]]


def decide(action, ints, floats, nodes, links, markets, rules, state, chance, flows):
    """Read an action as orders in units, clipped to what a link accepts.

    Order-up-to: links in their order raise the inventory position of the buyer (on hand + in transit - backlog +
    ordered today) to the level. All other forms are linear.
    """
    if form_of(ints) != ORDER_UP_TO:
        linear(action, ints, floats, flows.ordered)
        return
    position = flows.used  # free until `step` fills it
    inventory_position(position, links, markets, state)
    for i in range(len(flows.ordered)):
        j = links.buyer[i]
        flows.ordered[i] = positive(smaller(action[i] * 1.0, reading(MOST, i, ints, floats)) - position[j])
        position[j] = position[j] + flows.ordered[i]


MONITORED = ("on_hand", "backlog", "sold", "filled")


def monitor(t, nodes, links, markets, rules, state, chance, flows):
    """Return the whole network in four numbers (units): few, for every one of them is copied by whoever copies infos.

    On hand and backlog at the end of the period; what was sold in it (also to demand that had waited), and what was
    filled at once: the part of the period's own demand that did not go unmet. Demand itself is observed.
    """
    on_hand = 0.0
    for j in range(len(state.on_hand)):
        on_hand = on_hand + state.on_hand[j]
    backlog = 0.0
    sold = 0.0
    filled = 0.0
    for m in range(len(flows.demand)):
        backlog = backlog + state.backlog[m]
        sold = sold + flows.sold[m]
        filled = filled + positive(flows.demand[m] - state.unmet[m])
    return on_hand, backlog, sold, filled
