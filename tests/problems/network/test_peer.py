"""Step by step beside gym-invmgmt 0.2.1: observations and rewards to 1e-9, same seed, same demand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gym_invmgmt
import gymnasium as gym
import numpy as np
import pytest
from gym_invmgmt.utils import compute_bullwhip, compute_kpis

import restock
from restock.problems.network.spec import check_network
from tests.problems.network.networks import random_actions, random_network
from tests.problems.network.peer import Pair, close, custom, our_network

PUBLISHED = json.loads((Path(__file__).parents[2] / "golden" / "gym_invmgmt_scenarios.json").read_text())
TOPOLOGIES = sorted((Path(gym_invmgmt.__file__).parent / "topologies").glob("*.yaml"))
ACTIONS = ("zero", "negative", "integer", "fractional", "huge", "mixed")
BUSY: dict[str, Any] = {"type": "combined_chaos", "effects": ["trend", "seasonal", "shock"], "base_mu": 20}


def orders(pair: Pair, kind: str, seed: int = 0) -> np.ndarray:
    return random_actions(np.random.default_rng(seed), kind, pair.peer.num_periods, len(pair.env.problem.links))


def test_the_peer_is_the_version_that_the_semantics_were_read_from():
    from importlib.metadata import version

    assert version("gym-invmgmt") == "0.2.1"
    assert len(PUBLISHED["scenarios"]) == 26 and len(TOPOLOGIES) == 6


@pytest.mark.parametrize("scenario", PUBLISHED["scenarios"], ids=lambda s: s["scenario_key"])
def test_published_scenario(scenario):
    pair = Pair(gym_invmgmt.CoreEnv(**scenario["core_env_kwargs"]))
    for k, seed in enumerate(PUBLISHED["seeds"][:6]):
        pair.reset(seed)
        pair.play(orders(pair, ACTIONS[k], seed))
    pair.reset()  # the streams go on alike without a new seed
    pair.play(orders(pair, "integer"))


@pytest.mark.parametrize("scenario", PUBLISHED["scenarios"][::5], ids=lambda s: s["scenario_key"])
def test_published_scenario_on_the_shipped_instance(scenario):
    name = {"network": "divergent", "serial": "serial"}[scenario["core_env_kwargs"]["scenario"]]
    peer = gym_invmgmt.CoreEnv(**scenario["core_env_kwargs"])
    pair = Pair(peer, instance=name)
    pair.reset(42)
    pair.play(orders(pair, "fractional"))
    converted = check_network(our_network(peer.network))
    shipped = check_network(restock.load_problem(name).spec)
    for part in ("nodes", "links", "markets"):
        assert [dict(x) for x in getattr(converted, part)] == [dict(x) for x in getattr(shipped, part)]


@pytest.mark.parametrize("backlog", [True, False], ids=["backlog", "lost-sales"])
@pytest.mark.parametrize("path", TOPOLOGIES, ids=lambda p: p.stem)
def test_topology_of_the_peer(path, backlog):
    for config in ({"base_mu": 20}, BUSY, BUSY | {"use_goodwill": True}):
        peer = gym_invmgmt.CoreEnv(
            scenario="custom", config_path=path, demand_config=config, num_periods=40, backlog=backlog, alpha=0.97
        )
        pair = Pair(peer)
        for k, kind in enumerate(ACTIONS):
            pair.reset(k)
            pair.play(orders(pair, kind, k))


@pytest.mark.parametrize("seed", range(60))
def test_random_network(seed, tmp_path):
    # Fixed costs fall on every order shipped, however small, so such networks get numbers without rounding.
    exact = seed % 2 == 0
    network = random_network(seed, exact=exact)
    noise = 1.0 if exact else (0.0, 1.0, 1.3)[seed % 3]
    config = [{"base_mu": 20}, BUSY, BUSY | {"use_goodwill": True}][seed % 3] | {"noise_scale": noise}
    peer = custom(
        network, tmp_path, demand_config=config, num_periods=25, backlog=seed % 4 < 2, alpha=(1.0, 0.97)[seed % 2]
    )
    pair = Pair(peer, instance=network)
    for k, kind in enumerate(("integer", "huge", "negative") if exact else ACTIONS):
        pair.reset(100 * seed + k)
        pair.play(orders(pair, kind, seed + k))


@pytest.mark.parametrize("goodwill", [False, True])
@pytest.mark.parametrize("backlog", [True, False])
@pytest.mark.parametrize("noise_scale", [0.0, 1.0, 1.3])
def test_demand_parameters(noise_scale, backlog, goodwill):
    config = {
        "effects": ["trend", "seasonal", "shock"],
        "base_mu": 13.5,
        "noise_scale": noise_scale,
        "use_goodwill": goodwill,
        "trend_slope": -0.02,
        "seasonal_amp": 0.8,
        "seasonal_freq": 2 * np.pi / 7,
        "shock_time": 4,
        "shock_mag": 0.5,
        "gw_growth": 1.1,
        "gw_decay": 0.7,
        "gw_cap": 1.5,
        "gw_floor": 0.4,
    }
    peer = gym_invmgmt.CoreEnv(scenario="serial", demand_config=config, backlog=backlog, alpha=0.97, num_periods=60)
    pair = Pair(peer)
    for k, kind in enumerate(ACTIONS):
        pair.reset(k)
        pair.play(orders(pair, kind, k))


@pytest.mark.parametrize("goodwill", [False, True])
@pytest.mark.parametrize("noise_scale", [0.0, 1.0, 1.3])
def test_external_series(noise_scale, goodwill):
    series = np.random.default_rng(5).poisson(3, 30) * 7.5  # with days of zero demand
    config = {"external_series": series, "noise_scale": noise_scale, "use_goodwill": goodwill, "effects": ["trend"]}
    pair = Pair(gym_invmgmt.CoreEnv(scenario="network", demand_config=config))
    pair.reset(3)
    pair.play(orders(pair, "fractional"))
    assert (series == 0).any()


def test_a_series_alone_is_the_demand():
    series = np.random.default_rng(5).poisson(20, 30).astype(float)
    env = gym.make("restock/Serial-v0", demand={"series": series})
    env.reset(seed=1)
    for _ in range(30):
        env.step(np.zeros(3))
    np.testing.assert_array_equal(env.unwrapped.trajectory["demand"][:, 0], series)


@pytest.mark.parametrize("backlog", [True, False])
def test_user_demand_is_replayed(backlog):
    demand = np.random.default_rng(5).uniform(0, 45, 30)
    peer = gym_invmgmt.CoreEnv(scenario="network", user_D={(1, 0): demand}, backlog=backlog)
    pair = Pair(peer)
    pair.reset(9, options={"exogenous": {"demand": demand[:, None]}})
    pair.play(orders(pair, "mixed"))
    np.testing.assert_array_equal(pair.env.trajectory["demand"][:, 0], demand)


def test_user_demand_of_one_market_of_several_is_replayed(tmp_path):
    network = random_network(3)
    market = (network["markets"][0]["from"], network["markets"][0]["to"])
    peer = custom(network, tmp_path, user_D={market: np.arange(30.0)})
    assert len(network["markets"]) > 1
    actions = random_actions(np.random.default_rng(1), "integer", 30, len(network["links"]))
    peer.reset(seed=4)
    for action in actions:
        peer.step(action)
    demand = peer.D.copy()
    pair = Pair(peer, instance=network)
    pair.reset(4, options={"exogenous": {"demand": demand}})
    pair.play(actions)


def test_user_demand_under_goodwill_is_a_deterministic_series():
    demand = np.random.default_rng(5).uniform(0, 45, 30)
    peer = gym_invmgmt.CoreEnv(scenario="serial", user_D={(1, 0): demand}, demand_config={"use_goodwill": True})
    pair = Pair(peer, demand={"series": demand, "goodwill": True})
    pair.reset(9)
    pair.play(orders(pair, "mixed"))
    assert pair.env.trajectory["sentiment"].min() < 0.9


def test_same_seed_same_demand_for_any_policy_without_goodwill():
    pair = Pair(gym_invmgmt.CoreEnv(scenario="network", demand_config=BUSY))
    drawn = []
    for kind in ("zero", "fractional"):
        pair.reset(11)
        pair.play(orders(pair, kind))
        drawn.append(pair.env.trajectory["demand"])
        np.testing.assert_array_equal(drawn[0], drawn[-1])
    pair.reset(12)
    pair.play(orders(pair, "zero"))
    assert (pair.env.trajectory["demand"] != drawn[0]).any()


def test_orders_are_allowed_as_lists_tuples_integers_and_float32():
    pair = Pair(gym_invmgmt.CoreEnv(scenario="serial"))
    pair.reset(1)
    whole = np.array([20, 30, 10])
    for action in (whole, whole.tolist(), tuple(whole.tolist()), whole.astype(np.float32), whole.astype(np.uint8)):
        pair.step(action)


# key figures ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_key_figures_of_the_peer(seed, tmp_path):
    config = [{"base_mu": 20}, BUSY, BUSY | {"use_goodwill": True}][seed % 3]
    network = random_network(seed)
    peer = custom(network, tmp_path, demand_config=config, backlog=seed % 2 == 0, alpha=0.99)
    pair = Pair(peer, instance=network)
    pair.reset(seed)
    pair.play(orders(pair, "fractional", seed)[:20])
    same_figures(pair, partial=True)
    pair.play(orders(pair, "integer", seed)[20:])
    same_figures(pair, partial=False)


def same_figures(pair: Pair, partial: bool) -> None:
    theirs = compute_kpis(pair.peer, partial=partial)
    waves = compute_bullwhip(pair.peer, partial=partial)
    ours = pair.env.kpis(partial=partial)
    names = {
        "profit": "total_profit",
        "profit_per_period": "avg_step_profit",
        "demand": "total_demand",
        "sold": "total_sold",
        "served_rate": "fill_rate",
        "goodwill": "final_sentiment",
    }
    for mine, name in names.items():
        close(ours[mine], theirs[name])
    # The peer means a place, we mean all of them: a network does not turn its stock faster for having more places.
    places = len(pair.env.problem.nodes)
    close(ours["average_inventory"], places * theirs["avg_inventory"])
    close(ours["inventory_turns"] * places, theirs["inventory_turns"])
    # The peer calls what was lost in the last period "backlog" as well.
    close(ours["backlog"], theirs["total_backlog"] if pair.peer.backlog else 0.0)
    close(ours["bullwhip_cv"], waves["bullwhip_ratio"])


@pytest.mark.parametrize("scenario", PUBLISHED["scenarios"], ids=lambda s: s["scenario_key"])
def test_key_figures_of_the_published_table(scenario):
    pair = Pair(gym_invmgmt.CoreEnv(**scenario["core_env_kwargs"]))
    pair.reset(42)
    pair.play(orders(pair, "integer", 5) // 4)
    peer, ours = pair.peer, pair.env.kpis()
    # The definitions of the published table, from the peer's own arrays.
    close(ours["served_rate"], min(1.0, peer.S[:, [0]].sum() / peer.D.sum()))
    assert peer.network.network_links[0] == peer.network.retail_links[0]
    close(ours["alpha_service"], np.mean([(row <= 1e-9).all() for row in peer.U]))
    close(ours["bullwhip_variance"], peer.action_log.sum(axis=1).var() / peer.D.sum(axis=1).var())
    assert 0 < ours["alpha_service"] < 1 or "M5" in scenario["scenario_key"]
    assert ours["bullwhip_variance"] > 0


def test_a_demand_that_never_moves_has_the_published_bullwhip():
    peer = gym_invmgmt.CoreEnv(scenario="serial", demand_config={"noise_scale": 0.0})
    pair = Pair(peer)
    pair.reset(1)
    pair.play(orders(pair, "integer"))
    figures = pair.env.kpis()
    assert figures["bullwhip_cv"] == compute_bullwhip(pair.peer)["bullwhip_ratio"] == 0.0
    assert figures["bullwhip_variance"] == 1.0  # as the published table has it
