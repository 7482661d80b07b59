"""The moment of an episode that a picture shows."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core.problem import Problem
from restock.core.scene import Scene


@dataclasses.dataclass(frozen=True)
class View:
    """One environment, or one row of a vector environment, at one moment.

    Attributes:
        problem: What is simulated.
        period: Period about to be played [t].
        world: State, tables and last flows, as `problem.world` gives them.
        rewards: Rewards of the periods played, shape (t,).
    """

    problem: Problem
    period: int
    world: tuple[Any, ...]
    rewards: NDArray[np.float64]

    @property
    def scene(self) -> Scene:
        """The scene to draw."""
        return self.problem.scene(self.period, self.world)

    @property
    def clock(self) -> str:
        """The clock of the episode, in words."""
        horizon = self.problem.horizon
        return f"period {self.period} of {horizon}" if self.period < horizon else f"end of {horizon} periods"

    @property
    def last_reward(self) -> float | None:
        """Reward of the last period; None before the first."""
        return float(self.rewards[-1]) if self.period else None

    @property
    def total(self) -> float:
        """Sum of the rewards so far."""
        return float(self.rewards.sum())


def units(amount: float) -> str:
    """Return a quantity in about five characters: 0, 7.5, 120, 15.2k, 3.1M."""
    size = abs(amount)
    for limit, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if size >= limit * 0.99995:
            return f"{amount / (1e3 if letter == 'k' else limit):.3g}{letter}"
    text = f"{amount:.0f}" if size >= 99.95 else f"{amount:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def money(amount: float | None) -> str:
    """Return an amount with its sign; a dash before anything was earned."""
    if amount is None:
        return "-"
    if abs(amount) >= 1e7:
        return f"{'+' if amount > 0.0 else ''}{units(amount)}"
    if abs(amount) >= 1e5:
        return f"{amount:+,.0f}"
    return f"{amount:+,.2f}" if round(amount, 2) else "0.00"
