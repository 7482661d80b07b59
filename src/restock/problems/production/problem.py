"""The plant as a problem: its tables, decisions, observations and exogenous information."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from restock.core.checks import length_of, recorded_array, recorded_names
from restock.core.errors import InvalidInput
from restock.core.problem import (
    UNBOUNDED,
    ActionForm,
    Array,
    ObservationForm,
    Problem,
    Source,
    Tables,
    Texts,
    Told,
    choose,
)
from restock.core.scene import Arrow, Place, Scene
from restock.core.trajectory import Trajectory
from restock.core.wording import Curve, Wording
from restock.problems.production import dynamics, interface
from restock.problems.production.sources import PlantSource, packed
from restock.problems.production.spec import ProductionSpec
from restock.problems.production.structured import ProductionRecords

IDLE, BUY, CONVERT = 0, 1, 2
SCALE = (10.0, 10.0, 10.0, 10.0, 20.0, 2000.0)


class ProductionProblem(Problem):
    """A plant that buys raw material, converts two units of it into one product, and sells that.

    Args:
        spec: The description; see `ProductionSpec`.
    """

    family: ClassVar[str] = "production"
    texts: ClassVar[Texts] = Texts.of(dynamics, interface, laws=(dynamics.chosen,))
    parts: ClassVar[tuple[str, ...]] = interface.PARTS
    action_kinds: ClassVar[tuple[str, ...]] = ("discrete",)
    exogenous: ClassVar[Mapping[str, int]] = {"demand": 1, "raw_price": 1, "product_price": 1}
    decision: ClassVar[str] = "choice"
    stocks: ClassVar[tuple[str, ...]] = dynamics.State._fields

    spec: ProductionSpec

    def __init__(self, spec: ProductionSpec) -> None:
        self.spec = spec
        self.name = spec.name
        self.horizon = spec.max_steps

    def tables(self, action: ActionForm | None = None, observation: ObservationForm | None = None) -> Tables:
        """Return the packed numbers."""
        spec = self.spec
        recorded = interface.STATE + interface.FLOWS
        drawn = interface.GIVEN + 3 * (self.horizon + 1)
        ints = np.array([recorded + drawn, recorded, 1, interface.OBSERVED, self.horizon])
        rules = dynamics.Rules(
            spec.holding_cost, spec.stockout_penalty, spec.invalid_action_penalty, spec.bankruptcy_penalty,
            spec.conversion_bonus, 1.0 if spec.reward == "cash" else 0.0,
        )  # fmt: skip
        scale = np.ones(interface.OBSERVED) if observation is None else observation.scale
        fresh = np.zeros(recorded + drawn)
        floats = np.concatenate([rules, scale])
        self.texts.unpack(ints, floats, fresh)[1].cash[0] = spec.initial_cash
        return Tables(ints, floats, fresh, recorded, drawn, given=interface.GIVEN)

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

    def observation_form(self, kind: str) -> ObservationForm:
        """Return the observation form of that kind: `flat`, `scaled` (over 10, 10, 10, 10, 20, 2000), `dict`.

        Raises:
            InvalidInput: No such kind.
        """
        choose(kind, self.observation_kinds, "observation")
        groups = {"on_hand": slice(0, 2), "prices": slice(2, 4), "demand": slice(4, 5), "cash": slice(5, 6)}
        labels = ("raw material", "product", "price of raw material", "price of product", "last demand", "cash")
        size = len(labels)
        scale = 1.0 / np.array(SCALE) if kind == "scaled" else np.ones(size)
        return ObservationForm(kind, labels, np.zeros(size), np.full(size, UNBOUNDED), scale, groups)

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
        return PlantSource(self.spec, seeds, generators)

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
        paths = (np.pad(found[name], rest, "edge")[None] for name in ("raw_price", "product_price", "demand"))
        episode: Array = packed(*paths)[0]
        return episode

    def exogenous_of(self, record: Array, episodes: Array) -> dict[str, Array]:
        """Return the demand and prices of recorded episodes, each of shape (..., T + 1)."""
        known = self.horizon + 1
        names = ("raw_price", "product_price", "demand")
        first = interface.GIVEN
        return {name: episodes[..., first + k * known : first + (k + 1) * known] for k, name in enumerate(names)}

    # words ------------------------------------------------------------------------------------

    def labels(self) -> dict[str, tuple[str, ...]]:
        """Return the names of the entries of each recorded field."""
        names = {name: (name,) for name in (*dynamics.State._fields, *dynamics.Flows._fields)}
        return names | {"on_hand": ("raw", "product")}

    def figures(self, trajectory: Trajectory) -> dict[str, Array]:
        """Return the cash at the end, and its gain on the cash at the start."""
        cash = trajectory["cash"][..., -1, 0]
        start = self.spec.initial_cash
        return {"cash": cash, "cash_gain": cash / start - 1.0} if start > 0.0 else {"cash": cash}

    def scene(self, t: int, world: tuple[Any, ...]) -> Scene:
        """What a picture of the state at the start of period t shows."""
        _, state, _, flows = world
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

    def description(self) -> dict[str, Any]:
        """Return the problem as plain data."""
        return self.spec.model_dump(exclude={"name"})

    def size(self) -> dict[str, int]:
        """Return how many things are kept in stock."""
        return {"stocks": 2}
