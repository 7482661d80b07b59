"""The search of `fit`: candidates on common episodes, proposed by CMA-ES."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from restock.core import streams
from restock.core.errors import InvalidInput
from restock.core.play import Episodes
from restock.core.problem import Array, Problem
from restock.evaluation.simulate import run
from restock.policies._base import Policy, Progress, TextPolicy, Tunable

DIGITS = 6  # of the numbers found: what is written down is what was simulated
CONVERGED = 1e-6  # of the profit: a generation, and the last ones, that differ by less
FEW = 10  # numbers to find: so few that a decomposition for each generation costs nothing
MOST_CORRELATED = 150  # numbers to find; beyond, CMA-ES adapts their scales alone, which costs less


class Search:
    """A search over candidates on common episodes, and the best of them.

    Args:
        first: The policy it begins with.
        world: The problem that candidates are simulated in.
        chance: The episodes that each of them meets.
        space: What is turned, by the name of the parameter.
        params: The parameters `first` was made with.
        seed: Of the search.

    Attributes:
        parameters: Of the best so far.
        best: Its profit in each episode, shape (B,).
        began_with: That of `first`.
        evaluations: Candidates simulated.

    Raises:
        InvalidInput: Nothing in the space can vary.
    """

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
        level = {"information": first.information} if len(first.may_know) > 1 else {}
        self.parameters: dict[str, Any] = {**params, **level}
        self.evaluations = 0
        self._kind, self._world, self._chance, self._seed = type(first), world, chance, seed
        aside = {name for tunable in space.values() for name in tunable.instead_of}
        self._given = {key: value for key, value in self.parameters.items() if key not in aside}
        self.began_with = self.best = profits(world, first, chance)

        def joined(field: str) -> Array:
            return np.concatenate([np.ravel(getattr(tunable, field)) for tunable in space.values()])

        self._start, self._scale, self._low, self._high = map(joined, ("start", "scale", "low", "high"))
        self._free = np.flatnonzero(self._low < self._high)
        if not len(self._free):
            raise InvalidInput("tune", list(space), "nothing of that can vary here", "Name other parameters.")
        self._best_place = np.zeros(len(self._free))

    def made(self, parameters: Mapping[str, Any]) -> Policy:
        """Return the policy with these parameters, for the problem of the search."""
        return self._kind(self._world, **parameters)

    def run(self, budget: int, progress: Progress | None, stoppable: bool) -> bool:
        """Spend the budget; return whether the search was not interrupted."""
        try:
            self._try([np.zeros(len(self._free))])
            self._evolve(budget, progress)
        except KeyboardInterrupt:
            if not stoppable:
                raise
            return False
        return True

    def _evolve(self, budget: int, progress: Progress | None) -> None:
        """Run CMA-ES; if it converges early, restart from the best with a wider spread and more candidates."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Could not import matplotlib")  # for pictures that are not drawn here
            import cma

        # CMA-ES wants two numbers at least: a single one gets a partner without effect.
        count = max(len(self._free), 2)
        numbers = streams.generator(self._seed, "fit")
        options = {
            "randn": lambda *shape: numbers.standard_normal(shape),
            "seed": np.nan,  # leaves NumPy's global generator alone
            "CMA_diagonal": count > MOST_CORRELATED,
            "tolfun": CONVERGED * max(abs(float(self.began_with.mean())), 1e-9),
            # Decomposing a large matrix costs more than simulating. A small one that lags behind can turn negative.
            "updatecovwait": 3 if count > FEW else None,
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
                    try:
                        strategy.tell(places, [-value for value in values])
                    except Exception:  # whatever cma raises: what was tried is kept, and the search begins from there
                        break
                    if progress is not None:
                        progress(self.evaluations, budget)
                width, size = 2.0, 2 * size
        if progress is not None:
            progress(budget, budget)

    def _try(self, places: Sequence[Array], pool: ThreadPoolExecutor | None = None) -> list[float]:
        """Return the mean profit at points of the search space, less a small penalty outside its bounds."""
        wanted = [self._start.copy() for _ in places]
        for vector, place in zip(wanted, places, strict=True):
            vector[self._free] += place * self._scale[self._free]
        inside = [np.clip(vector, self._low, self._high) for vector in wanted]
        tried = [{**self._given, **self._read(vector)} for vector in inside]
        policies = [self.made(parameters) for parameters in tried]
        spread: Any = map if pool is None else pool.map
        earned = list(spread(lambda policy: profits(self._world, policy, self._chance), policies))
        self.evaluations += len(places)
        values = []
        for place, parameters, profit, vector, clipped in zip(places, tried, earned, wanted, inside, strict=True):
            if profit.mean() > self.best.mean():
                self.best, self.parameters, self._best_place = profit, parameters, np.array(place)
            outside = (np.abs(vector - clipped) / np.where(self._scale > 0.0, self._scale, 1.0)).sum()
            values.append(float(profit.mean() - 1e-3 * abs(self.began_with.mean()) * outside))
        return values

    def _read(self, vector: Array) -> dict[str, Any]:
        """Return the numbers as parameters by name, in the form in which they are written down."""
        rounded = [float(f"{number:.{DIGITS}g}") for number in vector]
        found, at = {}, 0
        for name, tunable in self.space.items():
            size = np.size(tunable.start)
            found[name] = tunable.written(np.reshape(rounded[at : at + size], np.shape(tunable.start)))
            at += size
        return found


def profits(world: Problem, policy: Policy, chance: Episodes) -> Array:
    """Return the profit of each episode, shape (B,), without a record if the policy runs in the compiled loop."""
    if not isinstance(policy, TextPolicy) or chance.generators is not None:
        return run(world, policy, chance, 0).profit
    tables = world.plain
    rewards = np.empty((len(chance), world.horizon))
    nothing = np.empty((0, world.horizon + 1, tables.recorded))
    policy.begin(len(chance), 0, None)
    world.policy_kernel(*policy.texts())(
        world.horizon, tables.ints, tables.floats, tables.fresh, tables.given, np.empty_like(tables.fresh),
        np.ascontiguousarray(chance.vectors), policy.packed(), rewards, nothing, np.empty(len(chance), np.int64),
    )  # fmt: skip
    return np.asarray(rewards.sum(axis=1))
