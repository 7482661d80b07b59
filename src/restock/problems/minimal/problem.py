"""The shelf as a problem: its decisions, observations and exogenous information."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.forms import Block
from restock.core.problem import ActionForm, Array, Problem, Texts, choose
from restock.core.wording import Wording
from restock.problems.minimal import dynamics
from restock.problems.minimal.spec import MinimalSpec
from restock.problems.minimal.structured import MinimalRecords


class MinimalProblem(Problem):
    """One item in one place.

    Args:
        spec: The description; see `MinimalSpec`.
    """

    family: ClassVar[str] = "minimal"
    texts: ClassVar[Texts] = Texts.of(dynamics)
    action_kinds: ClassVar[tuple[str, ...]] = ("discrete",)
    spec: MinimalSpec

    def action_form(self, kind: str, max_order: Any = None) -> ActionForm:
        """Return the one form there is: `discrete`, 0 to the largest order.

        Raises:
            InvalidInput: No such kind, or a bound: that is `most_order`.
        """
        choose(kind, self.action_kinds, "action")
        if max_order is not None:
            raise InvalidInput("max_order", max_order, "the largest order is part of the problem", "Give `most_order`.")
        most = np.array([float(self.spec.most_order)])
        return ActionForm(kind, ("order (units)",), np.zeros(1), most, most, True, "units ordered", ())

    def seen(self, scaled: bool) -> dict[str, Block]:
        """Return the stock, over the capacity."""
        return {"on_hand": Block(("on hand",), self.spec.capacity, high=self.spec.capacity)}

    def records(self) -> MinimalRecords:
        """Return the actions and observations as records; see `minimal.structured`."""
        return MinimalRecords(self)

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:
        """Return the stock at the start, then slips and demand."""
        spec, periods = self.spec, self.horizon
        return {
            "start": generator.integers(spec.capacity + 1),
            "slip": generator.integers(-1, 2, size=periods),
            "demand": generator.integers(spec.demand, size=periods)
            + spec.rush * (generator.random(periods) < spec.rush_chance),
        }

    def replay(self, exogenous: Mapping[str, Any]) -> Array:
        """Return the episode with recorded `start`, `slip` (T,) and `demand` (T,).

        Raises:
            InvalidInput: Another name, shape, or a number that cannot be.
        """
        episode = super().replay(exogenous)
        start = float(exogenous["start"])
        if start > self.spec.capacity:
            problem = f"the shelf holds {self.spec.capacity}"
            raise InvalidInput("exogenous.start", start, problem, "Write no more than that.")
        return episode

    @property
    def wording(self) -> Wording:
        """What texts and reports call things."""
        return Wording(
            system="shelf",
            counted="1 for a period in which all demand is served, -1 for any other, less what overflow costs",
            sees="the stock on the shelf and past demand",
            chance="demand and deliveries",
            fewer="fewer",
            parts={"served": "periods served", "short": "periods short", "overflow": "penalty for overflow"},
        )

    def explain(self) -> str:
        """Return the problem in words."""
        s = self.spec
        return "\n".join(
            [
                f"{s.name}: {s.description}".rstrip(": "),
                f"{s.horizon} periods, a shelf for {s.capacity} units, orders of 0 to {s.most_order}.",
                "",
                "Each period, in this order:",
                f"  1. the order arrives, one more or less or as asked; what does not fit is lost and costs "
                f"{s.overflow_penalty:g};",
                f"  2. demand: 0 to {s.demand - 1} units, and {s.rush} more with chance {s.rush_chance:g};",
                "  3. reward 1 if all of it is served, else -1.",
            ]
        )

    def size(self) -> dict[str, int]:
        """Return one shelf."""
        return {"shelves": 1}
