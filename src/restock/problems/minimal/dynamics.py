"""The dynamics of the shelf: one period, written once; see `restock.problems.network.dynamics` for the rules."""

from __future__ import annotations

from typing import Any, NamedTuple

from restock.core.operations import positive, smaller, when
from restock.core.schema import ONE, Schema, chance, cost, flow, income, initial, real, stock


class Rules(NamedTuple):
    """What is fixed."""

    capacity: Any = real(ONE, "units", "units the shelf holds", "C")
    most_order: Any = real(ONE, "units", "largest order", "A")
    overflow_penalty: Any = real(ONE, "points", "reward lost when more arrives than fits")


class State(NamedTuple):
    """S_t: what carries over from one period to the next."""

    on_hand: Any = stock(ONE, "units", "units on the shelf", "I")


class Chance(NamedTuple):
    """W_1 .. W_T: everything random, drawn before the episode."""

    start: Any = initial(ONE, "units", "stock at the start")
    slip: Any = chance(ONE, "units", "what arrives more, or less, than was ordered: -1, 0 or 1", least=-1.0)
    demand: Any = chance(ONE, "units", "units asked for")


class Flows(NamedTuple):
    """What happened in the period."""

    ordered: Any = flow(ONE, "units", "the decision x_t", "x")
    arrived: Any = flow(ONE, "units", "units that came in")
    demand: Any = flow(ONE, "units", "demand, served or not", "D")
    sold: Any = flow(ONE, "units", "units sold")
    unmet: Any = flow(ONE, "units", "demand that was lost")
    served: Any = income(ONE, "points", "1 if nobody went away")
    short: Any = cost(ONE, "points", "1 if somebody did")
    overflow: Any = cost(ONE, "points", "penalty if more arrived than fits")


SCHEMA = Schema("minimal", "ordered", ["on_hand"], choice=True, rules=Rules, state=State, chance=Chance, flows=Flows)


def step(t: int, rules: Rules, state: State, chance: Chance, flows: Flows) -> Any:
    """Run period t: change `state`, fill `flows`, return the reward (the contribution)."""
    on_hand = state.on_hand
    ordered, arrived, demand, sold, unmet, served, short, overflow = flows

    # 1. The order arrives, one unit more or less than asked for; what does not fit is thrown away.
    arrived[0] = smaller(positive(ordered[0] + chance.slip[t]), rules.most_order[0])
    left_over = positive(on_hand[0] + arrived[0] - rules.capacity[0])
    on_hand[0] = on_hand[0] + arrived[0] - left_over

    # 2. Demand is served as far as stock goes; the rest is lost.
    demand[0] = chance.demand[t]
    sold[0] = smaller(demand[0], on_hand[0])
    unmet[0] = demand[0] - sold[0]
    on_hand[0] = on_hand[0] - sold[0]

    # 3. Contribution.
    short[0] = when(unmet[0], 1.0, 0.0)
    served[0] = 1.0 - short[0]
    overflow[0] = when(left_over, rules.overflow_penalty[0], 0.0)
    return served[0] - short[0] - overflow[0]


def ends(t: int, rules: Rules, state: State, chance: Chance, flows: Flows) -> int:
    """Return the shelf goes on for ever; watching it stops at the horizon."""
    return 2 if t + 1 >= len(chance.demand) else 0
