"""Hindsight for a state off the plan: the future demand is known, and the plan is made anew from every state."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.problem import Array
from restock.learning.paths import paths_of
from restock.policies._base import Information, View
from restock.policies.forecast import Forecast, Outlook
from restock.policies.rolling import Rolling
from restock.problems.network import NetworkProblem


class Revealed(Forecast):
    """Demand itself in the place of a forecast, at a goodwill of 1."""

    demand: Array

    def look(self, view: View) -> Outlook:
        """See `Forecast.look`."""
        count, periods, _ = self.demand.shape
        return Outlook(self.demand, np.zeros(count), np.ones((1, periods)), np.ones((count, 1)))


class Foresight(Rolling):
    """A policy that orders optimally from the present state for the demand that is going to happen.

    The teacher that `dagger` asks under the name `hindsight`: the plan of the policy of that name is for its
    own path, and worth nothing where the network has strayed from it. Under goodwill it plans as if everyone
    will be served.

    Args:
        problem: A supply network whose demand is drawn before the episode.
    """

    name: ClassVar[str] = "foresight"
    summary: ClassVar[str] = "the optimal plan for the demand that is going to happen, from every state anew"
    may_know: ClassVar[tuple[Information, ...]] = ("clairvoyant",)

    def __init__(self, problem: NetworkProblem) -> None:
        super().__init__(problem, hedge=False, information="clairvoyant")

    def _expects(self) -> Revealed:
        return Revealed(self.problem)

    def begin(self, episodes: int, seed: int, chance: Any) -> None:
        """Read the future demand.

        Raises:
            InvalidInput: It is not told.
        """
        if chance is None or not chance.seeds:
            raise InvalidInput("foresight", None, "it needs to know the future", "Let dagger ask it.")
        paths = paths_of(self.problem, chance.seeds)
        assert isinstance(self._forecast, Revealed)
        self._forecast.demand = paths.mean + paths.stray
        super().begin(episodes, seed, chance)
