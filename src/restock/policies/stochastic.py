"""Rolling look-ahead on sample paths of demand."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from restock.core.checks import whole_number
from restock.core.errors import InvalidInput
from restock.core.problem import Array
from restock.policies._base import Information, View
from restock.policies.forecast import Outlook
from restock.policies.look_ahead import LookAhead, far_enough
from restock.problems.network import NetworkProblem
from restock.solvers.rolling import Plan, RollingProgram

PATHS = 10


class Stochastic(LookAhead):
    """A policy that solves a stochastic linear program of the rest of the episode every period.

    Sample average approximation: K equally likely paths of demand, a copy of the network for each,
    and the same shipments in all copies that have seen the same demand. With `branching` [b1, b2,
    ...] the paths form a tree: b1 values of demand in the first period, b2 after each of them, and
    so on, one path after the last stage. Without, they part after this period (two stages). Each
    value stands for an equal share of the distribution (Latin hypercube sampling), so few paths go
    a long way. Source: Birge and Louveaux (2011), Introduction to Stochastic Programming.

    Under goodwill the paths carry the goodwill of unbroken service, and every unit short in the
    program is charged for the sales it may drive away, as density of a shortage at zero stock.

    Args:
        problem: A supply network.
        paths: Sample paths [K].
        branching: Demand values that each stage of a tree tells apart; their product is K.
        horizon: Periods to look ahead [H]; default: to the end of the episode.
        information: `informed` or `blind`.
        jobs: Threads that plan for different episodes at the same time.

    Raises:
        InvalidInput: A parameter does not hold, or the distribution has no quantiles.
    """

    name: ClassVar[str] = "stochastic"
    summary: ClassVar[str] = "look-ahead LP on sample paths of demand (sample average approximation)"

    def __init__(
        self,
        problem: NetworkProblem,
        paths: int | None = None,
        branching: list[int] | None = None,
        horizon: int | None = None,
        information: Information | None = None,
        jobs: int = 1,
    ) -> None:
        super().__init__(problem, far_enough(problem, horizon), information, jobs)
        if branching is not None and (not isinstance(branching, (list, tuple)) or not branching):
            raise InvalidInput("branching", branching, "must be a list of integers", "Write for instance [5, 3].")
        self.branching = [whole_number("branching", b) for b in branching or ()]
        if branching is not None and paths is not None:
            raise InvalidInput("paths", paths, "branching says how many there are", "Drop one.")
        wanted = PATHS if paths is None else paths
        self.paths = int(np.prod(self.branching)) if branching else whole_number("paths", wanted)
        if not self.problem.demand.distribution.has_quantiles:
            name = self.problem.demand.distribution.name
            raise InvalidInput("demand.distribution", name, "it says no quantiles to sample", "Use the policy rolling.")

    def parameters_in_words(self) -> dict[str, Any]:
        """Return the paths."""
        return {"paths": self.paths, "branching": str(self.branching or "two stages"), "horizon": self.horizon or "all"}

    def begin(self, episodes: int, seed: int, chance: Any) -> None:
        """Build the program and draw its own random numbers."""
        super().begin(episodes, seed, chance)
        self._generators = [np.random.default_rng([seed, b, 0x5A]) for b in range(episodes)]

    def _program_of(self) -> RollingProgram:
        return RollingProgram(self.problem, self.horizon, paths=self.paths)

    def _plan(self, program: RollingProgram, view: View, b: int, arriving: Array, outlook: Outlook) -> Plan:
        demand = self.problem.demand
        sentiment = self._sentiment(view, b, np.zeros(self.problem.horizon))
        uniform = self._uniform(self._generators[b], view.t)
        curves = outlook.sample(b, demand.mean, uniform[:, 0, 0])
        means = np.maximum(curves * sentiment[:, None], demand.least_mean)
        noise = float(outlook.noise[b])
        paths = np.stack([demand.quantile(u, mean, noise) for u, mean in zip(uniform, means, strict=True)])
        mean = means.mean(axis=0)
        spread, risk = self._spread(noise, mean, view.t), self._risk(mean)
        return program.solve(view.t, self._situation(view, b, arriving, paths, spread, risk))

    def _uniform(self, generator: np.random.Generator, t: int) -> Array:
        """Return the numbers in (0, 1) for each path, period and market, shape (K, T, M)."""
        shape = (self.paths, self.problem.horizon, len(self.problem.markets))
        order = generator.permuted(np.broadcast_to(np.arange(self.paths)[:, None, None], shape), axis=0)
        uniform = (order + generator.random(shape)) / self.paths
        groups = 1
        for stage, values in enumerate(self.branching):
            if t + stage >= self.problem.horizon:
                break
            # All paths of a branch see the same demand up to it.
            parts = groups * values
            ranks = generator.permuted(np.tile(np.arange(values)[:, None], (groups, 1, shape[2])), axis=1)
            middle = (ranks + generator.random(ranks.shape)) / values
            uniform[:, t + stage] = np.repeat(middle.reshape(parts, shape[2]), self.paths // parts, axis=0)
            groups = parts
        return uniform
