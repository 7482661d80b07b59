"""Forms of action and observation: what their numbers mean, and between which bounds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core.errors import InvalidInput, nearest

Array = NDArray[np.float64]
UNBOUNDED = float(np.finfo(np.float32).max)  # a bound for observations that have none


@dataclasses.dataclass(frozen=True)
class ActionForm:
    """How an agent's action is written.

    Attributes:
        kind: Its name (`quantity`, `normalized`, ...).
        labels: What each number decides.
        low: Least value of each number, shape (A,).
        high: Most; for whole numbers the number of choices less one.
        most: Largest quantity (or level) each number can ask for, in physical units, shape (A,).
        discrete: Whether actions are whole numbers.
        words: What an action of this form is.
        shape: How an agent lays the numbers out; None: one after the other. A single number is of shape ().
        exact: Whether numbers that are not whole are taken as float64 rather than float32.
        reach: The largest quantity of each decision, where one number decides several; None: `most`.
    """

    kind: str
    labels: tuple[str, ...]
    low: Array
    high: Array
    most: Array
    discrete: bool
    words: str = ""
    shape: tuple[int, ...] | None = None
    exact: bool = False
    reach: Array | None = None


@dataclasses.dataclass(frozen=True)
class ObservationForm:
    """What an agent sees.

    Attributes:
        kind: `flat`, `scaled` or `dict`.
        labels: What each number is.
        low: Least value, shape (O,).
        high: Most.
        scale: Factor on the physical value, shape (O,).
        groups: Name and slice of each block, for the `dict` form.
    """

    kind: str
    labels: tuple[str, ...]
    low: Array
    high: Array
    scale: Array
    groups: Mapping[str, slice]


@dataclasses.dataclass(frozen=True)
class Block:
    """Numbers that are seen together.

    Attributes:
        labels: What each is.
        yardstick: What the scaled form divides them by; one number, or one for each.
        low: Least value, in physical units.
        high: Most.
    """

    labels: Sequence[str]
    yardstick: Any = 1.0
    low: float = 0.0
    high: float = UNBOUNDED


def bounded(kind: str, names: Sequence[str], most: Array, words: str, unit: str = "units") -> ActionForm:
    """Return the form `quantity` (0 to `most`), or `normalized` (the same mapped to [-1, 1]).

    Args:
        kind: Which of the two.
        names: What each number decides.
        most: Largest quantity of each, shape (A,).
        words: What an action of this form is.
        unit: Of the quantities.
    """
    one = np.ones(len(most))
    if kind == "quantity":
        return ActionForm(kind, tuple(f"{name} ({unit})" for name in names), 0.0 * one, most, most, False, words)
    labels = tuple(f"{name} (-1: nothing, 1: {bound:g})" for name, bound in zip(names, most, strict=True))
    return ActionForm(kind, labels, -one, one, most, False, f"{words}, -1 for nothing and 1 for the most")


def seen(kind: str, blocks: Mapping[str, Block]) -> ObservationForm:
    """Return the observation form of that kind, made of named blocks in the order in which they are written."""
    labels: list[str] = []
    groups, bounds = {}, []
    for name, block in blocks.items():
        groups[name] = slice(len(labels), len(labels) + len(block.labels))
        labels += block.labels
        by = 1.0 / np.asarray(block.yardstick, dtype=np.float64) if kind == "scaled" else 1.0
        high = block.high * by if block.high < UNBOUNDED else UNBOUNDED
        bounds.append(np.stack([np.broadcast_to(one, len(block.labels)) for one in (block.low, high, by)]))
    low, high, scale = np.concatenate(bounds, axis=1)
    return ObservationForm(kind, tuple(labels), low, high, scale, groups)


def choose(kind: str, kinds: Sequence[str], field: str) -> None:
    """Check that a form is one of those offered.

    Raises:
        InvalidInput: It is not.
    """
    if not isinstance(kind, str) or kind not in kinds:
        raise InvalidInput(field, kind, "there is no such form", nearest(kind, kinds))
