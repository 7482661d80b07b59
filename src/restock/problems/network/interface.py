"""How arrays, actions and observations of a supply network map to its dynamics.

Plain-Python texts like `dynamics.step`, run as they stand or compiled by `restock.core.backends`.
`unpack` is the only place that knows how tables and memory are laid out.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

from typing import Any

from restock.core.operations import cut, grid, larger, positive, smaller
from restock.problems.network.dynamics import Chance, Flows, Links, Markets, Nodes, Rules, State

HEADER = 9  # integers before the tables: row, recorded, E, numbers observed, N, M, slots, T, action form
LINEAR, ORDER_UP_TO, TOGETHER = 0, 1, 2  # forms of the action


def unpack(ints, floats, memory):
    """Return the world of one environment as named views: the arguments of `dynamics.step` after t.

    Args:
        ints: Integer tables, header first.
        floats: Real tables.
        memory: One environment's row: state and flows (recorded each period), the pipe, then the
            episode: rules, mean demand, draws.
    """
    e, n, m, slots, periods = ints[2], ints[4], ints[5], ints[6], ints[7]
    a = HEADER
    supplier = cut(ints, a, e)
    lead_time = cut(ints, a + e, e)
    buyer = cut(ints, a + 2 * e, e)
    first = cut(ints, a + 3 * e, e)
    last = cut(ints, a + 4 * e, e)
    retailer = cut(ints, a + 5 * e, m)

    nodes = Nodes(
        cut(floats, 0, n),
        cut(floats, n, n),
        cut(floats, 2 * n, n),
        cut(floats, 3 * n, n),
        cut(floats, 4 * n, n),
        cut(floats, 5 * n, n),
    )
    a = 6 * n
    b = a + 4 * e
    price = cut(floats, b, m)
    shortage_cost = cut(floats, b + m, m)
    links = Links(
        supplier,
        buyer,
        lead_time,
        first,
        last,
        cut(floats, a, e),
        cut(floats, a + e, e),
        cut(floats, a + 2 * e, e),
        cut(floats, a + 3 * e, e),
    )
    markets = Markets(retailer, price, shortage_cost)

    a = n + e
    b = a + 2 * m + 1
    c = b + 3 * e + 2 * n
    d = c + 4 * m
    f = d + 3 * e
    g = f + 2 * n
    flows = Flows(
        cut(memory, b, e),
        cut(memory, b + e, e),
        cut(memory, b + 2 * e, e),
        cut(memory, b + 3 * e, n),
        cut(memory, b + 3 * e + n, n),
        cut(memory, c, m),
        cut(memory, c + m, m),
        cut(memory, c + 2 * m, m),
        cut(memory, c + 3 * m, m),
        cut(memory, d, e),
        cut(memory, d + e, e),
        cut(memory, d + 2 * e, e),
        cut(memory, f, n),
        cut(memory, f + n, n),
    )
    state = State(
        cut(memory, 0, n),
        cut(memory, n, e),
        cut(memory, a, m),
        cut(memory, a + m, m),
        cut(memory, a + 2 * m, 1),
        cut(memory, g, slots),
    )
    g = g + slots
    r = cut(memory, g, 11)
    rules = Rules(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10])
    g = g + 11
    chance = Chance(grid(memory, g, periods, m), grid(memory, g + periods * m, periods, m))
    return nodes, links, markets, rules, state, chance, flows


def put(decision, nodes, links, markets, rules, state, chance, flows):
    """Write the decision x_t: units ordered on each link."""
    for i in range(len(flows.ordered)):
        flows.ordered[i] = decision[i]


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

    Linear forms: order = unit * (action + shift), with one number for all links where they order together.
    Order-up-to: links in their order raise the
    inventory position of the buyer (on hand + in transit - backlog + ordered today) to the level.
    """
    e = len(flows.ordered)
    if ints[8] != ORDER_UP_TO:
        apart = 0 if ints[8] == TOGETHER else 1
        unit = cut(floats, len(floats) - ints[3] - 2 * e, e)
        shift = cut(floats, len(floats) - ints[3] - e, e)
        for i in range(e):
            wanted = unit[i] * (action[i * apart] + shift[i])
            flows.ordered[i] = smaller(positive(wanted), links.most[i])
        return
    position = flows.used  # free until `step` fills it
    inventory_position(position, links, markets, state)
    for i in range(e):
        j = links.buyer[i]
        flows.ordered[i] = positive(smaller(action[i] * 1.0, links.most[i]) - position[j])
        position[j] = position[j] + flows.ordered[i]


def show(values, place, obs, scale):
    """Write values times their scale into the observation from `place` on; returns the place after."""
    into = cut(obs, place, len(values))
    by = cut(scale, place, len(values))
    for i in range(len(values)):
        into[i] = values[i] * by[i]
    return place + len(values)


def observe(t, obs, ints, floats, nodes, links, markets, rules, state, chance, flows):
    """Write the observation at the start of period t, each number times its fixed scale.

    Order: last demand (M), unmet demand (M), on hand (N), arrivals of the next L periods for each
    link (soonest first), t, goodwill.
    """
    scale = cut(floats, len(floats) - ints[3], ints[3])
    k = show(flows.demand, 0, obs, scale)
    k = show(state.unmet, k, obs, scale)
    k = show(state.on_hand, k, obs, scale)
    k = show(cut(state.pipe, t, len(state.pipe) - ints[7]), k, obs, scale)
    rest = cut(obs, k, 2)
    by = cut(scale, k, 2)
    rest[0] = t * by[0]
    rest[1] = state.sentiment[0] * by[1]


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


PARTS = ("revenue", "purchases", "operating", "holding", "pipeline_holding", "shortage", "fixed_orders")


def totals(t, nodes, links, markets, rules, state, chance, flows):
    """Return the parts of the period's profit, signed and discounted: they add up to the reward."""
    worth = rules.discount ** larger(t, 0)
    revenue = 0.0
    shortage = 0.0
    for m in range(len(flows.demand)):
        revenue = revenue + flows.revenue[m]
        shortage = shortage + flows.shortage[m]
    purchases = 0.0
    pipeline_holding = 0.0
    fixed_orders = 0.0
    for i in range(len(flows.ordered)):
        purchases = purchases + flows.purchases[i]
        pipeline_holding = pipeline_holding + flows.pipeline_holding[i]
        fixed_orders = fixed_orders + flows.fixed_orders[i]
    operating = 0.0
    holding = 0.0
    for j in range(len(state.on_hand)):
        operating = operating + flows.operating[j]
        holding = holding + flows.holding[j]
    return (
        worth * revenue,
        0.0 - worth * purchases,
        0.0 - worth * operating,
        0.0 - worth * holding,
        0.0 - worth * pipeline_holding,
        0.0 - worth * shortage,
        0.0 - worth * fixed_orders,
    )
