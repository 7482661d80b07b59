"""The state behind an observation in JSON, as a policy sees it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from restock.core.problem import Problem
from restock.policies._base import View
from restock.problems.manifest import manifest_of, resolved

Seen = Mapping[str, Any]


def object_in(text: str) -> dict[str, Any]:
    """Return the first JSON object in a text, after other words."""
    found: dict[str, Any] = json.JSONDecoder().raw_decode(text, text.index("{"))[0]
    return found


def view_of(problem: Problem, seen: Seen) -> View:
    """Return the view of a policy that decides from the present state.

    Args:
        problem: What is played.
        seen: An observation of it, as plain data.
    """
    now = {name: np.zeros((1, len(columns))) for name, columns in problem.layout.columns.items()}
    reader = manifest_of(problem.family).reader
    read: Callable[[Any, Seen], dict[str, Any]] = _any if reader is None else resolved(reader)
    for name, values in read(problem, seen).items():
        now[name] = np.array([values], dtype=np.float64)
    return View(int(seen.get("period", seen.get("day", seen.get("current_day", 0)))), now, {}, None)


def _any(problem: Problem, seen: Seen) -> dict[str, Any]:
    return {name: list(values.values()) for group in ("stocks", "flows") for name, values in seen[group].items()}
