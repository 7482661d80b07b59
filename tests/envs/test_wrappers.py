"""Wrappers: whole-unit orders, stacked observations, randomised demand, episode logs."""

from __future__ import annotations

import copy
import os
import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import polars
import pytest
from gymnasium.vector import AutoresetMode

import restock
from restock.conformance.lockstep import MODES, in_lockstep, row, same, sampled
from restock.envs.wrappers import (
    EpisodeLog,
    FrameStack,
    IntegerOrders,
    RandomDemand,
    VectorFrameStack,
    VectorIntegerOrders,
    VectorRandomDemand,
)

DIVERGENT = "restock/Divergent-v0"


def refused(field: str, call: Any) -> restock.InvalidInput:
    with pytest.raises(restock.InvalidInput) as caught:
        call()
    assert caught.value.field == field, caught.value
    return caught.value


def played(env: Any, steps: int = 30) -> Any:
    """The trajectory after so many periods of sampled actions."""
    env.action_space.seed(0)
    for _ in range(steps):
        env.step(env.action_space.sample())
    return env.unwrapped.trajectory


# whole-unit orders --------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["quantity", "order-up-to"])
def test_orders_are_the_nearest_whole_numbers(action: str) -> None:
    env = IntegerOrders(gym.make(DIVERGENT, action=action))
    bare = gym.make(DIVERGENT, action=action)
    assert env.action_space == bare.action_space
    env.reset(seed=1)
    bare.reset(seed=1)
    env.action_space.seed(0)
    for _ in range(30):
        wanted = env.action_space.sample()
        obs, reward, *_ = env.step(wanted)
        expected, paid, *_ = bare.step(np.rint(wanted))
        assert same(obs, expected) and reward == paid
    if action == "quantity":
        orders = env.unwrapped.trajectory["ordered"]
        assert np.array_equal(orders, np.rint(orders)) and orders.max() > 0.0


def test_a_fractional_bound_is_rounded_down() -> None:
    env = IntegerOrders(gym.make("restock/Serial-v0", max_order=[2.6, 0.4, 9.0]))
    env.reset(seed=0)
    env.step(env.action_space.high)
    assert env.unwrapped.trajectory["ordered"][0].tolist() == [2.0, 0.0, 9.0]


def test_rows_are_rounded_alike() -> None:
    vector = VectorIntegerOrders(gym.make_vec(DIVERGENT, num_envs=3))
    singles = [IntegerOrders(gym.make(DIVERGENT)) for _ in range(3)]
    vector.reset(seed=4)
    for i, single in enumerate(singles):
        single.reset(seed=4 + i)
    in_lockstep(vector, singles, AutoresetMode.NEXT_STEP, 40, sampled(vector.action_space, 0))


@pytest.mark.parametrize("bad", [np.full(11, np.nan), np.zeros(3), "all", [[1.0], [1.0, 2.0]], None])
def test_bad_actions_are_told_as_ever(bad: Any) -> None:
    env = IntegerOrders(gym.make(DIVERGENT).unwrapped)
    env.reset(seed=0)
    with pytest.raises(restock.InvalidInput):
        env.step(bad)
    assert env.unwrapped.period == 0


def test_whole_units_need_physical_units() -> None:
    for action in ("normalized", "multidiscrete"):
        refused("action", lambda action=action: IntegerOrders(gym.make(DIVERGENT, action=action)))
        refused("action", lambda action=action: VectorIntegerOrders(gym.make_vec(DIVERGENT, 2, action=action)))
    refused("action", lambda: IntegerOrders(gym.make("CartPole-v1")))


# stacked observations -----------------------------------------------------------------------------


@pytest.mark.parametrize("padding", ["reset", "zero"])
@pytest.mark.parametrize("observation", ["flat", "dict"])
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_stacks_of_rows_equal_stacks_of_single_environments(
    mode: AutoresetMode, observation: str, padding: str
) -> None:
    kwargs: dict[str, Any] = {"observation": observation, "horizon": 5, "action": "normalized"}
    bare = gym.make_vec(DIVERGENT, num_envs=3, autoreset_mode=mode, **kwargs)
    vector = VectorFrameStack(bare, 3, padding_type=padding)
    singles = [FrameStack(gym.make(DIVERGENT, **kwargs), 3, padding_type=padding) for _ in range(3)]
    assert vector.single_observation_space == singles[0].observation_space
    obs, _ = vector.reset(seed=1)
    for i, single in enumerate(singles):
        assert same(row(obs, i), single.reset(seed=1 + i)[0])
    assert in_lockstep(vector, singles, mode, 25, sampled(vector.action_space, 0)) >= 9


