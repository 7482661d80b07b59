"""A supply network as a problem: its tables, decisions, observations and exogenous information."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from restock.core import streams
from restock.core.backends import Text
from restock.core.errors import InvalidInput, nearest
from restock.core.problem import ActionForm, Array, ObservationForm, Problem, Source, Tables, Texts, choose
from restock.core.scene import Scene
from restock.core.validation import LARGEST
from restock.demand import laws, rowwise
from restock.demand.path import Demand
from restock.demand.series import check_series
from restock.problems.network import dynamics, interface
from restock.problems.network.scene import scene_of
from restock.problems.network.sources import CounterSource, GeneratorSource
from restock.problems.network.spec import NetworkSpec

CHOICES = 21  # of each number in the multidiscrete form: 0 and 20 equal steps
UNBOUNDED = float(np.finfo(np.float32).max)


class NetworkProblem(Problem):
    """A multi-echelon supply network.

    Args:
        spec: The description; see `NetworkSpec`.

    Attributes:
        nodes: Ids of the managed nodes, sorted (N).
        links: (supplier id, buyer id) in rationing order (E).
        markets: (retailer id, market id) in serving order (M).
        demand: The demand model fixed for these markets and this horizon.
        static: Tables of nodes, links and markets as named NumPy arrays.
    """

    texts: ClassVar[Texts] = Texts(
        name="network",
        laws=(
            laws.count_search,
            laws.poisson_quantile,
            laws.normal_quantile,
            laws.negative_binomial_quantile,
            laws.demand_of,
            dynamics.goodwill,
            interface.show,
        ),
        unpack=interface.unpack,
        step=dynamics.step,
        decide=interface.decide,
        observe=interface.observe,
        totals=interface.totals,
        put=interface.put,
    )
    parts: ClassVar[tuple[str, ...]] = interface.PARTS
    action_kinds: ClassVar[tuple[str, ...]] = ("quantity", "normalized", "order-up-to", "multidiscrete")
    exogenous: ClassVar[tuple[str, ...]] = ("demand",)
    decision: ClassVar[str] = "ordered"

    def __init__(self, spec: NetworkSpec) -> None:
        self.spec = spec
        self.name = spec.name
        self.horizon = spec.horizon
        self.nodes = tuple(node.id for node in spec.managed)
        self.links = tuple((link.source, link.target) for link in spec.ordered_links)
        self.markets = tuple((market.source, market.market) for market in spec.ordered_markets)
        self.demand = Demand(spec.demand, [market.mean for market in spec.ordered_markets], spec.horizon)
        self._rank = {node_id: j for j, node_id in enumerate(self.nodes)}
        self._base = self._pack()

    # tables -----------------------------------------------------------------------------------

    def tables(self, action: ActionForm | None = None, observation: ObservationForm | None = None) -> Tables:
        """The packed numbers; without forms, for decisions in physical units."""
        ints, floats, fresh, recorded, drawn = self._base
        ints, floats = ints.copy(), floats.copy()
        e = len(self.links)
        scale = np.ones(self._observed) if observation is None else observation.scale
        unit, shift, most = np.ones(e), np.zeros(e), np.full(e, np.inf)
        if action is not None:
            most = action.most
            if action.kind == "normalized":
                unit, shift = most / 2.0, np.ones(e)
            elif action.kind == "multidiscrete":
                unit = most / (CHOICES - 1)
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
        supplier = [self._rank.get(link.source, -1) for link in links]
        buyer = [self._rank[link.target] for link in links]
        retailer = [self._rank[market.source] for market in markets]
        ints = np.concatenate(
            [header, supplier, lead, buyer, first, last, retailer]
        ).astype(np.int64)

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

    # decisions --------------------------------------------------------------------------------

    def peak_flow(self) -> Array:
        """Mean demand that may have to pass into a node in the busiest period, shape (N,) (units/period).

        All that a market asks for may come through any one node upstream, by the way that uses up
        most, so this bounds the flow under any split among suppliers.
        """
        import networkx as nx

        units_in = self._base[1][3 * len(self.nodes) : 4 * len(self.nodes)]
        needed = np.zeros((len(self.nodes), len(self.markets)))  # into a node for each unit that a market is sold
        for k, (retailer, _) in enumerate(self.markets):
            needed[self._rank[retailer], k] = 1.0
        graph: Any = nx.DiGraph((self._rank[s], self._rank[b]) for s, b in self.links if s in self._rank)
        graph.add_nodes_from(range(len(self.nodes)))
        for j in reversed(list(nx.topological_sort(graph))):
            for supplier in graph.predecessors(j):
                through = np.minimum(units_in[supplier] * needed[j], LARGEST)
                needed[supplier] = np.maximum(needed[supplier], through)
        cap = self.spec.demand.goodwill.cap if self.spec.demand.goodwill else 1.0
        return np.asarray(np.minimum(needed @ self.demand.mean.max(axis=0) * cap, LARGEST))

    def order_bounds(self, max_order: Any = None) -> Array:
        """Largest order of each link that an action can ask for, shape (E,) (units).

        Four busiest periods of mean demand through the buyer, at least two economic order
        quantities where orders have a fixed cost, at most the supplier's capacity; or `max_order`.

        Raises:
            InvalidInput: `max_order` is not a positive number, or one for each link.
        """
        e = len(self.links)
        if max_order is not None:
            return _positive_numbers("max_order", max_order, self.links)
        flow = self.peak_flow()
        bounds = np.empty(e)
        holding = {node.id: node.holding_cost or 0.0 for node in self.spec.managed}
        capacity = {node.id: node.capacity for node in self.spec.managed}
        for i, link in enumerate(self.spec.ordered_links):
            rate = flow[self._rank[link.target]]
            bound = 4.0 * rate
            if link.fixed_cost > 0.0 and holding[link.target] > 0.0:
                batch = 2.0 * math.sqrt(2.0 * link.fixed_cost * rate / holding[link.target])
                bound = min(max(bound, batch), LARGEST)
            limit = capacity.get(link.source)
            bounds[i] = max(1.0, math.ceil(bound if limit is None else min(bound, limit)))
        return bounds

    def level_bounds(self, max_order: Any = None) -> Array:
        """Largest order-up-to level of each link, shape (E,): what an order can add to a long cover."""
        if max_order is not None:
            return _positive_numbers("max_order", max_order, self.links)
        flow = self.peak_flow()
        cover = [(link.lead_time + 4.0) * flow[self._rank[link.target]] for link in self.spec.ordered_links]
        return np.ceil(2.0 * np.array(cover) + 1.0)

    def action_form(self, kind: str, max_order: Any = None) -> ActionForm:
        """The action form of that kind; one number a link.

        `quantity`: units ordered, 0 to a bound for each link (`max_order` overrides it).
        `normalized`: the same bound mapped to [-1, 1]; -1 orders nothing.
        `order-up-to`: inventory position of the buyer to reach, links in their order.
        `multidiscrete`: 0 to 20 twentieths of the bound.

        Raises:
            InvalidInput: No such kind, or a bad `max_order`.
        """
        choose(kind, self.action_kinds, "action")
        most = self.level_bounds(max_order) if kind == "order-up-to" else self.order_bounds(max_order)
        arrows = [f"{s} -> {b}" for s, b in self.links]
        zero, one = np.zeros(len(arrows)), np.ones(len(arrows))
        if kind == "quantity":
            return ActionForm(kind, tuple(f"order {a} (units)" for a in arrows), zero, most, most, False)
        if kind == "order-up-to":
            return ActionForm(kind, tuple(f"order-up-to level {a} (units)" for a in arrows), zero, most, most, False)
        if kind == "normalized":
            labels = tuple(f"order {a} (-1: nothing, 1: {b:g})" for a, b in zip(arrows, most, strict=True))
            return ActionForm(kind, labels, -one, one, most, False)
        labels = tuple(f"order {a} (in steps of {b / (CHOICES - 1):g})" for a, b in zip(arrows, most, strict=True))
        return ActionForm(kind, labels, zero, one * (CHOICES - 1), most, True)

    # observations -----------------------------------------------------------------------------

    def observation_form(self, kind: str) -> ObservationForm:
        """The observation form of that kind.

        `flat`: physical units. `scaled`: each number over a fixed yardstick (peak mean demand of
        the market or node, initial stock where larger, the horizon). `dict`: flat, in named blocks.

        Raises:
            InvalidInput: No such kind.
        """
        choose(kind, self.observation_kinds, "observation")
        e = len(self.links)
        lead = [link.lead_time for link in self.spec.ordered_links]
        retail = [f"{s} -> {m}" for s, m in self.markets]
        arrivals = [
            f"arriving in {k + 1} periods {s} -> {b}" if k else f"arriving next {s} -> {b}"
            for (s, b), length in zip(self.links, lead, strict=True)
            for k in range(length)
        ]
        blocks = {
            "demand": [f"demand {r}" for r in retail],
            "unmet": [f"{'backlog' if self.spec.backlog else 'lost'} {r}" for r in retail],
            "on_hand": [f"on hand {node}" for node in self.nodes],
            "arrivals": arrivals,
            "period": ["period"],
            "goodwill": ["goodwill"],
        }
        groups: dict[str, slice] = {}
        labels: list[str] = []
        for name, block in blocks.items():
            groups[name] = slice(len(labels), len(labels) + len(block))
            labels += block
        goodwill = self.spec.demand.goodwill
        cap = max(1.0, goodwill.cap) if goodwill else 1.0
        low, high = np.zeros(len(labels)), np.full(len(labels), UNBOUNDED)
        high[-2], high[-1] = self.horizon, cap
        scale = np.ones(len(labels))
        if kind == "scaled":
            flow = np.maximum(self.peak_flow(), 1.0)
            peak = np.maximum(self.demand.mean.max(axis=0), 1.0)
            stock = np.maximum(np.array([node.initial_inventory or 0.0 for node in self.spec.managed]), flow)
            buyer = np.array([self._rank[b] for _, b in self.links])
            yardstick = [peak, peak, stock, np.repeat(flow[buyer] if e else np.empty(0), lead), [self.horizon], [cap]]
            scale = 1.0 / np.concatenate(yardstick)
            high = np.minimum(high * scale, UNBOUNDED)
        return ObservationForm(kind, tuple(labels), low, high, scale, groups)

    # exogenous information ------------------------------------------------------------------------

    def rules(self, law: int) -> Array:
        """The numbers that hold for a whole episode, in the order of `dynamics.Rules`."""
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
        """Episodes for rows with these seeds (or drawn from these generators of theirs)."""
        if self.spec.demand.sampler == "inverse" and not self.demand.sequential:
            return CounterSource(self, seeds)
        return GeneratorSource(self, generators or [streams.generator(seed) for seed in seeds], ahead)

    def replay(self, exogenous: Mapping[str, Any]) -> Array:
        """The episode in which markets ask for recorded demand, whatever the goodwill.

        Args:
            exogenous: `demand` of shape (T, M), or (T,) with one market.

        Raises:
            InvalidInput: Another name, shape, or a number that is not a demand.
        """
        if not isinstance(exogenous, Mapping):
            raise InvalidInput("exogenous", exogenous, "this should be a mapping", 'Write {"demand": [...]}.')
        for name in exogenous:
            if name not in self.exogenous:
                raise InvalidInput(f"exogenous.{name}", exogenous[name], "there is none", nearest(name, self.exogenous))
        if "demand" not in exogenous:
            raise InvalidInput("exogenous.demand", None, "this is required", "Give demand of shape (T, M).")
        demand = check_series(exogenous["demand"], "exogenous.demand")
        shape = (self.horizon, len(self.markets))
        if demand.ndim == 1 and shape[1] == 1:
            demand = demand[:, None]
        if demand.shape != shape:
            raise InvalidInput("exogenous.demand", f"shape {demand.shape}", f"this should be {shape}", "Cut or pad it.")
        return np.concatenate([self.rules(laws.GIVEN), self.demand.mean.ravel(), demand.ravel()])

    def exogenous_of(self, record: Array, episodes: Array) -> dict[str, Array]:
        """Demand that was met in recorded episodes, and the mean before goodwill."""
        rules = len(dynamics.Rules._fields)
        size = self.horizon * len(self.markets)
        mean = episodes[..., rules : rules + size].reshape((*episodes.shape[:-1], self.horizon, len(self.markets)))
        return {"demand": record[..., 1:, self.layout.columns["demand"]], "mean": mean}

    def operations(self, library: str) -> dict[str, Text]:
        """The law of demand on whole batches."""
        return {"demand_of": rowwise.numpy_demand if library == "numpy" else rowwise.torch_demand}

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
        """Names of the entries of each recorded field."""
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

    def explain(self) -> str:
        """The problem in words: entities, clock, costs, demand."""
        spec = self.spec
        lines = [
            f"{spec.name}: {spec.description}".rstrip(": "),
            f"{len(self.nodes)} stocking points, {len(self.links)} replenishment links, {len(self.markets)} retail "
            f"links, {self.horizon} periods, unmet demand {'waits (backlog)' if spec.backlog else 'is lost'}, "
            f"discount {spec.discount:g} a period.",
            "",
            "Each period, in this order:",
            "  1. orders are filled link by link from the stock and capacity of this morning;",
            "  2. what was shipped a lead time ago arrives and can be sold today;",
            "  3. goodwill moves, if it is on;",
            "  4. markets ask, and are served from what is on hand;",
            "  5. profit = sales - purchases - operating - holding - in-transit - shortage - fixed order costs.",
            "",
            "Stocking points: " + "; ".join(self._node_words(node) for node in spec.managed) + ".",
            "Links: "
            + "; ".join(
                f"{link.source} -> {link.target} (lead time {link.lead_time}, price {link.price:g}"
                + (f", fixed cost {link.fixed_cost:g})" if link.fixed_cost else ")")
                for link in spec.ordered_links
            )
            + ".",
            "Markets: "
            + "; ".join(
                f"{market.source} -> {market.market} (price {market.price:g}, shortage {market.shortage_cost:g}, "
                f"mean demand {self.demand.mean[:, k].mean():.3g})"
                for k, market in enumerate(spec.ordered_markets)
            )
            + ".",
            f"Demand: {self.demand.distribution.name}, noise scale {self.demand.noise_scale:g}"
            + (", with goodwill" if self.demand.state_dependent else "")
            + f", sampler {spec.demand.sampler}.",
        ]
        return "\n".join(lines)

    @staticmethod
    def _node_words(node: Any) -> str:
        words = f"{node.id} (stock {node.initial_inventory:g}, holding {node.holding_cost:g}"
        return words + (f", capacity {node.capacity:g})" if node.capacity is not None else ")")


def _positive_numbers(field: str, value: Any, links: Sequence[tuple[Any, Any]]) -> Array:
    """One positive number, or one for each link, as shape (E,)."""
    try:
        numbers = np.asarray(value)
        if numbers.dtype.kind not in "iuf":
            raise ValueError
        numbers = np.broadcast_to(numbers.astype(np.float64), (len(links),)).copy()
    except Exception:  # an array-like of another library may raise anything
        problem = f"this is one number, or one for each of the {len(links)} links"
        raise InvalidInput(field, value, problem, "Write a positive number.") from None
    wrong = ~((numbers > 0) & (numbers <= LARGEST))
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        at = f"[{i}]" if np.ndim(value) else ""
        problem = f"an order bound is above 0 and at most {LARGEST:g}"
        raise InvalidInput(field + at, float(numbers[i]), problem, "Write a positive number.")
    return numbers
