"""Fitting the parameters of a policy by simulation on common random numbers.

Every candidate meets the same episodes, inside the compiled rollout where the policy is a text, and
CMA-ES (Hansen, Ostermeier 2001, Completely derandomized self-adaptation in evolution strategies;
the package `cma`) decides which to try next. What comes out is judged once more on episodes that the
search has not seen. A policy says what may be turned, from where and how far, in `Policy.tunables`.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from restock.core import streams
from restock.core.checks import whole_number
from restock.core.errors import InvalidInput, nearest
from restock.core.play import draw, recorded
from restock.core.problem import Problem
from restock.evaluation.search import Search, profits
from restock.evaluation.stats import Estimate, alone, estimate
from restock.policies._base import Information, Policy, Progress, Tunable
from restock.policies.registry import make_policy
from restock.problems.load import load_problem

SEARCHED, HELD_OUT = "fit", "fit: held out"  # streams of their own: episodes of comparisons stay unseen


@dataclasses.dataclass(frozen=True)
class Fit:
    """The result of `fit`.

    Attributes:
        policy: The policy with the parameters found, made for the problem.
        parameters: What `make_policy(policy.name, problem, **parameters)` takes: plain numbers, lists and
            words. The level of information is among them.
        tuned: Which of them were searched.
        start: Mean profit of the policy it began with, on the episodes of the search.
        in_sample: Mean profit of what was found, on the same episodes; no less.
        held_out: Mean profit on episodes that the search has not seen; None for recorded ones, and where
            all episodes are the same, so that none is unseen.
        gain: Paired difference to the start on those; None likewise.
        episodes: How many the search was made on.
        seed: Of the search and its episodes.
        evaluations: Candidates that were simulated.
        seconds: Time for all.
        finished: False if Ctrl-C ended the search before its time.
        identical: Whether all episodes are the same; means have no interval then.
    """

    policy: Policy
    parameters: dict[str, Any]
    tuned: tuple[str, ...]
    start: Estimate
    in_sample: Estimate
    held_out: Estimate | None
    gain: Estimate | None
    episodes: int
    seed: int
    evaluations: int
    seconds: float
    finished: bool
    identical: bool

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain data, for JSON."""
        plain = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        for name, value in plain.items():
            if isinstance(value, Estimate):
                plain[name] = dataclasses.asdict(value)
        problem = self.policy.problem.name
        return {"problem": problem, **plain, "policy": self.policy.name, "information": self.policy.information}


def fit(
    problem: Any,
    name: str,
    episodes: int = 160,
    seed: int = 0,
    budget: int = 2500,
    *,
    information: Information | None = None,
    tune: Sequence[str] | None = None,
    exogenous: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    stoppable: bool = False,
    **params: Any,
) -> Fit:
    """Find the parameters with which a policy earns most.

    An informed policy is fitted on episodes of the problem itself, a blind one on episodes of its prior
    (`Problem.prior`), for what it was fitted on it knows. Where demand is drawn period by period, the
    search draws it before the episode, from the same distribution. Same arguments, same result.

    Args:
        problem: A problem, or anything `load_problem` takes.
        name: A policy that has something to tune; see `list_policies`.
        episodes: How many each candidate meets [B].
        seed: Of the search and of its episodes; neither they nor those that are held out are met by
            `simulate` or `compare`, whatever their seed.
        budget: Candidates to simulate at most.
        information: What the policy knows, and so what it is fitted on; default: the first of its levels.
        tune: Names of the parameters to search; default: all that the policy turns usually.
        exogenous: Recorded information to fit on, arrays with a leading axis of B episodes, in place of
            drawn episodes. That it is past when the policy is used is the caller's to know.
        progress: Called with (candidates simulated, budget).
        stoppable: Whether Ctrl-C ends the search and returns the best so far; else it is raised.
        **params: The policy's own parameters, to begin with (or to stay, where they are not tuned).

    Raises:
        InvalidInput: An argument does not hold, or the policy has nothing to tune.

    Example:
        >>> found = fit("serial", "echelon-base-stock", episodes=32, budget=60)
        >>> found.in_sample.mean >= found.start.mean
        True
        >>> from restock import make_policy
        >>> make_policy("echelon-base-stock", "serial", **found.parameters).name
        'echelon-base-stock'
    """
    began = time.perf_counter()
    problem = load_problem(problem)
    whole_number("budget", budget, example=2500)
    seed = streams.check_seed(seed)
    first = make_policy(name, problem, **_told(information), **params)
    if first.information == "clairvoyant":
        raise InvalidInput("policy", name, "it knows the future already", "Fit a policy that does not.")
    world = _drawn_before(first.problem)
    chance = draw(world, episodes, seed, SEARCHED) if exogenous is None else recorded(world, exogenous)
    search = Search(first, world, chance, _chosen(first, tune), params, seed)
    finished = search.run(budget, progress, stoppable)
    parameters = search.parameters
    held_out = gain = None
    same = chance.identical
    if exogenous is None and not same:
        unseen = draw(world, 4 * episodes, seed, HELD_OUT)
        before, after = profits(world, first, unseen), profits(world, search.made(parameters), unseen)
        held_out, gain = estimate(after), estimate(after - before)
    return Fit(
        policy=make_policy(name, problem, **parameters),
        parameters=parameters,
        tuned=tuple(search.space),
        start=alone(search.began_with.mean()) if same else estimate(search.began_with),
        in_sample=alone(search.best.mean()) if same else estimate(search.best),
        held_out=held_out,
        gain=gain,
        episodes=len(chance),
        seed=seed,
        evaluations=search.evaluations,
        seconds=time.perf_counter() - began,
        finished=finished,
        identical=same,
    )


def _drawn_before(problem: Problem) -> Problem:
    """Return the problem with demand drawn before the episode, if it would be drawn period by period."""
    known: Callable[[], Problem] | None = getattr(problem, "drawn_before", None) if problem.sequential else None
    return problem if known is None else known()


def _chosen(policy: Policy, tune: Sequence[str] | None) -> dict[str, Tunable]:
    """Return the parameters to be searched, by name."""
    known = policy.tunables()
    if not known:
        raise InvalidInput("policy", policy.name, "it has no parameters to fit", "Take for instance s-S.")
    if tune is None:
        return {name: tunable for name, tunable in known.items() if tunable.usual}
    if isinstance(tune, str) or not isinstance(tune, Sequence) or not tune:
        raise InvalidInput("tune", tune, "must be a list of parameters", f"Known: {', '.join(known)}.")
    for name in tune:
        if name not in known:
            what = f"{policy.name} cannot be tuned in that"
            raise InvalidInput("tune", name, what, nearest(name, list(known)))
    return {name: known[name] for name in tune}


def _told(information: Information | None) -> dict[str, Any]:
    return {} if information is None else {"information": information}
