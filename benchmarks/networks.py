"""The same networks for both: presets, and a generated one of 200 nodes and 500 links."""

from __future__ import annotations

import itertools
import random
import tempfile
from pathlib import Path
from typing import Any

import yaml
from gym_invmgmt import CoreEnv

PRESETS = {"divergent": "network", "serial": "serial"}


def generated(layers: tuple[int, ...] = (20, 60, 80, 39), links: int = 499, seed: int = 7) -> dict[str, Any]:
    """A layered network in restock's words: sources, factories, distributors, retailers, one market.

    With the market it has 200 nodes, and with the retail link of the first retailer 500 links; every
    retailer sells to that market.
    """
    draw = random.Random(seed)
    ranks: list[list[int]] = []
    number = 1
    for size in layers:
        ranks.append(list(range(number, number + size)))
        number += size
    pairs: set[tuple[int, int]] = set()
    for above, below in itertools.pairwise(ranks):
        pairs.update((draw.choice(above), node) for node in below)
        pairs.update((node, draw.choice(below)) for node in above)
    while len(pairs) < links - len(ranks[-1]) + 1:
        k = draw.randrange(len(ranks) - 1)
        pairs.add((draw.choice(ranks[k]), draw.choice(ranks[k + 1])))
    nodes: list[dict[str, Any]] = [{"id": node} for node in ranks[0]]
    for node in ranks[1]:
        nodes.append(
            {
                "id": node,
                "initial_inventory": 200,
                "holding_cost": 0.01,
                "capacity": 90,
                "operating_cost": 0.01,
                "yield": 1,
            }
        )
    nodes += [{"id": node, "initial_inventory": 100, "holding_cost": 0.02} for rank in ranks[2:] for node in rank]
    listed = [
        {"from": a, "to": b, "lead_time": draw.randrange(0, 9), "price": 1.0, "pipeline_cost": 0.005}
        for a, b in sorted(pairs)
    ]
    markets = [{"from": node, "to": 0, "price": 2.0, "shortage_cost": 0.1} for node in ranks[-1]]
    return {"name": "generated", "nodes": nodes, "links": listed, "markets": markets}


def peer(name: str | dict[str, Any]) -> CoreEnv:
    """The peer's environment on the same network."""
    if isinstance(name, str):
        return CoreEnv(scenario=PRESETS[name])
    fields = {"initial_inventory": "I0", "holding_cost": "h", "capacity": "C", "operating_cost": "o", "yield": "v"}
    nodes = [{fields.get(key, key): value for key, value in node.items()} for node in name["nodes"]] + [{"id": 0}]
    fields = {"lead_time": "L", "price": "p", "pipeline_cost": "g"}
    edges = [{fields.get(key, key): value for key, value in link.items()} for link in name["links"]]
    for market in name["markets"]:
        ends = {"from": market["from"], "to": market["to"]}
        sale = {"p": market["price"], "b": market["shortage_cost"], "demand_dist": "poisson", "dist_param": {"mu": 20}}
        edges.append({**ends, **sale})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "generated.yaml"
        path.write_text(yaml.safe_dump({"nodes": nodes, "edges": edges}), encoding="utf-8")
        return CoreEnv(scenario="custom", config_path=str(path))
