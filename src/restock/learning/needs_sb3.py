"""Import of stable-baselines3 for modules that define classes of it; without it, the import says what to install."""

from __future__ import annotations

from restock.core.errors import require_extra

require_extra("stable_baselines3", "train", "training with stable-baselines3")

from stable_baselines3.common.callbacks import BaseCallback as BaseCallback  # noqa: E402
from stable_baselines3.common.vec_env import VecEnv as VecEnv  # noqa: E402
