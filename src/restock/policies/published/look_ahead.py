"""The two look-ahead agents of the published benchmark, with the horizons and habits they have there."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np

from restock.core.problem import Array
from restock.policies._base import Information, View
from restock.policies.forecast import Forecast, Outlook, Recent, Told
from restock.policies.look_ahead import LookAhead
from restock.problems.network import NetworkProblem
from restock.solvers.rolling import Plan, RollingProgram

SHORTEST_LOOK = 10  # periods
BRANCHING = 3  # periods in which the paths differ
PATHS = 10
BEYOND = 5  # periods that the stochastic agent looks past the longest way
STREAM = 0x4D535350
DIGITS = 9


class PublishedDLP(LookAhead):
    """Deterministic rolling linear program (agents DLP and DLP-I).

    Looks max(10, longest lead time + 2) periods ahead, demand at its mean, nothing left at the end
    is worth anything. On the divergent network a raw purchase takes longer than that to reach the
    market, so it is never worth its price: most of the loss against a look to the end of the episode.

    `informed`: the mean curve times the goodwill of the moment, for ever. `blind`: the mean demand of
    the last five periods, for ever; the configured mean at the start.

    Orders are rounded to nine significant digits: the published agent reads them from a file of text.
    Where stock meets demand to the last digit, such a rounding decides whether goodwill falls. With
    nine digits every published episode comes out; unrounded, two of 132 do not.

    Source: gym-invmgmt benchmark (agents DLP, DLP-I); see the README of the network problem.

    Args:
        problem: A supply network.
        information: `informed` or `blind`.
    """

    name: ClassVar[str] = "published-dlp"
    summary: ClassVar[str] = "the published deterministic LP with its short horizon (DLP, DLP-I)"

    def __init__(self, problem: NetworkProblem, information: Information | None = None) -> None:
        longest = max((link.lead_time for link in problem.spec.ordered_links), default=0)
        super().__init__(problem, max(SHORTEST_LOOK, longest + 2), information)

    def parameters_in_words(self) -> dict[str, Any]:
        """Return how far it looks ahead."""
        return {"horizon": self.horizon}

    def _expects(self) -> Forecast:
        return Told(self.problem) if self.information == "informed" else Recent(self.problem)

    def _program_of(self) -> RollingProgram:
        return RollingProgram(self.problem, self.horizon, hedge=False, salvage=False)

    def _means(self, view: View, b: int, outlook: Outlook) -> Array:
        """Return the expected demand of every period, shape (T, M)."""
        goodwill = float(view["sentiment"][b, 0]) if self.information == "informed" else 1.0
        means: Array = outlook.mean[b] * goodwill
        return means if view.mean is None else np.maximum(means, self.problem.demand.least_mean)

    def _plan(self, program: RollingProgram, view: View, b: int, arriving: Array, outlook: Outlook) -> Plan:
        plan = program.solve(view.t, self._situation(view, b, arriving, self._means(view, b, outlook)[None]))
        return dataclasses.replace(plan, orders=_as_text(plan.orders))


class PublishedMSSP(PublishedDLP):
    """Rolling stochastic linear program on ten sample paths (agents MSSP and MSSP-I).

    Ten equally likely paths, Poisson in the first three periods and the rounded mean after them;
    paths that have seen the same demand ship the same. It looks max(10, longest way + 5) periods
    ahead, the longest way being the most lead time from a factory or raw source to a retailer, and
    draws its samples in episode b of a batch from the NumPy stream of (seed + b, 0x4D535350), as the
    published agent does. Forecast and end of the horizon as in the deterministic agent.

    Source: gym-invmgmt benchmark (agents MSSP, MSSP-I); see the README of the network problem.

    Args:
        problem: A supply network.
        information: `informed` or `blind`.
    """

    name: ClassVar[str] = "published-mssp"
    summary: ClassVar[str] = "the published stochastic LP on ten sample paths (MSSP, MSSP-I)"

    def __init__(self, problem: NetworkProblem, information: Information | None = None) -> None:
        super().__init__(problem, information)
        self.horizon = max(self.horizon or 0, longest_way(problem) + BEYOND)

    def begin(self, episodes: int, seed: int, chance: Any) -> None:
        """Draw the random numbers of these episodes."""
        super().begin(episodes, seed, chance)
        keys = [np.random.SeedSequence([seed + b, STREAM]).generate_state(1)[0] for b in range(episodes)]
        self._generators = [np.random.default_rng(int(key)) for key in keys]

    def _program_of(self) -> RollingProgram:
        return RollingProgram(self.problem, self.horizon, paths=PATHS, hedge=False, salvage=False)

    def _plan(self, program: RollingProgram, view: View, b: int, arriving: Array, outlook: Outlook) -> Plan:
        means = self._means(view, b, outlook)
        paths = np.repeat(np.round(means)[None], PATHS, axis=0)
        seen = slice(view.t, view.t + BRANCHING)
        paths[:, seen] = self._generators[b].poisson(np.repeat(means[None, seen], PATHS, axis=0))
        plan = program.solve(view.t, self._situation(view, b, arriving, paths))
        return dataclasses.replace(plan, orders=_as_text(plan.orders))


def longest_way(problem: NetworkProblem) -> int:
    """Return the longest lead time of any way from a factory or an outside source to a retailer."""
    retailers = {market.source for market in problem.spec.ordered_markets}
    into: dict[Any, list[tuple[Any, int]]] = {}
    for link in problem.spec.ordered_links:
        into.setdefault(link.target, []).append((link.source, link.lead_time))
    factories = {node.id for node in problem.spec.managed if node.capacity is not None}

    def way(node: Any) -> float:
        """Return the longest lead time from a start to this node; minus infinity if no start leads to it."""
        begins = node in factories or node not in into
        return max([0.0 if begins else -np.inf, *(lead + way(source) for source, lead in into.get(node, ()))])

    return int(max(way(retailer) for retailer in retailers))


def _as_text(orders: Array) -> Array:
    """Return the orders rounded to so many significant digits."""
    return np.array([float(f"{order:.{DIGITS}g}") for order in orders.ravel()]).reshape(orders.shape)
