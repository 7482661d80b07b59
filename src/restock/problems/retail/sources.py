"""Where the episodes of a store come from.

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
from restock.core.problem import Array, Source
from restock.problems.retail.spec import RetailSpec

WEEKEND = (5, 6)
EVENT_DAYS = 2
SPREAD = 1000  # seeds of two tasks lie this far apart in the published generator, which adds the day


def published_demand(spec: RetailSpec, seed: int) -> Array:
    """Demand at list price as the published task draws it from a seed, shape (T, K) (units)."""
    drawn = np.empty((spec.horizon, len(spec.products)))
    for t in range(spec.horizon):
        generator = random.Random(seed * SPREAD + t + 1)
        drawn[t] = [generator.randint(*product.demand) for product in spec.products]
    return moved(spec, drawn)


def moved(spec: RetailSpec, drawn: Array) -> Array:
    """What weekends and events make of drawn demand of shape (..., T, K); each leaves whole units."""
    demand = drawn.copy()
    day = np.arange(1, spec.horizon + 1)
    weekend = np.isin(day % 7, WEEKEND)
    demand[..., weekend, :] = np.floor(demand[..., weekend, :] * spec.weekend_factor)
    for event, first in spec.events.items():
        factor = np.array([spec.event_effects[event].get(product.name, 1.0) for product in spec.products])
        during = (day >= first) & (day < first + EVENT_DAYS)
        demand[..., during, :] = np.floor(demand[..., during, :] * factor)
    return demand


def widest(spec: RetailSpec) -> int:
    """The widest jitter of a delivery (days) [J]."""
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
        self._fixed = demand
        self._least = np.array([product.demand[0] for product in spec.products], dtype=np.float64)
        self._choices = np.array([product.demand[1] - product.demand[0] + 1 for product in spec.products])
        self._seeds = list(seeds)
        self._met = np.zeros(len(self._seeds), dtype=np.int64)  # episodes begun
        self._keys = {name: np.array([streams.key(s, name) for s in seeds], np.uint64) for name in ("jitter", "demand")}

    def restart(self, row: int, seed: int, generator: np.random.Generator) -> None:
        """Begin a row's sequence afresh."""
        self._seeds[row] = seed
        self._met[row] = 0
        for name, keys in self._keys.items():
            keys[row] = streams.key(seed, name)

    def next(self, rows: NDArray[np.int64]) -> Array:
        """The next episode of each row named, shape (len(rows), drawn)."""
        spec = self._spec
        shape = (len(rows), spec.horizon, len(spec.products))
        episodes = np.empty((len(rows), 2, *shape[1:]))
        episodes[:, 0] = self._demand(rows, shape)
        if widest(spec) > 0:
            drawn = streams.uniforms(self._keys["jitter"][rows], self._met[rows], shape[1] * shape[2])
            episodes[:, 1] = (drawn.reshape(shape) - 0.5) * (2 * widest(spec) + 1)
        else:
            episodes[:, 1] = 0.0
        self._met[rows] += 1
        return episodes.reshape(len(rows), -1)

    def _demand(self, rows: NDArray[np.int64], shape: tuple[int, int, int]) -> Array:
        if self._fixed is not None:
            return self._fixed
        if self._spec.demand_stream == "seed":
            return np.stack([published_demand(self._spec, self._seed_now(row)) for row in rows.tolist()])
        drawn = streams.uniforms(self._keys["demand"][rows], self._met[rows], shape[1] * shape[2]).reshape(shape)
        return moved(self._spec, self._least + np.floor(drawn * self._choices))

    def _seed_now(self, row: int) -> int:
        """The seed of the row itself for its first episode, one made from it for each later one."""
        met = int(self._met[row])
        return self._seeds[row] if met == 0 else streams.key(self._seeds[row], f"episode {met}") >> 32
