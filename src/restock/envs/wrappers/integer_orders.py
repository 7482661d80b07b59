"""Whole-unit orders."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from restock.core.errors import InvalidInput

FORMS = ("quantity", "order-up-to")


class IntegerOrders(gym.ActionWrapper[Any, Any, Any], gym.utils.RecordConstructorArgs):
    """A wrapper that rounds every order (or order-up-to level) to the nearest integer; halves go to the even one.

    The action space stays the Box it was, so any algorithm for continuous actions can be used. A
    bound that is not whole is rounded down.

    Args:
        env: An environment whose actions are in physical units.

    Raises:
        InvalidInput: Its actions are in another form.

    Example:
        >>> import gymnasium as gym, restock
        >>> from restock.envs.wrappers import IntegerOrders
        >>> env = IntegerOrders(gym.make("restock/Serial-v0"))
        >>> obs, info = env.reset(seed=1)
        >>> obs, *_ = env.step([12.4, 0.5, 7.6])
        >>> env.unwrapped.trajectory["ordered"][0].tolist()
        [12.0, 0.0, 8.0]
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.ActionWrapper.__init__(self, env)
        self._most = _whole_bounds(env.unwrapped)

    def action(self, action: Any) -> Any:
        """Return the action in whole units; anything but an array of numbers is left to the environment to reject."""
        return _rounded(action, self._most)


class VectorIntegerOrders(gym.vector.VectorActionWrapper):
    """`IntegerOrders` for a vector environment: every row's orders are rounded.

    Args:
        env: A vector environment whose actions are in physical units.

    Raises:
        InvalidInput: Its actions are in another form.

    Example:
        >>> import gymnasium as gym, restock
        >>> from restock.envs.wrappers import VectorIntegerOrders
        >>> env = VectorIntegerOrders(gym.make_vec("restock/Serial-v0", num_envs=8))
        >>> obs, infos = env.reset(seed=1)
        >>> obs, rewards, *_ = env.step(env.action_space.sample())
    """

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any]) -> None:
        super().__init__(env)
        self._most = _whole_bounds(env.unwrapped)

    def actions(self, actions: Any) -> Any:
        """Return the actions in whole units."""
        return _rounded(actions, self._most)


def _whole_bounds(env: Any) -> Any:
    """Return the largest whole order of each link."""
    form = getattr(env, "action_form", None)
    kind = getattr(form, "kind", type(env).__name__)
    if form is None or kind not in FORMS:
        raise InvalidInput(
            "action", kind, "whole units can be told only from actions in physical units",
            'Make it with action="quantity" or "order-up-to".',
        )  # fmt: skip
    return np.floor(form.most)


def _rounded(action: Any, most: Any) -> Any:
    try:
        numbers = np.asarray(action)
    except ValueError:
        return action
    if numbers.dtype.kind != "f" or numbers.shape[-1:] != most.shape:
        return action
    return np.minimum(np.rint(numbers), most.astype(numbers.dtype))
