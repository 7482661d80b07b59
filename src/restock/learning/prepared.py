"""The same preparation around one environment, for tools that wrap single ones (RL-Zoo)."""

from __future__ import annotations

from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np

from restock.core.errors import InvalidInput


class PreparedEnvironment(gym.Wrapper[Any, Any, Any, Any]):
    """An environment as an agent of `restock train` meets it.

    Only the problem is taken from the environment that is wrapped; its own forms do not matter.

    Args:
        env: An environment of restock.
        **preparation: See `restock.learning.preparation.Preparation`.

    Raises:
        InvalidInput: An argument does not hold, or it is none of restock's.
    """

    def __init__(self, env: gym.Env[Any, Any], **preparation: Any) -> None:
        super().__init__(env)
        from restock.learning.sb3 import stable_environment

        problem = getattr(env.unwrapped, "problem", None)
        if problem is None:
            raise InvalidInput("env", str(env), "must be an environment of restock", "Wrap restock/Serial-v0.")
        self._rows = stable_environment(problem, 1, preparation)
        self.observation_space, self.action_space = self._rows.observation_space, self._rows.action_space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode.

        Raises:
            InvalidInput: Bad seed, or options, of which there are none.
        """
        if options:
            raise InvalidInput("options", options, "a prepared environment has no options", "Leave them out.")
        if seed is not None:
            self._rows.seed(seed)
        seen: Any = self._rows.reset()
        return seen[0], {}

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Play one period."""
        self._rows.step_async(np.asarray(action)[None])
        seen: Any
        seen, rewards, over, infos = self._rows.step_wait()
        last: Any = infos[0].get("terminal_observation")
        if not over[0]:
            return seen[0], float(rewards[0]), False, False, {}
        cut = infos[0]["TimeLimit.truncated"]
        return last, float(rewards[0]), not cut, cut, {}

    def action_masks(self) -> Any:
        """Return the choices that make sense now, for MaskablePPO."""
        return self._rows.action_masks()[0]
