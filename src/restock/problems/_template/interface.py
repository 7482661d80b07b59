"""How packed numbers, actions and observations map to the dynamics; run by every back end, so no NumPy here."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

from restock.core.operations import cut, positive, smaller

from .dynamics import Chance, Flows, Rules, State

RULES = 4  # real numbers of the rules; behind them: factor and offset of an action, the largest order, the scales
FLOWS = 9  # numbers of the flows


def unpack(ints, floats, memory):
    """Return the world of one environment as named views: the arguments of `dynamics.step` after t."""
    periods, lead_time = ints[4], ints[5]
    rules = Rules(cut(floats, 0, 1), cut(floats, 1, 1), cut(floats, 2, 1), cut(floats, 3, 1))
    state = State(cut(memory, 0, 1), cut(memory, 1, lead_time))
    a = 1 + lead_time
    flows = Flows(
        cut(memory, a, 1), cut(memory, a + 1, 1), cut(memory, a + 2, 1), cut(memory, a + 3, 1), cut(memory, a + 4, 1),
        cut(memory, a + 5, 1), cut(memory, a + 6, 1), cut(memory, a + 7, 1), cut(memory, a + 8, 1),
    )  # fmt: skip
    return rules, state, Chance(cut(memory, a + FLOWS, periods)), flows


def put(decision, rules, state, chance, flows):
    """Write the decision x_t, in units."""
    flows.ordered[0] = decision[0]


def decide(action, ints, floats, rules, state, chance, flows):
    """Read an action: an order between nothing and the largest."""
    asked = positive(action[0] * floats[RULES] + floats[RULES + 1])
    flows.ordered[0] = smaller(asked, floats[RULES + 2])


def observe(t, obs, ints, floats, rules, state, chance, flows):
    """Write the observation at the start of a period: stock and pipeline, each number times its scale."""
    obs[0] = state.on_hand[0] * floats[RULES + 3]
    for k in range(len(state.in_transit)):
        obs[1 + k] = state.in_transit[k] * floats[RULES + 3]


PARTS = ("revenue", "purchase", "holding", "shortage")


def totals(t, rules, state, chance, flows):
    """Return the parts of the period's reward, signed: they add up to it."""
    return flows.revenue[0], 0.0 - flows.purchase[0], 0.0 - flows.holding[0], 0.0 - flows.shortage[0]
