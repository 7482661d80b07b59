"""The source of the episodes of a plant.

Numbers are drawn in the order raw price, product price, demand at the reset, then demand, raw, product in every
period.
"""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from restock.core import backends
from restock.core.problem import Array
from restock.core.sources import GeneratorSource

if TYPE_CHECKING:
    from restock.problems.production.problem import ProductionProblem


class PlantSource(GeneratorSource["ProductionProblem"]):
    """Episodes drawn from NumPy generators, one a row."""

    def __init__(
        self, problem: ProductionProblem, seeds: Sequence[int], generators: Sequence[np.random.Generator] | None = None
    ) -> None:
        super().__init__(problem, seeds, generators)
        s = problem.spec
        self._law = np.array([s.raw_price_base, s.product_price_base, s.price_std, s.price_floor])
        self._demand = np.array([s.demand_mean, s.demand_volatility])
        names = ("raw_price", "product_price", "demand")
        self._places = np.array([[problem.held[way + name][0].start for name in names] for way in ("first_", "")])
        self._shape = (problem.horizon + 1, len(names))
        self._size = problem.plain.drawn

    def next(self, rows: NDArray[np.int64]) -> Array:
        """Return the next episode of each row named, shape (len(rows), drawn)."""
        episodes = np.empty((len(rows), self._size))
        for episode, row in zip(episodes, rows.tolist(), strict=True):
            normal = self._generators[row].standard_normal(self._shape)
            _entry()(normal, self._law, self._demand, self._places, episode)
        return episodes


def walk_prices(normal, law, demand, places, episode):  # type: ignore[no-untyped-def]
    """Write an episode from normal numbers of shape (T + 1, 3).

    `law` has the prices that the walks come from, the standard deviation of a step, and the least price; `demand`
    its mean and standard deviation; `places` where raw price, product price and demand stand in the episode, those
    it begins with and then their paths.
    """
    raw = law[0]
    product = law[1]
    for k in range(len(normal)):
        first = min(k, 1)  # demand is drawn last at the reset, and first in every period
        raw = max(law[3], raw + law[2] * normal[k, first])
        product = max(law[3], product + law[2] * normal[k, first + 1])
        episode[places[1, 0] + k] = raw
        episode[places[1, 1] + k] = product
        episode[places[1, 2] + k] = max(0.0, demand[0] + demand[1] * normal[k, 2 - 2 * first])
    for k in range(3):
        episode[places[0, k]] = episode[places[1, k]]


@cache
def _entry() -> Callable[..., Any]:
    compiled = backends.compile_texts((), (walk_prices,), "prices")
    line = (np.float64, 1)
    return backends.entry(compiled.walk_prices, (np.float64, 2), line, line, (np.int64, 2), line)
