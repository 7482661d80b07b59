"""What gym-invmgmt 0.2.1 gets wrong and restock does not: one test each, the peer's behaviour beside ours."""

from __future__ import annotations

from typing import Any

import gym_invmgmt
import gymnasium as gym
import numpy as np
import pytest
import yaml

from restock import InvalidInput, load_problem
from restock.problems.network.forms import order_bounds
from tests.problems.network.networks import small
from tests.problems.network.peer import custom, peer_network

TWO_MARKETS: dict[str, Any] = {
    "horizon": 200,
    "nodes": [{"id": 1, "initial_inventory": 50, "holding_cost": 0.1}, {"id": 2}],
    "links": [{"from": 2, "to": 1, "lead_time": 1, "price": 1, "pipeline_cost": 0}],
    "markets": [
        {"from": 1, "to": 10, "price": 2, "shortage_cost": 1, "mean": 8},
        {"from": 1, "to": 11, "price": 2, "shortage_cost": 1, "mean": 31},
    ],
}


def demands(problem: Any, seed: int = 3, **kwargs: Any) -> np.ndarray:
    """Demand of one episode without orders, shape (T, M)."""
    env = gym.make("restock/Network-v0", instance=problem, **kwargs).unwrapped
    env.reset(seed=seed)
    for _ in range(env.problem.horizon):
        env.step(np.zeros(len(env.problem.links)))
    return env.trajectory["demand"]


def peer_demands(peer: Any, seed: int = 3) -> np.ndarray:
    peer.reset(seed=seed)
    for _ in range(peer.num_periods):
        peer.step(np.zeros(len(peer.network.reorder_links)))
    return peer.D


def written(peer: dict[str, Any], folder: Any, **kwargs: Any) -> Any:
    """The peer's environment of a file in its own words."""
    path = folder / "peer.yaml"
    path.write_text(yaml.safe_dump(peer, sort_keys=False))
    return gym_invmgmt.CoreEnv(scenario="custom", config_path=path, **kwargs)


def test_means_given_per_retail_link_are_honoured(tmp_path):
    network = peer_network(TWO_MARKETS)
    for edge, mean in zip(network["edges"][1:], (8, 31), strict=True):
        edge["dist_param"] = {"mu": mean}
    theirs = peer_demands(written(network, tmp_path, num_periods=200)).mean(axis=0)
    ours = demands(TWO_MARKETS).mean(axis=0)
    assert (abs(theirs - 20) < 2).all()
    assert abs(ours[0] - 8) < 1 and abs(ours[1] - 31) < 2
    assert load_problem(TWO_MARKETS).demand.mean[0].tolist() == [8, 31]


def test_unseeded_copies_differ():
    def orders_seen(env: Any) -> list[float]:
        return [float(env.step(np.zeros(3))[0][0]) for _ in range(10)]

    peers = [gym_invmgmt.CoreEnv(scenario="serial") for _ in range(2)]
    assert orders_seen(peers[0]) == orders_seen(peers[1])
    ours = [gym.make("restock/Serial-v0") for _ in range(2)]
    for env in ours:
        env.reset()
    assert orders_seen(ours[0]) != orders_seen(ours[1])
    vector = gym.make_vec("restock/Serial-v0", num_envs=2)
    vector.reset()
    steps = np.stack([vector.step(np.zeros((2, 3)))[0][:, 0] for _ in range(10)])
    assert (steps[:, 0] != steps[:, 1]).any()


def test_uniform_demand_has_the_mean_it_was_given(tmp_path):
    network = peer_network(small())
    network["edges"][-1] |= {"demand_dist": "uniform", "dist_param": {"loc": 0, "scale": 40}}
    theirs = peer_demands(written(network, tmp_path, num_periods=400))
    ours = demands(small(), horizon=400, demand={"mean": 20, "distribution": "uniform"})
    assert theirs.mean() > 30
    assert abs(ours.mean() - 20) < 2 and ours.max() <= 40


