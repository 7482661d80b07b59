"""A problem as plain data that a file can hold, and its inverse."""

from __future__ import annotations

from typing import Any

from restock.core.errors import InvalidInput
from restock.core.problem import Problem
from restock.core.validation import plain
from restock.learning.family import learning_of
from restock.problems import outside
from restock.problems.load import families, load_problem

OUTSIDE = "place"  # key of where the code of a problem from outside stands


def description(problem: Problem) -> dict[str, Any]:
    """Return all of the problem: `described` makes the same of it, wherever the files it came from are now.

    Of a problem from outside restock it names the place of its code, which has to stay where it is.

    Raises:
        InvalidInput: It is from outside, and was made by its class instead of `load_problem`.
    """
    data = learning_of(problem).data()
    if data is not None:
        return data
    origin = outside.origin_of(problem)
    if origin is not None:
        return {OUTSIDE: origin[0], "arguments": plain(origin[1])}
    if problem.family not in families():
        mend = f"Name it by its place: load_problem('file.py:{type(problem).__name__}')."
        raise InvalidInput("problem", problem.name, "a folder cannot keep where this class is to be found", mend)
    found: dict[str, Any] = getattr(problem, "spec").model_dump(mode="json", exclude_none=True)  # noqa: B009
    return found


def described(data: Any) -> Problem:
    """Return the problem of a description.

    Raises:
        InvalidInput: It does not hold.
    """
    if not isinstance(data, dict):
        raise InvalidInput("problem", data, "must be a mapping, as a file keeps a problem", "Train again.")
    if OUTSIDE not in data:
        return load_problem(data)
    place, arguments = data[OUTSIDE], data.get("arguments")
    if not isinstance(arguments, dict) or outside.loader_at(place) is None:
        raise InvalidInput("problem", data, "this names no problem from outside", "Train again.")
    return load_problem(place, **arguments)
