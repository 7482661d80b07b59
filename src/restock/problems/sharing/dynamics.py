"""The dynamics of locations that share stock: one day, written once.

Every back end runs the text of `step` below; see `restock.problems.network.dynamics` for the rules that
make that possible. Locations i and j; a matrix over them is flat, its entry for "to i from j" at i n + j.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from restock.core.operations import larger, positive, smaller, when


class Links(NamedTuple):
    """What is fixed about shipments, every field of shape (n n,)."""

    lead_time: Any  # days from order to arrival [L]
    most: Any  # largest order read from an action (units)


class Rules(NamedTuple):
    """What is fixed otherwise; every field has shape (1,)."""

    unit_cost: Any  # cost per unit shipped [c]
    holding_cost: Any  # cost per unit at the end of a day, not at the depot [h]
    shipment_cost: Any  # cost of a shipment of more than one unit [K]
    cost_weight: Any  # reward lost per unit of cost [w]
    early: Any  # 1 if arrivals come before demand, 0 if after it


class State(NamedTuple):
    """S_t: what carries over from one day to the next."""

    on_hand: Any  # (n,) stock [I]
    expected: Any  # (n,) demand expected today (units)
    in_transit: Any  # (n,) units on the way to a location
    pipe: Any  # ((T - 1 + max L) n,) units that arrive on a day at a location


class Chance(NamedTuple):
    """W_1 .. W_{T-1}, drawn before the episode, and what is known of it."""

    expected: Any  # (T, n) expected demand (units)
    held: Any  # (n,) 1 where stock costs something, 0 at the depot
    last: Any  # (1,) the day that is cut off, or one that never comes
    missions: Any  # (T - 1, n) how many there are
    needs: Any  # (T - 1, n K) what each of them needs; 0 where there is none


class Flows(NamedTuple):
    """What happened in the day; (n,) unless a shape is given."""

    ordered: Any  # (n n,) the decision x_t, as asked
    shipped: Any  # (n n,) as filled
    arrived: Any
    missions: Any
    filled: Any  # missions that got what they need
    stockouts: Any  # missions that did not
    fill_rate: Any  # filled / missions
    demand: Any  # units the missions need [D]
    sold: Any  # units they got
    unmet: Any
    unit_cost: Any  # of shipments to the location
    shipment_cost: Any
    holding_cost: Any
    weighted_cost: Any  # (1,) what all cost takes from the reward


def step(t: int, links: Links, rules: Rules, state: State, chance: Chance, flows: Flows) -> Any:
    """Run day t: change `state`, fill `flows`, return the reward (the contribution)."""
    lead_time, most = links
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
    return over + (2 if t >= chance.last[0] else 0)
