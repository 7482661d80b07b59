"""The dynamics of a supply network: one period, written once.

Everything that simulates a network (plain Python, numba, row-wise NumPy, torch) runs the text of
`step` below. It is written so that every back end can run it: arrays are indexed by entity, each
assignment is ``x[k] = expression``, and `smaller`, `larger`, `positive`, `when` and `demand_of`
stand where a program would branch on data. The back end binds those five names.

The entities: nodes j (managed stocking points), links i (replenishment, supplier to buyer, in
rationing order), markets m (retail links). A supplier or retailer is named by its node index; a
supplier of -1 is an outside source that never runs short.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from restock.core.operations import larger, positive, smaller, when
from restock.demand.laws import demand_of


class Nodes(NamedTuple):
    """What is fixed about each managed node; every field has shape (N,)."""

    initial: Any  # stock at the start of the episode [I0] (units)
    capacity: Any  # most units shipped a period [C] (inf for a distributor)
    units_out: Any  # units shipped for each unit of stock used up: the yield [v]
    units_in: Any  # stock used up for each unit shipped [1 / v]
    operating_cost: Any  # cost per unit shipped [o / v]
    holding_cost: Any  # cost per unit held at the end of a period [h]


class Links(NamedTuple):
    """What is fixed about each replenishment link; (E,) unless a shape is given."""

    supplier: Any  # node index, -1 for an outside source
    buyer: Any  # node index
    lead_time: Any  # periods from order to arrival [L]
    first: Any  # entry of `pipe`, counted from t, that arrives in period t (unused where L = 0)
    last: Any  # entry, counted from t + 1, that a shipment of period t takes (unused where L = 0)
    outside_price: Any  # price per unit paid to an outside source; 0 between managed nodes
    pipeline_cost: Any  # cost per unit in transit at the end of a period [g]
    fixed_cost: Any  # cost of a period in which anything is shipped [K]
    most: Any  # largest order read from an action (units)


class Markets(NamedTuple):
    """What is fixed about each retail link; every field has shape (M,)."""

    retailer: Any  # node index
    price: Any  # sale price per unit [p]
    shortage_cost: Any  # cost per unit unmet at the end of a period [b]


class Rules(NamedTuple):
    """Numbers that hold for one whole episode and may differ from episode to episode."""

    discount: Any  # worth of next period's money in today's
    carry: Any  # 1 if unmet demand waits (backlog), 0 if it is lost
    growth: Any  # goodwill factor after a period without shortage
    decay: Any  # goodwill factor after a period with one
    floor: Any  # least goodwill
    cap: Any  # most goodwill
    least_mean: Any  # floor of the mean demand
    noise_scale: Any  # how far demand moves from its mean (1 = as the distribution says)
    law: Any  # code of the demand distribution; 0 = `chance.draw` is the demand itself
    spread: Any  # its spread at a mean of 1
    power: Any  # how the spread grows with the mean


class State(NamedTuple):
    """S_t: what carries over from one period to the next."""

    on_hand: Any  # (N,) stock [X]
    in_transit: Any  # (E,) units under way [Y]
    backlog: Any  # (M,) demand still to be served
    unmet: Any  # (M,) demand left unserved in the last period, waiting or lost [U]
    sentiment: Any  # (1,) goodwill of the customers [s]
    pipe: Any  # (T + sum L,) shipments under way: from entry t on, what arrives in 1, 2, ..., L periods, link by link


class Chance(NamedTuple):
    """W_1 .. W_T: everything random, drawn before the episode."""

    mean: Any  # (T, M) mean demand before goodwill
    draw: Any  # (T, M) demand itself, or the number `demand_of` turns into demand


class Flows(NamedTuple):
    """What happened in the period, and the money it moved."""

    ordered: Any  # (E,) the decision x_t, as asked
    shipped: Any  # (E,) as filled [R]
    arrived: Any  # (E,)
    released: Any  # (N,) units shipped out
    used: Any  # (N,) stock used up to ship them
    demand: Any  # (M,) [D]
    sold: Any  # (M,)
    revenue: Any  # (M,) from here on money per period, before discounting
    shortage: Any  # (M,)
    purchases: Any  # (E,) paid to outside sources
    pipeline_holding: Any  # (E,)
    fixed_orders: Any  # (E,)
    operating: Any  # (N,)
    holding: Any  # (N,)


def goodwill(t: int, rules: Rules, unmet: Any, sentiment: Any) -> Any:
    """Return the goodwill in period t, from yesterday's unmet demand and goodwill."""
    if t == 0:
        return sentiment
    short = 0.0
    for m in range(len(unmet)):
        short = short + unmet[m]
    return when(short, larger(rules.floor, rules.decay * sentiment), smaller(rules.cap, rules.growth * sentiment))


