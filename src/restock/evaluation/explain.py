"""Explanations of a policy: order maps, and the value of each observation to it.

It works through views alone, so it explains any policy that does not know the future: classical,
look-ahead, trained, or from outside. See `restock.evaluation.order_maps` for the maps and
`restock.evaluation.influence` for what observations matter; `restock.report.explaining` draws both.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from restock.core import streams
from restock.core.checks import whole_number
from restock.core.errors import InvalidInput, nearest
from restock.core.play import draw
from restock.core.problem import Array, Problem
from restock.evaluation.fit import fit
from restock.evaluation.influence import Influence, groups_of, influences
from restock.evaluation.order_maps import Ground, OrderMap, busiest, period_map, split_map
from restock.evaluation.responses import Response, response
from restock.evaluation.simulate import Simulation, as_policy, run
from restock.evaluation.stats import Estimate, estimate
from restock.evaluation.views import Seen
from restock.policies._base import Policy, Progress
from restock.policies.registry import make_policy
from restock.problems.load import load_problem
from restock.problems.network import NetworkProblem, is_network

OTHERS = "explain: others"  # stream of the episodes that observations are borrowed from
LEAST_EPISODES = 4
MOST_LINKS = 6  # mapped unless links are named
FIT_EPISODES, FIT_BUDGET = 64, 200  # of the base-stock policy that stands beside


@dataclasses.dataclass(frozen=True)
class Explanation:
    """The explanation of a policy.

    Attributes:
        problem: What it decides in.
        policy: Who decides.
        simulation: What it did, undisturbed.
        profit: Mean profit of an episode.
        order: Mean order on each link, shape (E,) (units/period).
        maps: Order maps, link by link.
        responses: How orders answer to one unit more, link by link.
        influences: What each group of observations means to it, largest loss first; empty if not asked for.
        beside: The policies that stand beside it on the maps, by name.
        no_optimum: Why the exact optimum is not among them; empty if it is.
        episodes: How many were simulated [B].
        seed: Of the episodes.
        seconds: Time for all.
    """

    problem: NetworkProblem
    policy: Policy
    simulation: Simulation
    profit: Estimate
    order: Array
    maps: tuple[OrderMap, ...]
    responses: tuple[Response, ...]
    influences: tuple[Influence, ...]
    beside: Mapping[str, Policy]
    no_optimum: str
    episodes: int
    seed: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers as plain data, for JSON."""
        return {
            "problem": self.problem.name,
            "policy": self.policy.name,
            "information": self.policy.information,
            "episodes": self.episodes,
            "seed": self.seed,
            "profit": dataclasses.asdict(self.profit),
            "order": dict(zip(self.problem.labels()["ordered"], self.order.tolist(), strict=True)),
            "influences": [
                {
                    "name": one.name,
                    "change": dataclasses.asdict(one.change),
                    "by_link": one.by_link.tolist(),
                    "loss": dataclasses.asdict(one.loss),
                }
                for one in self.influences
            ],
            "maps": [_plain_map(one) for one in self.maps],
            "responses": [dataclasses.asdict(one) for one in self.responses],
            "no_optimum": self.no_optimum,
            "seconds": self.seconds,
        }