def test_a_stack_holds_the_last_observations() -> None:
    env, bare = FrameStack(gym.make(DIVERGENT), 3), gym.make(DIVERGENT)
    seen = [bare.reset(seed=0)[0]] * 3
    assert same(env.reset(seed=0)[0], np.stack(seen))
    for _ in range(5):
        action = bare.action_space.sample()
        seen = [*seen[1:], bare.step(action)[0]]
        assert same(env.step(action)[0], np.stack(seen))


def test_stacks_of_rows_reset_one_by_one() -> None:
    kwargs: dict[str, Any] = {"horizon": 20}
    vector = VectorFrameStack(gym.make_vec(DIVERGENT, num_envs=3, autoreset_mode="DISABLED", **kwargs), 4)
    singles = [FrameStack(gym.make(DIVERGENT, **kwargs), 4) for _ in range(3)]
    vector.reset(seed=1)
    for i, single in enumerate(singles):
        single.reset(seed=1 + i)
    actions = sampled(vector.action_space, 0)
    in_lockstep(vector, singles, AutoresetMode.DISABLED, 6, actions)
    obs, _ = vector.reset(options={"reset_mask": np.array([False, True, False])})
    assert same(row(obs, 1), singles[1].reset()[0])
    in_lockstep(vector, singles, AutoresetMode.DISABLED, 17, actions)


def test_a_reset_by_hand_after_the_end_is_not_taken_for_another() -> None:
    vector = VectorFrameStack(gym.make_vec(DIVERGENT, num_envs=2, horizon=2), 3)
    single = FrameStack(gym.make(DIVERGENT, horizon=2), 3)
    actions = sampled(vector.action_space, 0)
    vector.reset(seed=0)
    single.reset(seed=0)
    for t in range(2):
        action = actions(t)
        vector.step(action)
        single.step(action[0])
    vector.reset()
    single.reset()
    action = actions(2)
    assert same(row(vector.step(action)[0], 0), single.step(action[0])[0])


def test_stacks_that_were_returned_do_not_change() -> None:
    vector = VectorFrameStack(gym.make_vec(DIVERGENT, num_envs=2), 3)
    first, _ = vector.reset(seed=0)
    kept = first.copy()
    vector.step(vector.action_space.sample())
    assert np.array_equal(first, kept)


@pytest.mark.parametrize("wrap", [FrameStack, VectorFrameStack])
def test_bad_stacks(wrap: Any) -> None:
    env = gym.make(DIVERGENT) if wrap is FrameStack else gym.make_vec(DIVERGENT, num_envs=2)
    for size in (0, -1, 2.0, True, "4", None):
        refused("stack_size", lambda size=size: wrap(env, size))
    for padding in ("zeros", None, 0.0):
        refused("padding_type", lambda padding=padding: wrap(env, 2, padding_type=padding))


# randomised demand --------------------------------------------------------------------------------

