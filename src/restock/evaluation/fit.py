"""Finding the parameters of a policy by simulation on common random numbers.

Every candidate meets the same episodes, inside the compiled rollout where the policy is a text, and
CMA-ES (Hansen, Ostermeier 2001, Completely derandomized self-adaptation in evolution strategies;
the package `cma`) decides which to try next. What comes out is judged once more on episodes that the
search has not seen. A policy says what may be turned, from where and how far, in `Policy.tunables`.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from restock.core import streams
from restock.core.errors import InvalidInput, nearest
from restock.core.play import Episodes, draw, recorded
from restock.core.problem import Array, Problem
from restock.evaluation.simulate import run
from restock.evaluation.stats import Estimate, estimate
from restock.policies._base import Information, Policy, Progress, TextPolicy, Tunable
from restock.policies.registry import make_policy
from restock.problems.load import load_problem
from restock.problems.network import NetworkProblem

TRAINING, HELD_OUT = 1_000_000_000, 2_000_000_000  # first seeds: those of comparisons stay unseen
DIGITS = 6  # of the numbers found: what is written down is what was simulated
CONVERGED = 1e-6  # of the profit: a generation, and the last ones, that differ by less
MOST_CORRELATED = 150  # numbers to find; beyond, CMA-ES adapts their scales alone, which costs less


@dataclasses.dataclass(frozen=True)
class Fit:
    """What `fit` found.

    Attributes:
        policy: The policy with the parameters found, made for the problem.
        parameters: What `make_policy(policy.name, problem, **parameters)` takes: plain numbers, lists and
            words. The level of information is among them.
        tuned: Which of them were searched.
        start: Mean profit of the policy it began with, on the episodes of the search.
        in_sample: Mean profit of what was found, on the same episodes; no less.
        held_out: Mean profit on episodes that the search has not seen; None for recorded ones.
        gain: Paired difference to the start on those; None for recorded episodes.
        episodes: How many the search was made on.
        seed: Of the search and its episodes.
        evaluations: Candidates that were simulated.
        seconds: Time for all.
        finished: False if Ctrl-C ended the search before its time.
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

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data, for JSON."""
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
        seed: Of the episodes (their seeds begin at 1,000,000,000 + seed, held out ones at 2,000,000,000 +
            seed) and of the search.
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
    _check_budget(budget)
    seed = streams.check_seed(seed)
    first = make_policy(name, problem, **_told(information), **params)
    if first.information == "clairvoyant":
        raise InvalidInput("policy", name, "it knows the future already", "Fit a policy that does not.")
    world = _drawn_before(first.problem)
    chance = draw(world, episodes, TRAINING + seed) if exogenous is None else recorded(world, exogenous)
    search = _Search(first, world, chance, _chosen(first, tune), params, seed)
    finished = search.run(budget, progress, stoppable)
    parameters = search.parameters
    held_out = gain = None
    if exogenous is None:
        unseen = draw(world, 4 * episodes, HELD_OUT + seed)
        before, after = _profit(world, first, unseen), _profit(world, search.made(parameters), unseen)
        held_out, gain = estimate(after), estimate(after - before)
    return Fit(
        policy=make_policy(name, problem, **parameters),
        parameters=parameters,
        tuned=tuple(search.space),
        start=estimate(search.began_with),
        in_sample=estimate(search.best),
        held_out=held_out,
        gain=gain,
        episodes=len(chance),
        seed=seed,
        evaluations=search.evaluations,
        seconds=time.perf_counter() - began,
        finished=finished,
    )


class _Search:
    """Candidates on common episodes, and the best of them."""

    def __init__(
        self,
        first: Policy,
        world: Problem,
        chance: Episodes,
        space: Mapping[str, Tunable],
        params: Mapping[str, Any],
        seed: int,
    ) -> None:
        self.space = space
        self.parameters: dict[str, Any] = {**params, "information": first.information}
        self.evaluations = 0
        self._kind, self._world, self._chance, self._seed = type(first), world, chance, seed
        aside = {name for tunable in space.values() for name in tunable.instead_of}
        self._given = {key: value for key, value in self.parameters.items() if key not in aside}
        self.began_with = self.best = _profit(world, first, chance)

        def joined(field: str) -> Array:
            return np.concatenate([np.ravel(getattr(tunable, field)) for tunable in space.values()])

        self._start, self._scale, self._low, self._high = map(joined, ("start", "scale", "low", "high"))
        self._free = np.flatnonzero(self._low < self._high)
        if not len(self._free):
            raise InvalidInput("tune", list(space), "nothing of that can vary here", "Name other parameters.")
        self._best_place = np.zeros(len(self._free))

    def made(self, parameters: Mapping[str, Any]) -> Policy:
        """The policy with these parameters, in the world of the search."""
        return self._kind(self._world, **parameters)

    def run(self, budget: int, progress: Progress | None, stoppable: bool) -> bool:
        """Spend the budget; whether it was not interrupted."""
        try:
            self._try([np.zeros(len(self._free))])
            self._evolve(budget, progress)
        except KeyboardInterrupt:
            if not stoppable:
                raise
            return False
        return True

    def _evolve(self, budget: int, progress: Progress | None) -> None:
        """CMA-ES, and where it has converged early, again from the best on: wider, and with more at a time."""
        import cma

        # CMA-ES wants two numbers at least: a single one gets a partner without effect.
        count = max(len(self._free), 2)
        numbers = streams.generator(self._seed, "fit")
        options = {
            "randn": lambda *shape: numbers.standard_normal(shape),
            "seed": np.nan,  # leaves NumPy's global generator alone
            "CMA_diagonal": count > MOST_CORRELATED,
            "tolfun": CONVERGED * max(abs(float(self.began_with.mean())), 1e-9),
            "updatecovwait": 3,  # generations; decomposing the matrix costs more than simulating
            "verbose": -10,
            "verb_log": 0,
        }
        width, size = 1.0, 4 + int(3.0 * np.log(count))
        with ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, size)) as pool:
            while self.evaluations + size <= budget:
                begin = np.zeros(count)
                begin[: len(self._free)] = self._best_place
                strategy = cma.CMAEvolutionStrategy(begin, width, {**options, "popsize": size})
                while not strategy.stop() and self.evaluations + size <= budget:
                    places = strategy.ask()
                    values = self._try([place[: len(self._free)] for place in places], pool)
                    strategy.tell(places, [-value for value in values])
                    if progress is not None:
                        progress(self.evaluations, budget)
                width, size = 2.0, 2 * size
        if progress is not None:
            progress(budget, budget)

    def _try(self, places: Sequence[Array], pool: ThreadPoolExecutor | None = None) -> list[float]:
        """Mean profit at places of the search space, less a little for the way back where they are out of bounds."""
        wanted = [self._start.copy() for _ in places]
        for vector, place in zip(wanted, places, strict=True):
            vector[self._free] += place * self._scale[self._free]
        inside = [np.clip(vector, self._low, self._high) for vector in wanted]
        tried = [{**self._given, **self._read(vector)} for vector in inside]
        policies = [self.made(parameters) for parameters in tried]
        spread: Any = map if pool is None else pool.map
        profits = list(spread(lambda policy: _profit(self._world, policy, self._chance), policies))
        self.evaluations += len(places)
        values = []
        for place, parameters, profit, vector, clipped in zip(places, tried, profits, wanted, inside, strict=True):
            if profit.mean() > self.best.mean():
                self.best, self.parameters, self._best_place = profit, parameters, np.array(place)
            outside = (np.abs(vector - clipped) / np.where(self._scale > 0.0, self._scale, 1.0)).sum()
            values.append(float(profit.mean() - 1e-3 * abs(self.began_with.mean()) * outside))
        return values

    def _read(self, vector: Array) -> dict[str, Any]:
        """The numbers as parameters by name, as they will be written down."""
        rounded = [float(f"{number:.{DIGITS}g}") for number in vector]
        found, at = {}, 0
        for name, tunable in self.space.items():
            size = np.size(tunable.start)
            found[name] = np.reshape(rounded[at : at + size], np.shape(tunable.start)).tolist()
            at += size
        return found


def _profit(world: Problem, policy: Policy, chance: Episodes) -> Array:
    """Profit of each episode, shape (B,); no record is kept where the policy runs inside the compiled loop."""
    if not isinstance(policy, TextPolicy) or chance.generators is not None:
        return run(world, policy, chance, 0).profit
    tables = world.plain
    rewards = np.empty((len(chance), world.horizon))
    nothing = np.empty((0, world.horizon + 1, tables.recorded))
    policy.begin(len(chance), 0, None)
    world.policy_kernel(type(policy).text)(
        world.horizon, tables.ints, tables.floats, tables.fresh, np.empty_like(tables.fresh),
        np.ascontiguousarray(chance.vectors), policy.packed(), rewards, nothing,
    )  # fmt: skip
    return np.asarray(rewards.sum(axis=1))


def _drawn_before(problem: Problem) -> Problem:
    """The problem with demand drawn before the episode, where it would be drawn period by period."""
    if not problem.sequential or not isinstance(problem, NetworkProblem):
        return problem
    demand = problem.spec.demand.model_copy(update={"sampler": "numpy"})
    return NetworkProblem(problem.spec.model_copy(update={"demand": demand}))


def _chosen(policy: Policy, tune: Sequence[str] | None) -> dict[str, Tunable]:
    """What is to be searched, by name."""
    known = policy.tunables()
    if not known:
        raise InvalidInput("policy", policy.name, "it has no parameters to fit", "Take for instance s-S.")
    if tune is None:
        return {name: tunable for name, tunable in known.items() if tunable.usual}
    if isinstance(tune, str) or not isinstance(tune, Sequence) or not tune:
        raise InvalidInput("tune", tune, "this is a list of parameters", f"Known: {', '.join(known)}.")
    for name in tune:
        if name not in known:
            what = f"{policy.name} cannot be tuned in that"
            raise InvalidInput("tune", name, what, nearest(name, list(known)))
    return {name: known[name] for name in tune}


def _told(information: Information | None) -> dict[str, Any]:
    return {} if information is None else {"information": information}


def _check_budget(budget: object) -> None:
    if isinstance(budget, bool) or not isinstance(budget, (int, np.integer)) or budget < 1:
        raise InvalidInput("budget", budget, "this is a whole number of at least 1", "Write for instance 2500.")
