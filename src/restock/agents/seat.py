"""An agent's side of a problem: records, and policies that see the same state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from restock.agents.modes import deciding
from restock.core.fields import Fields, locked
from restock.core.problem import Array, Problem
from restock.core.trajectory import Trajectory
from restock.envs.structured import StructuredEnvironment
from restock.policies._base import Policy, View


class Seat:
    """One problem, played episode after episode.

    What is seen and what is done are plain data, as they stand in a message. The episode of a seed is that of
    `simulate(problem, policy, seeds=[seed])`, so what is earned can be held against policies.

    Args:
        problem: A problem, or anything `load_problem` takes.

    Attributes:
        problem: What is played.
        seed: Of the episode under way; -1 before the first `reset`.

    Raises:
        InvalidInput: There is no such problem.

    Example:
        >>> seat = Seat("serial")
        >>> seen = seat.reset(seed=42)
        >>> while not seat.done:
        ...     seen = seat.step(seat.nothing())
        >>> round(seat.earned, 2), seat.faults()
        (-571.01, [])
    """

    def __init__(self, problem: Any) -> None:
        self.table = StructuredEnvironment(problem)
        self.problem: Problem = self.table.problem
        self.seed = -1
        self._faults = [told for told in self.problem.told() if told.truth and told.shape == ()]

    def reset(self, seed: int) -> dict[str, Any]:
        """Begin an episode and return the observation, as plain data."""
        self.seed = seed
        self._mean: Array | None = None  # of demand, made when it is first asked for
        return _plain(self.table.reset(seed))

    def step(self, action: Mapping[str, Any]) -> dict[str, Any]:
        """Play a period and return the observation.

        Raises:
            InvalidInput: The action cannot be; nothing has changed.
        """
        return _plain(self.table.step(action))

    @property
    def done(self) -> bool:
        """Whether the episode is over."""
        return self.table.done

    @property
    def earned(self) -> float:
        """Sum of the rewards so far."""
        return float(self.trajectory.rewards.sum())

    @property
    def trajectory(self) -> Trajectory:
        """The trajectory of the episode so far."""
        return self.table.trajectory

    def faults(self) -> list[str]:
        """Return the faults of the last period, by the problem's names for them."""
        played = self.table.played
        return [told.name for told in self._faults if played[told.field][-1][told.entry] > 0.0]

    def view(self, t: int, informed: bool) -> View:
        """Return what a policy may know at the start of a past period or of the next one; nothing is copied."""
        played, places = self.table.played, self.problem.layout.places
        lines = locked(played.lines)[None]
        if informed and self._mean is None:
            mean = self.trajectory.exogenous.get("mean")
            self._mean = None if mean is None else locked(mean[None])
        past = Fields(lines[:, 1 : t + 1], places)
        return View(t, Fields(lines[:, t], places, copied=True), past, self._mean if informed else None)

    def nothing(self) -> dict[str, Any]:
        """Return the action that does nothing: every field at its default."""
        return _plain(self.table.action_type())

    def action(self, decision: Array) -> dict[str, Any]:
        """Return a decision in physical units as plain data."""
        return _plain(self.table.records.action(decision))


class Advised:
    """A policy that can be asked at any period of an episode; it sees every period nonetheless.

    Args:
        policy: Who is asked.
        seat: Where it looks on.
    """

    def __init__(self, policy: Policy, seat: Seat) -> None:
        self.policy, self.seat = policy, seat
        self._asked = 0  # periods that it has decided in
        policy.begin(1, seat.seed, None)

    def action(self) -> dict[str, Any]:
        """Return what the policy would decide now.

        Raises:
            InvalidInput: It decides what cannot be, or cannot decide with the parameters it was given.
        """
        now, decision = self.seat.table.period, None
        with deciding(self.policy.name):
            for t in range(min(self._asked, now), now + 1):
                decision = self.policy.act(self.seat.view(t, self.policy.information == "informed"))
            self._asked = now + 1
            return self.seat.action(np.asarray(decision, dtype=np.float64)[0])


def _plain(record: Any) -> dict[str, Any]:
    data: dict[str, Any] = record.model_dump(mode="json")
    return data
