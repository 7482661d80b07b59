"""The tutorial's recipe from end to end: PPO learns to share stock, and one episode of every round is drawn.

    python examples/05_ppo_on_shared_stock.py [steps [folder]]

Needs the extra train and matplotlib. Ten rounds of 28 000 steps take some minutes; after each there is a checkpoint,
an evaluation without exploration, a line of a CSV file, events for TensorBoard, and a picture of the stocks with
the days of stock-outs marked. `restock train sharing` does the same in a folder that can be resumed.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.logger import configure
from stable_baselines3.common.vec_env import VecNormalize

from restock.envs.single import Environment
from restock.learning.sb3 import stable_environment
from restock.problems.load import load_problem

ROUNDS, SEED = 10, 0


def learner(rows: VecNormalize, steps: int, folder: Path) -> PPO:
    """The algorithm with the numbers of the recipe."""
    model = PPO(
        "MlpPolicy",
        rows,
        # It falls to 0 over all rounds together; what the algorithm offers falls within each call of `learn`.
        learning_rate=lambda _: 1e-3 * max(0.0, 1.0 - rows.venv.played * rows.num_envs / steps),
        n_steps=256,
        batch_size=256,
        gamma=0.99,
        clip_range=0.25,
        ent_coef=0.01,
        policy_kwargs={"net_arch": [128, 128, 128]},
        seed=SEED,
        device="cpu",
    )
    model.set_logger(configure(str(folder / "tensorboard"), ["csv", "tensorboard"]))  # also KL and value loss
    return model


def evaluated(model: PPO, rows: VecNormalize, env: Environment) -> tuple[float, np.ndarray, np.ndarray]:
    """Fill rate, stocks (T + 1, n) and stock-outs (T, n) of one episode without exploration."""
    seen, _ = env.reset(seed=12345)
    over = False
    while not over:
        action, _ = model.predict(rows.normalize_obs(seen[None]), deterministic=True)
        seen, _, terminated, truncated, _ = env.step(action[0])
        over = terminated or truncated
    played = env.trajectory
    filled, short = played["filled"].sum(), played["stockouts"].sum()
    return float(filled / (filled + short)), played["on_hand"], played["stockouts"]


def draw(snapshots: list[tuple[int, float, np.ndarray, np.ndarray]], depot: int, path: Path) -> None:
    """The same episode after every round, side by side."""
    columns = 5
    lines = -(-len(snapshots) // columns)
    figure, panels = plt.subplots(lines, columns, figsize=(3.0 * columns, 2.4 * lines), sharex=True, squeeze=False)
    for panel, (steps, fill, stock, short) in zip(panels.flat, snapshots, strict=False):
        for location in (i for i in range(stock.shape[1]) if i != depot):
            line = panel.step(range(len(stock)), stock[:, location], where="post", label=f"location {location}")[0]
            days = np.flatnonzero(short[:, location])
            panel.plot(days, np.full(len(days), -1.0 - 2.0 * location), "x", color=line.get_color(), markersize=4)
        panel.set_title(f"{steps:,} steps: fill rate {fill:.1%}", fontsize=9)
    panels[0][0].legend(fontsize=7)
    figure.supxlabel("day (crosses: days with a stock-out)")
    figure.supylabel("units on hand")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main(arguments: list[str]) -> None:
    """Train, evaluate, draw."""
    steps = int(arguments[0]) if arguments else 280_000
    folder = Path(arguments[1] if len(arguments) > 1 else "shared-stock")
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    problem = load_problem("sharing")
    forms = {"action": "quantity", "observation": "flat"}
    rows = VecNormalize(stable_environment(problem, 8, forms), clip_obs=10.0, clip_reward=10.0, gamma=0.99)
    rows.seed(SEED)
    model, env = learner(rows, steps, folder), Environment(problem, **forms)
    snapshots = []
    with (folder / "rounds.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["steps", "fill_rate", "stock_outs"])
        for done in range(1, ROUNDS + 1):
            left = steps * done // ROUNDS - model.num_timesteps
            if left > 0:
                model.learn(left, reset_num_timesteps=False)
            fill, stock, short = evaluated(model, rows, env)
            snapshots.append((model.num_timesteps, fill, stock, short))
            writer.writerow([model.num_timesteps, fill, int(short.sum())])
            model.save(folder / f"round-{done}.zip")
            print(f"{model.num_timesteps:>7} steps: fill rate {fill:.2%}, {int(short.sum())} stock-outs")
    draw(snapshots, problem.depot, folder / "rounds.png")
    print(f"Checkpoints, rounds.csv, rounds.png and events for TensorBoard: {folder}")


if __name__ == "__main__":
    main(sys.argv[1:])
