"""A supply network as plain data that a file can keep, and back."""

from __future__ import annotations

from typing import Any

from restock.demand.series import SeriesSource
from restock.problems.load import load_problem
from restock.problems.network import NetworkProblem


def description(problem: NetworkProblem) -> dict[str, Any]:
    """All of the problem: `load_problem` makes the same of it, wherever the files it came from are now."""
    data = problem.spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    demand = problem.spec.demand
    if demand.distribution is not None:
        data["demand"]["distribution"] = {"name": demand.distribution.name, **demand.distribution.model_dump()}
    if isinstance(demand.series, SeriesSource):
        data["demand"]["series"] = demand.series.read().tolist()
    return data


def described(data: Any) -> NetworkProblem:
    """The problem of a description.

    Raises:
        InvalidInput: It does not hold.
    """
    problem: Any = load_problem(data)
    return problem  # type: ignore[no-any-return]
