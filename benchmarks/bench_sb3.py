"""PPO of stable-baselines3 end to end, on the native vector environment and on the peer in DummyVecEnv.

`python -m benchmarks sb3`: steps a second of both, and the environment's share. What PPO learns is part of
the learning table (`python -m benchmarks learning`).
"""

from __future__ import annotations

import statistics
import time
import warnings
from typing import Any

from benchmarks.networks import peer
from benchmarks.timing import Row, interleaved

ENVS, STEPS = 64, 30  # a round of learning is 30 steps of 64 environments, a whole episode
NUMBERS: dict[str, dict[str, Any]] = {
    "our preset's rounds": {"batch_size": ENVS * STEPS // 4, "n_epochs": 4},
    "default rounds": {},
}

LIMITS = {
    "our preset's rounds": "the networks and the algorithm's own loop",
    "default rounds": "300 gradient steps a round, which both pay",
}


class Timed:
    """The wall time of an environment's steps: reading the processor's own clock would cost more than it tells."""

    def __init__(self, environment: Any) -> None:
        self.seconds = 0.0
        step = environment.step

        def timed(actions: Any) -> Any:
            begin = time.perf_counter()
            answer = step(actions)
            self.seconds += time.perf_counter() - begin
            return answer

        environment.step = timed


def model(environment: Any, numbers: dict[str, Any]) -> Any:
    """PPO with two layers of 64, on one thread."""
    import torch
    from stable_baselines3 import PPO

    torch.set_num_threads(1)
    return PPO(
        "MlpPolicy", environment, n_steps=STEPS, policy_kwargs={"net_arch": [64, 64]}, device="cpu", seed=0, **numbers
    )


def learning(model: Any) -> Any:
    """One round: steps, then gradients. A unit is one environment's step."""

    def run() -> int:
        model.learn(ENVS * STEPS, reset_num_timesteps=False)
        return ENVS * STEPS

    return run


def measure() -> list[Row]:
    """The divergent network, with the rounds of our preset and with those that are the default."""
    from stable_baselines3.common.vec_env import DummyVecEnv

    from restock.learning.sb3 import stable_environment

    rows = []
    for name, numbers in NUMBERS.items():
        mine = stable_environment("divergent", ENVS)
        clock = Timed(mine)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the peer's actions are not normalised, which PPO remarks on
            theirs = model(DummyVecEnv([lambda: peer("divergent")] * ENVS), numbers)
        ours = learning(model(mine, numbers))
        shares: list[float] = []

        def watched(ours: Any = ours, clock: Timed = clock, shares: list[float] = shares) -> int:
            clock.seconds, begin = 0.0, time.perf_counter()
            count = int(ours())
            shares.append(clock.seconds / (time.perf_counter() - begin))
            return count

        what = f"PPO 64x64, 64 environments, {name}, per step"
        limit = LIMITS[name]
        rows.append(interleaved(what, watched, learning(theirs), rounds=7, target=">= 2.5x", limit=limit))
        share = statistics.median(shares[1:])
        rows.append(Row(f"share of the environment, {name}", share, target="<= 2%", limit=limit, unit="share"))
    return rows
