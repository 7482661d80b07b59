"""The description of a supply network: nodes, links, markets, demand, horizon. One file says all."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Any

import pydantic

from restock.core.errors import InvalidInput, nearest
from restock.core.validation import LARGEST, Spec, validated
from restock.demand.spec import DemandSpec

NodeId = int | Annotated[str, pydantic.Field(min_length=1)]

MOST_NUMBERS = 100_000_000  # that an environment keeps for an episode (8 bytes each)


def _amount(default: Any = ..., *, description: str) -> Any:
    """Return a field that holds a quantity, price or cost."""
    return pydantic.Field(default, ge=0.0, le=LARGEST, description=description)


class NodeSpec(Spec):
    """A stocking point, or (with an id only, and no supplier) an outside source.

    With a capacity it is a factory, without one a distributor or retailer.
    """

    id: NodeId
    initial_inventory: float | None = _amount(None, description="stock at the start [I0] (units)")
    holding_cost: float | None = _amount(None, description="cost/unit/period [h]")
    capacity: float | None = pydantic.Field(None, gt=0.0, le=LARGEST, description="units shipped a period at most [C]")
    yield_: float | None = pydantic.Field(None, alias="yield", ge=1e-6, le=1e6, description="units out per unit in [v]")
    operating_cost: float | None = _amount(None, description="cost/unit of input used [o]")


class LinkSpec(Spec):
    """Replenishment from one node to another."""

    source: NodeId = pydantic.Field(alias="from")
    target: NodeId = pydantic.Field(alias="to")
    lead_time: int = pydantic.Field(ge=0, le=10_000, description="periods from order to arrival [L]")
    price: float = _amount(description="price/unit paid when shipped [p]")
    pipeline_cost: float = _amount(0.0, description="cost/unit in transit/period [g]")
    fixed_cost: float = _amount(0.0, description="cost of each order [K]")


class MarketSpec(Spec):
    """Sales from a retailer to a market."""

    source: NodeId = pydantic.Field(alias="from")
    market: NodeId = pydantic.Field(alias="to")
    price: float = _amount(description="sale price/unit [p]")
    shortage_cost: float = _amount(description="cost/unit unmet/period [b]")
    mean: float | None = _amount(None, description="mean demand (units/period), default 20")


class NetworkSpec(Spec):
    """A supply network.

    Order matters in two places: links are rationed in the order of their source among `nodes`,
    then in the order they are listed; so are markets.
    """

    name: str = "network"
    description: str = ""
    horizon: int = pydantic.Field(30, ge=1, le=1_000_000, description="periods in an episode [T]")
    backlog: bool = True
    discount: float = pydantic.Field(1.0, gt=0.0, le=1.0, description="worth of next period's money")
    nodes: list[NodeSpec] = pydantic.Field(min_length=1)
    links: list[LinkSpec] = pydantic.Field(min_length=1)
    markets: list[MarketSpec] = pydantic.Field(min_length=1)
    demand: DemandSpec = DemandSpec()

    @pydantic.model_validator(mode="after")
    def _is_a_network(self) -> NetworkSpec:
        _check_ids(self)
        _check_links(self)
        _check_markets(self)
        _check_roles(self)
        _check_order(self)
        _check_means(self)
        _check_size(self)
        return self

    @property
    def managed(self) -> list[NodeSpec]:
        """Nodes with a supplier, sorted by id: the places where stock is kept."""
        supplied = {link.target for link in self.links}
        return sorted((node for node in self.nodes if node.id in supplied), key=lambda node: node.id)

    @property
    def sources(self) -> list[NodeSpec]:
        """Nodes without a supplier: they never run short."""
        supplied = {link.target for link in self.links}
        return [node for node in self.nodes if node.id not in supplied]

    @property
    def ordered_links(self) -> list[LinkSpec]:
        """Links in rationing order."""
        return _by_source(self.links, self.nodes)

    @property
    def ordered_markets(self) -> list[MarketSpec]:
        """Retail links in the order in which they are served."""
        return _by_source(self.markets, self.nodes)


def check_network(data: Any, where: str = "network") -> NetworkSpec:
    """Return a network spec from a mapping or a spec.

    Raises:
        InvalidInput: With the path of the first thing that does not hold.
    """
    return validated(NetworkSpec, data, where)


def _by_source(entries: Sequence[Any], nodes: Sequence[NodeSpec]) -> list[Any]:
    rank = {node.id: k for k, node in enumerate(nodes)}
    return sorted(entries, key=lambda entry: rank[entry.source])


def _first_repeat(values: Iterable[Any]) -> tuple[int, Any] | None:
    seen = set()
    for k, value in enumerate(values):
        if value in seen:
            return k, value
        seen.add(value)
    return None


def _check_ids(spec: NetworkSpec) -> None:
    ids: list[NodeId] = [node.id for node in spec.nodes]
    everywhere = [*ids, *(market.market for market in spec.markets)]
    for k, node_id in enumerate(everywhere):
        if type(node_id) is not type(everywhere[0]):
            raise InvalidInput(
                f"nodes[{k}].id" if k < len(ids) else f"markets[{k - len(ids)}].to",
                node_id,
                "some ids are integers and some are text, so they have no order",
                "Write all of them as numbers, or all in quotes.",
            )
    repeat = _first_repeat(ids)
    if repeat:
        raise InvalidInput(f"nodes[{repeat[0]}].id", repeat[1], "this id is taken", "Give each node its own id.")


def _check_links(spec: NetworkSpec) -> None:
    ids = {node.id for node in spec.nodes}
    markets = {market.market for market in spec.markets}
    for k, link in enumerate(spec.links):
        for end, node_id in (("from", link.source), ("to", link.target)):
            if node_id not in ids and node_id in markets:
                raise InvalidInput(
                    f"links[{k}].{end}", node_id, "this is a market", "Put sales under `markets`, not `links`."
                )
            _check_known(f"links[{k}].{end}", node_id, ids)
        if link.source == link.target:
            raise InvalidInput(f"links[{k}].to", link.target, "a link joins two nodes", "Name another node.")
    repeat = _first_repeat((link.source, link.target) for link in spec.links)
    if repeat:
        pair = f"{repeat[1][0]} -> {repeat[1][1]}"
        raise InvalidInput(f"links[{repeat[0]}]", pair, "this link is listed twice", "Keep one of them.")


def _check_markets(spec: NetworkSpec) -> None:
    ids = {node.id for node in spec.nodes}
    supplied = {link.target for link in spec.links}
    for k, market in enumerate(spec.markets):
        _check_known(f"markets[{k}].from", market.source, ids)
        if market.market in ids:
            raise InvalidInput(
                f"markets[{k}].to", market.market, "this is listed under `nodes`, but a market keeps no stock",
                "Remove it from `nodes`, or give the market another id.",
            )  # fmt: skip
        if market.source not in supplied:
            raise InvalidInput(
                f"markets[{k}].from", market.source, "this node has no supplier, so it has nothing to sell",
                "Add a link that ends there.",
            )  # fmt: skip
    repeat = _first_repeat((market.source, market.market) for market in spec.markets)
    if repeat:
        pair = f"{repeat[1][0]} -> {repeat[1][1]}"
        raise InvalidInput(f"markets[{repeat[0]}]", pair, "this retail link is listed twice", "Keep one of them.")


def _check_known(field: str, node_id: NodeId, ids: set[NodeId]) -> None:
    if node_id not in ids:
        mend = nearest(node_id, sorted(ids, key=str))
        if any(str(known) == str(node_id) for known in ids):
            mend = "Ids are compared with their kind: 1 and '1' differ. Write it as under `nodes`."
        raise InvalidInput(field, node_id, "there is no such node", mend)


def _check_roles(spec: NetworkSpec) -> None:
    """Each node has the fields of its role, and no others."""
    supplied = {link.target for link in spec.links}
    used = {link.source for link in spec.links} | {market.source for market in spec.markets}
    for k, node in enumerate(spec.nodes):
        at = f"nodes[{k}]"
        if node.id not in supplied:
            if node.id not in used:
                raise InvalidInput(f"{at}.id", node.id, "no link touches this node", "Add a link, or remove it.")
            for name in ("initial_inventory", "holding_cost", "capacity", "yield_", "operating_cost"):
                value = getattr(node, name)
                if value is not None:
                    raise InvalidInput(
                        f"{at}.{name.rstrip('_')}", value,
                        f"node {node.id!r} has no supplier, so it is an outside source, which has none of these",
                        "Remove the field, or add a link that ends there.",
                    )  # fmt: skip
            continue
        if node.id not in used:
            raise InvalidInput(
                f"{at}.id", node.id, "goods arrive here but never leave", "Add a link or a market from it."
            )
        for name in ("initial_inventory", "holding_cost"):
            if getattr(node, name) is None:
                raise InvalidInput(f"{at}.{name}", None, "a stocking point needs this", f"Add `{name}: ...`.")
        for name in ("yield_", "operating_cost"):
            value = getattr(node, name)
            if node.capacity is None and value is not None:
                raise InvalidInput(
                    f"{at}.{name.rstrip('_')}", value, "only a factory (a node with a capacity) has this",
                    "Add `capacity: ...`, or remove the field.",
                )  # fmt: skip


def _check_order(spec: NetworkSpec) -> None:
    """No cycles, one connected network."""
    order: TopologicalSorter[Hashable] = TopologicalSorter()
    for link in spec.links:
        order.add(link.target, link.source)
    try:
        order.prepare()
    except CycleError as error:
        way = " -> ".join(map(str, error.args[1]))
        raise InvalidInput("links", way, "goods would run in a circle", "Remove one of these links.") from None
    # Markets may share an id with no node, so mark them apart before asking for one piece.
    ends: list[tuple[Hashable, Hashable]] = [(link.source, link.target) for link in spec.links]
    ends += [(market.source, ("market", market.market)) for market in spec.markets]
    pieces = _pieces(ends)
    if len(pieces) > 1:
        small = min(pieces, key=len)
        names = sorted(str(n[1] if isinstance(n, tuple) else n) for n in small)
        raise InvalidInput("links", ", ".join(names), "these are not connected to the rest", "Link them, or split.")


def _pieces(ends: list[tuple[Hashable, Hashable]]) -> list[set[Hashable]]:
    """Return the sets of nodes that these links hold together."""
    neighbours: dict[Hashable, list[Hashable]] = {}
    for source, target in ends:
        neighbours.setdefault(source, []).append(target)
        neighbours.setdefault(target, []).append(source)
    pieces, placed = [], set[Hashable]()
    for first in neighbours:
        piece, waiting = set[Hashable](), [] if first in placed else [first]
        while waiting:
            node = waiting.pop()
            if node not in piece:
                piece.add(node)
                waiting += neighbours[node]
        if piece:
            pieces.append(piece)
            placed |= piece
    return pieces


def _check_means(spec: NetworkSpec) -> None:
    """The mean of a market is given once."""
    if not spec.demand.fixes_mean:
        return
    for k, market in enumerate(spec.markets):
        if market.mean is not None:
            raise InvalidInput(
                f"markets[{k}].mean", market.mean, "`demand` says already how much every market asks for",
                "Keep the means of the markets, or the one in `demand`.",
            )  # fmt: skip


def _check_size(spec: NetworkSpec) -> None:
    """An episode fits into memory."""
    entities = 5 * len(spec.nodes) + 11 * len(spec.links) + 10 * len(spec.markets)
    under_way = sum(link.lead_time for link in spec.links)
    numbers = (spec.horizon + 1) * (entities + 2 * under_way)
    if numbers > MOST_NUMBERS:
        raise InvalidInput(
            "horizon", spec.horizon,
            f"with {len(spec.links)} links and lead times that add up to {under_way}, an episode would take "
            f"{numbers * 8e-9:.1f} GB of memory, and {MOST_NUMBERS * 8e-9:.1f} GB is allowed",
            "Shorten the horizon or the lead times.",
        )  # fmt: skip
