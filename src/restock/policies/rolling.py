"""Rolling look-ahead on expected demand, expected shortages paid for."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np

from restock.core.checks import yes_or_no
from restock.core.problem import Array
from restock.policies._base import Information, View
from restock.policies.forecast import Outlook
from restock.policies.look_ahead import LookAhead, far_enough
from restock.problems.network import NetworkProblem
from restock.solvers.rolling import Plan, RollingProgram

ROUNDS = 3  # of plan and goodwill, each answering the other
NORMAL = NormalDist()


class Rolling(LookAhead):
    """A policy that solves a linear program of the rest of the episode, with expected shortages paid for.

    The program (`restock.solvers.rolling`) plans with mean demand, and charges each retailer for the
    shortage to be expected when demand strays from it: tangents of the normal loss function at the
    spread of demand over L + 1 periods, L being the shortest lead time to that retailer. So safety
    stock appears where it is worth its cost, without sampling.

    Under goodwill every period's chance of a shortage also costs the share of later sales it would
    drive away, (growth - decay) * margin * expected demand thereafter; plan and expected goodwill
    answer each other in three damped rounds.

    `blind`, it learns the demand curve on the way (`restock.policies.forecast.Belief`), and what it
    does not know of the curve adds to the spread; `informed`, it is told the curve.

    Args:
        problem: A supply network.
        horizon: Periods to look ahead [H]; default: to the end of the episode. What is left after a
            shorter look is worth (nearly) what it cost.
        hedge: Whether to pay for expected shortages; without, this is the deterministic look-ahead.
        integer: Whether to order whole numbers (a mixed-integer program).
        information: `informed` or `blind`.
        jobs: Threads that plan for different episodes at the same time.

    Raises:
        InvalidInput: A parameter does not hold.
    """

    name: ClassVar[str] = "rolling"
    summary: ClassVar[str] = "look-ahead LP to the end of the episode, expected shortages paid for"

    def __init__(
        self,
        problem: NetworkProblem,
        horizon: int | None = None,
        hedge: bool = True,
        integer: bool = False,
        information: Information | None = None,
        jobs: int = 1,
    ) -> None:
        super().__init__(problem, far_enough(problem, horizon), information, jobs)
        self.hedge, self.integer = yes_or_no("hedge", hedge), yes_or_no("integer", integer)

    def parameters_in_words(self) -> dict[str, Any]:
        """Return how far it looks ahead and what it pays for."""
        return {"horizon": self.horizon or "all", "hedge": str(self.hedge), "integer": str(self.integer)}

    def _program_of(self) -> RollingProgram:
        return RollingProgram(self.problem, self.horizon, hedge=self.hedge, integer=self.integer)

    def _plan(self, program: RollingProgram, view: View, b: int, arriving: Array, outlook: Outlook) -> Plan:
        """Return the plan of one episode; under goodwill, after some rounds of plan and goodwill."""
        demand, periods = self.problem.demand, self.problem.horizon
        doubt = outlook.doubt(b, self._prior, view.t, self._windows)
        short = np.zeros(periods)
        rounds = ROUNDS if demand.state_dependent and self.hedge else 1
        for k in range(rounds):
            sentiment = self._sentiment(view, b, short)
            mean = np.maximum(outlook.mean[b] * sentiment[:, None], demand.least_mean)
            spread = np.hypot(self._spread(float(outlook.noise[b]), mean, view.t), doubt * sentiment[:, None])
            now = self._situation(view, b, arriving, mean[None], spread, self._risk(mean))
            plan = program.solve(view.t, now, again=k > 0)
            if k + 1 < rounds:
                unmet = np.stack([plan.unmet[:, self._retailer == j].sum(axis=1) for j in self._retailers], axis=1)
                left = plan.stock[:, self._retailers] - unmet
                # Where demand is certain, a plan that serves all of it leaves nobody short.
                certain = np.where(left > -1e-6, 9.0, -9.0)
                safety = np.where(spread > 1e-9, left / np.maximum(spread, 1e-9), certain)
                chance = [max(NORMAL.cdf(-float(z)) for z in row) for row in np.clip(safety, -9.0, 9.0)]
                short = 0.5 * short + 0.5 * np.array(chance)
        return plan
