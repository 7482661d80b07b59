"""The dynamics of the newsvendor with lead time: its fields, each declared once, and one period.

Every back end runs the text of `step`: each assignment is `x[k] = expression`, and `smaller`, `larger`,
`positive` and `when` of `restock.core.operations` stand where a program would branch on data.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from restock.core.operations import smaller
from restock.core.schema import ONE, Schema, chance, cost, flow, income, real, stock


class Rules(NamedTuple):
    """What is fixed."""

    price: Any = real(ONE, "money/unit", "price of a unit sold", "p")
    cost: Any = real(ONE, "money/unit", "cost of a unit ordered", "c")
    holding_cost: Any = real(ONE, "money/unit/period", "cost of a unit left over", "h")
    shortage_cost: Any = real(ONE, "money/unit", "cost of a unit asked for in vain", "b")


class State(NamedTuple):
    """S_t: what carries over from one period to the next."""

    on_hand: Any = stock(ONE, "units", "stock on hand", "I")
    in_transit: Any = stock("ahead", "units", "units on order; the first entry arrives next", "P")


class Chance(NamedTuple):
    """W_1 .. W_T: everything random, drawn before the episode."""

    demand: Any = chance(ONE, "units", "units asked for", "D")


class Flows(NamedTuple):
    """What happened in the period."""

    ordered: Any = flow(ONE, "units", "units ordered, the decision x_t", "x")
    arrived: Any = flow(ONE, "units", "units that came in")
    demand: Any = flow(ONE, "units", "units asked for")
    sold: Any = flow(ONE, "units", "units sold")
    unmet: Any = flow(ONE, "units", "units asked for in vain")
    revenue: Any = income(ONE, "money", "sales")
    purchase: Any = cost(ONE, "money", "cost of the order")
    holding: Any = cost(ONE, "money", "cost of what is left over")
    shortage: Any = cost(ONE, "money", "cost of what was asked for in vain")


SCHEMA = Schema(
    "own_problem", "ordered", ["on_hand", "in_transit"], rules=Rules, state=State, chance=Chance, flows=Flows
)


def step(t: int, rules: Rules, state: State, chance: Chance, flows: Flows) -> Any:
    """Run period t: change `state`, fill `flows`, return the reward (the contribution)."""
    on_hand, in_transit = state
    ordered, arrived, demand, sold, unmet, revenue, purchase, holding, shortage = flows

    # 1. What was ordered L periods ago arrives, the rest moves up, and the new order joins the end.
    arrived[0] = in_transit[0]
    on_hand[0] = on_hand[0] + arrived[0]
    for k in range(len(in_transit) - 1):
        in_transit[k] = in_transit[k + 1]
    in_transit[len(in_transit) - 1] = ordered[0]

    # 2. Demand is served as far as stock goes; the rest is lost.
    demand[0] = chance.demand[t]
    sold[0] = smaller(demand[0], on_hand[0])
    unmet[0] = demand[0] - sold[0]
    on_hand[0] = on_hand[0] - sold[0]

    # 3. Contribution.
    revenue[0] = rules.price[0] * sold[0]
    purchase[0] = rules.cost[0] * ordered[0]
    holding[0] = rules.holding_cost[0] * on_hand[0]
    shortage[0] = rules.shortage_cost[0] * unmet[0]
    return revenue[0] - purchase[0] - holding[0] - shortage[0]


def ends(t: int, rules: Rules, state: State, chance: Chance, flows: Flows) -> int:
    """0 it goes on, 1 terminated: the season is over at the horizon (2, truncated, where only the watching stops)."""
    return 1 if t + 1 >= len(chance.demand) else 0