def explain(
    problem: Any,
    policy: Any,
    episodes: int = 100,
    seed: int = 0,
    *,
    beside: Mapping[str, Any] | None = None,
    links: Sequence[str] | None = None,
    period: int | None = None,
    observations: bool = True,
    progress: Progress | None = None,
) -> Explanation:
    """Explain what a policy does and which observations it uses.

    Args:
        problem: A supply network, or anything `load_problem` takes.
        policy: A policy, or the name of one; also the folder of a training run.
        episodes: How many are simulated [B], at least 4.
        seed: Of the episodes, those of `simulate`; observations are borrowed from a stream of their own.
        beside: Policies to put beside it on the maps, by name; default: a base-stock policy fitted with
            what the policy may know, and the exact optimum where there is one.
        links: Names of the links to map (`2->1`); default: all, or the six that most is ordered on.
        period: In which orders are mapped by position and pipeline; default: the middle of the horizon.
        observations: Whether to find out which observations matter; it takes two simulations for each.
        progress: Called with (steps done, steps in all).

    Raises:
        InvalidInput: An argument does not hold, or the policy knows the future, so that nothing it sees matters.

    Example:
        >>> found = explain("serial", "base-stock", episodes=8, beside={}, links=["2->1"])
        >>> [one.name for one in found.influences if one.change.mean == 0.0][-2:]  # it does not look at these
        ['last demand', 'earlier demand']
    """
    began = time.perf_counter()
    problem = load_problem(problem)
    check_explained("problem", problem, "Explain a policy of a network.")
    whole_number("episodes", episodes, LEAST_EPISODES, example=100)
    seed = streams.check_seed(seed)
    policy = as_policy(policy, problem)
    if policy.information == "clairvoyant":
        raise InvalidInput("policy", policy.name, "it knows the future, not what it sees", "Explain another one.")
    period = problem.horizon // 2 if period is None else whole_number("period", period, 0)
    if period >= problem.horizon:
        raise InvalidInput("period", period, f"the last one is {problem.horizon - 1}", "Name an earlier one.")
    named = None if links is None else _links(problem, links)
    steps = _Steps(progress, 3 + (len(groups_of(problem)) + 1 if observations else 0))
    near, reason = _beside(problem, policy, beside)
    steps.done()

    chance = draw(problem, episodes, seed)
    base = run(problem, policy, chance, seed)
    ground = Ground.of(problem, base.trajectory, seed)
    steps.done()
    shown = {policy.name: policy, **near}
    maps: list[OrderMap] = []
    answers: list[Response] = []
    for link in busiest(ground, MOST_LINKS) if named is None else named:
        both = (split_map(ground, shown, link, period), period_map(ground, shown, link))
        maps += [one for one in both if one is not None]
        answer = response(ground, shown, link, period)
        answers += [] if answer is None else [answer]
    steps.done()

    found: list[Influence] = []
    if observations:
        elsewhere = run(problem, policy, draw(problem, episodes, seed, OTHERS), seed)
        others = Seen.of(elsewhere.trajectory, policy.information != "blind")
        found = influences(problem, policy, base, chance, others, seed, steps.done)
    return Explanation(
        problem=problem,
        policy=policy,
        simulation=base,
        profit=estimate(base.profit),
        order=np.asarray(ground.orders.mean(axis=(0, 1))),
        maps=tuple(maps),
        responses=tuple(answers),
        influences=tuple(found),
        beside=near,
        no_optimum=reason,
        episodes=episodes,
        seed=seed,
        seconds=time.perf_counter() - began,
    )


def check_explained(field: str, problem: Problem, mend: str) -> None:
    """Check that policies of such a problem can be explained.

    Raises:
        InvalidInput: It is no supply network.
    """
    if not is_network(problem):
        why = "this is not a supply network, and order maps are drawn of links"
        raise InvalidInput(field, problem.name, why, mend)


class _Steps:
    """Progress over all parts of an explanation."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._count = progress, total, 0

    def done(self) -> None:
        self._count += 1
        if self._progress is not None:
            self._progress(min(self._count, self._total), self._total)


def _beside(problem: NetworkProblem, policy: Policy, given: Mapping[str, Any] | None) -> tuple[dict[str, Policy], str]:
    """Return the policies shown beside it, and why the optimum is not among them."""
    if given is not None:
        for name in given:
            if name == policy.name:
                raise InvalidInput("beside", name, "this is the name of the explained policy", "Choose another.")
        return {name: as_policy(one, problem) for name, one in given.items()}, ""
    near: dict[str, Policy] = {}
    fitted = fit(problem, "base-stock", FIT_EPISODES, budget=FIT_BUDGET, information=policy.information)
    near["base-stock (fitted)"] = fitted.policy
    if policy.name == "optimal":
        return near, ""
    try:
        near["optimal"] = make_policy("optimal", problem)
    except InvalidInput as error:
        return near, error.problem
    return near, ""


def _links(problem: NetworkProblem, names: Sequence[str]) -> list[int]:
    """Return the indices of the named links."""
    known = problem.labels()["ordered"]
    if isinstance(names, str):
        raise InvalidInput("links", names, "must be a list of links", f'Write ["{names}"].')
    for name in names:
        if name not in known:
            raise InvalidInput("links", name, "there is no such link", nearest(name, known))
    return [known.index(name) for name in names]


def _plain_map(one: OrderMap) -> dict[str, Any]:
    plain = dataclasses.asdict(one)
    for name in ("position", "other", "visited"):
        plain[name] = plain[name].tolist()
    plain["orders"] = {
        name: [[None if np.isnan(x) else float(x) for x in row] for row in orders]
        for name, orders in one.orders.items()
    }
    return plain
