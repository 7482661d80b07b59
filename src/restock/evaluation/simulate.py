"""The simulation of one policy over many episodes."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from restock.core import streams
from restock.core.errors import InvalidInput
from restock.core.fields import Fields, locked
from restock.core.kpis import KPIS, kpis
from restock.core.parts import parts_of
from restock.core.play import Episodes, Table, draw, draw_each, recorded
from restock.core.problem import Array, Problem
from restock.core.trajectory import Trajectory
from restock.evaluation.shares import share_estimate
from restock.evaluation.stats import Estimate, alone, estimate
from restock.policies._base import Policy, Progress, TextPolicy, View
from restock.policies.registry import make_policy
from restock.problems.load import load_problem

CHUNK = 2048  # episodes that are simulated between two reports of progress, and before Ctrl-C is heard


@dataclasses.dataclass(frozen=True)
class Simulation:
    """The results of a policy over a batch of episodes.

    Attributes:
        problem: What was simulated.
        policy: Who decided.
        trajectory: Everything that happened, batch first.
        profit: Sum of rewards of each episode, shape (B,).
        kpis: Key figures, each of shape (B,); see `restock.core.kpis.KPIS`.
        bound: Proven upper bound on the profit of each episode, where the policy knows one.
        seconds: Time spent deciding and simulating.
        deciding: Processor time spent in the policy's `begin` and `act`, all threads of this process
            together: what a decision costs on one core, however busy the machine is. None where the
            policy ran inside the compiled loop.
        chance: The episodes it met.
    """

    problem: Problem
    policy: Policy
    trajectory: Trajectory
    profit: Array
    kpis: Mapping[str, Array]
    bound: Array | None
    seconds: float
    deciding: float | None
    chance: Episodes

    @cached_property
    def parts(self) -> dict[str, Array]:
        """The parts of the profit of each episode, signed, each of shape (B,); they add up to `profit`."""
        return parts_of(self.problem, self.trajectory, self.chance.vectors)

    @cached_property
    def identical(self) -> bool:
        """Whether all episodes are equal, so that their spread carries no information."""
        return identical([self], self.chance)

    def estimates(self, block: int = 1) -> dict[str, Estimate]:
        """Return the key figures with their 95% intervals, those of rates within 0 and 1.

        Rates of demand are those of all episodes together. Where all episodes are the same there is no interval.

        Args:
            block: Neighbouring episodes that share data.
        """
        if self.identical:
            return {key: alone(float(np.mean(values))) for key, values in self.kpis.items()}
        return {key: self._estimate(key, values, block) for key, values in self.kpis.items()}

    def _estimate(self, key: str, values: Array, block: int) -> Estimate:
        kpi = KPIS.get(key)
        if kpi is None or kpi.unit != "share":
            return estimate(values, block)
        asked = self.trajectory[self.trajectory.layout.service[1]].sum(axis=(-2, -1)) if kpi.of_demand else None
        return share_estimate(values, block, asked)

    @property
    def limit(self) -> Array:
        """The bound of each episode if it is proven in all of them, else the profit of this policy, shape (B,)."""
        proven = self.bound is not None and bool(np.isfinite(self.bound).all())
        return self.bound if proven and self.bound is not None else self.profit


def simulate(
    problem: Any,
    policy: Any,
    episodes: int = 100,
    seed: int = 0,
    *,
    seeds: Sequence[int] | None = None,
    exogenous: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Simulation:
    """Run a policy over episodes.

    Args:
        problem: A problem, or anything `load_problem` takes.
        policy: A policy, or the name of one (see `make_policy`: also `path/to/file.py:Class`).
        episodes: How many [B].
        seed: Of the episodes, which share none with those of another seed; `Simulation.chance.seeds` has the
            seed of each, and an environment meets episode i after `reset(seed=seeds[i])`.
        seeds: The episodes of these very seeds instead, as `reset(seed=...)` begins them.
        exogenous: Recorded information to replay instead, arrays with a leading axis of B episodes.
        progress: Called with (steps done, steps in all).

    Raises:
        InvalidInput: An argument does not hold.

    Example:
        >>> result = simulate("serial", "base-stock", episodes=8, seed=42)
        >>> result.profit.shape
        (8,)
    """
    problem = load_problem(problem)
    chance = episodes_of(problem, episodes, seed, seeds, exogenous)
    return run(problem, as_policy(policy, problem), chance, seed, progress)


def episodes_of(
    problem: Problem, episodes: int, seed: int, seeds: Sequence[int] | None, exogenous: Mapping[str, Any] | None
) -> Episodes:
    """Return the episodes that a caller asks for: drawn from one seed, from seeds of their own, or recorded.

    Raises:
        InvalidInput: An argument does not hold.
    """
    if exogenous is not None:
        if seeds is not None:
            raise InvalidInput("seeds", list(seeds), "recorded episodes have none", "Leave out seeds or exogenous.")
        return recorded(problem, exogenous)
    if seeds is None:
        return draw(problem, episodes, seed)
    streams.check_seed(seed)
    if isinstance(seeds, (str, bytes)) or not isinstance(seeds, (Sequence, np.ndarray)) or not len(seeds):
        raise InvalidInput("seeds", seeds, "must be a list of seeds, at least one", "Write for instance [42, 43].")
    return draw_each(problem, seeds)


def identical(runs: Sequence[Simulation], chance: Episodes) -> bool:
    """Return whether all episodes are equal, so that their spread carries no information.

    Args:
        runs: What happened in them; where demand is drawn period by period, only this can tell.
        chance: The episodes.
    """
    if chance.generators is None or len(chance) < 2:
        return chance.identical
    return all((met == met[:1]).all() for one in runs for met in one.trajectory.exogenous.values())


def as_policy(policy: Any, problem: Problem) -> Policy:
    """Return the policy itself, or make the one of that name or class for the problem.

    Raises:
        InvalidInput: It is neither, or it was made for another problem.
    """
    if isinstance(policy, str):
        return make_policy(policy, problem)
    if isinstance(policy, type) and issubclass(policy, Policy):
        return policy(problem)
    if not isinstance(policy, Policy):
        raise InvalidInput("policy", policy, "must be a name or a policy", "See restock.list_policies().")
    if policy.problem is not problem and policy.problem.labels() != problem.labels():
        raise InvalidInput("policy", policy.name, "it was made for another problem", "Make it with make_policy.")
    return policy


def run(
    problem: Problem,
    policy: Policy,
    chance: Episodes,
    seed: int,
    progress: Progress | None = None,
    compiled: bool = True,
) -> Simulation:
    """Run a policy over given episodes.

    Args:
        problem: What is simulated.
        policy: Who decides.
        chance: The episodes.
        seed: For the policy's own random streams.
        progress: Called with (steps done, steps in all).
        compiled: Whether a policy written as a text may run inside the compiled loop; there its
            decisions cannot be timed.
    """
    began, worked = time.perf_counter(), time.process_time()
    policy.progress = progress
    policy.begin(len(chance), seed, chance if policy.information == "clairvoyant" else None)
    policy.progress = None
    deciding: float | None = None
    if compiled and isinstance(policy, TextPolicy) and chance.generators is None:
        trajectory = _compiled(problem, policy, chance, progress)
    else:
        beginning = time.process_time() - worked
        # A policy that looks ahead has reported its work already.
        tell = None if policy.information == "clairvoyant" else progress
        trajectory, acting = _period_by_period(problem, policy, chance, tell)
        deciding = beginning + acting
    seconds = time.perf_counter() - began
    profit = trajectory.rewards.sum(axis=-1)
    figures = kpis(trajectory, problem.horizon) | problem.figures(trajectory)
    return Simulation(problem, policy, trajectory, profit, figures, policy.bound, seconds, deciding, chance)


def _compiled(problem: Problem, policy: TextPolicy, chance: Episodes, progress: Progress | None) -> Trajectory:
    """Play whole episodes with the policy inside the compiled loop."""
    tables = problem.plain
    rollout, parameters = problem.policy_kernel(*policy.texts()), policy.packed()
    rewards = np.empty((len(chance), problem.horizon))
    record = np.empty((len(chance), problem.horizon + 1, tables.recorded))
    lengths = np.empty(len(chance), dtype=np.int64)
    vectors, scratch = np.ascontiguousarray(chance.vectors), np.empty_like(tables.fresh)
    for first in range(0, len(chance), CHUNK):
        part = slice(first, first + CHUNK)
        rollout(
            problem.horizon, tables.ints, tables.floats, tables.fresh, tables.given, scratch,
            vectors[part], parameters, rewards[part], record[part], lengths[part],
        )  # fmt: skip
        if progress is not None:
            progress(min(first + CHUNK, len(chance)), len(chance))
    exogenous = problem.exogenous_of(record, chance.vectors)
    about = _about(problem, policy)
    return Trajectory(record, problem.layout, rewards, problem.horizon, exogenous, about, lengths)


def _period_by_period(
    problem: Problem, policy: Policy, chance: Episodes, progress: Progress | None
) -> tuple[Trajectory, float]:
    """Play period by period; return the trajectory and the processor time spent in `act`."""
    table = Table(problem, chance)
    mean = None if policy.information == "blind" else problem.exogenous_of(table.record, chance.vectors).get("mean")
    seen, places = locked(table.record), problem.layout.places
    mean = None if mean is None else locked(mean)
    shape = (len(chance), len(problem.labels()[problem.decision]))
    acting = 0.0
    for t in range(problem.horizon):
        # Rows up to t are final, so a view that is kept shows later what it shows now.
        view = View(t, Fields(seen[:, t], places, copied=True), Fields(seen[:, 1 : t + 1], places), mean)
        asked = time.process_time()
        decision = policy.act(view)
        acting += time.process_time() - asked
        table.advance(_checked(policy, decision, shape))
        if progress is not None:
            progress(t + 1, problem.horizon)
    return table.trajectory(_about(problem, policy)), acting


def _checked(policy: Policy, decision: Any, shape: tuple[int, int]) -> Array:
    """Return the decision as finite numbers of the right shape."""
    field, what = f"policy {policy.name}", f"act() returns decisions of shape {shape}"
    try:
        orders = np.asarray(decision, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInput(field, decision, what, "Mend act().") from None
    if orders.shape != shape:
        raise InvalidInput(field, f"shape {orders.shape}", what, "Mend act().")
    if not np.isfinite(orders).all():
        b, i = (int(k) for k in np.argwhere(~np.isfinite(orders))[0])
        raise InvalidInput(field, float(orders[b, i]), f"decision {i} of episode {b} is not finite", "Mend act().")
    return orders


def _about(problem: Problem, policy: Policy) -> dict[str, str]:
    return {"problem": problem.name, "policy": policy.name, "information": policy.information}
