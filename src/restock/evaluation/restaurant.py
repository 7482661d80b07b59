"""The restaurant study: policies on real daily demand, through shipped networks.

The first weeks of the record are the past: policies may be planned with them. The windows they are
compared on start afterwards, so nothing that is judged was seen in planning.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any

from restock.core.errors import InvalidInput, nearest
from restock.core.problem import Problem
from restock.demand.series import DATASETS, SeriesSource
from restock.evaluation.compare import Comparison, compare
from restock.evaluation.fit import fit
from restock.evaluation.windows import Windows, cut
from restock.policies._base import Policy
from restock.policies.registry import make_policy
from restock.problems.load import load_problem

INGREDIENTS = ("calamari", "fish", "shrimp", "chicken", "koefte", "lamb", "steak")
NETWORKS = ("serial", "divergent")
FORMULA, TUNED = "base-stock (formula)", "base-stock (tuned)"
PAST_WEEKS = 26
TRIES = 400  # levels simulated on the past; twice as many earn 0.003% more there


@dataclasses.dataclass(frozen=True)
class Study:
    """The comparisons of the study and their data.

    Attributes:
        ingredient: Column of the data.
        windows: The series, cut.
        dates: The day of each entry of the series (S).
        mean: Mean of the past, which all policies plan with (units/day).
        sd: Its standard deviation (units/day).
        comparisons: One for each network.
    """

    ingredient: str
    windows: Windows
    dates: tuple[datetime.date, ...]
    mean: float
    sd: float
    comparisons: tuple[Comparison, ...]

    @property
    def closed_days(self) -> int:
        """Days of the series without any demand."""
        return int((self.windows.series == 0.0).sum())


def restaurant_study(
    ingredient: str = "koefte",
    every: int = 5,
    networks: Sequence[str] = NETWORKS,
    progress: Callable[[str, int, int], None] | None = None,
) -> Study:
    """Compare policies on windows of the shipped restaurant data.

    Args:
        ingredient: One of `INGREDIENTS`.
        every: Days from the start of a window to the start of the next.
        networks: Shipped instances with one market, or anything `load_problem` takes.
        progress: Called with (what is being done, steps done, steps in all).

    Raises:
        InvalidInput: An argument does not hold.
    """
    if ingredient not in INGREDIENTS:
        raise InvalidInput("ingredient", ingredient, "there is no such ingredient", nearest(ingredient, INGREDIENTS))
    series = SeriesSource(dataset="restaurant", column=ingredient).read()
    first = load_problem(networks[0])
    windows = cut(series, first.horizon, every, past=7 * PAST_WEEKS)
    mean, sd = float(windows.history.mean()), float(windows.history.std(ddof=1))
    rows, whole = [], 100 * len(networks)
    for k, network in enumerate(networks):
        problem = load_problem(network, demand={"mean": mean})

        def tell(what: str, done: int, of: int, before: int = 100 * k, title: str = problem.name) -> None:
            if progress is not None:
                progress(f"{title}: {what}", before + 100 * done // of, whole)

        tell("search of base-stock levels", 0, 1)
        chosen = policies(problem, windows, mean, sd)
        demand = {"demand": windows.episodes[:, :, None]}
        rows.append(compare(problem, chosen, exogenous=demand, block=windows.block, progress=tell))
    return Study(ingredient, windows, _dates(), mean, sd, tuple(rows))


def policies(problem: Problem, windows: Windows, mean: float, sd: float) -> dict[str, Policy]:
    """Return the policies of the study, all planned with the past only."""
    formula: Any = make_policy("base-stock", problem, mean=mean, sd=sd)
    past: Any = cut(windows.history, windows.length, 1).episodes[:, :, None]
    tuned = fit(
        problem, "base-stock", budget=TRIES, exogenous={"demand": past}, tune=["levels"], levels=formula.levels.tolist()
    )
    return {
        "random": make_policy("random", problem),
        "constant-order": make_policy("constant-order", problem),
        FORMULA: formula,
        TUNED: tuned.policy,
    }


def _dates() -> tuple[datetime.date, ...]:
    text = resources.files("restock.data").joinpath(DATASETS["restaurant"]).read_text(encoding="utf-8")
    return tuple(datetime.date.fromisoformat(row["date"]) for row in csv.DictReader(text.splitlines()))
