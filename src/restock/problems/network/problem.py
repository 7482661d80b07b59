"""A supply network as a problem: its tables, decisions, observations and exogenous information."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, ClassVar, TypeGuard, cast

import numpy as np

from restock.core import backends
from restock.core.backends import Text
from restock.core.checks import recorded_names
from restock.core.errors import InvalidInput
from restock.core.forms import UNBOUNDED, ActionForm, Array, Block, ObservationForm
from restock.core.kpis import variance_ratio
from restock.core.problem import Problem, Source, Texts
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
        assumed: Whether its demand is only what is known beforehand, and not what is played.
    """

    texts: ClassVar[Texts] = Texts.of(
        dynamics,
        interface,
        laws=(
            *laws.LAWS,
            dynamics.goodwill,
            interface.inventory_position,
            interface.echelon_position,
        ),
    )
    family: ClassVar[str] = "network"
    monitored: ClassVar[tuple[str, ...]] = interface.MONITORED
    action_kinds: ClassVar[tuple[str, ...]] = interface.ACTIONS
    exogenous: ClassVar[Mapping[str, int]] = {"demand": 2}
    tables_shown: ClassVar[Mapping[str, str]] = {
        "nodes": "Nodes",
        "links": "Links, in the order in which a supplier serves them",
        "markets": "Markets, in the order in which they are served",
    }

    spec: NetworkSpec

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec)
        self.nodes = tuple(node.id for node in spec.managed)
        self.links = tuple((link.source, link.target) for link in spec.ordered_links)
        self.markets = tuple((market.source, market.market) for market in spec.ordered_markets)
        self.demand = Demand(spec.demand, [market.mean for market in spec.ordered_markets], spec.horizon)
        self.rank = {node_id: j for j, node_id in enumerate(self.nodes)}
        self.assumed = False

    # tables -----------------------------------------------------------------------------------

    def axes(self) -> Mapping[Any, Sequence[Any]]:
        """Return nodes, links and markets by name, and the places of shipments under way."""
        under_way = sum(link.lead_time for link in self.spec.ordered_links)
        return {
            dynamics.NODE: tuple(map(str, self.nodes)),
            dynamics.LINK: tuple(f"{supplier}->{buyer}" for supplier, buyer in self.links),
            dynamics.MARKET: tuple(f"{retailer}->{market}" for retailer, market in self.markets),
            dynamics.ARRIVAL: range(under_way),
            dynamics.SLOT: range(under_way + self.horizon),
        }

    def columns(self, **own: Any) -> Mapping[str, Any]:
        """Return the declared tables by full name."""
        nodes, links, markets = self.spec.managed, self.spec.ordered_links, self.spec.ordered_markets
        supplier = [self.rank.get(link.source, -1) for link in links]
        lead = np.array([link.lead_time for link in links], dtype=np.int64)
        last = np.cumsum(lead) - 1
        units_out = [node.yield_ or 1.0 for node in nodes]
        return {
            "nodes.initial": [node.initial_inventory for node in nodes],
            "nodes.capacity": [math.inf if node.capacity is None else node.capacity for node in nodes],
            "nodes.units_out": units_out,
            "nodes.units_in": [1.0 / v for v in units_out],
            "nodes.operating_cost": [
                (node.operating_cost or 0.0) / v for node, v in zip(nodes, units_out, strict=True)
            ],
            "nodes.holding_cost": [node.holding_cost for node in nodes],
            "links.supplier": supplier,
            "links.buyer": [self.rank[link.target] for link in links],
            "links.lead_time": lead,
            "links.first": np.where(lead > 0, last - lead + 1, 0),
            "links.last": np.where(lead > 0, last, 0),
            "links.outside_price": [link.price if j < 0 else 0.0 for link, j in zip(links, supplier, strict=True)],
            "links.pipeline_cost": [link.pipeline_cost for link in links],
            "links.fixed_cost": [link.fixed_cost for link in links],
            "markets.retailer": [self.rank[market.source] for market in markets],
            "markets.price": [market.price for market in markets],
            "markets.shortage_cost": [market.shortage_cost for market in markets],
        }

    def begins(self) -> Mapping[str, Any]:
        """Return the stock on hand, and the goodwill."""
        return {"state.on_hand": [node.initial_inventory for node in self.spec.managed], "state.sentiment": 1.0}

    # what agents see and do ---------------------------------------------------------------------

    def action_form(self, kind: str, max_order: Any = None) -> ActionForm:
        """Return the action form of that kind; see `forms.action_form`."""
        return forms.action_form(self, kind, max_order)

    def seen(self, scaled: bool) -> Mapping[str, Block]:
        """Return the blocks of the observation; see `forms.seen`."""
        return forms.seen(self, scaled)

    def observation_form(self, kind: str) -> ObservationForm:
        """Return the observation form of that kind: `flat` (physical units), `scaled` (over yardsticks), `dict`.

        Raises:
            InvalidInput: No such kind.
        """
        form = super().observation_form(kind)
        bounded = np.where(form.high < UNBOUNDED, form.high, np.minimum(UNBOUNDED * form.scale, UNBOUNDED))
        return dataclasses.replace(form, high=bounded)

    def records(self) -> NetworkRecords:
        """Return the actions and observations as records; see `network.structured`."""
        return NetworkRecords(self)

    # exogenous information ------------------------------------------------------------------------

    def rules(self, law: int) -> dict[str, float]:
        """Return the numbers that hold for a whole episode, by the names of `dynamics.Rules`."""
        demand, spec = self.demand, self.spec
        goodwill = spec.demand.goodwill
        return {
            "discount": spec.discount,
            "carry": 1.0 if spec.backlog else 0.0,
            "growth": goodwill.growth if goodwill else 1.0,
            "decay": goodwill.decay if goodwill else 1.0,
            "floor": goodwill.floor if goodwill else 0.0,
            "cap": goodwill.cap if goodwill else 1.0,
            "least_mean": demand.least_mean,
            "noise_scale": demand.noise_scale,
            "law": law,
            "spread": demand.distribution.spread,
            "power": demand.distribution.power,
        }

    def episode_under(self, law: int, mean: Array, draw: Array) -> Array:
        """Return the episode in which a law makes demand of means and draws, each of shape (T, M)."""
        return self.episode({**self.rules(law), "mean": mean, "draw": draw})

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
        return self.episode_under(laws.GIVEN, self.demand.mean, demand)

    def exogenous_of(self, record: Array, episodes: Array) -> dict[str, Array]:
        """Return the demand that was met in recorded episodes, and the mean before goodwill."""
        place, shape = self.held["mean"]
        mean = episodes[..., place].reshape((*episodes.shape[:-1], *shape))
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
        if not changes:
            return self
        found = self._under(changes)
        found.assumed = True
        return found

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

    def drawn_before(self) -> NetworkProblem:
        """Return the same network with demand drawn before the episode, where it would be drawn period by period."""
        return self._under({"sampler": "numpy"})

    def draw_now(self, t: int, world: Any, generator: np.random.Generator) -> None:
        """Draw period t's demand at the mean that goodwill makes of it."""
        state, chance = world.state, world.chance
        sentiment = dynamics.goodwill(t, world.rules, state.unmet, state.sentiment[0])
        chance.draw[t] = self.demand.draw_now(generator, chance.mean[t] * sentiment)

    # words ------------------------------------------------------------------------------------

    def scene(self, t: int, world: Any) -> Scene:
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


def is_network(problem: object) -> TypeGuard[NetworkProblem]:
    """Return whether a problem is a supply network, for what is about links and markets."""
    return isinstance(problem, NetworkProblem)


@cache
def _texts_with(own: Callable[..., float] | None) -> Texts:
    """Return the texts of a network whose demand may have a law of one's own."""
    texts = NetworkProblem.texts
    if own is None:
        return texts
    brought, others = laws.laws_with(own), texts.laws[len(laws.LAWS) :]
    step = backends.bind(texts.step, {brought[-1].__name__: brought[-1]})  # for plain Python
    return dataclasses.replace(texts, laws=(*brought, *others), step=step)
