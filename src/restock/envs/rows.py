"""Arguments of a vector environment for its rows: seeds, modes, arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from restock.core import streams
from restock.core.checks import whole_number
from restock.core.errors import InvalidInput, nearest
from restock.core.problem import ActionForm, Array, Problem
from restock.envs.registration import RENDER_MODES

MOST_ROWS = 1_000_000


def seeds_of(seed: Any, rows: int) -> list[int | None]:
    """Return one seed per row: seed + i from one number; None for a row whose stream continues.

    Raises:
        InvalidInput: It is neither a seed nor one for each row.
    """
    if seed is None:
        return [None] * rows
    if isinstance(seed, (list, tuple)) or (isinstance(seed, np.ndarray) and seed.ndim):
        if len(seed) != rows:
            raise InvalidInput("seed", seed, f"there are {rows} rows", "Give one seed each, or one number.")
        return [None if s is None else streams.check_seed(s, f"seed[{i}]") for i, s in enumerate(seed)]
    first = streams.check_seed(seed)
    return [first + i for i in range(rows)]


def count_of(rows: Any) -> int:
    """Return the number of rows.

    Raises:
        InvalidInput: It is none, or too many.
    """
    if isinstance(rows, bool) or not isinstance(rows, (int, np.integer)) or not 1 <= rows <= MOST_ROWS:
        raise InvalidInput("num_envs", rows, f"must be an integer from 1 to {MOST_ROWS}", "Write for instance 16.")
    return int(rows)


def render_mode_of(mode: Any) -> str | None:
    """Return the render mode if it is known.

    Raises:
        InvalidInput: There is none.
    """
    if mode is None or (isinstance(mode, str) and mode in RENDER_MODES):
        return mode
    raise InvalidInput("render_mode", mode, "there is no such mode", nearest(mode, RENDER_MODES))


def array_or_nothing(values: Any) -> NDArray[Any]:
    """Return the values as an array to inspect; an empty one of objects if they make none."""
    try:
        return np.asarray(values)
    except Exception:  # ragged, or an array-like of another library, which may raise anything
        return np.empty(0, dtype=object)


def reset_options(options: Any, rows: int) -> tuple[NDArray[np.bool_], Any]:
    """Return which rows the `reset` options ask for, and the recorded information they replay, as given.

    Raises:
        InvalidInput: There is no such option, or the mask is none.
    """
    everything = np.ones(rows, dtype=np.bool_)
    if options is None:
        return everything, None
    known = ["reset_mask", "exogenous"]
    if not isinstance(options, Mapping):
        raise InvalidInput("options", options, "must be a mapping", f"Known: {', '.join(known)}.")
    for name, value in options.items():
        if name not in known:
            raise InvalidInput(f"options.{name}", value, "there is no such option", nearest(name, known))
    given = options.get("reset_mask")
    mask = everything if given is None else array_or_nothing(given)
    if mask.dtype != np.bool_ or mask.shape != (rows,) or not mask.any():
        problem = f"this is {rows} booleans, at least one true"
        raise InvalidInput("options.reset_mask", given, problem, "Give np.array([True, False, ...]).")
    return mask, options.get("exogenous")


def replayed(problem: Problem, exogenous: Any, rows: int) -> Array:
    """Return the episodes made from recorded information, one per row.

    Args:
        problem: What is replayed.
        exogenous: Arrays by name, with a leading axis of rows or one for all; or a list with one mapping a row.
        rows: How many.

    Raises:
        InvalidInput: It does not hold.
    """
    if isinstance(exogenous, (list, tuple)) and len(exogenous) == rows:
        return np.stack([problem.replay(one) for one in exogenous])
    if not isinstance(exogenous, Mapping):
        raise InvalidInput("options.exogenous", exogenous, "must be a mapping", "Give arrays by name.")
    looked_at = {name: array_or_nothing(value) for name, value in exogenous.items()}
    apart = {
        name: array
        for name, array in looked_at.items()
        if array.ndim == problem.exogenous.get(name, 0) + 1 and len(array) == rows
    }
    each = ({**exogenous, **{name: array[row] for name, array in apart.items()}} for row in range(rows))
    return np.stack([problem.replay(one) for one in each])


def refuse_unusable(actions: NDArray[Any], form: ActionForm, place: Callable[..., str]) -> None:
    """Check that actions are finite and, for choices, valid.

    Args:
        actions: Shape (A,), or (B, A) of many rows.
        form: Of the actions.
        place: From the place of a number to the name an error gives it.

    Raises:
        InvalidInput: One cannot be used.
    """
    wrong = ~np.isfinite(actions)
    if wrong.any():
        at = [int(k) for k in np.argwhere(wrong)[0]]
        what = f"{form.labels[at[-1]]} must be finite"
        raise InvalidInput(place(*at), float(actions[tuple(at)]), what, "Give a number.")
    if not form.discrete:
        return
    wrong = (actions < 0) | (actions > form.high) | (actions != np.floor(actions))
    if wrong.any():
        at = [int(k) for k in np.argwhere(wrong)[0]]
        value, most = actions[tuple(at)].item(), int(form.high[at[-1]])
        what = f"{form.labels[at[-1]]} must be an integer from 0 to {most}"
        raise InvalidInput(place(*at), value, what, f"Write for instance {min(max(int(value), 0), most)}.")


def steps_limit(limit: Any) -> int | None:
    """Return the number of steps after which episodes are truncated; None, or -1 as in Gymnasium, for no limit.

    Raises:
        InvalidInput: It is no number of steps.
    """
    if limit is None or (limit == -1 and not isinstance(limit, bool)):
        return None
    return whole_number("max_episode_steps", limit, example=30)


def mode_of(mode: Any) -> AutoresetMode:
    """Return the autoreset mode from itself, its name or its value.

    Raises:
        InvalidInput: It is none.
    """
    if isinstance(mode, AutoresetMode):
        return mode
    for known in AutoresetMode:
        if isinstance(mode, str) and mode in (known.value, known.name):
            return known
    raise InvalidInput("autoreset_mode", mode, "there is no such mode", nearest(mode, [m.name for m in AutoresetMode]))