EVERYTHING: dict[str, Any] = {
    "effects": 0.5,
    "level": [0.5, 1.5],
    "noise_scale": [0.0, 2.0],
    "goodwill": 0.5,
    "backlog": 0.5,
}
SPECS: dict[str, Any] = {
    "specs": [{"mean": 5}, {"mean": 50, "goodwill": True}, {"distribution": "uniform"}],
    "backlog": 0.3,
}


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
@pytest.mark.parametrize("sampler", ["numpy", "inverse"])
@pytest.mark.parametrize("regimes", [EVERYTHING, SPECS], ids=["drawn", "listed"])
def test_rows_meet_the_regimes_of_single_environments(
    regimes: dict[str, Any], sampler: str, mode: AutoresetMode
) -> None:
    kwargs: dict[str, Any] = {"horizon": 8, "demand": {"sampler": sampler, "mean": 30}, "observation": "scaled"}
    vector = VectorRandomDemand(gym.make_vec(DIVERGENT, num_envs=3, autoreset_mode=mode, **kwargs), **regimes)
    singles = [RandomDemand(gym.make(DIVERGENT, **kwargs), **regimes) for _ in range(3)]
    assert vector.single_observation_space == singles[0].observation_space
    obs, infos = vector.reset(seed=7)
    for i, single in enumerate(singles):
        expected, info = single.reset(seed=7 + i)
        assert same(row(obs, i), expected)
        assert infos["_regime"][i]
        assert {name: values[i] for name, values in infos["regime"].items() if name[0] != "_"} == info["regime"]
    assert in_lockstep(vector, singles, mode, 60, sampled(vector.action_space, 0)) >= 12
    obs, _ = vector.reset(seed=[None, 50, None])  # one row begins a new stream, the others go on
    for i, single in enumerate(singles):
        assert same(row(obs, i), single.reset(seed=50 if i == 1 else None)[0])
    in_lockstep(vector, singles, mode, 20, sampled(vector.action_space, 1))


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_rows_tell_the_regime_when_they_begin(mode: AutoresetMode) -> None:
    vector = VectorRandomDemand(gym.make_vec(DIVERGENT, num_envs=2, horizon=3, autoreset_mode=mode), level=[0.5, 1.5])
    infos = [vector.reset(seed=0)[1]]
    for _ in range(7 if mode is not AutoresetMode.DISABLED else 3):
        infos.append(vector.step(vector.action_space.sample())[4])
    told = [t for t, info in enumerate(infos) if "regime" in info]
    begins = {AutoresetMode.NEXT_STEP: [0, 4], AutoresetMode.SAME_STEP: [0, 3, 6], AutoresetMode.DISABLED: [0]}
    assert told == begins[mode]
    assert all(infos[t]["_regime"].all() and infos[t]["regime"]["level"].dtype == float for t in told)
    if mode is AutoresetMode.DISABLED:
        info = vector.reset(options={"reset_mask": np.array([False, True])})[1]
        assert info["_regime"].tolist() == [False, True]


def test_regimes_come_as_often_as_asked() -> None:
    env = RandomDemand(
        gym.make("restock/Serial-v0", horizon=1),
        effects={"trend": 0.2, "shock": 1.0}, level=[0.5, 1.5], noise_scale=[1.0, 3.0], goodwill=0.5, backlog=0.75,
    )  # fmt: skip
    regimes = [env.reset(seed=0 if k == 0 else None)[1]["regime"] for k in range(1000)]
    seen = Counter(name for regime in regimes for name in regime["effects"].split())
    assert 150 < seen["trend"] < 250 and seen["shock"] == 1000 and seen["seasonal"] == 0
    assert 450 < sum(regime["goodwill"] for regime in regimes) < 550
    assert 700 < sum(regime["backlog"] for regime in regimes) < 800
    for name, low, high in (("level", 0.5, 1.5), ("noise_scale", 1.0, 3.0)):
        values = np.array([regime[name] for regime in regimes])
        assert values.min() >= low and values.max() <= high
        assert abs(values.mean() - (low + high) / 2.0) < 0.05 * (high - low)


def test_listed_specs_come_equally_often() -> None:
    env = RandomDemand(gym.make("restock/Serial-v0", horizon=1), **SPECS)
    seen = Counter(str(env.reset(seed=0 if k == 0 else None)[1]["regime"]["demand"].mean) for k in range(900))
    assert all(240 < count < 360 for count in seen.values()) and len(seen) == 3


@pytest.mark.parametrize("demand", [{}, {"series": np.arange(40.0)}, {"distribution": "negative_binomial"}])
def test_the_regime_in_the_info_is_the_one_that_is_played(demand: dict[str, Any]) -> None:
    """The told demand, given to an environment of its own, has the same mean curve and noise."""
    env = RandomDemand(gym.make("restock/Serial-v0", demand=demand), effects=0.7, level=[0.3, 2.0], noise_scale=[0, 2])
    for seed in range(6):
        regime = env.reset(seed=seed)[1]["regime"]
        told = gym.make("restock/Serial-v0", demand=regime["demand"], backlog=regime["backlog"])
        told.reset(seed=seed)
        ours, theirs = played(env), played(told)
        assert np.allclose(ours.exogenous["mean"], theirs.exogenous["mean"], rtol=1e-12)
        assert np.allclose(ours["demand"], theirs["demand"], rtol=1e-12)


