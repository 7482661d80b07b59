"""The source of the episodes of a plant.

An episode is the vector [raw price, product price, demand at the start | raw prices (T + 1) | product prices
(T + 1) | demand (T + 1)]. Numbers are drawn in the order raw, product, demand at the reset, then demand, raw,
product in every period.
"""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core import backends
from restock.core.problem import Array
from restock.core.sources import GeneratorSource
from restock.problems.production.spec import ProductionSpec


class PlantSource(GeneratorSource[ProductionSpec]):
    """Episodes drawn from NumPy generators, one a row."""

    def next(self, rows: NDArray[np.int64]) -> Array:
        """Return the next episode of each row named, shape (len(rows), drawn)."""
        s, known = self._model, self._model.max_steps + 1
        law = np.array([s.raw_price_base, s.product_price_base, s.price_std, s.price_floor])
        demand = np.array([s.demand_mean, s.demand_volatility])
        episodes = np.empty((len(rows), 3 + 3 * known))
        for episode, row in zip(episodes, rows.tolist(), strict=True):
            _entry()(self._generators[row].standard_normal((known, 3)), law, demand, episode)
        return episodes


def walk_prices(normal, law, demand, episode):  # type: ignore[no-untyped-def]
    """Write an episode from normal numbers of shape (T + 1, 3).

    `law` has the prices that the walks come from, the standard deviation of a step, and the least price; `demand`
    its mean and standard deviation.
    """
    known = len(normal)
    raw = law[0]
    product = law[1]
    for k in range(known):
        first = min(k, 1)  # demand is drawn last at the reset, and first in every period
        raw = max(law[3], raw + law[2] * normal[k, first])
        product = max(law[3], product + law[2] * normal[k, first + 1])
        episode[3 + k] = raw
        episode[3 + known + k] = product
        episode[3 + 2 * known + k] = max(0.0, demand[0] + demand[1] * normal[k, 2 - 2 * first])
    for k in range(3):
        episode[k] = episode[3 + k * known]


@cache
def _entry() -> Callable[..., Any]:
    compiled = backends.compile_texts((), (walk_prices,), "prices")
    line = (np.float64, 1)
    return backends.entry(compiled.walk_prices, (np.float64, 2), line, line, line)


def packed(raw: Array, product: Array, demand: Array) -> Array:
    """Return the episodes from prices and demand, each of shape (B, T + 1)."""
    return np.concatenate([raw[:, :1], product[:, :1], demand[:, :1], raw, product, demand], axis=1)
