"""Where the episodes of a plant come from.

An episode is the vector [raw price, product price, demand at the start | raw prices (T + 1) | product prices
(T + 1) | demand (T + 1)]. Numbers are drawn in the order raw, product, demand at the reset, then demand, raw,
product in every period.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from restock.core.problem import Array
from restock.core.sources import GeneratorSource
from restock.problems.production.spec import ProductionSpec


class PlantSource(GeneratorSource[ProductionSpec]):
    """Episodes drawn from NumPy generators, one a row."""

    def next(self, rows: NDArray[np.int64]) -> Array:
        """The next episode of each row named, shape (len(rows), drawn)."""
        spec, known = self._model, self._model.max_steps + 1
        normal = np.empty((len(rows), known, 3))
        for k, row in enumerate(rows.tolist()):
            normal[k] = self._generators[row].standard_normal((known, 3))
        normal[:, 0] = normal[:, 0, [2, 0, 1]]  # demand first, as in every later period
        demand = np.maximum(0.0, spec.demand_mean + spec.demand_volatility * normal[..., 0])
        raw = walk(spec.raw_price_base, spec.price_std * normal[..., 1], spec.price_floor)
        product = walk(spec.product_price_base, spec.price_std * normal[..., 2], spec.price_floor)
        return packed(raw, product, demand)


def walk(start: float, moves: Array, floor: float) -> Array:
    """Prices p[k] = max(floor, p[k - 1] + move[k]) from p[-1] = start, shape (B, T + 1)."""
    free = np.cumsum(np.concatenate([np.full((len(moves), 1), start), moves], axis=1), axis=1)[:, 1:]
    # A walk held up by a floor is the free walk, lifted by what the floor has taken off it so far.
    lifted = free + np.maximum.accumulate(np.maximum(floor - free, 0.0), axis=1)
    return np.asarray(np.maximum(lifted, floor))


def packed(raw: Array, product: Array, demand: Array) -> Array:
    """Episodes from prices and demand, each of shape (B, T + 1)."""
    return np.concatenate([raw[:, :1], product[:, :1], demand[:, :1], raw, product, demand], axis=1)
