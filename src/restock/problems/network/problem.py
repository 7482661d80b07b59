"""A supply network as a problem: its tables, decisions, observations and exogenous information."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from restock.core import backends
from restock.core.backends import Text
from restock.core.checks import recorded_names
from restock.core.errors import InvalidInput
from restock.core.kpis import variance_ratio
from restock.core.problem import ActionForm, Array, ObservationForm, Problem, Source, Tables, Texts
from restock.core.scene import Scene
from restock.core.trajectory import Trajectory
from restock.core.wording import Wording
from restock.demand import laws, rowwise
from restock.demand.compiled_distribution import own_function
from restock.demand.effects import Effects, Shock, Trend
from restock.demand.empirical import Empirical
from restock.demand.path import Demand, NoPrior
from restock.demand.series import check_series
from restock.problems.network import dynamics, forms, interface, words
from restock.problems.network.scene import scene_of
from restock.problems.network.sources import CounterSource, DrawnSource
from restock.problems.network.spec import NetworkSpec
from restock.problems.network.structured import NetworkRecords


class NetworkProblem(Problem):
    """A multi-echelon supply network.

    Args:
        spec: The description; see `NetworkSpec`.

    Attributes:
        nodes: Ids of the managed nodes, sorted (N).
        links: (supplier id, buyer id) in rationing order (E).
        markets: (retailer id, market id) in serving order (M).
        demand: The demand model fixed for these markets and this horizon.
        rank: Index of each managed node among `nodes`.
    """

    texts: ClassVar[Texts] = Texts.of(
        "network",
        dynamics,
        interface,
        laws=(
            *laws.LAWS,
            dynamics.goodwill,
            interface.inventory_position,
            interface.echelon_position,
            interface.show,
        ),
    )
    family: ClassVar[str] = "network"
    parts: ClassVar[tuple[str, ...]] = interface.PARTS
    monitored: ClassVar[tuple[str, ...]] = interface.MONITORED
    action_kinds: ClassVar[tuple[str, ...]] = ("quantity", "normalized", "order-up-to", "multidiscrete", "discrete")
    exogenous: ClassVar[Mapping[str, int]] = {"demand": 2}
    decision: ClassVar[str] = "ordered"
    tables_shown: ClassVar[Mapping[str, str]] = {
        "nodes": "Nodes",
        "links": "Links, in the order in which a supplier serves them",
        "markets": "Markets, in the order in which they are served",
    }

    def __init__(self, spec: NetworkSpec) -> None:
        self.spec = spec
        self.name = spec.name
        self.horizon = spec.horizon
        self.nodes = tuple(node.id for node in spec.managed)
        self.links = tuple((link.source, link.target) for link in spec.ordered_links)
        self.markets = tuple((market.source, market.market) for market in spec.ordered_markets)
        self.demand = Demand(spec.demand, [market.mean for market in spec.ordered_markets], spec.horizon)
        self.rank = {node_id: j for j, node_id in enumerate(self.nodes)}
        self._base = self._pack()

    # tables -----------------------------------------------------------------------------------

    def tables(self, action: ActionForm | None = None, observation: ObservationForm | None = None) -> Tables:
        """Return the packed numbers; without forms, for decisions in physical units."""
        ints, floats, fresh, recorded, drawn = self._base
        ints, floats = ints.copy(), floats.copy()
        e = len(self.links)
        scale = np.ones(self._observed) if observation is None else observation.scale
        unit, shift, most = np.ones(e), np.zeros(e), np.full(e, np.inf)
        if action is not None:
            most = action.most if action.reach is None else action.reach
            if action.kind == "normalized":
                unit, shift = most / 2.0, np.ones(e)
            elif action.kind in ("multidiscrete", "discrete"):
                unit = most / (forms.CHOICES - 1)
                ints[8] = interface.TOGETHER if action.kind == "discrete" else interface.LINEAR
            elif action.kind == "order-up-to":
                ints[8] = interface.ORDER_UP_TO
        world = self.texts.unpack(ints, floats, fresh)
        world[1].most[:] = most
        return Tables(ints, np.concatenate([floats, unit, shift, scale]), fresh, recorded, drawn)

    def _pack(self) -> tuple[NDArray[np.int64], Array, Array, int, int]:
        spec, periods = self.spec, self.horizon
        nodes, links, markets = spec.managed, spec.ordered_links, spec.ordered_markets
        n, e, m = len(nodes), len(links), len(markets)
        lead = np.array([link.lead_time for link in links], dtype=np.int64)
        slots = int(lead.sum()) + periods
        last = np.cumsum(lead) - 1
        first = np.where(lead > 0, last - lead + 1, 0)
        last = np.where(lead > 0, last, 0)
        self._observed = 2 * m + n + int(lead.sum()) + 2

        recorded = 5 * n + 7 * e + 6 * m + 1
        drawn = len(dynamics.Rules._fields) + 2 * periods * m
        width = recorded + slots + drawn
        header = [width, recorded, e, self._observed, n, m, slots, periods, interface.LINEAR]
        supplier = [self.rank.get(link.source, -1) for link in links]
        buyer = [self.rank[link.target] for link in links]
        retailer = [self.rank[market.source] for market in markets]
        ints = np.concatenate([header, supplier, lead, buyer, first, last, retailer]).astype(np.int64)

        units_out = [node.yield_ or 1.0 for node in nodes]
        floats = np.concatenate(
            [
                [node.initial_inventory for node in nodes],
                [math.inf if node.capacity is None else node.capacity for node in nodes],
                units_out,
                [1.0 / v for v in units_out],
                [(node.operating_cost or 0.0) / v for node, v in zip(nodes, units_out, strict=True)],
                [node.holding_cost for node in nodes],
                [link.price if j < 0 else 0.0 for link, j in zip(links, supplier, strict=True)],
                [link.pipeline_cost for link in links],
                [link.fixed_cost for link in links],
                np.full(e, math.inf),
                [market.price for market in markets],
                [market.shortage_cost for market in markets],
            ]
        ).astype(np.float64)

        fresh = np.zeros(width)
        state = self.texts.unpack(ints, floats, fresh)[4]
        state.on_hand[:] = floats[:n]
        state.sentiment[0] = 1.0
        return ints, floats, fresh, recorded, drawn

    # what agents see and do ---------------------------------------------------------------------

    def action_form(self, kind: str, max_order: Any = None) -> ActionForm:
        """Return the action form of that kind; see `forms.action_form`."""
        return forms.action_form(self, kind, max_order)

    def observation_form(self, kind: str) -> ObservationForm:
        """Return the observation form of that kind; see `forms.observation_form`."""
        return forms.observation_form(self, kind)

    def records(self) -> NetworkRecords:
        """Return the actions and observations as records; see `network.structured`."""
        return NetworkRecords(self)

    # exogenous information ------------------------------------------------------------------------

    def rules(self, law: int) -> Array:
        """Return the numbers that hold for a whole episode, in the order of `dynamics.Rules`."""
        demand, spec = self.demand, self.spec
        goodwill = spec.demand.goodwill
        return np.array(
            dynamics.Rules(
                discount=spec.discount,
                carry=1.0 if spec.backlog else 0.0,
                growth=goodwill.growth if goodwill else 1.0,
                decay=goodwill.decay if goodwill else 1.0,
                floor=goodwill.floor if goodwill else 0.0,
                cap=goodwill.cap if goodwill else 1.0,
                least_mean=demand.least_mean,
                noise_scale=demand.noise_scale,
                law=law,
                spread=demand.distribution.spread,
                power=demand.distribution.power,
            )
        )

    def source(
        self, seeds: Sequence[int], generators: Sequence[np.random.Generator] | None = None, ahead: int = 1
    ) -> Source:
        """Return the episodes for rows with these seeds (or drawn from these generators of theirs)."""
        if self.spec.demand.sampler == "inverse" and not self.demand.sequential:
            return CounterSource(self, seeds)
        return DrawnSource(self, seeds, generators, ahead)

    def replay(self, exogenous: Mapping[str, Any]) -> Array:
        """Return the episode in which markets ask for recorded demand, whatever the goodwill.

        Args:
            exogenous: `demand` of shape (T, M), or (T,) with one market.

        Raises:
            InvalidInput: Another name, shape, or a number that is not a demand.
        """
        recorded_names(exogenous, self.exogenous)
        demand = check_series(exogenous["demand"], "exogenous.demand")
        shape = (self.horizon, len(self.markets))
        if demand.ndim == 1 and shape[1] == 1:
            demand = demand[:, None]
        if demand.shape != shape:
            raise InvalidInput("exogenous.demand", f"shape {demand.shape}", f"must be {shape}", "Cut or pad it.")
        return np.concatenate([self.rules(laws.GIVEN), self.demand.mean.ravel(), demand.ravel()])

    def exogenous_of(self, record: Array, episodes: Array) -> dict[str, Array]:
        """Return the demand that was met in recorded episodes, and the mean before goodwill."""
        rules = len(dynamics.Rules._fields)
        size = self.horizon * len(self.markets)
        mean = episodes[..., rules : rules + size].reshape((*episodes.shape[:-1], self.horizon, len(self.markets)))
        return {"demand": record[..., 1:, self.layout.columns["demand"]], "mean": mean}

    @property
    def texts_in_force(self) -> Texts:
        """The texts that are played, with the law of demand that the network brings."""
        return _texts_with(own_function(self.demand.distribution) if isinstance(self.demand, Demand) else None)

    def operations(self, library: str) -> dict[str, Text]:
        """Return the law of demand on whole batches."""
        law = self.demand.distribution
        if (own := own_function(law)) is None:
            return {"demand_of": rowwise.numpy_demand if library == "numpy" else rowwise.torch_demand}
        if library == "numpy":
            return {"demand_of": partial(rowwise.numpy_demand, own=own)}
        return {"demand_of": partial(rowwise.torch_demand, own=law)}

    def prior(self) -> NetworkProblem:
        """Return the same network under demand as it is known beforehand: without effects, without a series to come.

        What is left is the prior that is written, else the past of the series (resampled), else the
        configured mean, and the rules. A series that is resampled is past data, and stays. Where a series says
        what is to come and nothing says what is known beforehand, whoever asks for the demand gets an error.
        """
        demand = self.spec.demand
        changes: dict[str, Any] = {}
        if demand.effects != Effects():
            changes["effects"] = Effects()
        if demand.prior is not None:
            means = list(demand.prior.mean) if isinstance(demand.prior.mean, list) else demand.prior.mean
            law = demand.prior.distribution or (None if isinstance(demand.resolved, Empirical) else demand.distribution)
            changes |= {"prior": None, "series": None, "same": False, "mean": means, "distribution": law}
        elif demand.past:
            history = self.demand.history().tolist()
            changes |= {"past": 0, "same": False, "series": history, "distribution": Empirical()}
        elif demand.series is not None and not isinstance(demand.resolved, Empirical):
            unknown = copy.copy(self)
            unknown.demand = cast(Demand, NoPrior())
            return unknown
        return self._under(changes) if changes else self

    def counterpart(self) -> NetworkProblem:
        """Return the same network under falling demand that halves at once, or without effects where it has such."""
        falling = Effects(trend=Trend(slope=-0.01), shock=Shock(time=1, size=0.5))
        prior = self.prior()
        return prior._under({"effects": falling}) if self.spec.demand.effects != falling else prior

    def _under(self, changes: dict[str, Any]) -> NetworkProblem:
        demand = self.spec.demand.model_copy(update=changes)
        return NetworkProblem(self.spec.model_copy(update={"demand": demand}))

    @property
    def sequential(self) -> bool:
        """Whether demand is drawn period by period outside compiled code."""
        return self.demand.sequential

    def draw_now(self, t: int, world: tuple[Any, ...], generator: np.random.Generator) -> None:
        """Draw period t's demand at the mean that goodwill makes of it."""
        rules, state, chance = world[3], world[4], world[5]
        sentiment = dynamics.goodwill(t, rules, state.unmet, state.sentiment[0])
        chance.draw[t] = self.demand.draw_now(generator, chance.mean[t] * sentiment)

    # words ------------------------------------------------------------------------------------

    def labels(self) -> dict[str, tuple[str, ...]]:
        """Return the names of the entries of each recorded field."""
        nodes = tuple(str(node) for node in self.nodes)
        links = tuple(f"{s}->{b}" for s, b in self.links)
        markets = tuple(f"{s}->{m}" for s, m in self.markets)
        by_axis = {
            nodes: ("on_hand", "released", "used", "operating", "holding"),
            links: ("in_transit", "ordered", "shipped", "arrived", "purchases", "pipeline_holding", "fixed_orders"),
            markets: ("backlog", "unmet", "demand", "sold", "revenue", "shortage"),
        }
        names = {field: axis for axis, fields in by_axis.items() for field in fields}
        return names | {"sentiment": ("sentiment",)}

    def scene(self, t: int, world: tuple[Any, ...]) -> Scene:
        """What a picture of the state at the start of period t shows."""
        return scene_of(self, t, world)

    @property
    def wording(self) -> Wording:
        """What texts and reports call things."""
        return words.wording(self)

    def figures(self, trajectory: Trajectory) -> dict[str, Array]:
        """The bullwhip of each stage: variance of the orders it places / that of the orders and demand it receives."""
        ordered, demand = trajectory["ordered"], trajectory["demand"]
        found = {}
        for node in self.nodes:
            placed = [i for i, (_, buyer) in enumerate(self.links) if buyer == node]
            asked = [i for i, (supplier, _) in enumerate(self.links) if supplier == node]
            sold = [m for m, (retailer, _) in enumerate(self.markets) if retailer == node]
            received = ordered[..., asked].sum(axis=-1) + demand[..., sold].sum(axis=-1)
            ratio = variance_ratio(ordered[..., placed].sum(axis=-1), received, trajectory)
            found[words.BULLWHIP.format(node)] = ratio
        return found

    def missed_at(self) -> tuple[int, ...]:
        """Return the node that serves each market."""
        place = {node: j for j, node in enumerate(self.nodes)}
        return tuple(place[retailer] for retailer, _ in self.markets)

    def explain(self) -> str:
        """Return the problem in words: entities, clock, costs, demand."""
        return words.explain(self)

    def description(self) -> dict[str, Any]:
        """Return the problem as plain data, for JSON and tables."""
        return words.describe(self)

    def size(self) -> dict[str, int]:
        """Return how large it is: stocking points, links, markets."""
        return {"nodes": len(self.nodes), "links": len(self.links), "markets": len(self.markets)}


@cache
def _texts_with(own: Callable[..., float] | None) -> Texts:
    """Return the texts of a network whose demand may have a law of one's own."""
    texts = NetworkProblem.texts
    if own is None:
        return texts
    brought, others = laws.laws_with(own), texts.laws[len(laws.LAWS) :]
    step = backends.bind(texts.step, {brought[-1].__name__: brought[-1]})  # for plain Python
    return dataclasses.replace(texts, laws=(*brought, *others), step=step)