def step(
    t: int,
    nodes: Nodes,
    links: Links,
    markets: Markets,
    rules: Rules,
    state: State,
    chance: Chance,
    flows: Flows,
) -> Any:
    """Run period t: change `state`, fill `flows`, return the discounted profit (the contribution)."""
    initial, capacity, units_out, units_in, operating_cost, holding_cost = nodes
    supplier, buyer, lead_time, first, last, outside_price, pipeline_cost, fixed_cost, most = links
    retailer, price, shortage_cost = markets
    on_hand, in_transit, backlog, unmet, sentiment, pipe = state
    (ordered, shipped, arrived, released, used, demand, sold,
     revenue, shortage, purchases, pipeline_holding, fixed_orders, operating, holding) = flows  # fmt: skip

    # 1. Orders. Link by link, a supplier rations its capacity and the stock it held this morning.
    for j in range(len(on_hand)):
        released[j] = 0.0
    for i in range(len(ordered)):
        j = supplier[i]
        quantity = positive(ordered[i])
        if j >= 0:
            left = smaller(capacity[j], units_out[j] * on_hand[j]) - released[j]
            quantity = smaller(quantity, positive(left))
            released[j] = released[j] + quantity
        shipped[i] = quantity
    for j in range(len(on_hand)):
        used[j] = units_in[j] * released[j]
        on_hand[j] = positive(on_hand[j] - used[j])  # rationing may use up a rounding error more than there is

    # 2. Deliveries. What was shipped a lead time ago arrives; it can be sold today, shipped on tomorrow.
    for i in range(len(ordered)):
        j = buyer[i]
        quantity = pipe[t + first[i]] if lead_time[i] > 0 else shipped[i]
        arrived[i] = quantity
        in_transit[i] = in_transit[i] + shipped[i] - quantity
        on_hand[j] = on_hand[j] + quantity
    for i in range(len(ordered)):
        if lead_time[i] > 0:
            pipe[t + 1 + last[i]] = shipped[i]

    # 3. Goodwill. Customers remember whether anyone was left unserved yesterday.
    sentiment[0] = goodwill(t, rules, unmet, sentiment[0])

    # 4. Demand. Markets are served from what is on hand; the rest waits or is lost.
    means = chance.mean[t]
    draws = chance.draw[t]
    for m in range(len(demand)):
        j = retailer[m]
        mean = larger(means[m] * sentiment[0], rules.least_mean)
        demand[m] = demand_of(rules.law, mean, rules.spread, rules.power, rules.noise_scale, draws[m])
        wanted = demand[m] + backlog[m]
        sold[m] = smaller(wanted, on_hand[j])
        unmet[m] = wanted - sold[m]
        backlog[m] = rules.carry * unmet[m]
        on_hand[j] = on_hand[j] - sold[m]
        released[j] = released[j] + sold[m]

    # 5. Contribution. Payments between managed nodes cancel; initial stock is free and nothing is salvaged.
    profit = 0.0
    for m in range(len(demand)):
        revenue[m] = price[m] * sold[m]
        shortage[m] = shortage_cost[m] * unmet[m]
        profit = profit + (revenue[m] - shortage[m])
    for i in range(len(ordered)):
        purchases[i] = outside_price[i] * shipped[i]
        pipeline_holding[i] = pipeline_cost[i] * in_transit[i]
        fixed_orders[i] = when(shipped[i] - 1e-9, fixed_cost[i], 0.0)
        profit = profit - (purchases[i] + pipeline_holding[i] + fixed_orders[i])
    for j in range(len(on_hand)):
        operating[j] = operating_cost[j] * released[j]
        holding[j] = holding_cost[j] * on_hand[j]
        profit = profit - (operating[j] + holding[j])
    return rules.discount**t * profit


def ends(
    t: int,
    nodes: Nodes,
    links: Links,
    markets: Markets,
    rules: Rules,
    state: State,
    chance: Chance,
    flows: Flows,
) -> int:
    """Return a network goes on for ever; watching it stops at the horizon."""
    return 2 if t + 1 >= len(chance.mean) else 0
