"""Base-stock with one location as the source of all others."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.operations import positive
from restock.core.problem import Array, Problem
from restock.policies._base import TextPolicy, Tunable
from restock.policies.constant_shipment import numbers, source_of, without
from restock.policies.flows import per_entity
from restock.policies.parameters import LOCATION, Packing, Parameter
from restock.policies.ratios import quantiles


def order(t: int, own: Any, links: Any, rules: Any, state: Any, chance: Any, flows: Any) -> None:
    """Order from the source what stock and pipeline lack of the level."""
    n = len(state.on_hand)
    source = int(own.source)
    for i in range(n):
        for j in range(n):
            flows.ordered[i * n + j] = 0.0 * state.on_hand[i]
        flows.ordered[i * n + source] = positive(own.level[i] - state.on_hand[i] - state.in_transit[i])


class DepotBaseStock(TextPolicy):
    """A policy by which each location orders from the source, every day, what stock and pipeline lack of its level.

    Without `levels`, the level covers the lead time, the day it takes until what has arrived can be used, and
    today: with the mean need a day mu_i and its standard deviation sigma_i

        S_i = mu_i (L_i + 2) + z(service) sigma_i sqrt(L_i + 2)

    Args:
        problem: Locations that share stock.
        levels: Base-stock level (units), one number or one for each location.
        service: Chance that the need over that time is covered, in (0, 1).
        source: The location that ships; default: the depot, without one the location with most stock.

    Raises:
        InvalidInput: A parameter is not a usable number.
    """

    name: ClassVar[str] = "base-stock"
    summary: ClassVar[str] = "order up to a level at each location, from the depot"
    text = staticmethod(order)
    packing = Packing(
        "DepotLevels",
        __name__,
        source=Parameter((), "location", "the one that ships to the others"),
        level=Parameter((LOCATION,), "units", "level of stock and pipeline"),
    )

    def __init__(self, problem: Problem, levels: Any = None, service: float = 0.999, source: Any = None) -> None:
        super().__init__(problem)
        if not (isinstance(service, (int, float)) and 0.0 < service < 1.0):
            raise InvalidInput("service", service, "must lie between 0 and 1", "Write for instance 0.99.")
        self.source = source_of(self.problem, source)
        each = range(self.problem.spec.n_locations)
        self.levels: Array = self._formula(service) if levels is None else per_entity("levels", levels, each)
        self.reads(source=self.source, level=without(self.levels, self.source))

    def _formula(self, service: float) -> Array:
        problem, n = self.problem, self.problem.spec.n_locations
        lead = problem.fixed.links.lead_time.reshape(n, n)[:, self.source]
        cover = lead + 2.0
        mean = problem.expected.mean(axis=0)
        # The random part of a need is nearly Poisson; the certain part varies with the missions.
        spread = np.sqrt(mean + problem.expected.var(axis=0))
        z = float(quantiles(np.array([service]))[0])
        return np.asarray(mean * cover + z * spread * np.sqrt(cover))

    def mean_decision(self) -> Array:
        """Return the mean demand of each location on a day, as an order from the source."""
        n = len(self.levels)
        found = np.zeros((n, n))
        found[:, self.source] = self.problem.expected.mean(axis=0)
        found[self.source, self.source] = 0.0
        return found.ravel()

    def parameters_in_words(self) -> dict[str, Any]:
        """Return the level of each location."""
        return {f"level {i}": float(level) for i, level in enumerate(self.levels) if i != self.source}

    def tunables(self) -> dict[str, Tunable]:
        """Return the level of each location."""
        return {"levels": numbers(self.levels, self.source, math.ceil(float(self.levels.max()) * 20.0 + 100.0))}
