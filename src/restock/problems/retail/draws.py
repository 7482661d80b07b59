"""Demand and jitter of many episodes, drawn in one compiled call.

The numbers are those of `restock.core.streams.uniforms`, and what weekends and events make of demand is what
`sources.moved` says; a test holds this to both.
"""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core import backends
from restock.core.operations import cut
from restock.core.problem import Array
from restock.core.streams import EPISODE, GOLDEN, MIX_1, MIX_2, TO_UNIT

HALF, LOW_BITS = np.uint64(30), np.uint64(12)
OTHER_HALF, LAST = np.uint64(27), np.uint64(31)


def draw_days(keys, met, span, least, choices, counts, factors, fixed, episodes):  # type: ignore[no-untyped-def]
    """Write [demand (T K) | jitter (T K)] into episodes (R, 2 T K), from two keys and an episode's number a row.

    Where `choices` is empty, `fixed` is the demand. `factors` of shape (T, F K) are applied one after the other,
    the first `counts[t]` of a day.
    """
    size = len(fixed)
    count = len(choices)
    for r in range(len(met)):
        for stream in range(2):
            base = keys[stream, r] + np.uint64(met[r]) * EPISODE
            line = cut(episodes, (2 * r + stream) * size, size)
            for i in range(size):  # without a branch: several numbers at once
                place = base + np.uint64(i + 1) * GOLDEN
                z = (place ^ (place >> HALF)) * MIX_1
                z = (z ^ (z >> OTHER_HALF)) * MIX_2
                z = z ^ (z >> LAST)
                line[i] = (float(z >> LOW_BITS) + 0.5) * TO_UNIT
        line = cut(episodes, 2 * r * size, 2 * size)
        for i in range(size):
            line[size + i] = (line[size + i] - 0.5) * span
        if count == 0:
            for i in range(size):
                line[i] = fixed[i]
        else:
            for t in range(len(counts)):
                for k in range(count):
                    demand = least[k] + math.floor(line[t * count + k] * choices[k])
                    for f in range(counts[t]):
                        demand = math.floor(demand * factors[t, f * count + k]) * 1.0
                    line[t * count + k] = demand


@cache
def _entry() -> Callable[..., Any]:
    compiled = backends.compile_texts((), (draw_days,), "days")
    whole, real, table = (np.int64, 1), (np.float64, 1), (np.float64, 2)
    return backends.entry(compiled.draw_days, (np.uint64, 2), whole, float, real, real, whole, table, real, table)


def draw(
    keys: NDArray[np.uint64],
    met: NDArray[np.int64],
    span: float,
    least: Array,
    choices: Array,
    counts: NDArray[np.int64],
    factors: Array,
    fixed: Array,
    episodes: Array,
) -> None:
    """Write episodes of shape (R, 2 T K).

    Args:
        keys: Of the streams of demand and of jitter, shape (2, R).
        met: Which episode of each stream, shape (R,).
        span: Width of the range of jitter (days).
        least: Least demand drawn, shape (K,).
        choices: How many demands are drawn from, shape (K,); empty where demand is given.
        counts: How many factors there are on a day, shape (T,).
        factors: What moves demand, in the order in which it does, shape (T, F K).
        fixed: The demand given, shape (T K,).
        episodes: To be written.
    """
    _entry()(keys, met, span, least, choices, counts, factors, fixed, episodes)
