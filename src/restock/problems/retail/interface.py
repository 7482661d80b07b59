"""How arrays, actions and observations of the store map to its dynamics."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

from restock.core.operations import cut, grid, positive, smaller
from restock.problems.retail.dynamics import Chance, Deliveries, Flows, Products, Rules, State

HEADER = 10  # integers before the tables: row, recorded, numbers decided and observed, K, N, R, S, T, E
EPISODE = 2  # numbers a day and product of an episode
MEASURES = (
    "revenue", "purchases", "service", "expired", "rejected", "liquidated", "revenue score", "fulfilment score",
    "waste score", "cash score", "capacity score", "profit score", "hard failures",
)  # fmt: skip
FAILURES = ("invalid_action", "unaffordable_order", "bankrupt", "idle")


def unpack(ints, floats, memory):
    """Return the world of one environment as named views: the arguments of `dynamics.step` after t."""
    count, slots, room, ways, days = ints[4], ints[5], ints[6], ints[7], ints[8]
    products = Products(
        cut(ints, 10, count),
        cut(ints, 10 + count, count),
        cut(floats, 0, count),
        cut(floats, count, count),
        cut(floats, 2 * count, count),
        cut(floats, 3 * count, count),
        cut(floats, 4 * count, count),
    )
    a = 5 * count
    deliveries = Deliveries(cut(floats, a, ways), cut(floats, a + ways, ways), cut(floats, a + 2 * ways, ways))
    a = a + 3 * ways
    rules = Rules(
        cut(floats, a, 1), cut(floats, a + 1, 1), cut(floats, a + 2, 1), cut(floats, a + 3, 1), cut(floats, a + 4, 13)
    )  # fmt: skip
    a = 2 * count + slots
    b = a + count * room
    state = State(
        cut(memory, 0, count),
        cut(memory, count, count),
        cut(memory, 2 * count, slots),
        cut(memory, a, count * room),
        cut(memory, b, 1),
        cut(memory, b + 1, 1),
        cut(memory, b + 2, 1),
    )
    a = b + 3
    b = a + 3 * count + 1
    c = b + 11 * count
    flows = Flows(
        cut(memory, a, 3 * count + 1),
        cut(memory, b, count),
        cut(memory, b + count, count),
        cut(memory, b + 2 * count, count),
        cut(memory, b + 3 * count, count),
        cut(memory, b + 4 * count, count),
        cut(memory, b + 5 * count, count),
        cut(memory, b + 6 * count, count),
        cut(memory, b + 7 * count, count),
        cut(memory, b + 8 * count, count),
        cut(memory, b + 9 * count, count),
        cut(memory, b + 10 * count, count),
        cut(memory, c, 1),
        cut(memory, c + 1, 4),
        cut(memory, c + 5, 13),
    )
    c = c + 18
    chance = Chance(grid(memory, c, days, count), grid(memory, c + days * count, days, count))
    return products, deliveries, rules, state, chance, flows


def put(decision, products, deliveries, rules, state, chance, flows):
    """Write the decision x_t, given in physical units."""
    for i in range(len(flows.decision)):
        flows.decision[i] = decision[i]


def decide(action, ints, floats, products, deliveries, rules, state, chance, flows):
    """Read an action: decision = unit * action + shift, not above the bound."""
    n = len(flows.decision)
    a = 5 * len(products.price) + 3 * len(deliveries.cost) + 17
    unit = cut(floats, a, n)
    shift = cut(floats, a + n, n)
    most = cut(floats, a + 2 * n, n)
    for i in range(n):
        flows.decision[i] = smaller(unit[i] * action[i] + shift[i], most[i])


def observe(t, obs, ints, floats, products, deliveries, rules, state, chance, flows):
    """Write the observation at the start of day t + 1, each number times its fixed scale."""
    count = len(state.on_hand)
    slots = len(state.batches)
    events = ints[9]
    scale = cut(floats, len(floats) - ints[3], ints[3])
    obs[0] = t * scale[0]
    obs[1] = state.cash[0] * scale[1]
    obs[2] = flows.profit[0] * scale[2]
    obs[3] = state.total_profit[0] * scale[3]
    a = 4
    b = a + count
    for k in range(count):
        obs[a + k] = flows.demand[k] * scale[a + k]
        obs[b + k] = positive(products.capacity[k] - state.on_hand[k]) * scale[b + k]
    a = b + count
    for i in range(slots):
        obs[a + i] = state.batches[i] * scale[a + i]
    a = a + slots
    for e in range(events):
        obs[a + e] = (ints[10 + 2 * count + e] - t) * scale[a + e]
    a = a + events
    for i in range(len(state.pipe)):
        obs[a + i] = state.pipe[i] * scale[a + i]


PARTS = (
    "revenue", "purchases", "service", "expiry", "rejection", "liquidation", "revenue_score", "fulfilment_score",
    "waste_score", "cash_score", "capacity_score", "profit_score", "hard_failures",
)  # fmt: skip


def totals(t, products, deliveries, rules, state, chance, flows):
    """Return the parts of the day's reward, signed: they add up to it."""
    w = rules.weights
    m = flows.measures
    return (
        w[0] * m[0], w[1] * m[1], w[2] * m[2], w[3] * m[3], w[4] * m[4], w[5] * m[5], w[6] * m[6], w[7] * m[7],
        w[8] * m[8], w[9] * m[9], w[10] * m[10], w[11] * m[11], w[12] * m[12],
    )  # fmt: skip
