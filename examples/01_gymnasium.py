"""A supply network as a Gymnasium environment, and a rule of thumb that plays it.

    python examples/01_gymnasium.py

Shows what an agent sees (every number has a name), what its reward is made of, and that the same
seed means the same demand.
"""

from __future__ import annotations

from collections import Counter

import gymnasium as gym
import numpy as np

import restock  # noqa: F401  (registers the environments)

SEED = 42
COVER = 1.1  # order a tenth more than was asked for lately


def play(env: gym.Env, seed: int) -> tuple[float, dict[str, float]]:
    """One episode: each link orders the mean demand of the last five days, and a little more.

    Returns:
        The profit, and its parts by name.
    """
    observation, _ = env.reset(seed=seed)
    names = env.unwrapped.obs_names()
    asked = next(k for k, name in enumerate(names) if name.startswith("demand"))
    recent: list[float] = []
    profit, parts, over = 0.0, Counter(), False
    while not over:
        recent = [*recent[-4:], observation[asked]] if observation[asked] > 0 else recent
        order = COVER * float(np.mean(recent)) if recent else 20.0
        action = np.full(env.action_space.shape, order, dtype=np.float32)
        observation, reward, terminated, truncated, info = env.step(np.minimum(action, env.action_space.high))
        profit += float(reward)
        parts.update(info["profit"])
        over = terminated or truncated
    return profit, dict(parts)


def main() -> None:
    """Play, and tell."""
    env = gym.make("restock/Serial-v0", demand={"mean": 20})
    print("What an agent sees:", ", ".join(env.unwrapped.obs_names()))
    print()
    profit, parts = play(env, SEED)
    print(f"Profit of one episode: {profit:.1f}. It is made of")
    for name, money in parts.items():
        if money:
            print(f"  {name:18} {money:10.1f}")
    again, _ = play(env, SEED)
    assert again == profit, "the same seed means the same demand, so the same profit"
    print(f"Played again from seed {SEED}: {again:.1f}, the same. From seed {SEED + 1}: {play(env, SEED + 1)[0]:.1f}.")


if __name__ == "__main__":
    main()
