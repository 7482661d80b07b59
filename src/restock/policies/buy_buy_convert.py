"""Buy, buy, convert: the cycle that makes a product in every third period."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from restock.core.operations import when
from restock.core.problem import Problem
from restock.policies._base import TextPolicy


def act(t: int, parameters: Any, rules: Any, state: Any, chance: Any, flows: Any) -> None:
    """Convert with two units of raw material, else buy one if cash suffices, else wait."""
    affordable = when(state.raw_price[0] - state.cash[0], 0.0, 1.0)
    flows.choice[0] = when(state.on_hand[0] - 1.5, 2.0, affordable)


class BuyBuyConvert(TextPolicy):
    """Buy two units of raw material, convert them, begin again.

    One thing can be done in a period, so this makes as many products as can be made. Prices are martingales:
    waiting for a better one gains nothing on average, and every product not made is a customer lost.

    Args:
        problem: A plant.
    """

    name: ClassVar[str] = "buy-buy-convert"
    summary: ClassVar[str] = "as many products as can be made: buy, buy, convert, and so on"
    text = staticmethod(act)

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.parameters = np.empty(0)
