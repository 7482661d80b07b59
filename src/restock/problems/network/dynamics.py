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
from restock.core.schema import ONE, Schema, Seen, chance, constant, cost, flow, hidden, income, integer, real, stock
from restock.demand.laws import demand_of

NODE, LINK, MARKET = "node", "link", "market"  # axes
SLOT, ARRIVAL = "slot", "arrival"  # entries of the pipe, and those of them that stand for goods under way


class Nodes(NamedTuple):
    """What is fixed about each managed node."""

    initial: Any = real(NODE, "units", "stock at the start of the episode", "I0")
    capacity: Any = real(NODE, "units/period", "most that is shipped (inf for a distributor)", "C")
    units_out: Any = real(NODE, "1", "units shipped for each unit of stock used up: the yield", "v")
    units_in: Any = real(NODE, "1", "stock used up for each unit shipped", "1/v")
    operating_cost: Any = real(NODE, "money/unit", "cost of a unit shipped", "o/v")
    holding_cost: Any = real(NODE, "money/unit/period", "cost of a unit held at the end of a period", "h")


class Links(NamedTuple):
    """What is fixed about each replenishment link."""

    supplier: Any = integer(LINK, "index", "node that ships, -1 for an outside source")
    buyer: Any = integer(LINK, "index", "node that orders")
    lead_time: Any = integer(LINK, "periods", "periods from order to arrival", "L")
    first: Any = integer(
        LINK, "index", "entry of `pipe`, counted from t, that arrives in period t (unused where L = 0)"
    )
    last: Any = integer(LINK, "index", "entry, counted from t + 1, that a shipment of period t takes (likewise)")
    outside_price: Any = real(LINK, "money/unit", "price paid to an outside source; 0 between managed nodes", "p")
    pipeline_cost: Any = real(LINK, "money/unit/period", "cost of a unit in transit at the end of a period", "g")
    fixed_cost: Any = real(LINK, "money", "cost of a period in which anything is shipped", "K")


class Markets(NamedTuple):
    """What is fixed about each retail link."""

    retailer: Any = integer(MARKET, "index", "node that sells")
    price: Any = real(MARKET, "money/unit", "sale price", "p")
    shortage_cost: Any = real(MARKET, "money/unit/period", "cost of a unit unmet at the end of a period", "b")


class Rules(NamedTuple):
    """Numbers that hold for one whole episode and may differ from episode to episode."""

    discount: Any = constant(ONE, "1", "worth of next period's money in today's")
    carry: Any = constant(ONE, "1", "1 if unmet demand waits (backlog), 0 if it is lost")
    growth: Any = constant(ONE, "1", "goodwill factor after a period without shortage")
    decay: Any = constant(ONE, "1", "goodwill factor after a period with one")
    floor: Any = constant(ONE, "1", "least goodwill")
    cap: Any = constant(ONE, "1", "most goodwill")
    least_mean: Any = constant(ONE, "units/period", "floor of the mean demand")
    noise_scale: Any = constant(ONE, "1", "how far demand moves from its mean (1 = as the distribution says)")
    law: Any = constant(ONE, "code", "demand distribution; 0 = `chance.draw` is the demand itself")
    spread: Any = constant(ONE, "units/period", "its spread at a mean of 1")
    power: Any = constant(ONE, "1", "how the spread grows with the mean")


class State(NamedTuple):
    """S_t: what carries over from one period to the next."""

    on_hand: Any = stock(NODE, "units", "stock on hand", "X")
    in_transit: Any = stock(LINK, "units", "shipped and not yet arrived", "Y")
    backlog: Any = stock(MARKET, "units", "demand still to be served")
    unmet: Any = flow(MARKET, "units", "demand left unserved in the last period, waiting or lost", "U")
    sentiment: Any = stock(ONE, "1", "goodwill of the customers", "s")
    pipe: Any = hidden(
        SLOT, "units", "shipments under way: from entry t on, what arrives in 1 .. L periods, link by link"
    )


class Chance(NamedTuple):
    """W_1 .. W_T: everything random, drawn before the episode."""

    mean: Any = chance(MARKET, "units/period", "mean demand before goodwill")
    draw: Any = chance(MARKET, "units", "demand itself, or the number that `demand_of` turns into demand", "W")


class Flows(NamedTuple):
    """What happened in the period, and the money it moved, before discounting."""

    ordered: Any = flow(LINK, "units", "the decision x_t, as asked", "a")
    shipped: Any = flow(LINK, "units", "as filled by the supplier", "R")
    arrived: Any = flow(LINK, "units", "arrived at the buyer")
    released: Any = flow(NODE, "units", "shipped or sold by the node")
    used: Any = flow(NODE, "units", "stock used up to ship them")
    demand: Any = flow(MARKET, "units", "demand of the period, served or not", "D")
    sold: Any = flow(MARKET, "units", "units sold, backlog included")
    revenue: Any = income(MARKET, "money", "sales revenue")
    shortage: Any = cost(MARKET, "money", "shortage cost")
    purchases: Any = cost(LINK, "money", "paid to outside sources")
    pipeline_holding: Any = cost(LINK, "money", "cost of goods under way")
    fixed_orders: Any = cost(LINK, "money", "fixed order costs")
    operating: Any = cost(NODE, "money", "operating cost")
    holding: Any = cost(NODE, "money", "cost of stock held")


SCHEMA = Schema(
    "network",
    "ordered",
    ["demand", "unmet", "on_hand", Seen("arrivals", "state.pipe[t + i]", ARRIVAL), Seen("period", "t"),
     Seen("goodwill", "state.sentiment[0]")],
    discount="rules.discount",
    money=("revenue", "purchases", "operating", "holding", "pipeline_holding", "shortage", "fixed_orders"),
    nodes=Nodes, links=Links, markets=Markets, rules=Rules, state=State, chance=Chance, flows=Flows,
)  # fmt: skip


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
    supplier, buyer, lead_time, first, last, outside_price, pipeline_cost, fixed_cost = links
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
