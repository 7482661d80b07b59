"""How arrays, actions and observations of shared stock map to its dynamics."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

from restock.core.operations import cut, grid, larger, positive, smaller, when
from restock.problems.sharing.dynamics import Chance, Flows, Links, Rules, State

HEADER = 8  # integers before the lead times: row, recorded, numbers decided and observed, n, T, K, entries of the pipe
RULES = 5  # real numbers before the bounds of orders


def unpack(ints, floats, memory):
    """Return the world of one environment as named views: the arguments of `dynamics.step` after t."""
    n, days, slots, entries = ints[4], ints[5], ints[6], ints[7]
    m = n * n
    links = Links(cut(ints, HEADER, m), cut(floats, RULES, m))
    rules = Rules(cut(floats, 0, 1), cut(floats, 1, 1), cut(floats, 2, 1), cut(floats, 3, 1), cut(floats, 4, 1))
    a = 3 * n
    b = a + 2 * m
    flows = Flows(
        cut(memory, a, m),
        cut(memory, a + m, m),
        cut(memory, b, n),
        cut(memory, b + n, n),
        cut(memory, b + 2 * n, n),
        cut(memory, b + 3 * n, n),
        cut(memory, b + 4 * n, n),
        cut(memory, b + 5 * n, n),
        cut(memory, b + 6 * n, n),
        cut(memory, b + 7 * n, n),
        cut(memory, b + 8 * n, n),
        cut(memory, b + 9 * n, n),
        cut(memory, b + 10 * n, n),
        cut(memory, b + 11 * n, 1),
    )
    a = b + 11 * n + 1
    state = State(cut(memory, 0, n), cut(memory, n, n), cut(memory, 2 * n, n), cut(memory, a, entries))
    a = a + entries + 2 * n  # the episode begins with stock and expected demand of the first day
    b = a + days * n + n + 1
    played = days - 1
    chance = Chance(
        grid(memory, a, days, n),
        cut(memory, a + days * n, n),
        cut(memory, b - 1, 1),
        grid(memory, b, played, n),
        grid(memory, b + played * n, played, n * slots),
    )
    return links, rules, state, chance, flows


def put(decision, links, rules, state, chance, flows):
    """Write the decision x_t: units asked for, to i from j at i n + j."""
    for k in range(len(flows.ordered)):
        flows.ordered[k] = decision[k]


def decide(action, ints, floats, links, rules, state, chance, flows):
    """Read an action as orders in units, clipped to what is allowed: order = unit * (action + shift)."""
    m = len(flows.ordered)
    unit = cut(floats, RULES + m, m)
    shift = cut(floats, RULES + 2 * m, m)
    for k in range(m):
        flows.ordered[k] = smaller(positive(unit[k] * (action[k] + shift[k])), links.most[k])


def observe(t, obs, ints, floats, links, rules, state, chance, flows):
    """Write stock, expected demand, their ratio and what is coming, each number times its fixed scale."""
    n = len(state.on_hand)
    scale = cut(floats, len(floats) - 4 * n, 4 * n)
    for i in range(n):
        wanted = when(state.expected[i], state.expected[i], 1.0)  # nothing expected: days of cover at one unit a day
        obs[i] = state.on_hand[i] * scale[i]
        obs[n + i] = state.expected[i] * scale[n + i]
        obs[2 * n + i] = state.on_hand[i] / wanted * scale[2 * n + i]
        obs[3 * n + i] = larger(state.in_transit[i], 0.0) * scale[3 * n + i]


PARTS = ("filled", "stockouts", "weighted_cost")


def totals(t, links, rules, state, chance, flows):
    """Return the parts of the day's reward, signed: they add up to it."""
    filled = 0.0
    stockouts = 0.0
    for i in range(len(flows.filled)):
        filled = filled + flows.filled[i]
        stockouts = stockouts + flows.stockouts[i]
    return filled, 0.0 - stockouts, 0.0 - flows.weighted_cost[0]