def test_level_scales_the_mean_of_every_market() -> None:
    env = RandomDemand(gym.make("restock/Network-v0", instance="distribution-tree"), effects=0.0, level=[3.0, 3.0])
    bare = gym.make("restock/Network-v0", instance="distribution-tree")
    info = env.reset(seed=0)[1]
    bare.reset(seed=0)
    flat = bare.unwrapped.problem.demand.mean / bare.unwrapped.problem.spec.demand.effects.factor(56)[:, None]
    assert info["regime"]["level"] == 3.0 and info["regime"]["effects"] == ""
    assert np.allclose(played(env, 5).exogenous["mean"], 3.0 * flat)


def test_nothing_but_demand_is_touched() -> None:
    """With every probability at 0 and the level at 1 the episode is the environment's own."""
    env = RandomDemand(gym.make(DIVERGENT), effects=0.0, level=[1.0, 1.0])
    bare = gym.make(DIVERGENT)
    assert env.action_space == bare.action_space and env.observation_space == bare.observation_space
    env.reset(seed=5)
    bare.reset(seed=5)
    ours, theirs = played(env), played(bare)
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize("sampler", ["numpy", "inverse"])
def test_episodes_of_one_regime_differ(sampler: str) -> None:
    env = RandomDemand(gym.make("restock/Serial-v0", demand={"sampler": sampler}), effects=0.0, level=[1.0, 1.0])
    env.reset(seed=1)
    first = played(env)["demand"]
    env.reset()
    assert not np.array_equal(played(env)["demand"], first)


@pytest.mark.parametrize("observation", ["flat", "scaled", "dict"])
def test_a_space_that_is_wide_enough_stays_as_it_is(observation: str) -> None:
    bare = gym.make("restock/Serial-v0", observation=observation, demand={"goodwill": True})
    space = bare.observation_space
    assert RandomDemand(bare, goodwill=0.5).observation_space == space


@pytest.mark.parametrize("observation", ["flat", "scaled", "dict"])
def test_observations_stay_in_a_space_that_stays(observation: str) -> None:
    env = RandomDemand(
        gym.make("restock/Serial-v0", observation=observation, horizon=200), goodwill=0.5, level=[0.1, 0.2]
    )
    space = env.observation_space
    highest = 0.0
    for seed in range(8):
        assert env.reset(seed=seed)[0] in space
        for _ in range(200):
            obs, *_ = env.step(env.action_space.high)
            assert obs in space and env.observation_space is space
        highest = max(highest, float(obs["goodwill"][0] if observation == "dict" else obs[-1]))
    assert highest > 1.5  # goodwill rose above the bound of the environment without it


def test_same_seed_same_regimes_and_streams_that_go_on() -> None:
    def told(seeds: list[int | None]) -> list[float]:
        env = RandomDemand(gym.make("restock/Serial-v0"), level=[0.5, 1.5])
        return [env.reset(seed=seed)[1]["regime"]["level"] for seed in seeds]

    assert told([1, None, None]) == told([1, None, None])
    assert len(set(told([1, None, None, 2]))) == 4
    assert told([1, None, 1, None])[:2] == told([1, None, 1, None])[2:]
    assert told([None]) != told([None])


