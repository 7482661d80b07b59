"""How arrays, actions and observations of the shelf map to its dynamics."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

from restock.core.operations import cut
from restock.problems.minimal.dynamics import Chance, Flows, Rules, State


def unpack(ints, floats, memory):
    """Return the world of one environment as named views: the arguments of `dynamics.step` after t."""
    rules = Rules(cut(floats, 0, 1), cut(floats, 1, 1), cut(floats, 2, 1))
    state = State(cut(memory, 0, 1))
    flows = Flows(
        cut(memory, 1, 1), cut(memory, 2, 1), cut(memory, 3, 1), cut(memory, 4, 1), cut(memory, 5, 1),
        cut(memory, 6, 1), cut(memory, 7, 1), cut(memory, 8, 1),
    )  # fmt: skip
    periods = ints[4]
    chance = Chance(cut(memory, 10, periods), cut(memory, 10 + periods, periods))  # behind the stock at the start
    return rules, state, chance, flows


def put(decision, rules, state, chance, flows):
    """Write the decision x_t: units ordered."""
    flows.ordered[0] = decision[0]


def decide(action, ints, floats, rules, state, chance, flows):
    """Read an action, which is the decision itself."""
    flows.ordered[0] = action[0] * 1.0


def observe(t, obs, ints, floats, rules, state, chance, flows):
    """Write the observation at the start of a period: stock times its scale."""
    obs[0] = state.on_hand[0] * floats[3]


PARTS = ("served", "short", "overflow")


def totals(t, rules, state, chance, flows):
    """Return the parts of the period's reward, signed: they add up to it."""
    return flows.served[0], 0.0 - flows.short[0], 0.0 - flows.overflow[0]
