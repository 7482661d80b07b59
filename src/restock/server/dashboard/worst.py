"""Where an episode went wrong: the worst turn, and the turns with a fault."""

from __future__ import annotations

import dataclasses

from restock.report.numbers import amount, decimals
from restock.server.dashboard.exchanges import WITHOUT
from restock.server.dashboard.measure import Measures
from restock.server.dashboard.turns import Episode, Turn

LEAST = 1e-9  # a loss that is more than rounding


@dataclasses.dataclass(frozen=True)
class Worst:
    """The worst turn.

    Attributes:
        turn: Which, from 1.
        loss: How much it lost.
        words: Against what, as a sentence.
    """

    turn: int
    loss: float
    words: str


def worst(measures: Measures | None, b: int, episode: Episode) -> Worst | None:
    """Return the turn that lost most; None if none lost anything or nothing was played.

    A turn loses what it earned less than the plan that is the bound earned in the same period. Where there is no such
    plan, or it cannot be carried out, the policy to beat takes its place; where that one plays itself, or nothing is
    known of the problem, the worst turn is that of the least reward.

    Args:
        measures: What the episodes are measured by; None where there is nothing.
        b: Place of the episode among them.
        episode: What was played.
    """
    if not episode.turns:
        return None
    track = measures.tracks[-1] if measures is not None else None
    if track is not None and measures is not None and track.of(episode):
        own = track.of(episode)
        if track.best is not None and track.carried_out(b):
            return _most("hindsight", track.name, [float(v) for v in track.best[b]], own)
        if episode.turns[0].by != measures.rival:
            return _most(measures.rival, track.name, [float(v) for v in track.rival[b]], own)
    least = min(range(len(episode.turns)), key=lambda t: episode.turns[t].reward)
    reward = episode.turns[least].reward
    return Worst(least + 1, -reward, f"it has the least reward of all: {amount(reward, decimals([reward]))}.")


def _most(name: str, what: str, theirs: list[float], own: list[float]) -> Worst | None:
    losses = [one - mine for one, mine in zip(theirs, own, strict=False)]
    turn = max(range(len(losses)), key=losses.__getitem__)
    loss = losses[turn]
    if loss <= LEAST:
        return None
    return Worst(turn + 1, loss, f"it lost most to {name}: {amount(loss, decimals([loss]))} of the {what}.")


def at_fault(turn: Turn) -> bool:
    """Return whether a turn has a fault, a reply that could not be used, or a decision without a reply."""
    tried = turn.counts is not None and turn.counts.retries > 0
    return bool(turn.faults) or turn.error is not None or tried or turn.by in WITHOUT


def faults(episode: Episode) -> list[int]:
    """Return the turns with a fault, counted from 1."""
    return [t + 1 for t, turn in enumerate(episode.turns) if at_fault(turn)]
