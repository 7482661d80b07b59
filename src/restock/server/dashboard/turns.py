"""Episodes turn by turn: observation, decision and reward, by hand, by a policy or by a model."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from restock.agents.counts import Counts
from restock.agents.prompt import went_wrong
from restock.agents.seat import Seat
from restock.core.errors import InvalidInput
from restock.core.play import draw_each
from restock.core.problem import Array, Problem
from restock.core.scene import Scene
from restock.core.trajectory import Trajectory
from restock.policies._base import Policy
from restock.server.dashboard.exchanges import Exchange

Plain = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Turn:
    """One period.

    Attributes:
        seen: The observation that it was decided by.
        action: What was decided.
        after: The observation after it.
        reward: Of the period.
        parts: Of the reward, by name; they add up to it.
        faults: What went wrong, by name.
        by: Who decided.
        reply: What a model wrote.
        error: Why its reply could not be used.
        exchanges: Every reply and every call of a tool.
        counts: What was counted; None where no model played.
    """

    seen: Plain
    action: Plain
    after: Plain
    reward: float
    parts: Mapping[str, float]
    faults: tuple[str, ...] = ()
    by: str = ""
    reply: str | None = None
    error: str | None = None
    exchanges: tuple[Exchange, ...] = ()
    counts: Counts | None = None


@dataclasses.dataclass(frozen=True)
class Episode:
    """A finished or running episode.

    Attributes:
        seed: What it was begun with.
        first: The observation at its start.
        turns: The periods that were played.
        grade: Where it is over and the problem a store: what its profit is worth, by name.
        scenes: What a picture shows at the start of each period, and now; empty where nobody played it here.
        record: What happened, in numbers; None likewise.
    """

    seed: int
    first: Plain
    turns: list[Turn]
    grade: Mapping[str, float] | None = None
    scenes: list[Scene] = dataclasses.field(default_factory=list)
    record: Trajectory | None = None

    @property
    def rewards(self) -> list[float]:
        """The rewards of the periods played."""
        return [turn.reward for turn in self.turns]

    @property
    def counts(self) -> Counts | None:
        """The sum of the counts; None if no model played."""
        total, every = Counts(), [turn.counts for turn in self.turns if turn.counts is not None]
        for one in every:
            total.add(one)
        return total if every else None

    @property
    def earned(self) -> list[float]:
        """The money earned in the periods played, if observations give it beside the reward; else empty."""
        money = [turn.after.get("day_profit") for turn in self.turns]
        return [float(one) for one in money if isinstance(one, (int, float))]

    def seen(self, t: int) -> Plain:
        """Return the observation at the start of period t, or at the end."""
        return self.turns[t].seen if t < len(self.turns) else self.turns[-1].after if self.turns else self.first

    def note(self, t: int) -> str | None:
        """Return the note about the period before t, shown beside the observation."""
        return went_wrong(self.turns[t - 1].faults) if t else None


class Table:
    """An episode in play.

    Args:
        problem: What is played.
        seed: Of the episode.
    """

    def __init__(self, problem: Problem, seed: int) -> None:
        self.seat = Seat(problem)
        first = self.seat.reset(seed)
        self.episode = Episode(seed, first, [], scenes=[self.seat.table.environment.scene])
        self._graded: Episode | None = None

    @property
    def over(self) -> bool:
        """Whether the episode is over."""
        return self.seat.done

    def play(self, action: Mapping[str, Any], by: str) -> Turn:
        """Play a period.

        Raises:
            InvalidInput: The action cannot be; nothing has changed.
        """
        seen = self.episode.seen(len(self.episode.turns))
        after = self.seat.step(action)
        played = self.seat.table.played
        turn = Turn(seen, dict(action), after, played.reward, dict(played.parts), tuple(self.seat.faults()), by)
        self.episode.scenes.append(self.seat.table.environment.scene)  # first: who looks on counts the turns
        self.episode.turns.append(turn)
        return turn

    def graded(self) -> Episode:
        """Return the episode with its figures, and its score if it is over and the problem is a store."""
        if not self.over:
            return dataclasses.replace(self.episode, record=self.seat.trajectory)
        if self._graded is None:
            self._graded = dataclasses.replace(self.episode, record=self.seat.trajectory, grade=self._grade())
        return self._graded

    def _grade(self) -> Mapping[str, float] | None:
        from restock.evaluation.grading import graded

        figures = self.seat.table.environment.kpis()
        found = graded(self.seat.problem, figures, self.seat.trajectory.exogenous)
        return None if found is None else found.to_dict()


def played_by(
    problem: Problem, policy: Policy, seed: int, tell: Callable[[int, int], None] = lambda done, of: None
) -> Episode:
    """Return an episode played by a policy.

    Args:
        problem: What is played.
        policy: Who decides.
        seed: Of the episode.
        tell: Called with (periods played, in all); what it raises ends the episode.

    Raises:
        InvalidInput: The policy cannot play it.
    """
    policy.begin(1, seed, draw_each(problem, [seed]) if policy.information == "clairvoyant" else None)
    table = Table(problem, seed)
    while not table.over:
        t = len(table.episode.turns)
        decision = policy.act(table.seat.view(t, policy.information == "informed"))
        table.play(table.seat.action(np.asarray(decision, dtype=np.float64)[0]), policy.name)
        tell(t + 1, problem.horizon)
    return table.graded()


def replayed(problem: Problem, episode: Episode) -> Episode:
    """Return an episode from a transcript with its scenes and its record; as recorded if it cannot be replayed.

    Args:
        problem: That it was played on.
        episode: As it was told.
    """
    table = Table(problem, episode.seed)
    try:
        for turn in episode.turns:
            table.play(turn.action, turn.by)
    except InvalidInput:  # of another version, or not of this problem
        return episode
    if not np.allclose(table.episode.rewards, episode.rewards, rtol=1e-6, atol=1e-6):
        return episode
    return dataclasses.replace(episode, scenes=table.episode.scenes, record=table.seat.trajectory)


def decisions_of(problem: Problem, episodes: list[Episode]) -> Array:
    """Return the decisions, shape (B, T, A), zero after the end of an episode.

    Raises:
        InvalidInput: A decision is none of this problem.
    """
    records = problem.records()
    found = np.zeros((len(episodes), problem.horizon, len(problem.labels()[problem.decision])))
    for b, episode in enumerate(episodes):
        for t, turn in enumerate(episode.turns):
            if t >= problem.horizon:
                raise InvalidInput("transcript", t, f"the problem has {problem.horizon} periods", "Watch another.")
            found[b, t] = np.ravel(records.decision(turn.action))
    return found
