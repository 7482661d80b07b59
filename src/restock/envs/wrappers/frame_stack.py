"""Stacked observations: the last few periods at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from restock.core.checks import whole_number
from restock.core.errors import InvalidInput, nearest
from restock.envs.wrappers.generic import VectorWrapper

PADDINGS = ("reset", "zero")


class FrameStack(gym.wrappers.FrameStackObservation[Any, Any, Any]):
    """The last `stack_size` observations, oldest first: Gymnasium's own wrapper, for every form.

    A flat observation (O,) becomes (stack_size, O); of a dict, every block does.

    Args:
        env: The environment.
        stack_size: Observations in a stack.
        padding_type: What stands for the time before an episode: its first observation (`reset`)
            or zeros (`zero`).

    Raises:
        InvalidInput: A number below 1, or an unknown padding.

    Example:
        >>> import gymnasium as gym, restock
        >>> from restock.envs.wrappers import FrameStack
        >>> env = FrameStack(gym.make("restock/Serial-v0"), stack_size=4)
        >>> obs, info = env.reset(seed=1)
        >>> obs.shape
        (4, 15)
    """

    def __init__(self, env: gym.Env[Any, Any], stack_size: int, *, padding_type: str = "reset") -> None:
        _check(stack_size, padding_type)
        super().__init__(env, stack_size, padding_type=padding_type)


class VectorFrameStack(VectorWrapper):
    """`FrameStack` for a vector environment: row i sees what `FrameStack` around environment i sees.

    Args:
        env: The vector environment, in any autoreset mode.
        stack_size: Observations in a stack [n].
        padding_type: `reset` or `zero`, as in `FrameStack`.

    Raises:
        InvalidInput: A number below 1, or an unknown padding.

    Example:
        >>> import gymnasium as gym, restock
        >>> from restock.envs.wrappers import VectorFrameStack
        >>> env = VectorFrameStack(gym.make_vec("restock/Serial-v0", num_envs=8), stack_size=4)
        >>> obs, infos = env.reset(seed=1)
        >>> obs.shape
        (8, 4, 15)
    """

    def __init__(
        self, env: gym.vector.VectorEnv[Any, Any, Any], stack_size: int, *, padding_type: str = "reset"
    ) -> None:
        _check(stack_size, padding_type)
        super().__init__(env)
        self.stack_size = int(stack_size)
        self.padding_type = padding_type
        self.single_observation_space = batch_space(env.single_observation_space, self.stack_size)
        self.observation_space = batch_space(self.single_observation_space, env.num_envs)
        self._stack: Any = None
        self._ended = np.zeros(env.num_envs, dtype=np.bool_)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin episodes, in all rows or those of `options["reset_mask"]`, with fresh stacks."""
        obs, infos = self.env.reset(seed=seed, options=options)
        mask = (options or {}).get("reset_mask")
        rows = np.ones(self.num_envs, dtype=np.bool_) if mask is None else np.asarray(mask)
        if self._stack is None:
            self._stack = _blockwise(self._empty, obs)
        self._refill(rows, obs)
        self._ended[rows] = False
        return self._copy(), infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Play a period; a row that began anew has a fresh stack, and `final_obs` the stack it ended with."""
        obs, rewards, terminated, truncated, infos = self.env.step(actions)
        if "final_obs" in infos:
            self._complete(infos["final_obs"], infos["_final_obs"])
        _blockwise(self._push, self._stack, obs)
        mode = self.env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
        ended = np.logical_or(terminated, truncated)
        begun = ended if mode is AutoresetMode.SAME_STEP else self._ended
        if mode is not AutoresetMode.DISABLED and begun.any():
            self._refill(begun, obs)
        self._ended = ended
        return self._copy(), rewards, terminated, truncated, infos

    def _empty(self, block: Any) -> Any:
        return np.zeros((len(block), self.stack_size, *block.shape[1:]), dtype=block.dtype)

    @staticmethod
    def _push(stack: Any, block: Any) -> None:
        stack[:, :-1] = stack[:, 1:].copy()
        stack[:, -1] = block

    def _refill(self, rows: Any, obs: Any) -> None:
        """Restart the stacks of these rows with their present observations."""

        def fill(stack: Any, block: Any) -> None:
            stack[rows] = block[rows, None] if self.padding_type == "reset" else 0.0
            stack[rows, -1] = block[rows]

        _blockwise(fill, self._stack, obs)

    def _complete(self, finals: Any, rows: Any) -> None:
        """Put the earlier observations of a stack before each last observation."""
        for row in np.flatnonzero(rows):
            earlier = _blockwise(lambda stack, row=row: stack[row, 1:], self._stack)
            finals[row] = _blockwise(lambda past, last: np.concatenate([past, last[None]]), earlier, finals[row])

    def _copy(self) -> Any:
        return _blockwise(np.copy, self._stack)


def _blockwise(act: Callable[..., Any], *observations: Any) -> Any:
    """Apply a function to an observation, or to each block of a dict of them."""
    if isinstance(observations[0], dict):
        return {name: act(*(one[name] for one in observations)) for name in observations[0]}
    return act(*observations)


def _check(stack_size: Any, padding_type: Any) -> None:
    whole_number("stack_size", stack_size, example=4)
    if not isinstance(padding_type, str) or padding_type not in PADDINGS:
        raise InvalidInput("padding_type", padding_type, "there is no such padding", nearest(padding_type, PADDINGS))
