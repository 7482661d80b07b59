"""Row i of the vector environment is single environment i, whatever happens."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import restock
from restock import InvalidInput
from restock.conformance.lockstep import MODES, in_lockstep, row, same, sampled

GOODWILL = {"goodwill": True, "mean": 40}  # a mean that leaves some customers unserved
SETTINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "goodwill": {"demand": GOODWILL},
    "goodwill drawn period by period": {"demand": {**GOODWILL, "sampler": "sequential"}},
    "goodwill from the counter stream": {"demand": {**GOODWILL, "sampler": "inverse"}, "observation": "scaled"},
    "inverse": {
        "demand": {"sampler": "inverse", "effects": ["trend"]},
        "horizon": 7,
        "action": "normalized",
        "observation": "scaled",
    },
    "multidiscrete, dict": {"observation": "dict", "action": "multidiscrete", "discount": 0.97},
    "order-up-to, lost sales": {"action": "order-up-to", "backlog": False, "observation": "dict"},
    "resampled": {"demand": {"series": [3.0, 30.0, 17.0, 60.0], "distribution": "empirical"}, "horizon": 5},
    "negative binomial": {"demand": {"distribution": {"name": "negative_binomial"}}, "horizon": 1},
}


def vector_of(n: int = 4, id: str = "restock/Divergent-v0", **kwargs: Any) -> Any:
    return gym.make_vec(id, num_envs=n, **kwargs)


def singles_of(n: int = 4, id: str = "restock/Divergent-v0", **kwargs: Any) -> list[Any]:
    return [gym.make(id, **kwargs).unwrapped for _ in range(n)]


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
@pytest.mark.parametrize("setting", SETTINGS)
def test_rows_equal_single_environments(setting: str, mode: AutoresetMode) -> None:
    settings = SETTINGS[setting]
    vector, singles = vector_of(autoreset_mode=mode, **settings), singles_of(**settings)
    assert vector.metadata["autoreset_mode"] is mode and vector.autoreset_mode is mode
    obs, _ = vector.reset(seed=7)
    for i, single in enumerate(singles):
        assert same(row(obs, i), single.reset(seed=7 + i)[0])
    assert in_lockstep(vector, singles, mode, 80, sampled(vector.action_space, 3)) >= 8
    # A new seed starts all streams afresh, in the middle of episodes too.
    obs, _ = vector.reset(seed=100)
    for i, single in enumerate(singles):
        assert same(row(obs, i), single.reset(seed=100 + i)[0])
    in_lockstep(vector, singles, mode, 12, sampled(vector.action_space, 4))


@pytest.mark.parametrize("action", ["quantity", "normalized", "order-up-to", "multidiscrete"])
@pytest.mark.parametrize("observation", ["flat", "scaled", "dict"])
def test_rows_equal_single_environments_in_every_form(action: str, observation: str) -> None:
    kwargs: dict[str, Any] = {"action": action, "observation": observation, "id": "restock/Serial-v0", "horizon": 6}
    vector, singles = vector_of(3, **kwargs), singles_of(3, **kwargs)
    vector.reset(seed=1)
    for i, single in enumerate(singles):
        single.reset(seed=1 + i)
    assert in_lockstep(vector, singles, AutoresetMode.NEXT_STEP, 30, sampled(vector.action_space, 0)) >= 9


@pytest.mark.parametrize("id", ["restock/Network-v0", "restock/Divergent-v0", "restock/Serial-v0"])
def test_rows_out_of_step_with_each_other(id: str) -> None:
    """Partial resets leave rows at different clocks; each still equals its own single environment."""
    kwargs: dict[str, Any] = {"id": id, "horizon": 9, "demand": {"sampler": "inverse"}}
    vector, singles = vector_of(autoreset_mode="DISABLED", **kwargs), singles_of(**kwargs)
    vector.reset(seed=5)
    for i, single in enumerate(singles):
        single.reset(seed=5 + i)
    actions = sampled(vector.action_space, 1)
    over = [False] * 4
    generator = np.random.default_rng(0)
    for _ in range(25):
        in_lockstep(vector, singles, AutoresetMode.DISABLED, 1, actions, over)
        mask = generator.random(4) < 0.3
        if mask.any():
            obs, _ = vector.reset(options={"reset_mask": mask})
            for i in np.flatnonzero(mask):
                assert same(row(obs, i), singles[i].reset()[0])


def test_a_list_of_seeds_starts_only_the_streams_it_names() -> None:
    vector, singles = vector_of(3, horizon=4), singles_of(3, horizon=4)
    vector.reset(seed=[11, 5, 11])
    for single, seed in zip(singles, (11, 5, 11), strict=True):
        single.reset(seed=seed)
    actions = sampled(vector.action_space, 2)
    in_lockstep(vector, singles, AutoresetMode.NEXT_STEP, 3, actions)
    vector.reset(seed=[None, 8, None])
    singles[0].reset()
    singles[1].reset(seed=8)
    singles[2].reset()
    assert in_lockstep(vector, singles, AutoresetMode.NEXT_STEP, 12, actions) >= 6
    # Seeds with a mask: only the rows that are reset see a new episode now.
    vector, singles = vector_of(3, autoreset_mode="DISABLED"), singles_of(3)
    vector.reset(seed=1)
    for i, single in enumerate(singles):
        single.reset(seed=1 + i)
    vector.reset(seed=[None, 40, None], options={"reset_mask": np.array([False, True, False])})
    singles[1].reset(seed=40)
    in_lockstep(vector, singles, AutoresetMode.DISABLED, 32, actions)


class ArrayLike:
    """What another library holds its numbers in: neither a length nor a first item."""

    def __init__(self, numbers: Any = None) -> None:
        self.numbers = numbers

    def __array__(self, *_: Any, **__: Any) -> Any:
        if self.numbers is None:
            raise RuntimeError("not now")
        return np.asarray(self.numbers)


def test_what_is_replayed_may_be_any_array_like() -> None:
    one, other = vector_of(2), vector_of(2)
    recorded = np.arange(60.0).reshape(2, 30, 1)
    wishes = [{"exogenous": {"demand": demand}} for demand in (recorded, ArrayLike(recorded))]
    assert same(one.reset(seed=1, options=wishes[0])[0], other.reset(seed=1, options=wishes[1])[0])
    actions = sampled(one.action_space, 6)
    for action in map(actions, range(30)):
        assert same(one.step(action)[0], other.step(action)[0])
    for wish in ({None: ArrayLike()}, {"demand": ArrayLike()}, {"demnad": ArrayLike(recorded)}):
        with pytest.raises(InvalidInput):
            other.reset(options={"exogenous": wish})


@pytest.mark.parametrize("demand", [{}, {**GOODWILL, "sampler": "sequential"}], ids=["default", "sequential"])
def test_replay_in_some_rows(demand: dict[str, Any]) -> None:
    vector, singles = vector_of(3, autoreset_mode="DISABLED", demand=demand), singles_of(3, demand=demand)
    recorded = np.random.default_rng(4).integers(0, 60, (3, 30, 1)).astype(float)
    vector.reset(seed=2)
    for i, single in enumerate(singles):
        single.reset(seed=2 + i)
    actions = sampled(vector.action_space, 6)
    in_lockstep(vector, singles, AutoresetMode.DISABLED, 5, actions)
    mask = np.array([True, False, True])
    obs, _ = vector.reset(options={"reset_mask": mask, "exogenous": {"demand": recorded}})
    for i in (0, 2):
        assert same(row(obs, i), singles[i].reset(options={"exogenous": {"demand": recorded[i]}})[0])
    in_lockstep(vector, singles, AutoresetMode.DISABLED, 25, actions)
    assert np.array_equal(singles[2].trajectory["demand"], recorded[2, :25])
    # After it each row's own stream goes on where it stood.
    vector.reset()
    for single in singles:
        single.reset()
    in_lockstep(vector, singles, AutoresetMode.DISABLED, 5, actions)
    # One recording for all rows.
    vector.reset(options={"exogenous": {"demand": recorded[0]}})
    for single in singles:
        single.reset(options={"exogenous": {"demand": recorded[0]}})
    in_lockstep(vector, singles, AutoresetMode.DISABLED, 5, actions)


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))], ids=["copy", "pickle"]
)
@pytest.mark.parametrize("setting", ["default", "goodwill drawn period by period", "inverse", "multidiscrete, dict"])
def test_a_duplicate_goes_on_alike_and_apart(setting: str, duplicate: Any) -> None:
    settings = SETTINGS[setting]
    single, vector = gym.make("restock/Divergent-v0", **settings), vector_of(3, **settings)
    single.reset(seed=1)
    vector.reset(seed=1)
    actions = sampled(vector.action_space, 9)
    for t in range(4):
        action = actions(t)
        single.step(action[0])
        vector.step(action)
    twins = (duplicate(single), duplicate(vector))
    before = single.unwrapped.trajectory["on_hand"].copy()
    plans = [actions(t) for t in range(70)]
    seen: list[list[Any]] = []
    for one, many in ((single, vector), twins):
        log: list[Any] = []
        for action in plans:
            obs, reward, _, truncated, _ = one.step(action[0])
            log.append((obs, reward))
            if truncated:
                log.append((one.reset()[0], 0.0))
            obs, rewards, *_ = many.step(action)
            log.append((obs, rewards.copy()))
        if one is single:
            assert np.array_equal(twins[0].unwrapped.trajectory["on_hand"], before)
        seen.append(log)
    for (obs, reward), (other, paid) in zip(*seen, strict=True):
        assert same(obs, other) and np.array_equal(reward, paid)


@pytest.mark.parametrize("forms", [{}, {"action": "multidiscrete", "observation": "dict"}], ids=["boxes", "dict"])
def test_gymnasium_vector_environments_around_ours(forms: dict[str, Any]) -> None:
    """make_vec in sync and async mode, and the classes by hand, see what the native one sees."""
    kwargs: dict[str, Any] = {"horizon": 5, **forms}
    native = vector_of(3, id="restock/Serial-v0", **kwargs)
    others = [
        gym.make_vec("restock/Serial-v0", num_envs=3, vectorization_mode="sync", **kwargs),
        gym.make_vec("restock/Serial-v0", num_envs=3, vectorization_mode="async", **kwargs),
        gym.vector.SyncVectorEnv([lambda: gym.make("restock/Serial-v0", **kwargs)] * 3),
        gym.vector.AsyncVectorEnv([lambda: gym.make("restock/Serial-v0", **kwargs)] * 3),
    ]
    try:
        first, _ = native.reset(seed=3)
        for other in others:
            assert other.single_observation_space == native.single_observation_space
            assert other.single_action_space == native.single_action_space
            assert same(other.reset(seed=3)[0], first)
        actions = sampled(native.action_space, 0)
        for t in range(14):
            action = actions(t)
            obs, rewards, terminated, truncated, _ = native.step(action)
            for other in others:
                seen, paid, ended, cut, _ = other.step(action)
                assert same(seen, obs)
                assert np.array_equal(paid, rewards)
                assert np.array_equal(ended, terminated) and np.array_equal(cut, truncated)
    finally:
        for other in others:
            other.close()


def test_infos_have_the_shape_gymnasium_gives_them() -> None:
    native = vector_of(2, id="restock/Serial-v0", horizon=2, autoreset_mode="SAME_STEP")
    sync = gym.vector.SyncVectorEnv(
        [lambda: gym.make("restock/Serial-v0", horizon=2)] * 2, autoreset_mode=AutoresetMode.SAME_STEP
    )
    native.reset(seed=0)
    sync.reset(seed=0)
    action = native.action_space.sample()
    for _ in range(2):
        ours, theirs = native.step(action)[4], sync.step(action)[4]
    assert np.array_equal(ours["_final_obs"], theirs["_final_obs"])
    assert np.array_equal(ours["_final_info"], theirs["_final_info"])
    for i in range(2):
        assert np.array_equal(ours["final_obs"][i], theirs["final_obs"][i])


def test_environments_do_not_disturb_each_other() -> None:
    def run(*environments: Any) -> list[list[Any]]:
        seen: list[list[Any]] = [[] for _ in environments]
        for k, env in enumerate(environments):
            env.reset(seed=k)
            env.action_space.seed(k)
        for _ in range(40):
            for log, env in zip(seen, environments, strict=True):
                obs, reward, _, truncated, _ = env.step(env.action_space.sample())
                log += [obs, np.array(reward)]
                if np.all(truncated) and not isinstance(env, gym.vector.VectorEnv):
                    log.append(env.reset()[0])
        return seen

    def made() -> list[Any]:
        serial = gym.make("restock/Serial-v0", demand=GOODWILL)
        return [gym.make("restock/Divergent-v0"), serial, vector_of(2, id="restock/Serial-v0")]

    together = run(*made())
    for k, alone in enumerate(made()):
        alone.reset(seed=99)
        apart = run(*made()[:k], alone)[k]
        assert all(same(a, b) for a, b in zip(apart, together[k], strict=True))


def test_same_seed_same_run_and_no_seed_another() -> None:
    def demand(seed: int | None) -> Any:
        env = gym.make("restock/Serial-v0")
        env.reset(seed=seed)
        for _ in range(30):
            env.step(env.action_space.sample())
        return env.unwrapped.trajectory["demand"]

    assert np.array_equal(demand(1), demand(1))
    assert not np.array_equal(demand(1), demand(2))
    assert not np.array_equal(demand(None), demand(None))
    vector = vector_of(6, id="restock/Serial-v0", record=True)
    vector.reset()
    for _ in range(10):
        vector.step(vector.action_space.sample())
    assert len(np.unique(vector.trajectory["demand"][:, :, 0], axis=0)) == 6


def test_trajectory_stays_valid_after_the_next_reset() -> None:
    env = gym.make("restock/Divergent-v0")
    env.reset(seed=1)
    observations = [env.step(env.action_space.sample())[0] for _ in range(30)]
    trajectory = env.unwrapped.trajectory
    kept = {name: trajectory[name].copy() for name in trajectory} | {"seen": np.array(observations)}
    env.reset(seed=2)
    for _ in range(30):
        env.step(env.action_space.sample())
    assert trajectory.periods == 30
    for name in trajectory:
        assert np.array_equal(trajectory[name], kept[name]), name
    assert np.array_equal(observations, kept["seen"])


def test_recorded_trajectories_of_rows() -> None:
    vector, singles = vector_of(3, record=True), singles_of(3)
    vector.reset(seed=4)
    for i, single in enumerate(singles):
        single.reset(seed=4 + i)
    in_lockstep(vector, singles, AutoresetMode.NEXT_STEP, 12, sampled(vector.action_space, 1))
    whole = vector.trajectory
    assert whole.periods == 12 and whole.episodes == 3
    for i, single in enumerate(singles):
        for name, values in whole.episode(i).items():
            assert np.array_equal(values, single.trajectory[name]), name


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda env: env.step(np.zeros((2, 3))), "actions"),
        (lambda env: env.step(np.full((3, 3), np.nan, np.float32)), "actions[0][0]"),
        (lambda env: env.step([[1, 2, 3], [1, 2], [1, 2, 3]]), "actions"),
        (lambda env: env.step("go"), "actions"),
        (lambda env: env.reset(seed=-1), "seed"),
        (lambda env: env.reset(seed=[1, 2]), "seed"),
        (lambda env: env.reset(seed=[1, 2, 0.5]), "seed[2]"),
        (lambda env: env.reset(options={"mask": 1}), "options.mask"),
        (lambda env: env.reset(options=[1]), "options"),
        (lambda env: env.reset(options={"reset_mask": [1, 0, 1]}), "options.reset_mask"),
        (lambda env: env.reset(options={"reset_mask": np.zeros(3, bool)}), "options.reset_mask"),
        (lambda env: env.reset(options={"exogenous": {"demand": np.zeros((3, 4, 1))}}), "exogenous.demand"),
        (lambda env: env.reset(seed=3, options={"exogenous": {"price": 1}}), "exogenous.price"),
        (lambda env: env.trajectory, "record"),
    ],
)
def test_bad_calls_change_nothing(call: Any, field: str) -> None:
    envs = [vector_of(3, id="restock/Serial-v0", demand={**GOODWILL, "sampler": "sequential"}) for _ in range(2)]
    for env in envs:
        env.reset(seed=5)
        env.step(np.full((3, 3), 10.0, np.float32))
    with pytest.raises(restock.InvalidInput) as caught:
        call(envs[0])
    assert caught.value.field == field
    actions = sampled(envs[0].action_space, 0)
    for t in range(35):
        action = actions(t)
        ours, others = (env.step(action) for env in envs)
        assert same(ours[0], others[0]) and np.array_equal(ours[1], others[1])


def test_a_row_that_is_over_must_be_reset_under_disabled() -> None:
    env = vector_of(2, id="restock/Serial-v0", horizon=1, autoreset_mode="DISABLED")
    with pytest.raises(restock.InvalidInput, match="no episode has begun"):
        env.step(env.action_space.sample())
    with pytest.raises(restock.InvalidInput, match="Reset every row first"):
        env.reset(options={"reset_mask": np.array([True, False])})
    env.reset(seed=0)
    env.step(env.action_space.sample())
    with pytest.raises(restock.InvalidInput, match="reset_mask"):
        env.step(env.action_space.sample())


@pytest.mark.parametrize(
    ("kwargs", "field"),
    [
        ({"num_envs": 0}, "num_envs"),
        ({"num_envs": 2.5}, "num_envs"),
        ({"autoreset_mode": "sometimes"}, "autoreset_mode"),
        ({"render_mode": "human"}, "render_mode"),
        ({"action": "quantities"}, "action"),
        ({"observation": "pixels"}, "observation"),
        ({"max_order": -1}, "max_order"),
        ({"max_order": [1, 2]}, "max_order"),
    ],
)
def test_bad_arguments(kwargs: dict[str, Any], field: str) -> None:
    with pytest.raises(restock.InvalidInput) as caught:
        gym.make_vec("restock/Serial-v0", **{"num_envs": 2, **kwargs})
    assert caught.value.field == field
