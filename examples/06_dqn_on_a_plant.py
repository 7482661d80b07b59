"""The notebook's recipe, mended: DQN learns when to buy, to convert and to wait, and meets the exact optimum.

    python examples/06_dqn_on_a_plant.py [steps [folder]]

Needs the extra train and matplotlib. Episodes grow from 50 periods over 150 to 300; the policy is judged on a thousand
episodes of 50 periods beside the dynamic program. `restock train production --algo dqn` does the same in a
folder that can be resumed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from stable_baselines3 import DQN
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecNormalize

import restock
from restock.learning.own_forms import OwnForms
from restock.learning.sb3 import stable_environment
from restock.policies import Policy

ROWS, SEED, JUDGED = 8, 0, 1000


class Curves(BaseCallback):
    """Loss, share of random choices and reward a period while training goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.points: list[tuple[int, float, float, float]] = []

    def _on_step(self) -> bool:
        if self.model.ep_info_buffer and self.num_timesteps % 4000 < ROWS:
            told = self.logger.name_to_value
            earned = np.mean([episode["r"] / episode["l"] for episode in self.model.ep_info_buffer])
            loss = told.get("train/loss", np.nan)
            self.points.append((self.num_timesteps, loss, self.model.exploration_rate, earned))
        return True


class Learnt(Policy):
    """The network as a policy, which meets the same episodes as any other."""

    name = "learnt"

    def __init__(self, problem: restock.Problem, model: DQN, rows: VecNormalize, forms: OwnForms) -> None:
        super().__init__(problem)
        self.model, self.rows, self.forms = model, rows, forms

    def act(self, view):
        """Choices of shape (B, 1)."""
        seen = self.rows.normalize_obs(self.forms.look(view))
        return self.forms.decided(self.model.predict(seen, deterministic=True)[0], view)


def main(arguments: list[str]) -> None:
    """Train, judge, draw."""
    steps = int(arguments[0]) if arguments else 400_000
    folder = Path(arguments[1] if len(arguments) > 1 else "plant")
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    stages = {"curriculum": [50, 150, 300], "curriculum_steps": steps // ROWS, "observation": "scaled"}
    below = stable_environment(restock.load_problem("production", max_steps=300), ROWS, stages)
    rows = VecNormalize(below, clip_obs=10.0, clip_reward=10.0, gamma=0.95)
    rows.seed(SEED)
    model = DQN(
        "MlpPolicy",
        rows,
        learning_rate=1e-4,
        gamma=0.95,
        batch_size=64,
        buffer_size=50_000,
        learning_starts=min(3000, steps // 4),
        train_freq=1,
        gradient_steps=2,
        target_update_interval=1000,
        max_grad_norm=0.5,
        exploration_fraction=0.3,
        exploration_final_eps=0.1,
        policy_kwargs={"net_arch": [64, 64, 64]},
        seed=SEED,
        device="cpu",
    )
    curves = Curves()
    model.learn(steps, callback=curves)
    model.save(folder / "network.zip")
    rows.save(str(folder / "scales.pkl"))

    test = restock.load_problem("production", max_steps=50)
    policies = {
        "learnt": Learnt(test, model, rows, below.prepared),
        "dynamic-program": "dynamic-program",
        "idle": "idle",
    }
    for name, policy in policies.items():
        played = restock.simulate(test, policy, JUDGED, seed=7)
        gain = played.kpis["cash_gain"].mean()
        print(f"{name:16} return {played.profit.mean():9.1f} in {JUDGED} episodes of 50 periods, cash {gain:+.1%}")

    figure, panels = plt.subplots(1, 3, figsize=(12.0, 3.2))
    points = np.array(curves.points).reshape(-1, 4)
    for panel, column, title in zip(
        panels, (1, 2, 3), ("loss", "share of random choices", "reward a period"), strict=True
    ):
        panel.plot(points[:, 0], points[:, column])
        panel.set_title(title)
        panel.set_xlabel("step")
    figure.tight_layout()
    figure.savefig(folder / "curves.png", dpi=110)
    print(f"Network, scales and curves.png: {folder}")


if __name__ == "__main__":
    main(sys.argv[1:])
