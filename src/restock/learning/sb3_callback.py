"""The work between rounds of learning. Needs stable-baselines3; import it inside functions."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from restock.learning.needs_sb3 import BaseCallback

if TYPE_CHECKING:
    from restock.learning.sb3_training import Training


class Rounds(BaseCallback):
    """A callback that evaluates after each round, when no update is half done.

    Args:
        training: The run.
        tell: Called after each evaluation.
    """

    def __init__(self, training: Training, tell: Callable[[Any, dict[str, float]], None] | None) -> None:
        super().__init__()
        self._training, self._tell = training, tell
        self._over = False
        self._began = time.process_time() - training.cpu_seconds
        self._mark, self._since = time.perf_counter(), 0

    def _on_training_start(self) -> None:
        self._mark, self._since = time.perf_counter(), self.model.num_timesteps

    def _on_rollout_start(self) -> None:
        training = self._training
        training.cpu_seconds = time.process_time() - self._began
        limit = training.frame.cpu_seconds
        if limit is not None and training.cpu_seconds >= limit:
            self._over = True
        elif self.model.num_timesteps >= training.next:
            self._evaluate()

    def _on_step(self) -> bool:
        return not self._over

    def finish(self) -> None:
        """Evaluate the network after the last round."""
        self._training.cpu_seconds = time.process_time() - self._began
        self._evaluate()

    def _evaluate(self) -> None:
        speed = (self.model.num_timesteps - self._since) / max(time.perf_counter() - self._mark, 1e-9)
        report, gaps = self._training.evaluated(speed)
        if self._tell is not None:
            self._tell(report, gaps)
        self._mark, self._since = time.perf_counter(), self.model.num_timesteps
