"""restock through the tools of Gymnasium's users: vector environments of all kinds, time limits, wrappers, workers."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

import restock
from restock.conformance.lockstep import MODES, same, sampled
from restock.core.errors import UnknownKeyword
from restock.problems.load import IDS

ROWS = 3
SHORT: dict[str, dict[str, Any]] = {
    "restock/Serial-v0": {"horizon": 4},
    "restock/Divergent-v0": {"horizon": 3, "action": "multidiscrete", "observation": "dict"},
    "restock/Retail-v0": {"horizon": 5, "observation": "dict"},
    "restock/Production-v0": {"max_steps": 4},
    "restock/Sharing-v0": {"n_timesteps": 5},
    "restock/Minimal-v0": {"horizon": 4},
}


def equal(one: Any, other: Any, at: str = "") -> None:
    """Check that two infos, or observations, hold the same names, values, masks and types."""
    if isinstance(one, dict):
        assert set(one) == set(other), at
        for name in one:
            equal(one[name], other[name], f"{at}.{name}")
    elif one.dtype == object:  # last observations, None where there is none
        for a, b in zip(one, other, strict=True):
            assert (a is None) == (b is None) and (a is None or same(a, b)), at
    else:
        assert one.dtype == other.dtype and one.shape == other.shape, at
        np.testing.assert_array_equal(one, other, err_msg=at)


def side_by_side(native: Any, other: Any, steps: int) -> int:
    """Play the native vector environment beside one of Gymnasium's, compare everything; returns the ends seen."""
    for one, two in zip(native.reset(seed=5), other.reset(seed=5), strict=True):
        equal(one, two)
    assert native.np_random_seed == tuple(other.np_random_seed) == (5, 6, 7)
    actions = sampled(native.action_space, 1)
    ends = 0
    for t in range(steps):
        action = actions(t)
        ours, theirs = native.step(action), other.step(action)
        for one, two in zip(ours, theirs, strict=True):
            equal(one, two, f"step {t}")
        over = ours[2] | ours[3]
        ends += int(over.sum())
        if over.any() and native.autoreset_mode is AutoresetMode.DISABLED:
            for one, two in zip(
                *(env.reset(options={"reset_mask": over.copy()}) for env in (native, other)), strict=True
            ):
                equal(one, two, f"reset after step {t}")
    return ends


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
@pytest.mark.parametrize("id", SHORT)
def test_the_native_vector_environment_tells_what_the_synchronous_one_tells(id: str, mode: AutoresetMode) -> None:
    native: Any = gym.make_vec(id, num_envs=ROWS, autoreset_mode=mode, **SHORT[id])
    other = SyncVectorEnv([lambda: gym.make(id, **SHORT[id])] * ROWS, autoreset_mode=mode)
    assert side_by_side(native, other, 14) >= 2 * ROWS


def test_the_native_vector_environment_tells_what_the_asynchronous_one_tells() -> None:
    id = "restock/Sharing-v0"
    native: Any = gym.make_vec(id, num_envs=ROWS, **SHORT[id])
    other: Any = AsyncVectorEnv([lambda: gym.make(id, **SHORT[id])] * ROWS)
    try:
        assert side_by_side(native, other, 9) >= ROWS
    finally:
        other.close()


# time limits --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
@pytest.mark.parametrize(
    ("id", "limit"), [("restock/Serial-v0", 3), ("restock/Production-v0", 4), ("restock/Retail-v0", 9)]
)
def test_a_limit_of_steps_cuts_rows_where_it_cuts_single_environments(id: str, limit: int, mode: AutoresetMode) -> None:
    """Below the horizon, at it (where the plant's episodes are terminated as well), and beyond it."""
    native: Any = gym.make_vec(id, num_envs=ROWS, max_episode_steps=limit, autoreset_mode=mode, **SHORT[id])
    other: Any = gym.make_vec(
        id, num_envs=ROWS, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode},
        max_episode_steps=limit, **SHORT[id],
    )  # fmt: skip
    assert side_by_side(native, other, 14) >= 2 * ROWS
    assert native.spec.max_episode_steps == min(limit, native.problem.horizon)


