"""Views made from recordings, and policies that are shown a changed view."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from restock.core.play import Episodes
from restock.core.problem import Array
from restock.core.trajectory import Trajectory
from restock.policies._base import Policy, View

Change = Callable[[View], View]


@dataclasses.dataclass(frozen=True)
class Seen:
    """Everything that a policy saw in a batch of episodes.

    Attributes:
        fields: Recorded fields by name, each of shape (B, T + 1, k); entry t is what period t begins with.
        mean: Mean demand, shape (B, T, M); None for a blind policy.
    """

    fields: Mapping[str, Array]
    mean: Array | None

    @classmethod
    def of(cls, trajectory: Trajectory, informed: bool) -> Seen:
        """Return what was seen in a simulation."""
        fields = {}
        for name in trajectory.layout.columns:
            values = trajectory[name]
            if name not in trajectory.stocks:  # a flow: before the first period nothing flowed
                values = np.concatenate([np.zeros_like(values[:, :1]), values], axis=1)
            fields[name] = values
        return cls(fields, trajectory.exogenous.get("mean") if informed else None)

    def rows(self, which: NDArray[np.int64]) -> Seen:
        """Return copies of some of the episodes."""
        fields = {name: values[which] for name, values in self.fields.items()}
        return Seen(fields, None if self.mean is None else self.mean[which])

    def view(self, t: int, writable: bool = False) -> View:
        """Return what may be known at the start of period t.

        Args:
            t: The period.
            writable: Whether the past may be written to, which later views then show.
        """
        now = {name: values[:, t].copy() for name, values in self.fields.items()}
        past = {name: values[:, 1 : t + 1] for name, values in self.fields.items()}
        if not writable:
            for values in past.values():
                values.setflags(write=False)
        return View(t, now, past, self.mean)


class Told(Policy):
    """A policy that sees a changed view in place of the true one.

    Args:
        policy: Who decides.
        change: From the true view to the one it sees.
    """

    name = "told"

    def __init__(self, policy: Policy, change: Change) -> None:
        self.policy, self.change = policy, change
        self.information, self.problem = policy.information, policy.problem

    def begin(self, episodes: int, seed: int, chance: Episodes | None) -> None:
        """Prepare the policy."""
        self.policy.begin(episodes, seed, chance)

    def act(self, view: View) -> Array:
        """Return the policy's decision on the changed view."""
        return self.policy.act(self.change(view))


class Asked(Told):
    """A policy that repeats earlier decisions, and notes what it would have decided on a changed view.

    Args:
        policy: Who is asked.
        change: From the true view to the one it sees.
        decisions: What is done, shape (B, T, A).

    Attributes:
        answers: What it answered, shape (B, T, A).
    """

    name = "asked"

    def __init__(self, policy: Policy, change: Change, decisions: Array) -> None:
        super().__init__(policy, change)
        self.decisions = decisions
        self.answers = np.zeros_like(decisions)

    def act(self, view: View) -> Array:
        """Return the earlier decision."""
        self.answers[:, view.t] = self.policy.act(self.change(view))
        return self.decisions[:, view.t]
