"""The exact optimum of a single location, by value iteration.

Backward from the end: V_0 = 0, and V_k(s) = max over q of the profit of the period + the discounted
mean of V_{k-1}. The maximising orders with k periods to go are the optimum of a finite horizon; as k
grows they settle, and V_k - V_{k-1} becomes the same number in every state, the long-run average
profit of a period (relative value iteration: its least and largest value bound that profit).

Where unmet demand waits, or orders arrive at once, the state is one number, the inventory position, and
the optimum is a base-stock level (`levels`). Where it is lost, the state is what is on hand after
today's arrival and what arrives tomorrow, ..., L - 1 periods from now:

    V_k(x, z_1, .., z_{L-1}) = max over q of r(x) - g (sum z + q) - c q
                               + discount E V_{k-1}((x - D)^+ + z_1, z_2, .., z_{L-1}, q)

Bounds. Orders are tried up to Q and stock is kept up to X; what would be beyond X vanishes. That is
the same problem as long as no best order is Q (profit is concave in the order: Zipkin 2008, On the
structure of lost-sales inventory models, Operations Research 56) and no order lifts the inventory
position above X: then no stock above X is ever there to vanish, so the policy found earns what was
computed, and since free disposal could only add to the true optimum, nothing earns more. Both are
checked in every state of every period; where they fail the bounds are widened.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core.errors import InvalidInput
from restock.core.problem import Array
from restock.solvers.single_location import SingleLocation, single_location

SETTLED = 1e-7  # of the differences V_k - V_{k-1}, relative to the profit of a period
TIE = 1e-9  # of two orders that are equally good the smaller one is taken
MOST_WORK = 4e9  # multiplications of one iteration
MOST_ITERATIONS = 5000
UNTHREADED = 200_000  # multiplications of one matrix product
NEVER = -(10.0**9)  # a level that nothing is below

Orders = NDArray[np.int16]


@dataclasses.dataclass(frozen=True)
class Optimum:
    """The optimal orders of a single location.

    Attributes:
        place: What was solved.
        profit: Long-run average profit of a period; its negative is the average cost. NaN where money
            is discounted or the iteration was stopped at a horizon before it settled.
        levels: Base-stock level with k + 1 periods to go (units), shape (K,); None where sales are lost
            and the lead time is 1 or more.
        tables: Best order with k + 1 periods to go, arrays of shape (X + 1, Q + 1, .., Q + 1) with L
            axes: on hand after today's arrival, arriving in 1, .., L - 1 periods (units).
    """

    place: SingleLocation
    profit: float
    levels: Array | None
    tables: tuple[Orders, ...]

    @property
    def cost(self) -> float:
        """The long-run average cost of a period, with sales counted against it."""
        return -self.profit

    def orders(self, to_go: int, on_hand: Array, pipeline: Array, backlog: Array) -> Array:
        """Return the optimal orders, shape (B,) (units).

        Args:
            to_go: Periods to go, this one included; beyond those solved for, the settled orders hold.
            on_hand: Before today's arrival, shape (B,) (units).
            pipeline: Arriving today, in 1, .., L - 1 periods, shape (B, L) (units).
            backlog: Shape (B,) (units).
        """
        on_hand, pipeline = np.rint(on_hand), np.rint(pipeline)
        if self.levels is not None:
            level = self.levels[min(to_go, len(self.levels)) - 1]
            return np.asarray(np.maximum(level - (on_hand + pipeline.sum(axis=1) - np.rint(backlog)), 0.0))
        table = self.tables[min(to_go, len(self.tables)) - 1]
        state = [on_hand + pipeline[:, 0], *pipeline[:, 1:].T]
        places = tuple(
            np.clip(part, 0, most - 1).astype(np.int64) for part, most in zip(state, table.shape, strict=True)
        )
        return np.asarray(table[places], dtype=np.float64)


def optimum(problem: Any, periods: int | None = None, widened: float = 1.0) -> Optimum:
    """Return the optimal orders of a problem that is a single location.

    Args:
        problem: A supply network, or a `SingleLocation`.
        periods: Solve for so many periods to go at most; default: until the best orders have settled.
        widened: Factor on the bounds at which the search begins; the result is the same.

    Raises:
        InvalidInput: The problem is no single location, or too large.

    Example:
        >>> import restock
        >>> shop = {
        ...     "horizon": 60, "backlog": False, "demand": {"mean": 5.0},
        ...     "nodes": [{"id": "supplier"}, {"id": "shop", "initial_inventory": 0, "holding_cost": 1}],
        ...     "links": [{"from": "supplier", "to": "shop", "lead_time": 2, "price": 0}],
        ...     "markets": [{"from": "shop", "to": "customers", "price": 0, "shortage_cost": 4}],
        ... }
        >>> round(optimum(restock.load_problem(shop)).cost, 2)
        4.4
    """
    place = problem if isinstance(problem, SingleLocation) else single_location(problem)
    if place.backlog or place.lead_time == 0:
        return _by_levels(place, periods, widened)
    return _by_tables(place, periods, widened)


class _Settling:
    """The stopping rule, and the average profit once V_k - V_{k-1} is the same everywhere."""

    def __init__(self, place: SingleLocation, periods: int | None) -> None:
        self._least = place.lead_time + 2  # iterations before which nothing has come to bear
        self._discounted = place.discount < 1.0
        self._periods = periods
        self.done = 0
        self.profit = math.nan

    def stops(self, change: Array) -> bool:
        """Return whether the iteration with these changes of the values was the last one."""
        self.done += 1
        low, high = float(change.min()), float(change.max())
        if self.done >= self._least and high - low <= SETTLED * max(1.0, abs(low), abs(high)):
            self.profit = math.nan if self._discounted else (low + high) / 2.0
            return True
        if self._periods is None and self.done >= MOST_ITERATIONS:
            problem = f"its best orders have not settled after {MOST_ITERATIONS} iterations"
            raise InvalidInput("problem", "single location", problem, "Solve it for a number of periods.")
        return self.done == self._periods


# lost sales ---------------------------------------------------------------------------------------


def _by_tables(place: SingleLocation, periods: int | None, widened: float) -> Optimum:
    lead = place.lead_time
    stock = math.ceil(widened * (place.quantile(lead + 1, place.ratio) + 3))
    order = math.ceil(widened * (place.quantile(1, place.ratio) + 2))
    while True:
        work = (stock + 1.0) ** 2 * (order + 1.0) ** lead
        if work > MOST_WORK:
            states = f"{(stock + 1.0) * (order + 1.0) ** (lead - 1):.3g} states"
            problem = f"it is too large to be solved exactly ({states})"
            raise InvalidInput(
                "problem", "single location", problem, "Shorten the lead time, or count in larger units."
            )
        found = _iterate(place, stock, order, periods)
        if found is not None:
            return found
        stock, order = stock + stock // 2 + 1, order + order // 2 + 1


def _iterate(place: SingleLocation, stock: int, order: int, periods: int | None) -> Optimum | None:
    """Run value iteration within bounds; return None if they turn out to be too narrow."""
    tails = [order + 1] * (place.lead_time - 1)
    x = np.arange(stock + 1)
    left = np.maximum(x[:, None] - np.arange(len(place.demand)), 0)  # (X + 1, D): stock at the end of the period
    moves = np.zeros((stock + 1, stock + 1))  # probability of what is left of x
    for d, probability in enumerate(place.demand):
        moves[x, left[:, d]] += probability
    held = moves @ x
    sold = x - held
    now = place.price * sold - place.shortage * (place.mean - sold) - place.holding * held
    waiting: Array = np.zeros(tails)  # units on their way that do not arrive today
    for axis in range(len(tails)):
        waiting = waiting + np.arange(order + 1).reshape([-1 if k == axis else 1 for k in range(len(tails))])
    reward = now.reshape([-1] + [1] * len(tails)) - place.pipeline * waiting
    price: Array = (place.purchase + place.pipeline) * np.arange(order + 1, dtype=np.float64)
    before = x.reshape([-1] + [1] * len(tails)) + waiting  # inventory position

    settling = _Settling(place, periods)
    values: Array = np.zeros((stock + 1, *tails))
    tables: list[Orders] = []
    while True:
        best, gained = _improve(place, moves, values, price)
        if int(best.max()) >= order or float((before + best)[best > 0].max(initial=0.0)) > stock:
            return None
        # Nearer to the end it is often the same: such tables are kept once.
        tables.append(tables[-1] if tables and np.array_equal(tables[-1], best) else best)
        new = reward + gained
        stop = settling.stops(new - values)
        # Only differences matter: without the growing part no digits are lost.
        values = new - new.flat[0] if place.discount == 1.0 else new
        if stop:
            return Optimum(place, settling.profit, None, tuple(tables))


def _improve(place: SingleLocation, moves: Array, values: Array, price: Array) -> tuple[Orders, Array]:
    """Return the best orders and their values in every state."""
    stock = len(moves) - 1
    x = np.arange(stock + 1)
    if place.lead_time == 1:  # today's order is tomorrow's arrival
        after = np.stack([moves @ values[np.minimum(x + q, stock)] for q in range(len(price))], axis=1)
        return _choose(place.discount * after - price)
    best = np.empty(values.shape, dtype=np.int16)
    gained = np.empty(values.shape)
    for arriving in range(len(price)):
        after = _product(moves, values[np.minimum(x + arriving, stock)].reshape(stock + 1, -1))
        worth = place.discount * after.reshape((stock + 1, *values.shape[1:])) - price
        best[:, arriving], gained[:, arriving] = _choose(worth)
    return best, gained


def _product(left: Array, right: Array) -> Array:
    """Return the matrix product, in pieces too small for BLAS to start threads, which wait for each other."""
    columns = max(1, UNTHREADED // left.size)
    if columns >= right.shape[1]:
        return np.asarray(left @ right)
    result = np.empty((len(left), right.shape[1]))
    for first in range(0, right.shape[1], columns):
        piece = slice(first, first + columns)
        result[:, piece] = left @ right[:, piece]
    return result


def _choose(worth: Array) -> tuple[Orders, Array]:
    """Return the smallest optimal order along the last axis, and its value."""
    most = worth.max(axis=-1)
    return (worth >= (most - TIE * (1.0 + np.abs(most)))[..., None]).argmax(axis=-1).astype(np.int16), most


# one number as the state --------------------------------------------------------------------------


def _by_levels(place: SingleLocation, periods: int | None, widened: float) -> Optimum:
    """Base-stock levels: concave in the position, linear below 0, so a table from -1 on says all."""
    lead = place.lead_time
    most = math.ceil(widened * (place.quantile(lead + 1, max(place.ratio, 0.5)) + 3))
    while (found := _iterate_levels(place, most, periods)) is None:
        most = 2 * most
        if most > 100_000:
            raise InvalidInput("problem", "single location", "its levels have no bound", "Give it a holding cost.")
    return found


def _iterate_levels(place: SingleLocation, most: int, periods: int | None) -> Optimum | None:
    lead, discount = place.lead_time, place.discount
    y = np.arange(-1, most + 1)
    coming = place.coming(lead + 1)
    left = np.maximum(y[:, None] - np.arange(len(coming)), 0) @ coming
    short = left - (y - coming @ np.arange(len(coming)))
    after = y[:, None] - np.arange(len(place.demand))  # position after the demand of the period
    settling = _Settling(place, periods)
    values = np.zeros(len(y))
    levels: list[float] = []
    while True:
        to_go = len(levels) + 1
        if to_go <= lead:  # an order would arrive after the end
            levels.append(NEVER)
            if settling.stops(np.array([0.0, 1.0])):
                return Optimum(place, math.nan, np.array(levels), ())
            continue
        cost = place.purchase + place.pipeline * sum(discount**k for k in range(lead))
        # What waits is sold in the next period, unless there is none.
        waits = discount if place.backlog and to_go - lead > 1 else 0.0
        unit = place.shortage + place.price * (1.0 - waits)
        slope = values[1] - values[0] if place.backlog else 0.0
        next_ = np.where(after < 0, values[1] + slope * after, values[np.maximum(after, 0) + 1]) @ place.demand
        worth = discount**lead * (place.price * place.mean - place.holding * left - unit * short)
        worth = worth + discount * next_ - cost * y
        top = worth[1:].max()
        level = int((worth[1:] >= top - TIE * (1.0 + abs(top))).argmax())
        if level >= most - 1:
            return None
        never = place.backlog and worth[0] >= top - TIE * (1.0 + abs(top))
        levels.append(NEVER if never else float(level))
        # From a position below the level one orders up to it; above, the profit falls from where one is.
        new = np.maximum.accumulate(worth[::-1])[::-1] + cost * y
        stop = settling.stops(new[1:] - values[1:])
        values = new - new[1] if discount == 1.0 else new
        if stop:
            return Optimum(place, settling.profit, np.array(levels), ())