def test_uniform_low_and_high_and_normal_sd_work(tmp_path):
    for name, parameters in (("uniform", {"low": 5, "high": 15}), ("normal", {"mu": 20, "sigma": 4})):
        network = peer_network(small())
        network["edges"][-1] |= {"demand_dist": name, "dist_param": parameters}
        with pytest.raises(TypeError):
            peer_demands(written(network, tmp_path))
    between = demands(small(), horizon=400, demand={"distribution": {"name": "uniform", "low": 5, "high": 15}})
    assert between.min() >= 5 and between.max() <= 15 and abs(between.mean() - 10) < 1
    normal = demands(small(), horizon=400, demand={"mean": 20, "distribution": {"name": "normal", "sd": 4}})
    assert abs(normal.mean() - 20) < 1 and abs(normal.std() - 4) < 0.6
    with pytest.raises(InvalidInput, match=r"distribution\.mu"):
        load_problem(small(), demand={"distribution": {"name": "normal", "mu": 20, "sigma": 4}})


def test_an_action_that_is_not_finite_names_its_link_and_changes_nothing():
    peer = gym_invmgmt.CoreEnv(scenario="serial")
    peer.reset(seed=1)
    peer.step(np.array([1.0, np.nan, 1.0]))
    assert np.isnan(peer.step(np.ones(3))[1])
    env = gym.make("restock/Serial-v0").unwrapped
    env.reset(seed=1)
    before = env.observe()
    with pytest.raises(InvalidInput, match=r"action\[1\] = nan: order 3 -> 2"):
        env.step(np.array([1.0, np.nan, 1.0]))
    np.testing.assert_array_equal(env.observe(), before)
    assert np.isfinite(env.step(np.ones(3))[1])


def test_an_action_of_the_wrong_shape_is_refused():
    peer = gym_invmgmt.CoreEnv(scenario="serial")
    peer.reset(seed=1)
    with pytest.raises(IndexError):
        peer.step(np.array([5.0]))
    assert peer.R[0, 0] == 5.0  # shipped nevertheless
    env = gym.make("restock/Serial-v0").unwrapped
    env.reset(seed=1)
    for action in (np.ones(1), np.ones(4), np.ones((1, 3)), 5.0):
        with pytest.raises(InvalidInput, match=r"must be \(3,\)"):
            env.step(action)
    assert env.period == 0


def test_orders_outside_the_space_are_clipped():
    peer = gym_invmgmt.CoreEnv(scenario="serial")
    peer.reset(seed=1)
    peer.step(np.full(3, 1e6))
    assert peer.R[0, 2] == 1e6 > peer.action_space.high[2]
    env = gym.make("restock/Serial-v0").unwrapped
    env.reset(seed=1)
    env.step(np.full(3, 1e6))
    np.testing.assert_array_equal(env.trajectory["ordered"][0], env.action_space.high)
    env.step(np.full(3, -1e6))
    np.testing.assert_array_equal(env.trajectory["ordered"][1], 0.0)


def test_unknown_keywords_are_refused():
    gym_invmgmt.CoreEnv(scenario="serial", num_priods=3)
    with pytest.raises(InvalidInput, match="Did you mean 'horizon'"):
        gym.make("restock/Serial-v0", horison=3)


def test_unknown_fields_of_a_file_are_refused(tmp_path):
    network = peer_network(small())
    network["nodes"][0]["holding"] = 3
    written(network, tmp_path)
    path = tmp_path / "ours.yaml"
    data = small()
    data["nodes"][0]["holding"] = 3
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(InvalidInput, match=r"ours.yaml: nodes\[0\].holding = 3: there is no such field"):
        load_problem(path)


def test_unknown_names_in_demand_are_refused():
    gym_invmgmt.CoreEnv(scenario="serial", demand_config={"base_mean": 3})
    with pytest.raises(InvalidInput, match=r"demand\.base_mean = 3"):
        load_problem("serial", demand={"base_mean": 3})


def test_duplicate_ids_are_refused(tmp_path):
    network = peer_network(small())
    network["nodes"].insert(1, dict(network["nodes"][0]))
    written(network, tmp_path)
    data = small()
    data["nodes"].insert(1, dict(data["nodes"][0]))
    with pytest.raises(InvalidInput, match=r"nodes\[1\].id = 1: this id is taken"):
        load_problem(data)


