"""The maximal profit of a store with known demand and the earliest possible deliveries.

A linear program, and a bound: units are divisible, each delivery takes the fewest days it may, several ways of
delivery may be used on one day, demand may be left unserved, capacity costs nothing, and a product may be sold at
several prices on one day, each for a part of it. What stays is the cash: purchases are paid out of what was earned
before. Perishables are sold within their life.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.problem import Array
from restock.problems.retail import RetailProblem
from restock.problems.retail.spec import ProductSpec
from restock.solvers.structure import INFINITY, Rows, highs_model

Row = tuple[list[int], list[float], float, float]
Column = Callable[[float, float], int]  # from what a unit earns, and the most there may be of it, to its place
Sold = list[dict[int, float]]  # for each day, by column, units or money
Arriving = list[list[int]]  # for each day, columns


@dataclasses.dataclass(frozen=True)
class Plan:
    """The best plan of one episode.

    Attributes:
        bought: Units bought, by day, product and way of delivery, shape (T, K, S).
        sold: Units sold, shape (T, K).
        revenue: Money they bring, shape (T, K).
        bound: No policy earns more.
    """

    bought: Array
    sold: Array
    revenue: Array
    bound: float


def best_plan(problem: RetailProblem, demand: Array, pricing: bool = True) -> Plan:
    """Return the best plan for known demand.

    Args:
        problem: The store.
        demand: At list price, after events, shape (T, K) (units).
        pricing: Whether prices may move from the list.

    Raises:
        InvalidInput: HiGHS finds no optimum.
    """
    import highspy

    spec = problem.spec
    days, count = demand.shape
    gain: list[float] = []
    most: list[float] = []
    rows: list[Row] = []
    paid: Sold = [{} for _ in range(days)]
    earned: Sold = [{} for _ in range(days)]
    bought: list[tuple[int, int, int, int]] = []  # column, day, product, way
    sold: list[tuple[int, int, int, float]] = []  # column, day, product, units

    def column(value: float, upper: float = INFINITY) -> int:
        gain.append(value)
        most.append(upper)
        return len(gain) - 1

    for k, product in enumerate(spec.products):
        arriving: Arriving = [[] for _ in range(days)]
        for s, way in enumerate(spec.deliveries):
            earliest = max(1, way.lead_time - way.jitter)
            for t in range(days - earliest):
                price = product.cost + way.cost
                place = column(-price)
                paid[t][place] = price
                arriving[t + earliest].append(place)
                bought.append((place, t, k, s))
        selling: Sold = [{} for _ in range(days)]  # units, by column
        for t in range(days):
            for units, money in _sales(problem, k, float(demand[t, k]), pricing):
                place = column(money, 1.0)
                earned[t][place] = money
                selling[t][place] = units
                sold.append((place, t, k, units))
            rows.append((list(selling[t]), [1.0] * len(selling[t]), -INFINITY, 1.0))
        balance = _for_ever if product.shelf_life is None else _perishing
        rows += balance(product, selling, arriving, column)
    rows += _cash(paid, earned, spec.initial_cash, column)
    model = highs_model(np.array(gain), np.array(most), Rows.of(rows))
    model.run()
    if model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        status = model.modelStatusToString(model.getModelStatus())
        raise InvalidInput("hindsight", status, "HiGHS found no optimum", "Check the sizes of the numbers.")
    found = np.array(model.getSolution().col_value)
    shape = (days, count)
    bound = float(model.getInfo().objective_function_value)
    plan = Plan(np.zeros((*shape, len(spec.deliveries))), np.zeros(shape), np.zeros(shape), bound)
    for place, t, k, s in bought:
        plan.bought[t, k, s] = max(found[place], 0.0)
    for place, t, k, units in sold:
        plan.sold[t, k] += found[place] * units
        plan.revenue[t, k] += found[place] * earned[t][place]
    return plan


def _for_ever(product: ProductSpec, selling: Sold, arriving: Arriving, column: Column) -> list[Row]:
    """Return the rows that keep the evening stock of each day at or above zero."""
    rows: list[Row] = []
    before = -1
    for t, units in enumerate(selling):
        left = column(0.0, INFINITY)
        columns = [left, *units, *arriving[t]] + ([before] if t else [])
        values = [1.0, *units.values(), *[-1.0] * len(arriving[t])] + ([-1.0] if t else [])
        first = 0.0 if t else float(product.initial_stock)
        rows.append((columns, values, first, first))
        before = left
    return rows


def _perishing(product: ProductSpec, selling: Sold, arriving: Arriving, column: Column) -> list[Row]:
    """Return the rows that take each day's sale from lots: lot 0 is the initial stock, lot d what arrives on day d."""
    rows: list[Row] = []
    taken: list[list[int]] = [[] for _ in range(len(selling) + 1)]
    for t, units in enumerate(selling):
        lots = range(max(0, t + 1 - (product.shelf_life or 0)), t + 2)
        columns = [column(0.0, INFINITY) for _ in lots]
        for lot, place in zip(lots, columns, strict=True):
            taken[lot].append(place)
        rows.append(([*units, *columns], [*units.values(), *[-1.0] * len(columns)], -INFINITY, 0.0))
    for lot, places in enumerate(taken):
        arrived = arriving[lot - 1] if lot else []
        stock = 0.0 if lot else float(product.initial_stock)
        rows.append((places + arrived, [1.0] * len(places) + [-1.0] * len(arrived), -INFINITY, stock))
    return rows


def _cash(paid: Sold, earned: Sold, start: float, column: Column) -> list[Row]:
    """Return the rows that keep the cash after each day's purchases at or above zero."""
    rows: list[Row] = []
    before = -1
    for t, bills in enumerate(paid):
        left = column(0.0, INFINITY)
        columns, values = [left, *bills], [1.0, *bills.values()]
        if t:
            columns += [before, *earned[t - 1]]
            values += [-1.0, *(-money for money in earned[t - 1].values())]
        first = 0.0 if t else start
        rows.append((columns, values, first, first))
        before = left
    return rows


def _sales(problem: RetailProblem, k: int, demand: float, pricing: bool) -> list[tuple[float, float]]:
    """Return the corners of a product's possible daily sales: units, and the most money they bring."""
    product = problem.spec.products[k]
    if not pricing:
        return [(math.floor(demand), math.floor(demand) * product.price)] if demand >= 1.0 else []
    low, high = problem.spec.price_range
    points = [(0.0, 0.0)]
    for units in range(1, math.floor(demand * low**-product.elasticity + 1e-9) + 1):
        if product.elasticity > 0.0:
            price = min(high, (demand / units) ** (1.0 / product.elasticity))
        else:
            price = high
        points.append((float(units), units * price * product.price))
    return _upper_corners(points)[1:]


def _upper_corners(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the corners of the least concave function nowhere below the points, ordered by their first number."""
    corners: list[tuple[float, float]] = []
    for x, y in points:
        while len(corners) > 1:
            (x1, y1), (x2, y2) = corners[-2:]
            if (y2 - y1) * (x - x2) > (y - y2) * (x2 - x1):
                break
            corners.pop()
        corners.append((x, y))
    return corners
