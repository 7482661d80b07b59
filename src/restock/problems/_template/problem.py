"""The newsvendor as a problem: what its description does not say by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from restock.core.problem import Problem, Texts
from restock.core.wording import Wording

from . import dynamics


class OwnProblem(Problem):
    """One item, ordered some periods before it can be sold.

    Args:
        spec: The description; see `OwnSpec`.
    """

    family: ClassVar[str] = "own-problem"
    texts: ClassVar[Texts] = Texts.of(dynamics)
    wording = Wording(worth="profit", place="item", places="items")

    def axes(self) -> Mapping[Any, Sequence[Any]]:
        """Return the periods ahead in which orders arrive."""
        return {"ahead": range(1, self.spec.lead_time + 1)}

    def begins(self) -> Mapping[str, Any]:
        """Return the stock that an episode begins with."""
        return {"state.on_hand": self.spec.start}

    def largest(self) -> float:
        """Return the largest order."""
        most: float = self.spec.most_order
        return most

    def draw(self, generator: np.random.Generator) -> Mapping[str, Any]:
        """Return the demand of one episode."""
        return {"demand": generator.poisson(self.spec.demand, self.horizon)}
