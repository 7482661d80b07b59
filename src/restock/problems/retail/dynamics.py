"""The dynamics of the store: one day, written once.

Every back end runs the text of `step` below; see `restock.problems.network.dynamics` for the rules that
make that possible. A product keeps its stock in batches by the days that are left to sell it: that of
product k begins at first[k], the batch with no day left; a product that keeps for ever has one batch.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from restock.core.operations import larger, positive, smaller, when
from restock.core.schema import ONE, Schema, Seen, chance, flow, income, integer, real, stock
from restock.problems.retail.interface import PARTS

PRODUCT, WAY, EVENT, MEASURE, MORNING = "product", "way", "event", "measure", "morning"  # axes

LOW_CASH = 10.0  # with less than this in the evening the store counts as bankrupt (and goes on)
MOST = 1e15  # whole numbers up to here are exact, and fit the integers of compiled code
IDLE_DAYS = 3.0  # from so many days in a row on without an order or a liquidation the store counts as idle


class Products(NamedTuple):
    """What is fixed about products."""

    first: Any = integer(PRODUCT, "index", "where its batches begin")
    life: Any = integer(PRODUCT, "days", "days after that of its arrival on which it can be sold; 0: for ever")
    price: Any = real(PRODUCT, "money/unit", "list price", "p")
    cost: Any = real(PRODUCT, "money/unit", "price paid for a unit", "c")
    elasticity: Any = real(PRODUCT, "1", "how demand answers the price", "e")
    overflow: Any = real(PRODUCT, "money/unit", "surcharge per unit above the capacity")
    capacity: Any = real(PRODUCT, "units", "stock that there is room for")


class Deliveries(NamedTuple):
    """Ways of delivery."""

    cost: Any = real(WAY, "money/unit", "cost of a unit delivered")
    lead_time: Any = real(WAY, "days", "days until it arrives")
    share: Any = real(WAY, "1", "what a jitter drawn for the widest range is multiplied by")


class Rules(NamedTuple):
    """What is fixed otherwise."""

    initial_cash: Any = real(ONE, "money", "cash at the start")
    least_price: Any = real(ONE, "1", "least multiple of the list price")
    most_price: Any = real(ONE, "1", "largest multiple of the list price")
    by_what_is_left: Any = real(ONE, "1", "1 if a liquidation is judged by the stock it leaves, 0 by what it found")
    weights: Any = real(MEASURE, "points", "of the measures in the reward")
    event_day: Any = integer(EVENT, "day", "day on which an event begins")


class State(NamedTuple):
    """S_t: what carries over from one day to the next."""

    on_hand: Any = stock(PRODUCT, "units", "stock, all batches", "I")
    in_transit: Any = stock(PRODUCT, "units", "ordered, not arrived")
    batches: Any = stock("batch", "units", "stock by days left")
    pipe: Any = stock((PRODUCT, MORNING), "units", "what arrives of a product after 0 .. R - 1 more mornings")
    cash: Any = stock(ONE, "money", "cash", "C")
    total_profit: Any = stock(ONE, "money", "profit so far")
    idle: Any = stock(ONE, "days", "days in a row without an order or a liquidation")


class Chance(NamedTuple):
    """W_1 .. W_T, drawn before the episode."""

    demand: Any = chance(PRODUCT, "units", "demand at list price, after events")
    jitter: Any = chance(PRODUCT, "days", "days a delivery comes late, for the widest range")


class Flows(NamedTuple):
    """What happened on the day."""

    decision: Any = flow(
        "decided", "units", "x_t: units to buy, way of delivery, units to liquidate, prices", "q, l, m"
    )
    ordered: Any = flow(PRODUCT, "units", "units bought")
    due: Any = flow(PRODUCT, "days", "days until they arrive; 0 if nothing was bought")
    rejected: Any = flow(PRODUCT, "1", "1 where the cash was not enough")
    arrived: Any = flow(PRODUCT, "units", "units that came in")
    expired: Any = flow(PRODUCT, "units", "units whose last day is over")
    demand: Any = flow(PRODUCT, "units", "demand at the price charged", "D")
    sold: Any = flow(PRODUCT, "units", "units sold")
    unmet: Any = flow(PRODUCT, "units", "demand that was lost")
    liquidated: Any = flow(PRODUCT, "units", "units cleared away")
    revenue: Any = flow(PRODUCT, "money", "sales")
    purchases: Any = flow(PRODUCT, "money", "purchases with shipping and surcharge")
    profit: Any = flow(ONE, "money", "revenue less purchases")
    failures: Any = flow("failure", "1", "invalid quantity, order not affordable, cash nearly gone, idle: 1 where so")
    measures: Any = income(MEASURE, "1", "what rewards are made of", weight="rules.weights", entries=PARTS)


SCHEMA = Schema(
    "retail",
    "decision",
    [
        Seen("day", "t"), "cash", "profit", "total_profit", "demand",
        Seen("remaining_capacity", "positive(products.capacity[i] - state.on_hand[i])", PRODUCT),
        "batches", Seen("events", "rules.event_day[i] - t", EVENT), "pipe",
    ],
    products=Products, deliveries=Deliveries, rules=Rules, state=State, chance=Chance, flows=Flows,
)  # fmt: skip


def whole(amount: Any) -> Any:
    """Return the largest whole number that is not above the amount, from -`MOST` to `MOST`."""
    return math.floor(smaller(larger(amount, 0.0 - MOST), MOST)) * 1.0


def of_way(column: Any, way: Any) -> Any:
    """What a column of a table says about a way of delivery."""
    return column[int(way)]


def send(pipe: Any, start: int, room: int, days: Any, amount: Any) -> None:
    """Let an amount arrive after so many more mornings, of which there are at most `room`."""
    place = start + int(days) - 1
    pipe[place] = pipe[place] + amount


def score(part: Any, of: Any) -> Any:
    """Return a share of something, from -1 for nothing to 1 for all of it."""
    return 2.0 * part / larger(of, 1.0) - 1.0


def step(
    t: int, products: Products, deliveries: Deliveries, rules: Rules, state: State, chance: Chance, flows: Flows
) -> Any:
    """Run day t + 1: change `state`, fill `flows`, return the reward (the contribution)."""
    first, life, price, cost, elasticity, overflow, capacity = products
    on_hand, in_transit, batches, pipe, cash, total_profit, idle = state
    (decision, ordered, due, rejected, arrived, expired, demand, sold, unmet, liquidated,
     revenue, purchases, profit, failures, measures) = flows  # fmt: skip
    count = len(on_hand)
    room = len(pipe) // count

    # 1. Morning. What had no day left expires, other perishables age, and what is due arrives with its full life.
    handled = 0.0
    spoiled = 0.0
    for k in range(count):
        oldest = first[k]
        newest = oldest + life[k]
        stock = on_hand[k]
        expiring = batches[oldest] if life[k] > 0 else 0.0 * batches[oldest]
        for i in range(oldest, newest):
            batches[i] = batches[i + 1]
        arriving = pipe[k * room]
        for j in range(room - 1):
            pipe[k * room + j] = pipe[k * room + j + 1]
        pipe[k * room + room - 1] = 0.0 * arriving
        batches[newest] = arriving if life[k] > 0 else batches[newest] + arriving
        in_transit[k] = in_transit[k] - arriving
        on_hand[k] = stock - expiring + arriving
        expired[k] = expiring
        arrived[k] = arriving
        handled = handled + stock + arriving
        spoiled = spoiled + expiring

    # 2. Orders, product by product, all with one way of delivery. What the cash does not pay is rejected whole.
    way = smaller(positive(whole(decision[count] + 0.5)), len(deliveries.cost) - 1.0)
    shipping = of_way(deliveries.cost, way)
    lead_time = of_way(deliveries.lead_time, way)
    share = of_way(deliveries.share, way)
    money = cash[0]
    invalid = 0.0
    active = 0.0
    paid = 0.0
    refused = 0.0
    for k in range(count):
        asked = whole(decision[k] + 0.5)
        quantity = positive(asked)
        surcharge = positive(on_hand[k] + quantity - capacity[k]) * overflow[k]
        bill = when(quantity, quantity * (cost[k] + shipping) + surcharge, 0.0)
        refusal = when(bill - money, 1.0, 0.0)
        buying = when(bill - money, 0.0, quantity)
        paying = when(bill - money, 0.0, bill)
        money = money - paying
        late = whole(chance.jitter[t][k] * share + 0.5)
        days = smaller(larger(lead_time + late, 1.0), room)
        send(pipe, k * room, room, days, buying)
        in_transit[k] = in_transit[k] + buying
        ordered[k] = buying
        due[k] = when(buying, days, 0.0)
        rejected[k] = refusal
        purchases[k] = paying
        invalid = larger(invalid, when(0.0 - asked, 1.0, 0.0))
        active = larger(active, when(asked, 1.0, 0.0))
        paid = paid + paying
        refused = refused + refusal

    # 3. Demand at the price charged, sold first-in first-out. 4. Liquidation: out of the stock, the same way, unpaid.
    earned = 0.0
    possible = 0.0
    served = 0.0
    lost = 0.0
    thrown = 0.0
    wanted = 0.0
    given = 0.0
    filled = 0.0
    for k in range(count):
        charged = smaller(larger(decision[2 * count + 1 + k], rules.least_price[0]), rules.most_price[0])
        each = price[k] * charged
        wish = whole(chance.demand[t][k] * charged ** (0.0 - elasticity[k]))
        asked = whole(decision[count + 1 + k] + 0.5)
        stock = on_hand[k]
        selling = smaller(wish, stock)
        found = stock - selling
        clearing = smaller(positive(asked), found)
        left = found - clearing
        going = selling + clearing
        for i in range(first[k], first[k] + life[k] + 1):
            batch = batches[i]
            taken = smaller(batch, going)
            batches[i] = batch - taken
            going = going - taken
        on_hand[k] = left
        demand[k] = wish
        sold[k] = selling
        unmet[k] = wish - selling
        liquidated[k] = clearing
        revenue[k] = selling * each
        judged = when(rules.by_what_is_left[0], left, found)
        invalid = larger(invalid, larger(when(0.0 - asked, 1.0, 0.0), when(asked - judged, 1.0, 0.0)))
        active = larger(active, when(asked, 1.0, 0.0))
        earned = earned + selling * each
        possible = possible + wish * each
        served = served + (selling - (wish - selling)) * each
        lost = lost + clearing * cost[k]
        thrown = thrown + clearing
        wanted = wanted + wish
        given = given + selling
        filled = filled + left / capacity[k]

    # 5. Contribution: measures of the day, weighed.
    cash[0] = money + earned
    profit[0] = earned - paid
    total_profit[0] = total_profit[0] + profit[0]
    idle[0] = when(active, 0.0, idle[0] + 1.0)
    failures[0] = invalid
    failures[1] = when(refused, 1.0, 0.0)
    failures[2] = when(LOW_CASH - cash[0], 1.0, 0.0)
    failures[3] = when(idle[0] - IDLE_DAYS + 0.5, 1.0, 0.0)
    measures[0] = earned
    measures[1] = paid
    measures[2] = served
    measures[3] = spoiled
    measures[4] = refused
    measures[5] = lost
    measures[6] = score(earned, possible)
    measures[7] = score(given, wanted)
    measures[8] = 1.0 - 2.0 * smaller(3.0 * (spoiled + thrown) / larger(handled, 1.0), 1.0)
    measures[9] = larger(smaller(cash[0] / rules.initial_cash[0] - 0.3, 1.0), -1.0)
    measures[10] = larger(smaller(2.0 * (filled / count) - 1.0, 1.0), -1.0)
    measures[11] = when(profit[0], 1.0, when(0.0 - profit[0], -0.5, 0.0))
    measures[12] = failures[0] + failures[1] + failures[2] + failures[3]
    reward = 0.0
    for i in range(len(measures)):
        reward = reward + rules.weights[i] * measures[i]
    return reward


def ends(
    t: int, products: Products, deliveries: Deliveries, rules: Rules, state: State, chance: Chance, flows: Flows
) -> int:
    """Terminated when the last day is over."""
    return 1 if t + 1 >= len(chance.demand) else 0
