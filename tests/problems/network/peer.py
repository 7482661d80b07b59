"""gym-invmgmt 0.2.1 stepped beside restock: its networks and demand in our words, and both in one pair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gym_invmgmt
import gymnasium as gym
import numpy as np
import yaml

EFFECTS = {
    "trend": {"slope": "trend_slope"},
    "seasonal": {"amplitude": "seasonal_amp"},
    "shock": {"time": "shock_time", "size": "shock_mag"},
}
GOODWILL = {"growth": "gw_growth", "decay": "gw_decay", "floor": "gw_floor", "cap": "gw_cap"}
FIELDS = {"initial_inventory": "I0", "holding_cost": "h", "capacity": "C", "operating_cost": "o", "yield": "v"}
FIELDS |= {"lead_time": "L", "price": "p", "pipeline_cost": "g", "fixed_cost": "K", "shortage_cost": "b"}


def our_network(network: Any) -> dict[str, Any]:
    """The peer's network in our words, in its order of nodes and edges."""

    def words(attributes: dict[str, Any]) -> dict[str, Any]:
        return {ours: attributes[theirs] for ours, theirs in FIELDS.items() if theirs in attributes}

    graph, markets = network.graph, set(network.market)
    links: dict[bool, list[Any]] = {True: [], False: []}
    for source, target, attributes in graph.edges(data=True):
        links[target in markets].append({"from": source, "to": target, **words(attributes)})
    nodes = [{"id": node, **words(data)} for node, data in graph.nodes(data=True) if node not in markets]
    return {"nodes": nodes, "links": links[False], "markets": links[True]}


def peer_network(network: dict[str, Any]) -> dict[str, Any]:
    """One of our networks as the peer's YAML says it."""

    def words(entry: dict[str, Any]) -> dict[str, Any]:
        named = {FIELDS.get(name, name): value for name, value in entry.items() if name != "mean"}
        return named | {"v": 1.0, "o": 0.0} | named if "C" in named else named

    sold = {"demand_dist": "poisson", "dist_param": {"mu": 20}}
    nodes = [words(node) for node in network["nodes"]]
    nodes += [{"id": market} for market in {market["to"]: None for market in network["markets"]}]
    edges = [{"g": 0.0} | words(link) for link in network["links"]]
    return {"nodes": nodes, "edges": edges + [words(market) | sold for market in network["markets"]]}


def our_demand(config: dict[str, Any]) -> dict[str, Any]:
    """The peer's `demand_config` in our words, drawn as the peer draws it."""
    demand: dict[str, Any] = {"sampler": "sequential"}
    if "external_series" in config:
        # The peer keeps its noise around a series unless told otherwise; ours wants that written.
        prior = config.get("base_mu", 20)  # what the peer's blind agents are configured for
        series, noise = config["external_series"], config.get("noise_scale", 1.0)
        demand |= {"series": series, "noise_scale": noise, "prior": prior}
    else:
        demand |= {"mean": config.get("base_mu", 20), "noise_scale": config.get("noise_scale", 1.0)}
    demand["effects"] = {
        name: {ours: config[theirs] for ours, theirs in EFFECTS[name].items() if theirs in config}
        for name in config.get("effects", [])
    }
    if "seasonal_freq" in config and "seasonal" in demand["effects"]:
        demand["effects"]["seasonal"]["period"] = 2 * np.pi / config["seasonal_freq"]
    if config.get("use_goodwill"):
        demand["goodwill"] = {ours: config[theirs] for ours, theirs in GOODWILL.items() if theirs in config}
    return demand


class Pair:
    """An environment of the peer and ours of the same network, stepped together.

    Every observation and reward is compared to 1e-9, relative where numbers are above one.
    """

    def __init__(self, peer: Any, instance: Any = None, demand: Any = None) -> None:
        self.peer = peer.unwrapped
        self.ours = gym.make(
            "restock/Network-v0",
            instance=our_network(self.peer.network) if instance is None else instance,
            demand=our_demand(self.peer.demand_engine.config) if demand is None else demand,
            horizon=self.peer.num_periods,
            backlog=self.peer.backlog,
            discount=self.peer.alpha,
            max_order=1e9,
        )
        self.env = self.ours.unwrapped
        assert [tuple(link) for link in self.peer.network.reorder_links] == list(self.env.problem.links)
        assert [tuple(link) for link in self.peer.network.retail_links] == list(self.env.problem.markets)

    def reset(self, seed: int | None = None, options: Any = None) -> None:
        """Begin an episode in both."""
        theirs, _ = self.peer.reset(seed=seed)
        obs, _ = self.ours.reset(seed=seed, options=options)
        self._same(obs, theirs)

    def step(self, action: np.ndarray) -> float:
        """Play a period in both; returns the reward."""
        theirs, their_reward, _, their_end, _ = self.peer.step(action)
        obs, reward, terminated, truncated, info = self.ours.step(action)
        close(reward, their_reward)
        close(sum(value for name, value in info["profit"].items() if name != "total"), reward)
        assert (terminated, truncated) == (False, their_end)
        self._same(obs, theirs)
        return float(reward)

    def play(self, actions: np.ndarray) -> None:
        """Play periods in both, and compare the demand."""
        for action in actions:
            self.step(action)
        close(self.env.trajectory["demand"], self.peer.D[: self.peer.period])

    def _same(self, obs: np.ndarray, theirs: np.ndarray) -> None:
        mine = self.env.observe()
        close(mine, theirs)
        assert obs.dtype == np.float32
        np.testing.assert_array_equal(obs, mine.astype(np.float32))


def close(ours: Any, theirs: Any) -> None:
    """Equal to 1e-9, relative above one."""
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


def custom(network: dict[str, Any], folder: Path, **kwargs: Any) -> Any:
    """The peer's environment of one of our networks, through a YAML file as it wants it."""
    path = folder / "network.yaml"
    path.write_text(yaml.safe_dump(peer_network(network), sort_keys=False))
    return gym_invmgmt.CoreEnv(scenario="custom", config_path=path, **kwargs)
