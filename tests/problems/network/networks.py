"""Random supply networks for the tests: any shape that a spec allows."""

from __future__ import annotations

import copy
import re
from typing import Any

import networkx as nx
import numpy as np

SERIAL: dict[str, Any] = {
    "name": "small",
    "horizon": 6,
    "nodes": [
        {"id": 1, "initial_inventory": 10, "holding_cost": 0.5},
        {"id": 2, "initial_inventory": 20, "holding_cost": 0.25, "capacity": 8, "operating_cost": 0.1, "yield": 0.5},
        {"id": 3},
    ],
    "links": [
        {"from": 2, "to": 1, "lead_time": 2, "price": 1.5, "pipeline_cost": 0.1, "fixed_cost": 2},
        {"from": 3, "to": 2, "lead_time": 0, "price": 0.5},
    ],
    "markets": [{"from": 1, "to": 0, "price": 4, "shortage_cost": 1}],
    "demand": {"mean": 5},
}


def small(**changes: Any) -> dict[str, Any]:
    """A fresh copy of a small network: source 3 -> factory 2 -> retailer 1 -> market 0, 6 periods."""
    return {**copy.deepcopy(SERIAL), **changes}


def random_network(seed: int, *, exact: bool = False, words: bool | None = None, means: bool = False) -> dict[str, Any]:
    """A network drawn from a seed: 1-7 managed nodes in any order, 1-3 sources, 1-4 retail links.

    Factories with yields, zero lead times, nodes that serve two markets, markets served by two
    nodes, factories that sell, fixed order costs.

    Args:
        seed: Draws the network.
        exact: Only yields that binary numbers hold exactly.
        words: Whether ids are text; None for either.
        means: Whether each retail link gets its own mean demand.
    """
    rng = np.random.default_rng([seed, 7])
    words = bool(rng.random() < 0.3) if words is None else words

    def name(letter: str, k: int) -> Any:
        return f"{letter}{k}" if words else {"n": 10, "s": 50, "m": 90}[letter] + k

    managed = [name("n", int(k)) for k in rng.permutation(rng.integers(1, 8))]
    sources = [name("s", k) for k in range(rng.integers(1, 4))]
    markets = [name("m", k) for k in range(rng.integers(1, 4))]
    graph = nx.DiGraph()
    for k, node in enumerate(managed):
        possible = [*managed[:k], *sources]
        chosen = rng.choice(len(possible), size=min(len(possible), int(rng.integers(1, 4))), replace=False)
        graph.add_edges_from((possible[int(s)], node) for s in chosen)
    for node in managed:
        if not graph.out_degree(node) or rng.random() < 0.15:
            count = min(len(markets), int(rng.integers(1, 3)))
            graph.add_edges_from((node, markets[int(m)]) for m in rng.choice(len(markets), size=count, replace=False))
    while not nx.is_weakly_connected(graph):
        main, other = list(nx.weakly_connected_components(graph))[:2]
        supply = next(node for node in graph if node in main and node in sources)
        graph.add_edge(supply, next(node for node in graph if node in other and node in managed))

    def money(most: float) -> float:
        return round(float(rng.uniform(0, most)), 3)

    nodes: list[dict[str, Any]] = []
    order = [node for node in graph if node not in markets]
    for k in rng.permutation(len(order)):
        node = {"id": order[int(k)]}
        if order[int(k)] in managed:
            node |= {"initial_inventory": int(rng.integers(0, 120)), "holding_cost": money(0.1)}
            if rng.random() < 0.5:
                yields = [0.5, 1, 2] if exact else [0.8, 1, 0.95, 1.25]
                node |= {"capacity": int(rng.integers(5, 90)), "operating_cost": money(0.2)}
                node |= {"yield": float(rng.choice(yields))}
        nodes.append(node)
    links, retail = [], []
    for source, target in rng.permutation(np.array(list(graph.edges), dtype=object)).tolist():
        if target in markets:
            link = {"from": source, "to": target, "price": money(4), "shortage_cost": money(0.5)}
            retail.append(link | ({"mean": money(40)} if means else {}))
        else:
            lead = int(rng.choice([0, 0, 1, 2, 3, 5, 12]))
            link = {"from": source, "to": target, "lead_time": lead, "price": money(2), "pipeline_cost": money(0.02)}
            links.append(link | ({"fixed_cost": money(5)} if exact and rng.random() < 0.5 else {}))
    return {"name": f"random-{seed}", "nodes": nodes, "links": links, "markets": retail}


def random_actions(rng: np.random.Generator, kind: str, periods: int, links: int) -> np.ndarray:
    """Orders of shape (T, E): `zero`, `negative`, `integer`, `fractional`, `huge`, or some of each."""
    shape = (periods, links)
    kinds = {
        "zero": np.zeros(shape),
        "negative": -rng.integers(0, 50, shape).astype(float),
        "integer": rng.integers(0, 60, shape).astype(float),
        "fractional": rng.uniform(0, 60, shape),
        "huge": rng.integers(10_000, 1_000_000, shape).astype(float),
    }
    if kind == "mixed":
        pick = rng.integers(0, 4, shape)
        return np.select(
            [pick == k for k in range(4)], [kinds[k] for k in ("zero", "negative", "integer", "fractional")]
        )
    return kinds[kind]


def edited(spec: dict[str, Any], place: str, value: Any, *, remove: bool = False) -> dict[str, Any]:
    """A spec with the field at a place such as `nodes[0].id` changed or removed."""
    *way, last = (int(part) if part.isdigit() else part for part in re.findall(r"\w+", place))
    at: Any = spec
    for part in way:
        at = at.setdefault(part, {}) if isinstance(at, dict) else at[part]
    if remove:
        del at[last]
    else:
        at[last] = value
    return spec