def test_no_limit_and_a_bad_one() -> None:
    rows: Any = gym.make_vec("restock/Serial-v0", num_envs=2, horizon=2, max_episode_steps=-1)
    rows.reset(seed=0)
    rows.step(rows.action_space.sample())
    assert rows.step(rows.action_space.sample())[3].all()
    for wrong in (0, -2, 2.5, True):
        with pytest.raises(restock.InvalidInput, match="max_episode_steps"):
            gym.make_vec("restock/Serial-v0", num_envs=2, max_episode_steps=wrong)


@pytest.mark.parametrize("id", IDS)
def test_the_spec_says_how_long_an_episode_is_at_most(id: str) -> None:
    for given in ({}, SHORT.get(id, {})):
        env: Any = gym.make(id, disable_env_checker=True, **given)
        horizon = env.unwrapped.problem.horizon
        assert env.spec.max_episode_steps == env.unwrapped.spec.max_episode_steps == horizon
        assert gym.make_vec(id, num_envs=2, **given).spec.max_episode_steps == horizon  # type: ignore[union-attr]
        again: Any = gym.make(env.spec)
        assert again.unwrapped.problem.horizon == horizon == again.spec.max_episode_steps
    assert gym.spec(id).max_episode_steps is None  # no `TimeLimit` at a number that `horizon` does not know
    assert gym.make(id, max_episode_steps=2).spec.max_episode_steps == 2  # type: ignore[union-attr]


def test_copies_keep_the_spec() -> None:
    env: Any = gym.make("restock/Serial-v0", horizon=5)
    for twin in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert twin.spec.max_episode_steps == 5 and twin.spec.id == "restock/Serial-v0"


def test_a_limit_as_gymnasium_has_it() -> None:
    env = gym.make("restock/Serial-v0", max_episode_steps=2)
    env.reset(seed=0)
    assert [env.step(env.action_space.sample())[3] for _ in range(2)] == [False, True]
    longer = gym.make("restock/Serial-v0", horizon=40)
    longer.reset(seed=0)
    assert [longer.step(longer.action_space.sample())[3] for _ in range(40)] == [False] * 39 + [True]


# random streams -----------------------------------------------------------------------------------------


def test_rows_tell_their_seeds_and_streams() -> None:
    rows: Any = gym.make_vec("restock/Serial-v0", num_envs=ROWS)
    drawn = rows.np_random_seed
    assert len(set(drawn)) == ROWS and rows.np_random_seed == drawn and len(rows.np_random) == ROWS
    first = rows.reset()[0]
    rows.step(rows.action_space.sample())
    assert rows.np_random_seed == drawn
    twin: Any = gym.make_vec("restock/Serial-v0", num_envs=ROWS)
    assert np.array_equal(twin.reset(seed=list(drawn))[0], first)
    rows.reset(seed=[None, 40, None])
    assert rows.np_random_seed == (drawn[0], 40, drawn[2])
    twin.reset(seed=40)
    assert twin.np_random_seed == (40, 41, 42)


# observations by name -----------------------------------------------------------------------------------


@pytest.mark.parametrize("id", IDS)
def test_a_flattened_dict_has_the_names_of_the_flat_form(id: str) -> None:
    named: Any = gym.make(id, observation="dict", disable_env_checker=True)
    rows: Any = gym.make_vec(id, num_envs=2, observation="dict")
    flat: Any = gym.make(id, observation="flat", disable_env_checker=True)
    flattened = wrappers.FlattenObservation(named)
    assert list(named.observation_space) == list(rows.single_observation_space) == list(rows.observation_space)
    seen, expected = flattened.reset(seed=2)[0], flat.reset(seed=2)[0]
    assert list(named.unwrapped.reset(seed=2)[0]) == list(named.observation_space) == list(rows.reset(seed=2)[0])
    assert seen.tolist() == expected.tolist()
    assert named.unwrapped.obs_names() == flat.unwrapped.obs_names() and len(seen) == len(flat.unwrapped.obs_names())
    names = named.unwrapped.obs_names()
    order = [name for block in named.unwrapped.observation_form.groups.values() for name in names[block]]
    assert order == names


# wrappers -----------------------------------------------------------------------------------------------

