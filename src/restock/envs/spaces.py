"""Gymnasium spaces and labels of a problem's action and observation forms."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from restock.core.problem import ActionForm, Array, ObservationForm, Problem


def action_space(form: ActionForm) -> gym.spaces.Space[Any]:
    """Return the space of one agent's actions."""
    if form.discrete and form.shape == ():
        return gym.spaces.Discrete(int(form.high[0]) + 1)
    shape = action_shape(form)
    if form.discrete:
        return gym.spaces.MultiDiscrete((form.high + 1).astype(np.int64).reshape(shape))
    if form.exact:
        return gym.spaces.Box(form.low.reshape(shape), form.high.reshape(shape), dtype=np.dtype(np.float64))
    low, high = (bound.astype(np.float32).reshape(shape) for bound in (form.low, form.high))
    return gym.spaces.Box(low, high, dtype=np.float32)


def action_shape(form: ActionForm) -> tuple[int, ...]:
    """Return the shape of one agent's action."""
    return (len(form.labels),) if form.shape is None else form.shape


def observation_space(form: ObservationForm) -> gym.spaces.Space[Any]:
    """Return the space of one agent's observations."""
    flat = gym.spaces.Box(form.low.astype(np.float32), form.high.astype(np.float32), dtype=np.float32)
    if form.kind != "dict":
        return flat
    return _dict({name: gym.spaces.Box(flat.low[block], flat.high[block]) for name, block in blocks_of(form)})


def batched(space: gym.spaces.Space[Any], rows: int) -> gym.spaces.Space[Any]:
    """Return the space of a batch, with the blocks of a dict in their order."""
    if isinstance(space, gym.spaces.Dict):
        return _dict({name: batch_space(block, rows) for name, block in space.items()})
    return batch_space(space, rows)


def _dict(blocks: dict[str, gym.spaces.Space[Any]]) -> gym.spaces.Dict:
    """Return a space of blocks in this order, that of `obs_names`; Gymnasium would sort them by name."""
    space = gym.spaces.Dict(OrderedDict(blocks))
    space.sort_keys = False  # and again wherever it makes a batch of the space
    return space


def as_blocks(form: ObservationForm, flat: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return a flat observation (..., O) as named blocks, copied so that each can be kept."""
    return {name: flat[..., block].copy() for name, block in blocks_of(form)}


def blocks_of(form: ObservationForm) -> list[tuple[str, slice]]:
    """Return name and slice of each block that has numbers."""
    return [(name, block) for name, block in form.groups.items() if block.stop > block.start]


def masks(problem: Problem, form: ActionForm, record: Array) -> NDArray[np.bool_]:
    """Return which choices can be carried out in states of shape (B, recorded), shape (B, choices).

    Raises:
        AttributeError: The actions are no choices.
    """
    if not form.discrete:
        raise AttributeError("action_masks: the actions are no choices")
    fields = {name: record[:, columns] for name, columns in problem.layout.columns.items()}
    found = problem.masks(fields)
    return np.ones((len(record), int((form.high + 1).sum())), dtype=np.bool_) if found is None else found


def action_words(form: ActionForm) -> str:
    """Return what an action is, in one paragraph."""
    what = form.words or form.kind
    listed = "; ".join(
        f"[{i}] {label}, at most {most:g}" for i, (label, most) in enumerate(zip(form.labels, form.most, strict=True))
    )
    return f"Action ({form.kind}): {what}. {listed}."


def observation_words(form: ObservationForm) -> str:
    """Return what an observation is, block by block."""
    scaled = " (each number over its fixed yardstick)" if form.kind == "scaled" else ""
    blocks = "; ".join(
        f"[{block.start}]" + (f"-[{block.stop - 1}]" if block.stop - block.start > 1 else "") + f" {name}"
        for name, block in form.groups.items()
        if block.stop > block.start
    )
    return f"Observation ({form.kind}){scaled}: {blocks}. obs_names() labels every number."
