"""One environment and several, the way they are used: through Gymnasium's and stable-baselines3's own wrappers.

`python -m benchmarks wrappers`: `gym.make` with the wrappers it puts around, `Monitor`, `DummyVecEnv`, `SubprocVecEnv`,
`make_vec_env`, `SyncVectorEnv`, `AsyncVectorEnv` around restock and around gym-invmgmt, in turn; resets are counted.
Long horizons of restock show that a step, and what is copied of it, does not depend on how long an episode is.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np

from benchmarks.timing import Row, interleaved, quartiles

IDS = {  # by module and name, so that workers find them
    "serial": ("restock:restock/Serial-v0", "gym_invmgmt:GymInvMgmt/Serial-v0"),
    "divergent": ("restock:restock/Divergent-v0", "gym_invmgmt:GymInvMgmt/MultiEchelon-v0"),
}
ORDER = 20.0
TARGET = ">= 8x"
Run = Callable[[], int]


def made(id: str, **given: Any) -> Any:
    """An environment with the wrappers that `gym.make` puts around it."""
    return gym.make(id, **given)


def watched(id: str) -> Any:
    """The same in the `Monitor` of stable-baselines3."""
    from stable_baselines3.common.monitor import Monitor

    return Monitor(made(id))


def single(make: Callable[[str], Any], id: str, steps: int) -> Run:
    """Steps of one environment, which is reset when an episode ends."""
    env = make(id)
    env.reset(seed=1)
    action = np.full(env.action_space.shape, ORDER, env.action_space.dtype)

    def run() -> int:
        for _ in range(steps):
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        return steps

    return run


def several(rows: Any, steps: int) -> Run:
    """Steps of several environments that begin anew by themselves."""
    rows.reset()
    count = rows.num_envs
    space = getattr(rows, "single_action_space", rows.action_space)  # stable-baselines3 has that of one environment
    actions = np.full((count, *space.shape), ORDER, space.dtype)

    def run() -> int:
        for _ in range(steps):
            rows.step(actions)
        return steps * count

    return run


def dummy(id: str, count: int = 8, **given: Any) -> Any:
    """`DummyVecEnv`, which copies every info."""
    from stable_baselines3.common.vec_env import DummyVecEnv

    return DummyVecEnv([partial(made, id, **given)] * count)


def processes(id: str) -> Any:
    """`SubprocVecEnv` of two."""
    from stable_baselines3.common.vec_env import SubprocVecEnv

    return SubprocVecEnv([partial(made, id)] * 2)


def usual(id: str) -> Any:
    """`make_vec_env` of stable-baselines3: `Monitor` and `DummyVecEnv`."""
    from stable_baselines3.common.env_util import make_vec_env

    return make_vec_env(id, n_envs=8)


def in_turn(id: str) -> Any:
    """`SyncVectorEnv` of eight."""
    return gym.vector.SyncVectorEnv([partial(made, id)] * 8)


def at_once(id: str) -> Any:
    """`AsyncVectorEnv` of two processes."""
    return gym.vector.AsyncVectorEnv([partial(made, id)] * 2)


def native(id: str) -> Any:
    """The vector environment of restock itself, of eight."""
    return gym.make_vec(id, num_envs=8)


COPIES = "stable-baselines3's copy of every info"
PIPES = "pipes between processes"
# What is measured: how restock is made, how the peer is, steps of both, what limits restock, and the target.
WAYS: dict[str, tuple[Any, Any, int, int, str, str]] = {
    "DummyVecEnv of 8": (dummy, dummy, 400, 20, COPIES, TARGET),
    "make_vec_env of 8": (usual, usual, 400, 20, COPIES, ""),
    "SubprocVecEnv of 2": (processes, processes, 200, 60, PIPES, ""),
    "SyncVectorEnv of 8": (in_turn, in_turn, 60, 20, "Gymnasium's loop over keys of infos", ""),
    "AsyncVectorEnv of 2": (at_once, at_once, 200, 60, PIPES, ""),
    "make_vec of 8 (the peer: SyncVectorEnv)": (native, in_turn, 2000, 20, "Python around the compiled loop", ""),
}


def measure() -> list[Row]:
    """Both networks through every wrapper, then restock with long horizons."""
    rows = []
    for name, (ours, theirs) in IDS.items():
        for what, make in (("gym.make", made), ("gym.make, Monitor", watched)):
            pair = single(make, ours, 6000), single(make, theirs, 120)
            rows.append(interleaved(f"{what}, {name}", *pair, limit="the wrappers"))
        for what, (mine, others, ours_steps, peer_steps, limit, target) in WAYS.items():
            both = mine(ours), others(theirs)
            pair = several(both[0], ours_steps), several(both[1], peer_steps)
            rows.append(interleaved(f"{what}, {name}", *pair, target=target, limit=limit))
            for one in both:
                one.close()
    return rows + long_horizons()


def long_horizons(horizons: tuple[int, ...] = (30, 1000, 5000), rounds: int = 25) -> list[Row]:
    """`DummyVecEnv` of 8 with episodes of these lengths in turn: a step costs the same. No peer."""
    runs = [several(dummy(IDS["serial"][0], horizon=horizon), 400) for horizon in horizons]
    times: list[list[float]] = []
    for _ in range(rounds):
        times.append([])
        for run in runs:
            begin = time.perf_counter()
            count = run()
            times[-1].append((time.perf_counter() - begin) / count)
    rows = []
    for k, horizon in enumerate(horizons):
        ratios = [each[0] / each[k] for each in times]
        what = f"DummyVecEnv of 8, serial, horizon {horizon}; the ratio is to that of {horizons[0]}"
        ours = statistics.median(each[k] for each in times)
        rows.append(Row(what, ours, None, statistics.median(ratios), *quartiles(ratios), limit=COPIES))
    return rows