@pytest.mark.parametrize(("theirs", "ours", "value"), [("h", "holding_cost", -1.0), ("I0", "initial_inventory", -5.0)])
def test_negative_numbers_are_refused(theirs, ours, value, tmp_path):
    network, data = peer_network(small()), small()
    network["nodes"][0][theirs] = data["nodes"][0][ours] = value
    written(network, tmp_path)
    with pytest.raises(InvalidInput, match=rf"nodes\[0\].{ours} = {value}: must be at least 0"):
        load_problem(data)


def test_text_for_a_number_is_refused(tmp_path):
    network, data = peer_network(small()), small()
    network["nodes"][0]["h"] = data["nodes"][0]["holding_cost"] = "0.5"
    peer = written(network, tmp_path)
    with pytest.raises(TypeError):  # as late as the first step
        peer.step(np.zeros(2))
    with pytest.raises(InvalidInput, match="Write it without quotes"):
        load_problem(data)


def test_a_yield_of_zero_is_refused(tmp_path):
    network, data = peer_network(small()), small()
    network["nodes"][1]["v"] = data["nodes"][1]["yield"] = 0.0
    peer = written(network, tmp_path)
    with pytest.raises(ZeroDivisionError):
        peer.step(np.zeros(2))
    with pytest.raises(InvalidInput, match=r"nodes\[1\].yield = 0.0"):
        load_problem(data)


def test_an_outside_source_with_stock_is_refused(tmp_path):
    network, data = peer_network(small()), small()
    network["nodes"][2] |= {"I0": 5, "h": 0.1}
    data["nodes"][2] |= {"initial_inventory": 5, "holding_cost": 0.1}
    peer = written(network, tmp_path)
    peer.step(np.array([0.0, 50.0]))
    assert peer.X.min() < 0
    with pytest.raises(InvalidInput, match="outside source"):
        load_problem(data)


def test_a_yield_on_a_distributor_is_refused(tmp_path):
    network, data = peer_network(small()), small()
    for words, node in ((network, "v"), (data, "yield")):
        words["nodes"].append({"id": 5, **{k: v for k, v in words["nodes"][0].items() if k != "id"}, node: 0.5})
    network["edges"] += [{"from": 3, "to": 5, "L": 2, "p": 1, "g": 0}, {"from": 5, "to": 1, "L": 0, "p": 1, "g": 0}]
    data["links"] += [{"from": a, "to": b, "lead_time": 0, "price": 1} for a, b in ((3, 5), (5, 1))]
    peer = written(network, tmp_path)
    peer.step(np.full(4, 10.0))
    assert peer.X.min() < 0
    with pytest.raises(InvalidInput, match=r"nodes\[3\].yield = 0.5: only a factory"):
        load_problem(data)


def test_negative_demand_is_refused():
    returns = np.full(30, -5.0)
    peer = gym_invmgmt.CoreEnv(scenario="serial", user_D={(1, 0): returns})
    peer.reset(seed=1)
    peer.step(np.zeros(3))
    assert peer.X[1, 1] > peer.X[0, 1]
    with pytest.raises(InvalidInput, match=r"demand.series\[0\] = -5.0: demand cannot be negative"):
        load_problem("serial", demand={"series": returns})
    env = gym.make("restock/Serial-v0")
    with pytest.raises(InvalidInput, match="cannot be negative"):
        env.reset(options={"exogenous": {"demand": returns}})


def test_a_demand_series_has_no_noise_unless_it_is_written():
    series = np.full(30, 17.0)
    theirs = peer_demands(gym_invmgmt.CoreEnv(scenario="serial", demand_config={"external_series": series}))
    assert theirs.std() > 1
    np.testing.assert_array_equal(demands("serial", demand={"series": series})[:, 0], series)
    assert demands("serial", demand={"series": series, "noise_scale": 1.0}).std() > 1


def test_stepping_after_the_end_is_refused():
    peer = gym_invmgmt.CoreEnv(scenario="serial", num_periods=2)
    env = gym.make("restock/Serial-v0", horizon=2).unwrapped
    env.reset(seed=1)
    for world in (peer, env):
        world.step(np.zeros(3))
        world.step(np.zeros(3))
    assert peer.step(np.full(3, 20.0))[1] == 0.0
    with pytest.raises(InvalidInput, match="the episode is over"):
        env.step(np.full(3, 20.0))


