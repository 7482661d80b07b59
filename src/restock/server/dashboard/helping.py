"""Advice in a game played by hand: the policy to beat decides once, or for several periods."""

from __future__ import annotations

from typing import Any

from restock.agents.seat import Advised
from restock.core.errors import InvalidInput
from restock.policies.registry import make_policy
from restock.server.dashboard.contests import Game

OWN = "you"
REPEAT, AS_POLICY = "repeat", "policy"


def advised(game: Game) -> dict[str, Any]:
    """Return what the policy to beat would do now.

    Raises:
        InvalidInput: It cannot decide here.
    """
    if game.adviser is None:
        game.adviser = Advised(make_policy(game.measures.rival, game.problem), game.table.seat)
    return game.adviser.action()


def play_on(game: Game, periods: int, how: str) -> str | None:
    """Play several periods, or until the end; return why it stopped early, if it did.

    Args:
        game: What is played.
        periods: How many at most.
        how: `policy` decides as the policy to beat would, `repeat` as in the last period.
    """
    turns = game.episode.turns
    for _ in range(periods):
        if game.table.over:
            return None
        try:
            action = advised(game) if how == AS_POLICY else turns[-1].action
            game.table.play(action, game.measures.rival if how == AS_POLICY else OWN)
        except InvalidInput as error:
            return f"Period {len(turns) + 1} was not played: {error}"
    return None
