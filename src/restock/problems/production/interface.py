"""How arrays, actions and observations of the plant map to its dynamics."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

from restock.core.operations import cut
from restock.problems.production.dynamics import Chance, Flows, Rules, State

OBSERVED = 6  # raw material, product, their prices, last demand, cash
RULES = 6  # real numbers before the scales
STATE = 6  # numbers of the state
FLOWS = 15  # numbers of the flows
GIVEN = 3  # numbers of the state that an episode begins with: both prices, and the last demand


def unpack(ints, floats, memory):
    """Return the world of one environment as named views: the arguments of `dynamics.step` after t."""
    rules = Rules(
        cut(floats, 0, 1), cut(floats, 1, 1), cut(floats, 2, 1), cut(floats, 3, 1), cut(floats, 4, 1), cut(floats, 5, 1)
    )
    state = State(
        cut(memory, 0, 1), cut(memory, 1, 1), cut(memory, 2, 1), cut(memory, 3, 2), cut(memory, 5, 1)
    )  # fmt: skip
    a = STATE
    flows = Flows(
        cut(memory, a, 1), cut(memory, a + 1, 1), cut(memory, a + 2, 1), cut(memory, a + 3, 1), cut(memory, a + 4, 1),
        cut(memory, a + 5, 1), cut(memory, a + 6, 1), cut(memory, a + 7, 1), cut(memory, a + 8, 1),
        cut(memory, a + 9, 1), cut(memory, a + 10, 1), cut(memory, a + 11, 1), cut(memory, a + 12, 1),
        cut(memory, a + 13, 1), cut(memory, a + 14, 1),
    )  # fmt: skip
    a = STATE + FLOWS + GIVEN
    known = ints[4] + 1
    chance = Chance(cut(memory, a, known), cut(memory, a + known, known), cut(memory, a + 2 * known, known))
    return rules, state, chance, flows


def put(decision, rules, state, chance, flows):
    """Write the decision x_t: 0 idle, 1 buy, 2 convert; any other number cannot be carried out."""
    flows.choice[0] = decision[0]


def decide(action, ints, floats, rules, state, chance, flows):
    """Read an action, which is the decision itself."""
    flows.choice[0] = action[0] * 1.0


def observe(t, obs, ints, floats, rules, state, chance, flows):
    """Write the observation at the start of a period, each number times its fixed scale."""
    scale = cut(floats, RULES, OBSERVED)
    obs[0] = state.on_hand[0] * scale[0]
    obs[1] = state.on_hand[1] * scale[1]
    obs[2] = state.raw_price[0] * scale[2]
    obs[3] = state.product_price[0] * scale[3]
    obs[4] = state.last_demand[0] * scale[4]
    obs[5] = state.cash[0] * scale[5]


PARTS = ("revenue", "conversion", "holding", "shortage", "impossible", "bankruptcy", "purchases")


def totals(t, rules, state, chance, flows):
    """Return the parts of the period's reward, signed: they add up to it."""
    return (
        flows.revenue[0],
        flows.conversion[0],
        0.0 - flows.holding[0],
        0.0 - flows.shortage[0],
        0.0 - flows.impossible[0],
        0.0 - flows.bankruptcy[0],
        0.0 - rules.pays[0] * flows.purchases[0],
    )
