"""`restock grade`: floor, ceiling and score of the published stores."""

from __future__ import annotations

from typing import Annotated

import typer

from restock.cli.console import AsJson, Console, Quiet, table

Stores = Annotated[
    list[str] | None,
    typer.Argument(metavar="STORE...", help="Stores with a demand of their own. Default: all published ones."),
]
Profit = Annotated[
    float | None, typer.Option("--profit", help="Grade this profit (money), instead of that of a policy.")
]
GradedPolicy = Annotated[
    str | None, typer.Option("--policy", help="Grade the profit of this policy. Default: tuned-price-and-cover.")
]


def grade(
    stores: Stores = None,
    profit: Profit = None,
    policy: GradedPolicy = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Print floor, ceiling and score of each published store.

    Scores are those of a policy that plays the published episode, or of a profit. A score is published between 0.002
    and 0.998; beside it stand the same share without these limits, and the bound that no policy can pass.
    """
    from restock.core.errors import InvalidInput
    from restock.evaluation.grading import BASELINE, Grade, grade_policy
    from restock.evaluation.grading import grade as grade_profit
    from restock.problems.retail.family import FAMILY

    if profit is not None and policy is not None:
        raise InvalidInput("--policy", policy, "must not stand beside --profit", "Give one of them.")
    console = Console(as_json, quiet)
    grades: dict[str, Grade] = {}
    with console.progress() as progress:
        names = stores or list(FAMILY.tasks.values())
        for k, name in enumerate(names):
            progress(name, k, len(names))
            grades[name] = grade_policy(name, policy or BASELINE) if profit is None else grade_profit(name, profit)
    if as_json:
        graded = None if profit is not None else policy or BASELINE
        console.document({"policy": graded, "stores": {name: one.to_dict() for name, one in grades.items()}})
        return
    shown = table("store", "floor", "ceiling", "profit", "score", "unclamped", "bound", numbers=range(1, 7), words=[0])
    for name, one in grades.items():
        money = [f"{value:.0f}" for value in (one.floor, one.ceiling, one.profit)]
        shown.add_row(name, *money, f"{one.score:.3f}", f"{one.unclamped:.3f}", f"{one.bound:.0f}")
    console.table(shown)
    if profit is None:
        console.remark(f"Profit and score are those of {policy or BASELINE}; --policy and --profit grade another one.")