WRAPPERS: dict[str, Any] = {
    "RecordEpisodeStatistics": wrappers.RecordEpisodeStatistics,
    "NormalizeObservation": wrappers.NormalizeObservation,
    "NormalizeReward": wrappers.NormalizeReward,
    "FrameStackObservation": lambda env: wrappers.FrameStackObservation(env, 3),
    "DelayObservation": lambda env: wrappers.DelayObservation(env, 2),
    "TimeAwareObservation": wrappers.TimeAwareObservation,
    "TimeAwareObservation, flat, normalised": lambda env: wrappers.TimeAwareObservation(env, normalize_time=True),
    "FlattenObservation": wrappers.FlattenObservation,
    "DtypeObservation": lambda env: wrappers.DtypeObservation(env, np.float64),
    "MaxAndSkipObservation": lambda env: wrappers.MaxAndSkipObservation(env, 2),
    "ClipReward": lambda env: wrappers.ClipReward(env, -1.0, 1.0),
    "TransformReward": lambda env: wrappers.TransformReward(env, lambda reward: reward / 10.0),
    "ClipAction": wrappers.ClipAction,
    "RescaleAction": lambda env: wrappers.RescaleAction(env, np.float32(-1.0), np.float32(1.0)),
    "StickyAction": lambda env: wrappers.StickyAction(env, 0.3),
    "Autoreset": wrappers.Autoreset,
    "TimeLimit": lambda env: wrappers.TimeLimit(env, 3),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_wrappers_of_gymnasium(name: str) -> None:
    env = WRAPPERS[name](gym.make("restock/Serial-v0", horizon=6))
    obs, info = env.reset(seed=0)
    assert obs in env.observation_space and "profit" in info
    over = False
    while not over:
        obs, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert obs in env.observation_space and np.isfinite(reward) and "profit" in info
        over = terminated or truncated


def test_the_time_of_an_observation_ends_at_the_horizon() -> None:
    env = wrappers.TimeAwareObservation(gym.make("restock/Serial-v0", horizon=4), normalize_time=True)
    env.reset(seed=0)
    times = [float(env.step(env.action_space.sample())[0][-1]) for _ in range(4)]
    assert times == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("id", IDS)
def test_observations_and_infos_as_tensors(id: str) -> None:
    torch = pytest.importorskip("torch")
    from gymnasium.wrappers.numpy_to_torch import NumpyToTorch

    env: Any = NumpyToTorch(gym.make(id, disable_env_checker=True))
    obs, info = env.reset(seed=0)
    action = env.action_space.sample()
    obs, reward, _, _, info = env.step(torch.as_tensor(action))
    first = next(iter(obs.values())) if isinstance(obs, dict) else obs
    assert isinstance(first, torch.Tensor) and isinstance(reward, float) and info["profit"]["total"] == reward


# keywords and workers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [gym.make, lambda id, **given: gym.make_vec(id, num_envs=2, **given)])
def test_an_unknown_keyword_is_a_type_error_too(make: Any) -> None:
    """As Python has it; TorchRL tries `frameskip`, and takes it back if the error says just this."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'frameskip'") as caught:
        make("restock/Serial-v0", frameskip=1)
    assert isinstance(caught.value, restock.InvalidInput) and caught.value.field == "frameskip"
    assert pickle.loads(pickle.dumps(caught.value)).mend == caught.value.mend
    with pytest.raises(UnknownKeyword, match="Did you mean 'horizon'"):
        make("restock/Serial-v0", horizn=3)
    with pytest.raises(ValueError, match="horizon") as other:
        make("restock/Serial-v0", horizon=-3)
    assert not isinstance(other.value, TypeError)


SPAWNED = """
import gymnasium as gym
from gymnasium.vector import AsyncVectorEnv

def make():
    return gym.make("restock:restock/Serial-v0", horizon=3)

if __name__ == "__main__":
    assert "restock/Serial-v0" not in gym.registry
    rows = AsyncVectorEnv([make] * 2, context="spawn")
    rows.reset(seed=0)
    for _ in range(4):
        told = rows.step(rows.action_space.sample())[-1]
    rows.close()
    print(sorted(name for name in told["profit"] if name[0] != "_")[-1], told["on_hand"].dtype)
"""


def test_workers_that_know_no_restock_find_the_ids_by_module_and_name(tmp_path: Any) -> None:
    script = tmp_path / "spawned.py"
    script.write_text(SPAWNED, encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=300)
    assert done.stdout.split() == ["total", "float64"], done.stderr
