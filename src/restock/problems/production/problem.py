"""The plant as a problem: its tables, decisions, observations and exogenous information."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from restock.core.checks import length_of, recorded_array, recorded_names
from restock.core.errors import InvalidInput
from restock.core.forms import Block
from restock.core.problem import ActionForm, Array, Problem, Source, Texts, Told, choose
from restock.core.scene import Arrow, Place, Scene
from restock.core.trajectory import Trajectory
from restock.core.wording import Curve, Wording
from restock.problems.production import dynamics
from restock.problems.production.sources import PlantSource
from restock.problems.production.spec import ProductionSpec
from restock.problems.production.structured import ProductionRecords

IDLE, BUY, CONVERT = 0, 1, 2


class ProductionProblem(Problem):
    """A plant that buys raw material, converts two units of it into one product, and sells that.

    Args:
        spec: The description; see `ProductionSpec`.
    """

    family: ClassVar[str] = "production"
    texts: ClassVar[Texts] = Texts.of(dynamics, laws=(dynamics.chosen,))
    action_kinds: ClassVar[tuple[str, ...]] = ("discrete",)
    exogenous: ClassVar[Mapping[str, int]] = {"demand": 1, "raw_price": 1, "product_price": 1}
    spec: ProductionSpec

    def __init__(self, spec: ProductionSpec) -> None:
        self.spec, self.name, self.horizon = spec, spec.name, spec.max_steps

    # tables -----------------------------------------------------------------------------------

    def axes(self) -> Mapping[Any, Sequence[Any]]:
        """Return both stocks, and the moments at which prices and demand are known."""
        return {dynamics.STOCK: ("raw", "product"), dynamics.MOMENT: range(self.horizon + 1)}

    def columns(self, **own: Any) -> Mapping[str, Any]:
        """Return the declared tables by full name."""
        return super().columns(pays=1.0 if self.spec.reward == "cash" else 0.0, **own)

    def begins(self) -> Mapping[str, Any]:
        """Return the cash."""
        return {"state.cash": self.spec.initial_cash}

    # what agents see and do ---------------------------------------------------------------------

    def action_form(self, kind: str, max_order: Any = None) -> ActionForm:
        """Return the one form there is: `discrete`, 0 idle, 1 buy, 2 convert.

        Raises:
            InvalidInput: No such kind, or a bound of something that has none.
        """
        choose(kind, self.action_kinds, "action")
        if max_order is not None:
            raise InvalidInput("max_order", max_order, "one unit is bought at a time", "Leave it out.")
        labels = ("choice (0: idle, 1: buy one unit of raw material, 2: convert two into one product)",)
        two = np.array([2.0])
        return ActionForm(kind, labels, np.zeros(1), two, two, True, "what to do in this period", ())

    def seen(self, scaled: bool) -> Mapping[str, Block]:
        """Return the blocks of the observation, and what the scaled form divides them by."""
        return {
            "on_hand": Block(("raw material", "product"), 10.0),
            "prices": Block(("price of raw material", "price of product"), 10.0),
            "demand": Block(("last demand",), 20.0),
            "cash": Block(("cash",), 2000.0),
        }

    def masks(self, fields: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return the valid choices: idle always; buy with cash for it; convert with two units of raw material."""
        buys = fields["cash"][:, 0] >= fields["raw_price"][:, 0]
        return np.stack([np.ones_like(buys), buys, fields["on_hand"][:, 0] >= 2.0], axis=1)

    def told(self) -> tuple[Told, ...]:
        """Return what the notebook's `info` reports."""
        return (
            Told("sold_units", "sold"),
            Told("unmet_demand", "unmet"),
            Told("revenue", "revenue"),
            Told("holding_cost", "holding"),
            Told("invalid_action", "invalid", truth=True),
            Told("product_inventory_before_sale", "offered"),
            Told("product_inventory_after_sale", "on_hand", entry=1),
        )

    def records(self) -> ProductionRecords:
        """Return the actions and observations as records; see `production.structured`."""
        return ProductionRecords(self)

    # exogenous information ------------------------------------------------------------------------

    def source(
        self, seeds: Sequence[int], generators: Sequence[np.random.Generator] | None = None, ahead: int = 1
    ) -> Source:
        """Return the episodes for rows with these seeds (or drawn from these generators of theirs)."""
        return PlantSource(self, seeds, generators)

    def replay(self, exogenous: Mapping[str, Any]) -> Array:
        """Return the episode with recorded demand and prices.

        Args:
            exogenous: `demand`, `raw_price`, `product_price`, each of shape (T + 1,): at the reset, then after
                each period. A record that ends earlier may be as short as it is; its last numbers stay.

        Raises:
            InvalidInput: Another name, shape, or a number that cannot be.
        """
        recorded_names(exogenous, self.exogenous)
        lengths = {name: min(length_of(exogenous[name]), self.horizon + 1) for name in self.exogenous}
        shape = (max(2, *lengths.values()),)
        found = {name: recorded_array(f"exogenous.{name}", exogenous[name], shape) for name in self.exogenous}
        rest = (0, self.horizon + 1 - shape[0])
        return self.with_paths({name: np.pad(path, rest, "edge") for name, path in found.items()})

    def with_paths(self, paths: Mapping[str, Array]) -> Array:
        """Return the episode with these paths, each of shape (T + 1,), which begins with their first numbers."""
        return self.episode({**paths, **{f"first_{name}": path[0] for name, path in paths.items()}})

    # words ------------------------------------------------------------------------------------

    def figures(self, trajectory: Trajectory) -> dict[str, Array]:
        """Return the cash at the end, and its gain on the cash at the start."""
        cash = trajectory["cash"][..., -1, 0]
        start = self.spec.initial_cash
        return {"cash": cash, "cash_gain": cash / start - 1.0} if start > 0.0 else {"cash": cash}

    def scene(self, t: int, world: Any) -> Scene:
        """What a picture of the state at the start of period t shows."""
        state, flows = world.state, world.flows
        figures = (("demand", float(flows.demand[0])), ("sold", float(flows.sold[0])))
        places = (
            Place("supplier", "source", figures=(("price", float(state.raw_price[0])),)),
            Place("raw material", "factory", float(state.on_hand[0]), 4.0),
            Place("product", "retailer", float(state.on_hand[1]), 4.0),
            Place("customers", "market", figures=figures, short=float(flows.unmet[0]), short_name="lost"),
        )
        moved = (float(flows.bought[0]), 2.0 * float(flows.converted[0]), float(flows.sold[0]))
        arrows = tuple(Arrow(k, k + 1, moved=amount, full=2.0) for k, amount in enumerate(moved))
        prices = (("raw price", float(state.raw_price[0])), ("product price", float(state.product_price[0])))
        return Scene(places, arrows, (("cash", float(state.cash[0])), *prices))

    @property
    def wording(self) -> Wording:
        """What texts and reports call things."""
        paid = self.spec.reward == "cash"
        return Wording(
            system="plant",
            place="material",
            places="materials",
            counted="sales and a bonus for conversions, less penalties and the cost of stock"
            + (", less purchases" if paid else "; purchases are paid in cash, not in the reward"),
            sees="stock, cash, both prices and past demand",
            chance="demand and prices",
            parts={
                "conversion": "bonus for conversions", "shortage": "penalty for unmet demand",
                "impossible": "penalty for impossible actions", "bankruptcy": "penalty for bankruptcy",
            },
            figures={
                "cash": ("cash at the end", "in money"),
                "cash_gain": ("gain on the cash", "cash at the end / cash at the start - 1"),
            },
        )  # fmt: skip

    def curves(self) -> tuple[Curve, ...]:
        """Return both stocks, cash, and demand that was lost."""
        return (
            Curve("on_hand", "Stock on hand", apart=True),
            Curve("cash", "Cash", unit="money"),
            Curve("unmet", "Demand lost in each period", lacking=True),
        )

    def missed_at(self) -> tuple[int, ...]:
        """Return the product, which is what customers ask for."""
        return (1,)

    def explain(self) -> str:
        """Return the problem in words: what is done, in which order, for how much."""
        s = self.spec
        paid = "are paid out of the reward too" if s.reward == "cash" else "are paid in cash, not in the reward"
        return "\n".join(
            [
                f"{s.name}: {s.description}".rstrip(": "),
                f"{s.max_steps} periods at most, {s.initial_cash:g} in cash at the start.",
                "",
                "Each period, in this order:",
                "  1. idle, buy one unit of raw material, or convert two units into one product; what cannot be "
                f"carried out changes nothing and costs {s.invalid_action_penalty:g};",
                f"  2. customers ask for max(0, N({s.demand_mean:g}, {s.demand_volatility:g})) units and buy what "
                "there is, fractions too, at the price seen before;",
                f"  3. reward = sales + {s.conversion_bonus:g} for a conversion - {s.stockout_penalty:g} per unit "
                f"unmet - {s.holding_cost:g} per unit held; purchases {paid};",
                f"  4. both prices walk by N(0, {s.price_std:g}), not below {s.price_floor:g}.",
                "",
                f"Without cash the plant is bankrupt: the episode terminates, and that costs {s.bankruptcy_penalty:g}.",
                f"Prices start at {s.raw_price_base:g} (raw material) and {s.product_price_base:g} (product).",
            ]
        )
