"""The sources of the episodes of a store.

An episode is the vector [demand (T, K) | jitter (T, K)]. Demand is drawn at list price, events included; the
price a policy charges moves it within the dynamics. Jitter is drawn for the widest range of days there is:
uniform within half a day more than that range, and rounded by the dynamics (see `dynamics.Deliveries`).
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from restock.core import streams
from restock.core.errors import InvalidInput
from restock.core.problem import Array, Source
from restock.core.validation import LARGEST
from restock.problems.retail.draws import draw
from restock.problems.retail.spec import RetailSpec

WEEKEND = (5, 6)
EVENT_DAYS = 2
SPREAD = 1000  # seeds of two tasks lie this far apart in the published generator, which adds the day


def published_demand(spec: RetailSpec, seed: int) -> Array:
    """Return the demand at list price as the published task draws it from a seed, shape (T, K) (units)."""
    drawn = np.empty((spec.horizon, len(spec.products)))
    for t in range(spec.horizon):
        generator = random.Random(seed * SPREAD + t + 1)
        drawn[t] = [generator.randint(*product.demand) for product in spec.products]
    return moved(spec, drawn)


def moved(spec: RetailSpec, drawn: Array) -> Array:
    """Return demand of shape (..., T, K) changed by weekends and events, rounded to whole units."""
    demand = drawn.copy()
    for factor in factors(spec):
        demand = np.floor(demand * factor)
    return demand


def factors(spec: RetailSpec) -> Array:
    """Return the factors on demand, one after the other, shape (F, T, K): the weekend, then the events."""
    day = np.arange(1, spec.horizon + 1)
    found = np.ones((1 + len(spec.events), spec.horizon, len(spec.products)))
    found[0, np.isin(day % 7, WEEKEND)] = spec.weekend_factor
    for k, (event, first) in enumerate(spec.events.items()):
        during = (day >= first) & (day < first + EVENT_DAYS)
        found[1 + k, during] = [spec.event_effects[event].get(product.name, 1.0) for product in spec.products]
    return found


def price_answer(spec: RetailSpec) -> Array:
    """Return the factor on demand at the least price, shape (K,)."""
    with np.errstate(over="ignore", invalid="ignore"):
        found: Array = np.float64(spec.price_range[0]) ** -np.array([product.elasticity for product in spec.products])
    return found


def check_countable(spec: RetailSpec) -> None:
    """Reject a store whose demand could be more than can be counted.

    Raises:
        InvalidInput: Weekend, events and the least price could make more than `LARGEST` units of a day's demand.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        raised = np.cumprod(factors(spec), axis=0).max(axis=(0, 1)) * price_answer(spec)
    for k, product in enumerate(spec.products):
        units = product.demand[1] * raised[k]
        if not units <= LARGEST:  # 0 units at an infinite factor are no number
            problem = f"weekend, events and the least price can make {units:.3g} units of it, more than {LARGEST:g}"
            mend = "Lower the elasticity or the demand, or raise the least price in price_range."
            raise InvalidInput(f"products[{k}].demand", product.demand, problem, mend)


def widest(spec: RetailSpec) -> int:
    """Return the widest jitter of a delivery (days) [J]."""
    return max(delivery.jitter for delivery in spec.deliveries)


class StreamSource(Source):
    """Episodes from named counter streams, one pair a row; demand as the description says.

    Args:
        spec: The store.
        demand: Of every episode, shape (T, K); None where every episode has its own.
        seeds: One a row.
    """

    def __init__(self, spec: RetailSpec, demand: Array | None, seeds: Sequence[int]) -> None:
        self._spec = spec
        self._seeds = list(seeds)
        self._met = np.zeros(len(self._seeds), dtype=np.int64)  # episodes begun
        self._keys = np.array([_keys(seed) for seed in self._seeds], dtype=np.uint64).T.copy()
        fast = demand is None and spec.demand_stream == "fast"
        bounds = np.array([product.demand for product in spec.products], dtype=np.float64)
        self._least = bounds[:, 0].copy()
        self._choices = np.diff(bounds)[:, 0] + 1.0 if fast else np.empty(0)
        self._counts, self._factors = _of_each_day(factors(spec))
        self._fixed = np.zeros(spec.horizon * len(bounds)) if demand is None else demand.ravel()
        self._span = 2.0 * widest(spec) + 1.0 if widest(spec) else 0.0

    def restart(self, row: int, seed: int, generator: np.random.Generator) -> None:
        """Begin a row's sequence afresh."""
        self._seeds[row] = seed
        self._met[row] = 0
        self._keys[:, row] = _keys(seed)

    def next(self, rows: NDArray[np.int64]) -> Array:
        """Return the next episode of each row named, shape (len(rows), drawn)."""
        size = len(self._fixed)
        met, keys = self._met[rows], self._keys[:, rows]
        episodes = np.empty((len(rows), len(keys) * size))
        draw(keys, met, self._span, self._least, self._choices, self._counts, self._factors, self._fixed, episodes)
        if self._spec.demand_stream == "seed":
            for k, row in enumerate(rows.tolist()):
                episodes[k, :size] = published_demand(self._spec, self._seed_now(row)).ravel()
        self._met[rows] = met + 1
        return episodes

    def _seed_now(self, row: int) -> int:
        """Return the seed of the row itself for its first episode, one made from it for each later one."""
        met = int(self._met[row])
        return self._seeds[row] if met == 0 else streams.key(self._seeds[row], f"episode {met}") >> 32


def _of_each_day(factors: Array) -> tuple[NDArray[np.int64], Array]:
    """Return how many of the factors, of shape (F, T, K), move anything on a day, and those first, shape (T, F K)."""
    days = np.moveaxis(factors, 0, 1)
    moves = (days != 1.0).any(axis=2)
    order = np.argsort(~moves, axis=1, kind="stable")
    first = np.take_along_axis(days, order[:, :, None], axis=1)
    return moves.sum(axis=1), np.ascontiguousarray(first).reshape(len(days), -1)


def _keys(seed: int) -> tuple[int, int]:
    """Keys of the streams of demand and of jitter."""
    return streams.key(seed, "demand"), streams.key(seed, "jitter")
