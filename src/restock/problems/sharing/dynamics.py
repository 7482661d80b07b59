"""The dynamics of locations that share stock: one day, written once.

Every back end runs the text of `step` below; see `restock.problems.network.dynamics` for the rules that
make that possible. Locations i and j; a matrix over them is flat, its entry for "to i from j" at i n + j.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from restock.core.operations import larger, positive, smaller, when
from restock.core.schema import (
    ONE,
    Schema,
    Seen,
    chance,
    constant,
    cost,
    flow,
    hidden,
    income,
    initial,
    integer,
    real,
    stock,
)  # fmt: skip

LOCATION, DAY = "location", "day"  # axes; one day more is known than is played
LINK = (LOCATION, LOCATION)  # to, from


class Links(NamedTuple):
    """What is fixed about shipments."""

    lead_time: Any = integer(LINK, "days", "days from order to arrival", "L")


class Rules(NamedTuple):
    """What is fixed otherwise."""

    unit_cost: Any = real(ONE, "money/unit", "cost per unit shipped", "c")
    holding_cost: Any = real(ONE, "money/unit/day", "cost per unit at the end of a day, not at the depot", "h")
    shipment_cost: Any = real(ONE, "money", "cost of a shipment of more than one unit", "K")
    cost_weight: Any = real(ONE, "1/money", "reward lost per unit of cost", "w")
    early: Any = real(ONE, "1", "1 if arrivals come before demand, 0 if after it")


class State(NamedTuple):
    """S_t: what carries over from one day to the next."""

    on_hand: Any = stock(LOCATION, "units", "stock", "I")
    expected: Any = stock(LOCATION, "units", "demand expected today")
    in_transit: Any = stock(LOCATION, "units", "units on the way to a location")
    pipe: Any = hidden(("arrival", LOCATION), "units", "units that arrive on a day at a location")


class Chance(NamedTuple):
    """W_1 .. W_{T-1}, drawn before the episode, and what is known of it."""

    stock: Any = initial(LOCATION, "units", "stock at the start")
    first: Any = initial(LOCATION, "units", "demand expected on the first day")
    expected: Any = chance(LOCATION, "units", "expected demand", over=DAY)
    held: Any = constant(LOCATION, "1", "1 where stock costs something, 0 at the depot")
    last: Any = constant(ONE, "day", "the day that is cut off, or one that never comes")
    missions: Any = chance(LOCATION, "missions", "how many there are")
    needs: Any = chance((LOCATION, "slot"), "units", "what each of them needs; 0 where there is none")


class Flows(NamedTuple):
    """What happened in the day."""

    ordered: Any = flow(LINK, "units", "the decision x_t, as asked: to, from", "a")
    shipped: Any = flow(LINK, "units", "as filled", "q")
    arrived: Any = flow(LOCATION, "units", "units that arrived")
    missions: Any = flow(LOCATION, "missions", "how many there were")
    filled: Any = income(LOCATION, "missions", "missions that got what they need")
    stockouts: Any = cost(LOCATION, "missions", "missions that did not")
    fill_rate: Any = flow(LOCATION, "1", "filled / missions")
    demand: Any = flow(LOCATION, "units", "units the missions need", "D")
    sold: Any = flow(LOCATION, "units", "units they got")
    unmet: Any = flow(LOCATION, "units", "units they lacked")
    unit_cost: Any = flow(LOCATION, "money", "cost per unit of shipments to the location")
    shipment_cost: Any = flow(LOCATION, "money", "cost of shipments to the location")
    holding_cost: Any = flow(LOCATION, "money", "cost of stock held")
    weighted_cost: Any = cost(ONE, "points", "what all cost takes from the reward")


SCHEMA = Schema(
    "sharing",
    "ordered",
    [
        Seen("inventory", "state.on_hand[i]", LOCATION),
        Seen("expected_demand", "state.expected[i]", LOCATION),
        # nothing expected: days of cover at one unit a day
        Seen("expected_demand_ratio", "state.on_hand[i] / when(state.expected[i], state.expected[i], 1.0)", LOCATION),
        Seen("pipeline_inventory", "larger(state.in_transit[i], 0.0)", LOCATION),
    ],
    links=Links, rules=Rules, state=State, chance=Chance, flows=Flows,
)  # fmt: skip


def step(t: int, links: Links, rules: Rules, state: State, chance: Chance, flows: Flows) -> Any:
    """Run day t: change `state`, fill `flows`, return the reward (the contribution)."""
    lead_time = links.lead_time
    on_hand, expected, in_transit, pipe = state
    (ordered, shipped, arrived, missions, filled, stockouts, fill_rate, demand, sold, unmet,
     unit_cost, shipment_cost, holding_cost, weighted_cost) = flows  # fmt: skip
    n = len(on_hand)

    # 1. Orders that ask a location for more than it has are scaled down, all alike; what it orders of itself counts.
    for j in range(n):
        asked = 0.0
        for i in range(n):
            shipped[i * n + j] = positive(ordered[i * n + j])
            asked = asked + shipped[i * n + j]
        share = smaller(1.0, on_hand[j] / larger(asked, 1e-300))
        for i in range(n):
            shipped[i * n + j] = share * shipped[i * n + j]

    # 2. Demand, mission by mission; one that cannot get all it needs takes what there is, and is lost.
    for i in range(n):
        arrived[i] = pipe[t * n + i]
        pipe[t * n + i] = 0.0
        in_transit[i] = in_transit[i] - arrived[i]
        on_hand[i] = on_hand[i] + rules.early[0] * arrived[i]
    needs = chance.needs[t]
    counts = chance.missions[t]
    slots = len(needs) // n
    for i in range(n):
        stockouts[i] = 0.0
        demand[i] = 0.0
        unmet[i] = 0.0
        for k in range(slots):
            need = needs[i * slots + k]
            short = positive(need - on_hand[i])
            demand[i] = demand[i] + need
            unmet[i] = unmet[i] + short
            stockouts[i] = stockouts[i] + when(short, 1.0, 0.0)
            on_hand[i] = positive(on_hand[i] - need)
        missions[i] = counts[i]
        filled[i] = counts[i] - stockouts[i]
        fill_rate[i] = when(counts[i], filled[i] / larger(counts[i], 1.0), 1.0)
        sold[i] = demand[i] - unmet[i]

    # 3. Deliveries that are due.
    for i in range(n):
        on_hand[i] = on_hand[i] + (1.0 - rules.early[0]) * arrived[i]

    # 4. Shipments leave, receiver by receiver, as far as stock goes; without lead time they are there this evening.
    for i in range(n):
        unit_cost[i] = 0.0
        shipment_cost[i] = 0.0
        for j in range(n):
            quantity = smaller(shipped[i * n + j], on_hand[j]) if j != i else 0.0 * shipped[i * n + j]
            shipped[i * n + j] = quantity
            on_hand[j] = on_hand[j] - quantity
            day = t + lead_time[i * n + j]
            pipe[day * n + i] = pipe[day * n + i] + quantity
            in_transit[i] = in_transit[i] + quantity
            unit_cost[i] = unit_cost[i] + rules.unit_cost[0] * quantity
            shipment_cost[i] = shipment_cost[i] + when(quantity - 1.0, rules.shipment_cost[0], 0.0)
    for i in range(n):
        at_once = pipe[t * n + i]
        arrived[i] = arrived[i] + at_once
        in_transit[i] = in_transit[i] - at_once
        on_hand[i] = on_hand[i] + at_once

    # 5. Contribution: missions served less missions lost, and cost as far as it counts.
    served = 0.0
    cost = 0.0
    for i in range(n):
        holding_cost[i] = rules.holding_cost[0] * chance.held[i] * on_hand[i]
        cost = cost + (unit_cost[i] + shipment_cost[i] + holding_cost[i])
        served = served + (filled[i] - stockouts[i])
        expected[i] = chance.expected[t + 1][i]
    weighted_cost[0] = rules.cost_weight[0] * cost
    return served - weighted_cost[0]


def ends(t: int, links: Links, rules: Rules, state: State, chance: Chance, flows: Flows) -> int:
    """Terminated when all days but the last are over; truncated, where that is drawn, on any day."""
    over = 1 if t + 1 >= len(chance.missions) else 0
    return over + (2 if t >= chance.last else 0)
