"""What missions need, drawn in one compiled call for many episodes.

Mission by mission it takes the same bits as `Generator.uniform` and `Generator.binomial`, and makes the same
numbers of them, without the cost of two calls a mission.
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
from restock.core.problem import Array

MOST_HITS = 30.0  # expected; beyond, NumPy does not search from 0 upwards, and neither is it fast
ROUNDING = 1e-12  # far more than what is lost in the few operations between u and a chance


def draw_needs(bits, low, width, aircraft, places, episodes):  # type: ignore[no-untyped-def]
    """Add a binomial part at places[k] of episodes (R, drawn), from one bit generator a row."""
    for r in range(len(bits)):
        for k in range(len(places)):
            n = aircraft[k]
            p = low + width * random_double(bits[r])  # type: ignore[name-defined]  # noqa: F821
            if p > 0.0:
                least = min(p, 1.0 - p)
                hits = 0.0
                u = random_double(bits[r])  # type: ignore[name-defined]  # noqa: F821
                if u > 1.0 - n * least - ROUNDING:  # else 0: the chance of 0 is (1 - least) ** n >= 1 - n * least
                    other = 1.0 - least
                    none = other ** int(n)
                    chance = none
                    bound = min(n, n * least + 10.0 * math.sqrt(n * least * other + 1.0))
                    while u > chance:
                        hits = hits + 1.0
                        if hits > bound:  # rounding has eaten the tail: once more
                            hits = 0.0
                            chance = none
                            u = random_double(bits[r])  # type: ignore[name-defined]  # noqa: F821
                        else:
                            u = u - chance
                            chance = ((n - hits + 1.0) * least * chance) / (hits * other)
                if p > 0.5:
                    hits = n - hits
                if hits > 0.0:
                    episodes[r, places[k]] = episodes[r, places[k]] + hits


@cache
def _entry() -> Callable[..., Any]:
    compiled = backends.compile_texts((), (draw_needs,), "needs")
    whole, real = (np.int64, 1), (np.float64, 1)
    return backends.entry(compiled.draw_needs, whole, float, float, real, whole, (np.float64, 2))


def draw(
    bits: NDArray[np.int64],
    chances: tuple[float, float],
    aircraft: Array,
    places: NDArray[np.int64],
    episodes: Array,
) -> None:
    """Add what chance makes missions need to episodes of shape (R, drawn), a row from each of R generators.

    Args:
        bits: Addresses of the generators' bits, shape (R,); see `restock.core.streams.bits_of`.
        chances: Range of the chance that one aircraft needs a unit.
        aircraft: Of each mission, shape (K,).
        places: Where in an episode each need stands, shape (K,).
        episodes: To be added to; they hold the part of each need that is certain.
    """
    low, high = chances
    _entry()(bits, low, high - low, aircraft, places, episodes)
