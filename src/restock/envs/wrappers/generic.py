"""Gymnasium's base class of vector wrappers, whose types are parameters from Gymnasium 1.3 on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium as gym

if TYPE_CHECKING:
    VectorWrapper = gym.vector.VectorWrapper[Any, Any, Any]
else:
    VectorWrapper = gym.vector.VectorWrapper