def test_replay_leaves_the_recorded_episode_alone() -> None:
    env = RandomDemand(gym.make("restock/Serial-v0"), level=[2.0, 3.0], backlog=0.0)
    recorded = np.arange(30.0)[:, None]
    info = env.reset(seed=1, options={"exogenous": {"demand": recorded}})[1]
    assert "regime" not in info
    now = played(env)
    assert np.array_equal(now["demand"], recorded)
    assert "regime" in env.reset()[1]


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))], ids=["copy", "pickle"]
)
def test_a_duplicate_meets_the_same_regimes(duplicate: Any) -> None:
    env = RandomDemand(gym.make("restock/Serial-v0", horizon=4), **EVERYTHING)
    env.reset(seed=3)
    played(env, 2)
    twin = duplicate(env)
    for _ in range(5):
        ours, theirs = env.reset(), twin.reset()
        assert same(ours[0], theirs[0]) and ours[1] == theirs[1]
        a, b = played(env, 4), played(twin, 4)
        assert np.array_equal(a["demand"], b["demand"])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"effects": 1.5}, "regimes.effects.trend"),
        ({"effects": {"trends": 0.5}}, "regimes.effects.trends"),
        ({"effects": {"trend": "often"}}, "regimes.effects.trend"),
        ({"level": [1.2, 0.8]}, "regimes.level"),
        ({"level": [-1.0, 1.0]}, "regimes.level"),
        ({"level": 1.0}, "regimes.level"),
        ({"level": [1.0]}, "regimes.level"),
        ({"noise_scale": [0.5, 0.1]}, "regimes.noise_scale"),
        ({"goodwill": 2.0}, "regimes.goodwill"),
        ({"backlog": "yes"}, "regimes.backlog"),
        ({"levels": [1.0, 2.0]}, "regimes.levels"),
        ({"specs": []}, "regimes.specs"),
        ({"specs": [{"mean": -1}]}, "regimes.specs[0].mean"),
        ({"specs": [{"mean": 3}], "level": [1.0, 2.0]}, "regimes.level"),
        ({"specs": [{"mean": 3}, {"mean": [1, 2, 3]}]}, "regimes.specs[1].mean"),
        ({"specs": [{"goodwill": True, "sampler": "sequential"}]}, "regimes.specs[0].sampler"),
    ],
)
def test_bad_regimes(fields: dict[str, Any], field: str) -> None:
    env, bare = gym.make("restock/Serial-v0"), gym.make("restock/Serial-v0")
    refused(field, lambda: RandomDemand(env, **fields))
    refused(field, lambda: VectorRandomDemand(gym.make_vec("restock/Serial-v0", num_envs=2), **fields))
    assert same(env.reset(seed=0)[0], bare.reset(seed=0)[0])


def test_regimes_that_do_not_fit_the_environment() -> None:
    sequential = gym.make("restock/Serial-v0", demand={"sampler": "sequential"})
    refused("demand.sampler", lambda: RandomDemand(sequential, goodwill=0.5))
    goodwill = gym.make("restock/Serial-v0", demand={"sampler": "sequential", "goodwill": True})
    refused("demand.sampler", lambda: RandomDemand(goodwill, **SPECS))
    RandomDemand(sequential, effects=0.5)  # without goodwill the whole path is drawn at once
    fixed = gym.make("restock/Serial-v0", demand={"distribution": {"name": "uniform", "low": 5, "high": 9}})
    refused("regimes.level", lambda: RandomDemand(fixed, level=[0.5, 1.5]))
    RandomDemand(fixed, level=[1.0, 1.0])
    refused("env", lambda: RandomDemand(gym.make("CartPole-v1")))
    refused("env", lambda: VectorRandomDemand(gym.make_vec("restock/Serial-v0", 2, vectorization_mode="sync")))


# episode logs -------------------------------------------------------------------------------------


def test_every_finished_episode_has_a_file(tmp_path: Path) -> None:
    env = EpisodeLog(gym.make("restock/Serial-v0", horizon=3), tmp_path / "new" / "logs")
    kept = []
    for k in range(3):
        env.reset(seed=k)
        for _ in range(2):
            assert "log" not in env.step(env.action_space.sample())[4]
        info = env.step(env.action_space.sample())[4]
        assert info["log"] == tmp_path / "new" / "logs" / f"serial-{k:06d}.npz"
        kept.append(env.unwrapped.trajectory)
        env.reset()
        env.step(env.action_space.sample())  # an episode that is not finished leaves nothing
    assert sorted(os.listdir(env.folder)) == [f"serial-{k:06d}.npz" for k in range(3)]
    for k, trajectory in enumerate(kept):
        with np.load(env.folder / f"serial-{k:06d}.npz") as arrays:
            for name in trajectory:
                assert np.array_equal(arrays[name], trajectory[name]), name
            assert np.array_equal(arrays["exogenous.demand"], trajectory["demand"])


def test_tables(tmp_path: Path) -> None:
    for file_format, read in (("parquet", polars.read_parquet), ("csv", polars.read_csv)):
        env = EpisodeLog(gym.make("restock/Serial-v0", horizon=4), tmp_path, file_format=file_format)
        env.reset(seed=0)
        trajectory = played(env, 4)
        table = read(tmp_path / f"serial-000000.{file_format}")
        assert len(table) == 4
        assert np.allclose(table["on_hand[1]"].to_numpy(), trajectory["on_hand"][1:, 0])


