"""The metrics of a run: one line of JSON an evaluation, the same names whatever the algorithm."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from restock.core.errors import InvalidInput
from restock.core.reading import read_text
from restock.core.sheets import write_rows

FIELDS = {
    "restart": "which, from 0",
    "step": "gradient steps of the restart; of the algorithms of stable-baselines3, steps of the environment",
    "profit": "mean profit of a held-out episode, without exploration",
    "standard_error": "of `profit`",
    "best": "the largest `profit` so far, earlier restarts included",
    "baseline": "mean profit of the policy to beat on the same episodes: of a network base-stock",
    "bound": "`baseline`, and what the hindsight optimum adds to it on some of these episodes",
    "above_baseline": "(`profit` - `baseline`) / |`baseline`|",
    "below_bound": "(`bound` - `profit`) / |`bound`|",
    "training": "mean profit of what was trained on last: a batch, or a hundred episodes with their exploration",
    "steps_per_second": "since the last evaluation",
    "cpu_seconds": "processor time so far",
    "seconds_left": "estimate of the rest",
    "time": "when, in seconds since 1970",
}
OWN = {  # what the algorithms themselves log
    "train/learning_rate": "step size of the optimiser",
    "train/loss": "what is minimised",
    "train/gradient_norm": "length of the gradient before it is cut",
    "train/sharpness": "k of 1 - exp(-k unmet), which stands for a shortage that was felt",
    "train/approx_kl": "how far the policy moved in the last round (Kullback-Leibler divergence)",
    "train/clip_fraction": "share of samples at which the policy was kept from moving further",
    "train/clip_range": "how far the probability ratio may move from 1",
    "train/clip_range_vf": "how far the value may move in a round",
    "train/entropy_loss": "minus the entropy of the policy: towards 0, less is tried",
    "train/policy_gradient_loss": "loss of the policy, clipped",
    "train/policy_loss": "loss of the policy",
    "train/value_loss": "squared error of the value network",
    "train/explained_variance": "share of the variance of returns that the value network explains",
    "train/std": "standard deviation of the actions tried",
    "train/actor_loss": "loss of the policy network",
    "train/critic_loss": "squared error of the value networks",
    "train/ent_coef": "weight of the entropy",
    "train/ent_coef_loss": "loss of that weight",
    "train/n_updates": "rounds of gradient steps so far",
    "rollout/exploration_rate": "share of actions tried at random",
    "curriculum/periods": "periods of a training episode",
}
LOSSES = {
    "pathwise": "minus profit per unit of mean demand",
    "bc": "the squared error of orders, in squares of a link's mean order",
}
LOSSES["dagger"] = LOSSES["bc"]
CLOCKS = ("steps_per_second", "cpu_seconds", "seconds_left", "time")  # what differs when a run is repeated


def line_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line: what is no finite number is left out, and the time is added."""
    line = {name: value for name, value in values.items() if not isinstance(value, float) or math.isfinite(value)}
    return line | {"time": round(time.time(), 3)}


def meaning(name: str, algo: str | None = None) -> str | None:
    """Return the meaning of a field in a run by an algorithm; None if unknown."""
    if name == "train/loss" and algo is not None:
        return f"{OWN[name]}: {LOSSES.get(algo, 'the sum of the losses of the algorithm')}"
    return FIELDS.get(name) or OWN.get(name)


def append(path: Path, line: Mapping[str, Any]) -> None:
    """Add a line to the file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(dict(line)) + "\n")


def read(path: Path, count: int | None = None) -> list[dict[str, Any]]:
    """Return the first so many lines, or all.

    Raises:
        InvalidInput: One of them is damaged.
    """
    text = read_text(path, "run", "JSON lines") if path.is_file() else ""
    found: list[dict[str, Any]] = []
    for number, line in enumerate(text.splitlines()[:count], 1):
        try:
            found.append(dict(json.loads(line)))
        except (ValueError, TypeError):
            raise damaged(path, f"line {number} is not JSON") from None
    return found


def text_of(lines: list[dict[str, Any]]) -> str:
    """Return the lines as a file holds them."""
    return "".join(json.dumps(line) + "\n" for line in lines)


def to_csv(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Write the lines as a table, a row each; what a line does not say stays empty."""
    names = list(dict.fromkeys(name for line in lines for name in line))
    write_rows(path, names, ([line.get(name) for name in names] for line in lines))


def damaged(path: Path, why: str) -> InvalidInput:
    """Return the error for a file of a run folder that cannot be what was written."""
    return InvalidInput("run", str(path), f"this file is damaged: {why}", "Train again, or restore the folder.")
