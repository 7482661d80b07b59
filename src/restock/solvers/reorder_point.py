"""Optimal (s, S) and (r, nQ) policies of a single item with a fixed order cost, in the long run.

Demand comes in whole steps with known probabilities, what is short waits, and G(y) is the expected cost
of a period that an inventory position y brings about (a lead time later).
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from restock.core.problem import Array


@dataclasses.dataclass(frozen=True)
class ReorderPoint:
    """A policy that orders once the inventory position is at or below `reorder_point`.

    Attributes:
        reorder_point: [s] or [r] (steps).
        quantity: S - s, or the batch [Q] (steps).
        cost: Average cost of a period.
    """

    reorder_point: int
    quantity: int
    cost: float


def expected_costs(demand: Array, periods: int, over: float, short: float, fixed: float = 0.0) -> tuple[Array, int]:
    """Return G(y) = over E[(y - D)^+] + short E[(D - y)^+], D the demand of so many periods.

    Args:
        demand: Probabilities of 0, 1, ... steps in a period, shape (D,).
        periods: Lead time and review together, at least 1.
        over: Cost of a step left over.
        short: Cost of a step short.
        fixed: Cost of an order [K], which says how far from its least value G is of use.

    Returns:
        G from position `first` on, and that position.
    """
    whole = np.ones(1)
    for _ in range(periods):
        whole = np.convolve(whole, demand)
    steps = np.arange(len(whole))
    mean = float(steps @ whole)
    below = np.cumsum(whole)
    left = np.concatenate([[0.0], np.cumsum(below[:-1])])  # E[(y - D)^+] for y = 0, 1, ..
    positive = over * left + short * (mean - steps + left)
    # No position is of use whose cost alone exceeds what the economic order quantity costs on top of the least.
    worth = positive.min() + 2.0 * math.sqrt(2.0 * fixed * mean / periods * over * short / (over + short))
    spare = len(whole) + 4 * len(demand)
    # Below 0 everything is short, above the largest demand everything is left over.
    down, up = spare + math.ceil(worth / short), spare + math.ceil(worth / over)
    negative = short * (mean + np.arange(down, 0, -1))
    beyond = over * (np.arange(len(whole), len(whole) + up) - mean)
    return np.concatenate([negative, positive, beyond]), -down


def optimal_s_S(demand: Array, costs: Array, first: int, fixed: float) -> ReorderPoint:
    """Return the optimal (s, S) policy.

    Zheng and Federgruen (1991), Finding optimal (s, S) policies is about as simple as evaluating a single
    policy, Operations Research 39: from the least cost on, s falls and S rises as long as that pays, and
    the search ends where G(S) alone exceeds the best average cost.

    Args:
        demand: Probabilities of 0, 1, ... steps in a period, shape (D,); not of 0 alone.
        costs: G(first), G(first + 1), ..., convex.
        first: See `costs`.
        fixed: Cost of an order [K].
    """
    best = int(np.argmin(costs))
    visits = _renewal(demand, len(costs))
    total = np.concatenate([[0.0], np.cumsum(visits)])

    def average(s: int, top: int) -> float:
        width = top - s
        return float((fixed + visits[:width] @ costs[top : top - width : -1]) / total[width])

    top, s = best, best - 1
    while s > 0 and average(s, top) > costs[s]:
        s -= 1
    cost = average(s, top)
    rise = top + 1
    while rise < len(costs) and costs[rise] <= cost:
        if average(s, rise) < cost:
            top = rise
            while s + 1 < top and average(s, top) <= costs[s + 1]:
                s += 1
            cost = average(s, top)
        rise += 1
    return ReorderPoint(s + first, top - s, cost)


def optimal_r_Q(demand: Array, costs: Array, first: int, fixed: float) -> ReorderPoint:
    """Return the best (r, nQ) policy: the inventory position after ordering is uniform on r + 1, ..., r + Q.

    An order is placed in a period with probability E[min(D, Q)] / Q, and the average cost is the mean of G
    over the Q cheapest neighbouring positions plus the fixed cost that often. Federgruen and Zheng (1992),
    An efficient algorithm for computing an optimal (r, Q) policy, Operations Research 40, for G alone.

    Args:
        demand: Probabilities of 0, 1, ... steps in a period, shape (D,); not of 0 alone.
        costs: G(first), G(first + 1), ..., convex.
        first: See `costs`.
        fixed: Cost of an order [K].
    """
    tail = np.concatenate([1.0 - np.cumsum(demand), np.zeros(len(costs))])
    low = high = int(np.argmin(costs))
    summed, ordered = float(costs[low]), float(tail[0])  # E[min(D, Q)] is the sum of P(D > k) for k < Q
    best = ReorderPoint(low - 1 + first, 1, summed + fixed * ordered)
    while low > 0 and high + 1 < len(costs):
        ordered += float(tail[high - low + 1])
        if costs[low - 1] <= costs[high + 1]:
            low -= 1
            summed += float(costs[low])
        else:
            high += 1
            summed += float(costs[high])
        size = high - low + 1
        cost = (summed + fixed * ordered) / size
        if cost < best.cost:
            best = ReorderPoint(low - 1 + first, size, cost)
        elif min(costs[max(low - 1, 0)], costs[min(high + 1, len(costs) - 1)]) > best.cost + fixed:
            break
    return best


def best_s(demand: Array, costs: Array, first: int, quantity: int) -> int:
    """Return the best reorder point s of (s, s + quantity) (steps); see `optimal_s_S` for the arguments."""
    visits = _renewal(demand, quantity)
    # Entry k is the cost of s = k - 1 + first: positions k .. k + quantity - 1, the highest visited first.
    cost = np.convolve(costs, visits, mode="valid")
    return int(np.argmin(cost)) - 1 + first


def best_r(costs: Array, first: int, quantity: int) -> int:
    """Return the best reorder point r of (r, n quantity) (steps); see `optimal_r_Q` for the arguments."""
    return int(np.argmin(np.convolve(costs, np.ones(quantity), mode="valid"))) - 1 + first


def _renewal(demand: Array, count: int) -> Array:
    """Return the mean number of periods that the position spends k steps below its start, k = 0 .. count - 1.

    m(0) = 1 / (1 - p_0), m(k) = sum over d = 1 .. k of p_d m(k - d) / (1 - p_0).
    """
    moved = 1.0 - demand[0]
    visits = np.empty(count)
    visits[0] = 1.0 / moved
    rest = demand[1:] / moved
    for k in range(1, count):
        width = min(k, len(rest))
        visits[k] = rest[:width] @ visits[k - width : k][::-1]
    return visits