def test_order_bounds_suit_each_link():
    peer = gym_invmgmt.CoreEnv(scenario="network")
    assert (peer.action_space.high == 3100).all()
    env = gym.make("restock/Divergent-v0")
    high = env.action_space.high
    assert high.max() <= 100 and high.min() >= 20
    for bound, link in zip(high, env.unwrapped.problem.spec.ordered_links, strict=True):
        capacity = {node.id: node.capacity for node in env.unwrapped.problem.spec.nodes}[link.source]
        assert capacity is None or bound <= capacity


@pytest.mark.parametrize("seed", range(3))
def test_order_bounds_stay_sensible_in_deep_networks(seed):
    rng = np.random.default_rng(seed)
    nodes = [{"id": k, "initial_inventory": 10, "holding_cost": 0.1} for k in range(120)]
    links = [
        {"from": k, "to": int(buyer), "lead_time": 1, "price": 1}
        for k in range(1, 120)
        for buyer in sorted(set(rng.integers(max(0, k - 10), k, 3)))
    ]
    supplied = {link["to"] for link in links}
    links += [{"from": 999, "to": k, "lead_time": 1, "price": 1} for k in range(120) if k not in supplied]
    market = {"from": 0, "to": -1, "price": 2, "shortage_cost": 1, "mean": 25}
    problem = load_problem({"nodes": [*nodes, {"id": 999}], "links": links, "markets": [market]})
    np.testing.assert_array_equal(order_bounds(problem), 100.0)  # four periods of all the demand there is


def test_a_market_with_stock_is_refused_at_once(tmp_path):
    network = peer_network(small())
    network["nodes"][-1] |= {"I0": 5}
    with pytest.raises(KeyError):
        written(network, tmp_path).step(np.zeros(2))
    data = small()
    data["nodes"].append({"id": 0, "initial_inventory": 5, "holding_cost": 0.1})
    with pytest.raises(InvalidInput, match=r"markets\[0\].to = 0: .* a market keeps no stock"):
        load_problem(data)


def test_mixed_ids_are_refused_at_once(tmp_path):
    network = peer_network(small())
    for entry in [*network["nodes"], *network["edges"]]:
        for name in ("id", "from", "to"):
            if entry.get(name) == 2:
                entry[name] = "plant"
    with pytest.raises(Exception):  # noqa: B017 - some error from inside NumPy, whichever it is
        written(network, tmp_path).step(np.zeros(2))
    data = small()
    data["nodes"][1]["id"] = data["links"][0]["from"] = data["links"][1]["to"] = "plant"
    with pytest.raises(InvalidInput, match="some ids are integers and some are text"):
        load_problem(data)


def test_a_rounding_error_of_stock_is_not_charged_as_an_order(tmp_path):
    """Rationing leaves crumbs of 1e-15 units; the peer pays the fixed cost on them, restock from 1e-9 units on."""
    stock = 0.1 + 0.2
    data: dict[str, Any] = {
        "nodes": [
            {"id": 1, "initial_inventory": 0, "holding_cost": 0},
            {"id": 2, "initial_inventory": stock, "holding_cost": 0},
            {"id": 3, "initial_inventory": 0, "holding_cost": 0},
            {"id": 9},
        ],
        "links": [
            {"from": 2, "to": 1, "lead_time": 1, "price": 0, "pipeline_cost": 0, "fixed_cost": 7},
            {"from": 2, "to": 3, "lead_time": 1, "price": 0, "pipeline_cost": 0, "fixed_cost": 7},
            {"from": 9, "to": 2, "lead_time": 1, "price": 0, "pipeline_cost": 0},
        ],
        "markets": [{"from": k, "to": 0, "price": 0, "shortage_cost": 0} for k in (1, 3)],
    }
    peer = custom(data, tmp_path)
    peer.reset(seed=1)
    action = np.array([0.3, 5.0, 0.0])  # 0.1 + 0.2 is 0.3 and a crumb
    assert peer.step(action)[1] == -14.0
    env = gym.make("restock/Network-v0", instance=data)
    env.reset(seed=1)
    assert env.step(action)[1] == -7.0
