"""What an episode is measured by: the policy to beat and the clairvoyant plan, on the same random numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.problem import Array, Problem
from restock.evaluation.simulate import Simulation, simulate
from restock.policies._base import Progress
from restock.policies.registry import make_policy, yardsticks
from restock.problems.manifest import manifest_for
from restock.report.numbers import amount, decimals
from restock.server.dashboard.turns import Episode


@dataclasses.dataclass(frozen=True)
class Track:
    """A cumulative sum over an episode, beside those of others on the same random numbers.

    Attributes:
        name: `reward`, or `profit` where the reward of a problem is not the money it earns.
        rival: Of the policy to beat, shape (B, T).
        best: Of the plan that knows everything, shape (B, T); None where there is none.
        bound: What nobody exceeds, or with `proven` false what that plan reaches, shape (B,).
        proven: Whether nobody can exceed the bound.
    """

    name: str
    rival: Array
    best: Array | None = None
    bound: Array | None = None
    proven: bool = False

    def of(self, episode: Episode) -> list[float]:
        """Return the cumulative sum of an episode, period by period."""
        return episode.earned if self.name == "profit" else episode.rewards

    def carried_out(self, b: int) -> bool:
        """Return whether the clairvoyant plan earns in episode b what it promises."""
        if self.best is None or self.bound is None:
            return False
        promised = float(self.bound[b])
        return float(self.best[b].sum()) >= promised - 1e-4 * max(1.0, abs(promised))

    def regret(self, b: int, episode: Episode, t: int) -> float | None:
        """Return how far episode b is behind the best plan after t periods, at the end behind the bound.

        None where there is no such plan, and before the end where it cannot be carried out.
        """
        if self.best is None or self.bound is None:
            return None
        own = self.of(episode)
        if t >= len(own) >= self.best.shape[1]:
            return float(self.bound[b]) - sum(own)
        return float(self.best[b, :t].sum()) - sum(own[:t]) if self.carried_out(b) else None

    def regret_told(self, b: int, episode: Episode, t: int) -> str:
        """Return the regret as a sentence; empty if there is no bound."""
        if self.best is None or self.bound is None:
            return ""
        regret, bound = self.regret(b, episode, t), _money(float(self.bound[b]))
        if regret is None:
            return (
                f"In the whole episode nobody earns more than {bound}. The plan behind this bound cannot be carried "
                "out as it stands, so there is no regret before the end."
            )
        own = self.of(episode)
        if t < len(own) or len(own) < self.best.shape[1]:
            if regret < 0.0:
                ahead = _money(-regret)
                return f"So far {ahead} ahead of the plan that knows everything, which earns most of its money later."
            return f"Regret so far, against the plan that knows everything: {_money(regret)}."
        if self.proven:
            return f"Regret to the bound ({bound}): {_money(regret)}."
        if regret < 0.0:
            return f"That is {_money(-regret)} more than the best plan found with everything known ({bound})."
        return f"Regret to the best plan found with everything known ({bound}): {_money(regret)}."


@dataclasses.dataclass(frozen=True)
class Measures:
    """The baselines and the bound of all episodes of a run.

    Attributes:
        rival: Name of the policy to beat.
        tracks: The reward first; that with a bound last.
        rival_decisions: Of the policy to beat, shape (B, T, A).
        plan_decisions: Of the plan that knows everything, shape (B, T, A); None where there is none.
    """

    rival: str
    tracks: tuple[Track, ...]
    rival_decisions: Array | None = None
    plan_decisions: Array | None = None

    def known(self) -> Measures:
        """Return what may be shown while an episode is played, which excludes the clairvoyant plan."""
        tracks = tuple(dataclasses.replace(one, best=None, bound=None) for one in self.tracks)
        return Measures(self.rival, tracks, self.rival_decisions)


def measured(problem: Problem, seeds: Sequence[int], tell: Progress | None = None) -> Measures:
    """Play the policy to beat and the clairvoyant plan in the episodes of these seeds.

    Args:
        problem: What is played.
        seeds: Of the episodes.
        tell: Called with (steps done, steps in all) of each of the two; what it raises ends the work.

    Raises:
        InvalidInput: The policy to beat cannot play them.
    """
    rival, knowing = yardsticks(problem.family)
    beaten = simulate(problem, make_policy(rival, problem), seed=seeds[0], seeds=seeds, progress=tell)
    best = None
    if knowing is not None:
        try:
            best = simulate(problem, make_policy(knowing, problem), seed=seeds[0], seeds=seeds, progress=tell)
        except InvalidInput:  # not of every variant of a problem there is a plan
            best = None
    tracks = _tracks(problem, beaten, best)
    decided = [None if one is None else one.trajectory[problem.decision] for one in (beaten, best)]
    return Measures(rival, tracks, *decided)


def _tracks(problem: Problem, beaten: Simulation, best: Simulation | None) -> tuple[Track, ...]:
    rewards = beaten.trajectory.rewards
    money = manifest_for(problem).money
    if money is not None:
        paid = _paid(money, beaten, best)
        if problem.description()["reward"] == money:
            return (dataclasses.replace(paid, name="reward"),)
        return (Track("reward", rewards), paid)
    if best is None or best.bound is None:
        return (Track("reward", rewards),)
    proven = bool(np.isfinite(best.bound).all())
    bound = best.bound if proven else best.profit
    return (Track("reward", rewards, best.trajectory.rewards, bound, proven),)


def _paid(money: str, beaten: Simulation, best: Simulation | None) -> Track:
    """Return the profit in money, whatever the reward is."""
    rival = beaten.trajectory[money][..., 0]
    if best is None:
        return Track("profit", rival)
    value: Array = best.policy.value  # type: ignore[attr-defined]
    return Track("profit", rival, best.trajectory[money][..., 0], value, True)


def _money(value: float) -> str:
    return amount(value, decimals([value]))
