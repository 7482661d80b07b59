"""The store as a problem: its tables, decisions, observations and exogenous information."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from restock.core.backends import Text
from restock.core.checks import recorded_array, recorded_names
from restock.core.errors import InvalidInput
from restock.core.forms import ActionForm, Array, Block
from restock.core.problem import Problem, Source, Texts, Told
from restock.core.scene import Place, Scene
from restock.core.trajectory import Trajectory
from restock.core.validation import LARGEST
from restock.core.wording import Curve, Wording
from restock.problems.retail import dynamics, forms, interface, words
from restock.problems.retail.sources import (
    StreamSource,
    check_countable,
    moved,
    price_answer,
    published_demand,
    widest,
)
from restock.problems.retail.spec import RetailSpec, Streams
from restock.problems.retail.structured import RetailRecords

# What each measure of `interface.MEASURES` counts in the reward.
WEIGHTS: dict[str, tuple[float, ...]] = {
    "profit": (1.0, -1.0, *[0.0] * 11),
    "readme": (0.0, 0.0, 0.001, -0.05, -0.5, -0.001, *[0.0] * 7),
    "decomposed": (*[0.0] * 6, 0.25, 0.20, 0.15, 0.15, 0.15, 0.10, -1.0),
}


class RetailProblem(Problem):
    """One store that buys, prices, sells and liquidates several products.

    Args:
        spec: The description; see `RetailSpec`.
        played: Where the demand comes from that is played, if this is only what is known of that beforehand.

    Raises:
        InvalidInput: Its demand could be more than can be counted.

    Attributes:
        names: What is sold [K].
        life: Days after that of its arrival on which a product can be sold, 0 for ever, shape (K,).
        room: Most days until a delivery arrives [R].
        stream: Where the demand that is played comes from, as words and descriptions say it.
        demand: Of every episode at list price, shape (T, K); None where every episode has its own.
    """

    family: ClassVar[str] = "retail"
    texts: ClassVar[Texts] = Texts.of(
        dynamics, interface, laws=(dynamics.whole, dynamics.of_way, dynamics.send, dynamics.score)
    )
    action_kinds: ClassVar[tuple[str, ...]] = ("quantity", "normalized", "multidiscrete")
    tables_shown: ClassVar[Mapping[str, str]] = {"products": "Products", "deliveries": "Ways of delivery"}

    spec: RetailSpec

    def __init__(self, spec: RetailSpec, played: Streams | None = None) -> None:
        check_countable(spec)
        super().__init__(spec)
        self.stream = played or spec.demand_stream
        self.names = tuple(product.name for product in spec.products)
        self.life = np.array([product.shelf_life or 0 for product in spec.products])
        self.room = max(1, *(delivery.lead_time + delivery.jitter for delivery in spec.deliveries))
        self.demand = published_demand(spec, spec.seed) if spec.demand_stream == "task" else None
        self.fixed_demand = self.demand is not None

    @cached_property
    def usual_demand(self) -> Array:
        """Demand of a mean day at list price, over all days with their weekends and events, shape (K,)."""
        mean = np.array([sum(product.demand) / 2.0 for product in self.spec.products])
        days = moved(self.spec, np.broadcast_to(mean, (self.horizon, len(mean))))
        return np.asarray(days.mean(axis=0))

    def prior(self) -> RetailProblem:
        """The store as it is known to someone who does not know the demand to come, but its range and the events."""
        if self.spec.demand_stream == "fast":
            return self
        return RetailProblem(self.spec.model_copy(update={"demand_stream": "fast", "seed": 0}), self.stream)

    # tables -----------------------------------------------------------------------------------

    def axes(self) -> Mapping[Any, Sequence[Any]]:
        """Return products and their batches, ways of delivery, events, and the entries of what else is a vector."""
        names, mornings = self.names, range(self.room)
        acts = (f"{act} {name}" for act in ("liquidate", "price of") for name in names)
        return {
            dynamics.PRODUCT: names,
            dynamics.MORNING: mornings,
            (dynamics.PRODUCT, dynamics.MORNING): [f"{name} after {j + 1} days" for name in names for j in mornings],
            dynamics.WAY: [way.name for way in self.spec.deliveries],
            dynamics.EVENT: list(self.spec.events),
            dynamics.MEASURE: interface.MEASURES,
            "failure": interface.FAILURES,
            "decided": (*(f"buy {name}" for name in names), "delivery", *acts),
            "batch": [
                f"{name} with {left} days left" if life else name
                for name, life in zip(names, self.life.tolist(), strict=True)
                for left in range(life + 1)
            ],
        }

    @cached_property
    def _first(self) -> NDArray[np.int64]:
        """Where the batches of each product begin, shape (K,)."""
        return np.asarray(np.cumsum(self.life + 1) - self.life - 1)

    def columns(self, **own: Any) -> Mapping[str, Any]:
        """Return the declared tables by full name."""
        spec = self.spec
        range_of = 2 * widest(spec) + 1
        rules = {
            "initial_cash": spec.initial_cash, "least_price": spec.price_range[0], "most_price": spec.price_range[1],
            "by_what_is_left": 1.0 * spec.legacy_liquidation_check, "weights": WEIGHTS[spec.reward],
            "event_day": np.array(list(spec.events.values())),
        }  # fmt: skip
        products: dict[str, Any] = {name: [getattr(one, name) for one in spec.products]
                    for name in ("price", "cost", "elasticity", "capacity")}  # fmt: skip
        products |= {"first": self._first, "life": self.life, "overflow": [one.overflow_cost for one in spec.products]}
        deliveries: dict[str, Any] = {
            name: [getattr(way, name) for way in spec.deliveries] for name in ("cost", "lead_time")
        }
        deliveries["share"] = [(2 * way.jitter + 1) / range_of for way in spec.deliveries]
        parts: dict[str, dict[str, Any]] = {"products": products, "deliveries": deliveries, "rules": rules}
        return {f"{part}.{name}": column for part, columns in parts.items() for name, column in columns.items()}

    def begins(self) -> Mapping[str, Any]:
        """Return stock, the newest batch of each product, and cash."""
        stock = [product.initial_stock for product in self.spec.products]
        batches = np.zeros(self.sizes["batch"])
        batches[self._first + self.life] = stock
        return {"state.on_hand": stock, "state.batches": batches, "state.cash": self.spec.initial_cash}

    def reading(self, action: ActionForm | None) -> Sequence[Array]:
        """Return unit, shift and most of each number of the decision: unit * action + shift."""
        return tuple(forms.conversion(self, action))

    def operations(self, library: str) -> dict[str, Text]:
        """Rounding and choosing, row by row."""
        array: Any = np
        if library == "torch":
            import torch as array

        def of_way(column: Any, way: Any) -> Any:
            return sum((way == s) * float(entry) for s, entry in enumerate(column))

        def send(pipe: Any, start: int, room: int, days: Any, amount: Any) -> None:
            for j in range(room):
                pipe[start + j] = pipe[start + j] + (days == j + 1.0) * amount

        return {"whole": array.floor, "of_way": of_way, "send": send}

    # what agents see and do ---------------------------------------------------------------------

    def action_form(self, kind: str, max_order: Any = None) -> ActionForm:
        """Return the action form of that kind; see `forms.action_form`."""
        return forms.action_form(self, kind, max_order)

    def seen(self, scaled: bool) -> Mapping[str, Block]:
        """Return the blocks of the observation; see `forms.seen`."""
        return forms.seen(self, scaled)

    def told(self) -> tuple[Told, ...]:
        """Return the profit of the day, whatever the reward is, and which hard failures there were."""
        failures = (Told(name, "failures", entry=k, truth=True) for k, name in enumerate(interface.FAILURES))
        return (Told("day_profit", "profit"), *failures)

    def records(self) -> RetailRecords:
        """Return the actions and observations as records; see `retail.structured`."""
        return RetailRecords(self)

    # exogenous information ------------------------------------------------------------------------

    def source(
        self, seeds: Sequence[int], generators: Sequence[np.random.Generator] | None = None, ahead: int = 1
    ) -> Source:
        """Return the episodes for rows with these seeds; the generators stay as they are."""
        return StreamSource(self.spec, self.demand, seeds)

    def replay(self, exogenous: Mapping[str, Any]) -> Array:
        """Return the episode with recorded demand and jitter.

        Args:
            exogenous: `demand`, after events and before price, of shape (T, K) (units), and `jitter`, of shape
                (T, K): days by which an order of that day comes late, for the widest range of days there is.
                A way of delivery with a narrower range takes its part of it; rounded, it is that number of
                days itself wherever it lies within that range of a published store.

        Raises:
            InvalidInput: Another name, shape, or a number that cannot be.
        """
        recorded_names(exogenous, self.exogenous)
        shape, most = (self.horizon, len(self.names)), widest(self.spec) + 0.5
        demand = recorded_array("exogenous.demand", exogenous["demand"], shape)
        many = np.argwhere(demand * price_answer(self.spec) > LARGEST)
        if len(many):
            t, k = (int(place) for place in many[0])
            problem = f"at the least price this is more than {LARGEST:g} units"
            raise InvalidInput(f"exogenous.demand[{t}][{k}]", float(demand[t, k]), problem, "Write fewer units.")
        jitter = recorded_array("exogenous.jitter", exogenous["jitter"], shape, -most)
        late = np.argwhere(jitter > most)
        if len(late):
            t, k = (int(place) for place in late[0])
            problem = f"no delivery comes more than {widest(self.spec)} days late"
            raise InvalidInput(f"exogenous.jitter[{t}][{k}]", float(jitter[t, k]), problem, "Write fewer days.")
        return self.episode({"demand": demand, "jitter": jitter})

    # words ------------------------------------------------------------------------------------

    def figures(self, trajectory: Trajectory) -> dict[str, Array]:
        """Return the money earned, whatever the reward is, units spoiled and liquidated, and hard failures."""
        return {
            "earned": trajectory["total_profit"][..., -1, 0],
            "cash": trajectory["cash"][..., -1, 0],
            "spoiled": trajectory["expired"].sum(axis=(-2, -1)),
            "cleared": trajectory["liquidated"].sum(axis=(-2, -1)),
            "rejected_orders": trajectory["rejected"].sum(axis=(-2, -1)),
            "hard_failures": trajectory["failures"].sum(axis=(-2, -1)),
        }

    def scene(self, t: int, world: Any) -> Scene:
        """What a picture of the state at the start of day t + 1 shows."""
        products, state, flows = world.products, world.state, world.flows
        places = []
        for k, name in enumerate(self.names):
            figures = (("demand", float(flows.demand[k])), ("coming", float(state.in_transit[k])))
            stock, room = float(state.on_hand[k]), float(products.capacity[k])
            places.append(Place(name, "retailer", stock, room, figures, float(flows.unmet[k]), "lost"))
        ahead = [
            (f"days to {event}", float(first - t - 1)) if first > t else (f"days left of {event}", 1.0)
            for event, first in self.spec.events.items()
            if first >= t
        ]
        facts = (("cash", float(state.cash[0])), ("profit", float(state.total_profit[0])), *ahead[:1])
        return Scene(tuple(places), facts=facts)

    @property
    def wording(self) -> Wording:
        """What texts and reports call things."""
        return words.wording(self)

    def curves(self) -> tuple[Curve, ...]:
        """Return stock, missed sales, and cash."""
        return (
            Curve("on_hand", "Stock on hand, all products together"),
            Curve("unmet", "Sales lost on each day", lacking=True),
            Curve("cash", "Cash", unit="money"),
        )

    def explain(self) -> str:
        """Return the problem in words: products, sequence of a day, reward."""
        return words.explain(self)

    def description(self) -> dict[str, Any]:
        """Return the problem as plain data."""
        return super().description() | {"demand_stream": self.stream}

    def size(self) -> dict[str, int]:
        """What there is of it."""
        return {"products": len(self.names), "events": len(self.spec.events)}
