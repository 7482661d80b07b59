"""Observations and rewards scaled by running statistics, which a run keeps with its network.

Fixed scales (`observation="scaled"`) do without. They are for problems whose numbers have no yardstick, and
for recipes that were published with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from restock.learning.preparation import Floats

CLIP = 10.0  # what was scaled is cut to this on either side
LEAST = 1e-8  # added to variances
Scaled = Callable[[Floats], Floats]


def normalised(rows: Any, discount: float) -> Any:
    """Return the rows with observations and rewards over their running statistics.

    Args:
        rows: A `VecEnv`.
        discount: Of the returns whose spread rewards are divided by.
    """
    from stable_baselines3.common.vec_env import VecNormalize

    return VecNormalize(rows, clip_obs=CLIP, clip_reward=CLIP, gamma=discount, epsilon=LEAST)


def kept(rows: Any) -> dict[str, Any]:
    """Return the statistics as a checkpoint keeps them."""
    import torch

    found = {}
    for name in ("obs_rms", "ret_rms"):
        statistics = getattr(rows, name)
        found[name] = {
            "mean": torch.as_tensor(np.array(statistics.mean)),
            "variance": torch.as_tensor(np.array(statistics.var)),
            "count": float(statistics.count),
        }
    return found


def restore(rows: Any, content: Mapping[str, Any]) -> None:
    """Restore statistics from `kept`."""
    for name, values in content.items():
        statistics = getattr(rows, name)
        statistics.mean, statistics.var = values["mean"].numpy().copy(), values["variance"].numpy().copy()
        statistics.count = values["count"]


def scaled_by(content: Mapping[str, Any] | None) -> Scaled | None:
    """Return the function that scales observations for the network; None if it saw them unscaled."""
    if content is None:
        return None
    mean, spread = content["obs_rms"]["mean"].numpy(), np.sqrt(content["obs_rms"]["variance"].numpy() + LEAST)

    def scaled(seen: Floats) -> Floats:
        shown: Floats = np.clip((seen - mean) / spread, -CLIP, CLIP).astype(np.float32)
        return shown

    return scaled
