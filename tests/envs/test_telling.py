"""What `info` tells of a period, alone and in a vector, and single choices however they are written."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import restock
from restock.conformance.lockstep import same
from restock.core.problem import Told
from restock.envs.single import Environment
from restock.envs.vector import VectorEnvironment
from restock.problems.load import IDS
from restock.problems.production.problem import ProductionProblem


class Telling(ProductionProblem):
    """The plant, which tells numbers in groups, one of them twice, and two of them together."""

    def told(self) -> tuple[Told, ...]:
        return (
            Told("money.revenue", "revenue"),
            Told("sold_any", "sold", truth=True),
            Told("money.holding", "holding"),
            Told("sold", "sold"),
            Told("stock", "on_hand", (2,)),
            Told("stocks.table", "on_hand", (2, 1)),
        )


@pytest.fixture
def problem() -> Telling:
    return Telling(restock.load_problem("production", max_steps=6).spec)  # type: ignore[attr-defined]


def test_numbers_in_groups_are_told_alike_alone_and_in_a_vector(problem: Telling) -> None:
    single, vector = Environment(problem), VectorEnvironment(problem, 2)
    single.reset(seed=3)
    vector.reset(seed=3)
    for choice in (1, 1, 2, 0):
        info = single.step(choice)[-1]
        infos = vector.step(np.array([choice, choice]))[-1]
        row = {name: float(values[0]) for name, values in infos["money"].items() if name[0] != "_"}
        assert info["money"] == row and list(row) == ["revenue", "holding"]
        assert info["sold"] == infos["sold"][0] and info["sold_any"] is bool(infos["sold_any"][0])
        assert info["stock"].tolist() == infos["stock"][0].tolist()
        assert info["stocks"]["table"].tolist() == infos["stocks"]["table"][0].tolist()
        assert {name for name in info if name != "profit"} == {"money", "sold", "sold_any", "stock", "stocks"}
    assert info["stocks"]["table"].shape == (2, 1)
    assert info["stock"].tolist() == single.trajectory["on_hand"][4].tolist()


def test_what_was_told_stays(problem: Telling) -> None:
    env = Environment(problem)
    env.reset(seed=3)
    shown = [env.step(choice) for choice in (1, 1, 2, 1)]
    at_once = [(obs.tolist(), info["stock"].tolist(), dict(info["profit"])) for obs, *_, info in shown]
    assert all(obs.base is None and info["stock"].base is None for obs, *_, info in shown)
    while not env.step(0)[3]:
        pass
    env.reset(seed=4)
    env.step(1)
    assert at_once == [(obs.tolist(), info["stock"].tolist(), dict(info["profit"])) for obs, *_, info in shown]
    assert [stock for _, stock, _ in at_once] == [[1.0, 0.0], [2.0, 0.0], [0.0, 0.0], [1.0, 0.0]]


@pytest.mark.parametrize("choice", [1, np.int64(1), np.int8(1), np.array(1), np.uint64(1), 1.0, np.float32(1.0)])
def test_a_choice_may_be_written_as_any_number(choice: Any) -> None:
    env: Any = gym.make("restock/Production-v0", disable_env_checker=True).unwrapped
    env.reset(seed=0)
    assert env.step(choice)[0][0] == 1.0


@pytest.mark.parametrize("choice", [-1, 3, 2**62, -(2**62), 1.5, 1e300, 2**63, np.float32(0.5), np.int8(-1)])
@pytest.mark.parametrize("id", ["restock/Production-v0", "restock/Minimal-v0", "restock/Serial-v0"])
def test_a_choice_that_there_is_not_is_refused_and_changes_nothing(id: str, choice: Any) -> None:
    choice = 21 if choice == 3 else choice  # one more than the most choices of these
    env: Any = gym.make(id, action="discrete", disable_env_checker=True).unwrapped
    rows: Any = gym.make_vec(id, num_envs=2, action="discrete")
    env.reset(seed=0)
    rows.reset(seed=0)
    most = env.action_space.n - 1
    with pytest.raises(restock.InvalidInput, match=f"^action = .*an integer from 0 to {most}"):
        env.step(choice)
    with pytest.raises(restock.InvalidInput, match=rf"^actions\[1\] = .*an integer from 0 to {most}"):
        rows.step([0, choice])
    assert env.period == 0 and same(env.step(most)[0], gym_twin(id).step(most)[0])
    assert rows.step(np.array([most, most]))[0][0].tolist() == gym_twin(id).step(most)[0].tolist()


def gym_twin(id: str) -> Any:
    """The same environment, begun alike, in which nothing was tried."""
    env: Any = gym.make(id, action="discrete", disable_env_checker=True).unwrapped
    env.reset(seed=0)
    return env


@pytest.mark.parametrize("id", ["restock/Serial-v0", "restock/Retail-v0"])
@pytest.mark.parametrize("wrong", [-1, 21, 1.5])
def test_several_choices_are_refused_by_place(id: str, wrong: Any) -> None:
    env: Any = gym.make(id, action="multidiscrete", disable_env_checker=True).unwrapped
    rows: Any = gym.make_vec(id, num_envs=2, action="multidiscrete")
    env.reset(seed=0)
    rows.reset(seed=0)
    actions = np.zeros((2, *env.action_space.shape), dtype=type(wrong))
    actions[1, 1] = wrong
    before = env.observe().tolist()
    with pytest.raises(restock.InvalidInput, match=r"^action\[1\] = .*must be an integer from 0 to"):
        env.step(actions[1])
    with pytest.raises(restock.InvalidInput, match=r"^actions\[1\]\[1\] = .*must be an integer from 0 to"):
        rows.step(actions)
    assert env.observe().tolist() == before and env.period == 0 and not rows._clock.any()


def test_amounts_are_cut_off_at_their_bounds() -> None:
    env: Any = gym.make("restock/Serial-v0", disable_env_checker=True).unwrapped
    env.reset(seed=0)
    high = env.action_space.high
    beyond = env.step(high * 2.0)[0].tolist()
    env.reset(seed=0)
    assert env.step(high)[0].tolist() == beyond


@pytest.mark.parametrize("choice", [10**30, True, "1", None, [1], np.array([1]), float("nan"), float("inf")])
def test_what_is_no_choice_is_refused(choice: Any) -> None:
    env: Any = gym.make("restock/Production-v0", disable_env_checker=True).unwrapped
    env.reset(seed=0)
    with pytest.raises(restock.InvalidInput, match="action"):
        env.step(choice)
    assert env.period == 0 and env.step(1)[0][0] == 1.0


# plain data -----------------------------------------------------------------------------------------


def data_of(info: Any) -> Any:
    """Everything that an `info` holds, under its path."""
    for name, value in info.items():
        assert type(name) is str
        if type(value) is dict:
            yield from ((f"{name}.{inner}", one) for inner, one in data_of(value))
        else:
            yield name, value


@pytest.mark.parametrize("id", IDS)
def test_info_is_plain_data_with_memory_of_its_own(id: str) -> None:
    env: Any = gym.make(id, disable_env_checker=True)
    env.action_space.seed(0)
    told = [env.reset(seed=1)[1], env.step(env.action_space.sample())[-1]]
    for info in told:
        arrays = 0
        for name, value in data_of(info):
            if isinstance(value, np.ndarray):
                arrays += 1
                assert value.base is None and value.flags.owndata, name
            else:
                assert type(value) in (float, int, bool), name
        assert arrays or json.loads(json.dumps(info)) == info
        assert type(info["profit"]) is dict
        assert len(pickle.dumps(info)) < 2000
    obs = env.step(env.action_space.sample())[0]
    assert all(block.base is None for block in (obs.values() if isinstance(obs, dict) else [obs]))


@pytest.mark.parametrize("id", IDS)
def test_reset_tells_the_same_things_as_step(id: str) -> None:
    env: Any = gym.make(id, disable_env_checker=True)
    env.action_space.seed(0)
    first, later = (
        {name: (type(value), np.shape(value)) for name, value in data_of(info)}
        for info in (env.reset(seed=1)[1], env.step(env.action_space.sample())[-1])
    )
    assert first == later
    assert set(env.reset(seed=1)[1]["profit"].values()) == {0.0}


@pytest.mark.parametrize("episode", [30, 3000])
def test_what_is_told_does_not_grow_with_the_episode(episode: int) -> None:
    env: Any = gym.make("restock/Serial-v0", horizon=episode)
    env.reset(seed=0)
    obs, *_, info = env.step(env.action_space.sample())
    assert len(pickle.dumps(info)) < 400 and len(pickle.dumps(obs)) < 400
    assert copy.deepcopy(info) == info


def test_a_copy_of_info_is_deep_and_a_pickle_of_it_plain() -> None:
    """Infos are copied by a method of their own: what a wrapper adds to one is copied as Python would."""
    env: Any = gym.make("restock/Serial-v0")
    info = env.reset(seed=0)[1]
    info["terminal_observation"] = added = np.zeros(3)
    info["nested"] = {"list": [1.0]}
    kept = copy.deepcopy(info)
    added[0], info["nested"]["list"][0], info["profit"]["total"] = 5.0, 7.0, 9.0
    assert (
        kept["terminal_observation"][0] == 0.0 and kept["nested"] == {"list": [1.0]} and kept["profit"]["total"] == 0.0
    )
    assert type(kept) is dict and type(kept["profit"]) is dict
    assert type(pickle.loads(pickle.dumps(info))) is dict and b"restock" not in pickle.dumps(info)


def test_a_network_tells_what_to_monitor() -> None:
    env: Any = gym.make("restock/Divergent-v0", demand={"mean": 60}).unwrapped
    rows: Any = gym.make_vec("restock/Divergent-v0", num_envs=2, demand={"mean": 60})
    _, info = env.reset(seed=3)
    rows.reset(seed=3)
    assert info["on_hand"] == env.trajectory["on_hand"].sum() and info["sold"] == info["filled"] == 0.0
    seen: dict[str, list[float]] = {name: [] for name in env.problem.monitored}
    assert list(seen) == ["on_hand", "backlog", "sold", "filled"]
    for _ in range(12):
        action = np.full(env.action_space.shape, 5.0, dtype=np.float32)
        info = env.step(action)[-1]
        infos = rows.step(np.stack([action, action]))[-1]
        for name, values in seen.items():
            values.append(info[name])
            assert infos[name][0] == info[name] and infos["_" + name].all()
    trajectory = env.trajectory
    for name in ("on_hand", "backlog"):
        np.testing.assert_allclose(seen[name], trajectory[name][1:].sum(axis=1))
    np.testing.assert_allclose(seen["sold"], trajectory["sold"].sum(axis=1))
    waiting = trajectory["backlog"][:-1, 0]  # one market, whose oldest demand is served first
    at_once = np.clip(trajectory["sold"][:, 0] - waiting, 0.0, None)
    np.testing.assert_allclose(seen["filled"], at_once)
    assert seen["filled"][0] > 0.0 == seen["filled"][-1] < seen["sold"][-1]  # later only demand that waited is served
