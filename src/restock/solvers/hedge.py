"""Expected shortages in a program of mean demand, by tangents.

Let I = x - u be a retailer's expected net stock at the end of a period and sigma the spread of demand
over the periods in which it can no longer react. A normal deviation Z leaves it E[(sigma Z - I)+]
units short; this loss function is convex in I, so its tangents

    (1 - b) u + b x >= sigma phi(z),    b = 1 - Phi(z),    at the points z of `LOSS`

make a program pay for the expected shortage and for the stock that goes with it. The chance of a
shortage, P(sigma Z > I), is convex for I >= 0; with w for sigma times that chance, its tangents are

    w + phi(z) (x - u) >= sigma (1 - Phi(z) + z phi(z))    at the points z of `CHANCE`.

Source of the loss function: Zipkin (2000), Foundations of Inventory Management, section 6.4.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np

from restock.core.problem import Array
from restock.solvers.structure import INFINITY, Integers, Rows, Structure

NORMAL = NormalDist()
LOSS = (-1.5, -0.75, -0.25, 0.25, 0.75, 1.25, 1.75, 2.25, 3.0)
CHANCE = (0.0, 0.4, 0.8, 1.2, 1.6, 2.0, 2.5)
LOSS_AT: Array = np.array([NORMAL.pdf(z) for z in LOSS])  # right-hand sides for a spread of 1
CHANCE_AT: Array = np.array([1.0 - NORMAL.cdf(z) + z * NORMAL.pdf(z) for z in CHANCE])


def loss_rows(plan: Structure, retailer: Any, excess: Integers, first: int) -> tuple[Integers, Rows]:
    """Return tangents of the loss function, with a column of excess per retailer that keeps them feasible.

    Args:
        plan: Columns of the network.
        retailer: Node of each market, shape (M,).
        excess: Columns, shape (T, R).
        first: Number of the first of these rows.

    Returns:
        Numbers of the rows, shape (T, R, points), and the rows.
    """
    slopes = [(NORMAL.cdf(z), 1.0 - NORMAL.cdf(z)) for z in LOSS]
    return _tangents(plan, retailer, excess, first, slopes)


def chance_rows(plan: Structure, retailer: Any, chance: Integers, first: int) -> tuple[Integers, Rows]:
    """Return tangents of the probability of a shortage, in columns of shape (T, R); see `loss_rows`."""
    slopes = [(-NORMAL.pdf(z), NORMAL.pdf(z)) for z in CHANCE]
    return _tangents(plan, retailer, chance, first, slopes)


def _tangents(
    plan: Structure, retailer: Any, extra: Integers, first: int, slopes: list[tuple[float, float]]
) -> tuple[Integers, Rows]:
    rows = []
    for t in range(len(plan.stock)):
        for r, j in enumerate(np.unique(retailer)):
            unmet = [int(column) for column in plan.unmet[t, retailer == j]]
            for of_unmet, of_stock in slopes:
                columns = [*unmet, int(plan.stock[t, j]), int(extra[t, r])]
                rows.append((columns, [*([of_unmet] * len(unmet)), of_stock, 1.0], -INFINITY, INFINITY))
    return first + np.arange(len(rows)).reshape(*extra.shape, len(slopes)), Rows.of(rows)