def test_every_nth(tmp_path: Path) -> None:
    env = EpisodeLog(gym.make("restock/Serial-v0", horizon=1), tmp_path, every=3)
    told = []
    for _ in range(7):
        env.reset()
        told.append("log" in env.step(env.action_space.sample())[4])
    assert told == [True, False, False, True, False, False, True]
    assert len(os.listdir(tmp_path)) == 3


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "serial-000000.npz").write_text("mine")
    (tmp_path / ".serial-000001.npz.part").write_text("left by a crash")
    envs = [EpisodeLog(gym.make("restock/Serial-v0", horizon=1), tmp_path) for _ in range(2)]
    for _ in range(3):
        for env in envs:
            env.reset()
            env.step(env.action_space.sample())
    assert (tmp_path / "serial-000000.npz").read_text() == "mine"
    names = sorted(name for name in os.listdir(tmp_path) if not name.startswith("."))
    assert names == ["serial-000000.npz", *(f"serial-{k:06d}.npz" for k in range(2, 8))]


def test_processes_share_a_folder(tmp_path: Path) -> None:
    env = gym.vector.AsyncVectorEnv(
        [lambda: EpisodeLog(gym.make("restock/Serial-v0", horizon=1), tmp_path)] * 3,
        autoreset_mode=AutoresetMode.SAME_STEP,
    )
    env.reset(seed=0)
    for _ in range(10):
        env.step(env.action_space.sample())
    env.close()
    names = os.listdir(tmp_path)
    assert len(names) == 30 and all(name.endswith(".npz") and name[0] != "." for name in names)
    for name in names:
        with np.load(tmp_path / name) as arrays:
            assert arrays["demand"].shape == (1, 1)


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = EpisodeLog(gym.make("restock/Serial-v0", horizon=1), tmp_path)
    env.reset(seed=0)

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(restock.InvalidInput, match="No space left"):
        env.step(env.action_space.sample())
    assert os.listdir(tmp_path) == []


def test_bad_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = gym.make("restock/Serial-v0")
    for every in (0, -1, 1.5, True, None):
        refused("every", lambda every=every: EpisodeLog(env, tmp_path, every=every))
    refused("file_format", lambda: EpisodeLog(env, tmp_path, file_format="xlsx"))
    refused("file_format", lambda: EpisodeLog(env, tmp_path, file_format=None))  # type: ignore[arg-type]
    refused("env", lambda: EpisodeLog(gym.make("CartPole-v1"), tmp_path))
    (tmp_path / "file").write_text("")
    refused("folder", lambda: EpisodeLog(env, tmp_path / "file"))
    refused("folder", lambda: EpisodeLog(env, 3))  # type: ignore[arg-type]
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    with pytest.raises(restock.InvalidInput, match=r"restock\[data\]"):
        EpisodeLog(env, tmp_path, file_format="parquet")


# all of them together -----------------------------------------------------------------------------


def test_wrappers_stack_and_can_be_made_again(tmp_path: Path) -> None:
    env: Any = gym.make("restock/Serial-v0", horizon=5)
    env = RandomDemand(env, level=[0.5, 1.5], goodwill=0.5)
    env = EpisodeLog(FrameStack(IntegerOrders(env), 3), tmp_path)
    again = gym.make(env.spec)
    seen = []
    for one in (env, again):
        obs, info = one.reset(seed=2)
        assert obs.shape == (3, 15) and "regime" in info
        one.action_space.seed(0)
        for _ in range(5):
            obs, reward, *_ = one.step(one.action_space.sample())
        seen.append((obs, reward))
    assert same(seen[0][0], seen[1][0]) and seen[0][1] == seen[1][1]
    assert len(os.listdir(tmp_path)) == 2


def test_gymnasium_wrappers_of_episodes_work() -> None:
    env = gym.wrappers.RecordEpisodeStatistics(gym.make("restock/Serial-v0"))
    env.reset(seed=0)
    total = 0.0
    for _ in range(30):
        _, reward, _, _, info = env.step(env.action_space.sample())
        total += reward
    assert info["episode"]["r"] == pytest.approx(total) and info["episode"]["l"] == 30
