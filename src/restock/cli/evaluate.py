"""`restock evaluate`: what the policy of a training run is worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restock.cli.console import AsJson, Console, Quiet, table

if TYPE_CHECKING:
    from restock.learning.evaluation import Evaluation

Run = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a training run.")]
Episodes = Annotated[
    int | None,
    typer.Option("--episodes", "-n", help="How many. Default: as many as held-out paths, at most 200."),
]
Seed = Annotated[int | None, typer.Option("--seed", help="Of the first episode. Default: far from those of training.")]
Report = Annotated[
    Path | None, typer.Option("--report", help="Where the report goes. Default: report.html in the folder.")
]


def evaluate(
    run: Run,
    episodes: Episodes = None,
    seed: Seed = None,
    report: Report = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Play the policy of a training run on fresh episodes, and write the report of the run.

    Base-stock and the hindsight optimum meet the same episodes.
    """
    from restock.core.writing import check_writable
    from restock.learning import evaluation as learning
    from restock.learning.train import require_torch
    from restock.report.training import write_training_report

    console = Console(as_json, quiet)
    require_torch()
    if report is not None:
        check_writable(report)
    with console.progress() as tell:
        found = learning.evaluate(run, episodes, learning.FRESH if seed is None else seed, tell)
        page = write_training_report(found, report)
    if as_json:
        console.document(found.to_dict() | {"report": str(page)})
        return
    print_evaluation(console, found)
    console.text(f"Curves and pictures: {page}")


def print_evaluation(console: Console, found: Evaluation) -> None:
    """The table of an evaluation, in words."""
    from restock.learning.evaluation import BASE, BOUND, TRAINED
    from restock.report.numbers import NONE, amount, decimals, interval, share

    several = len(found.comparisons) > 1
    console.text(f"{found.run.name}: {found.episodes} fresh episodes, seed {found.seed}.")
    console.text()
    shown = table("policy", "of bound", *([] if several else ["mean profit", "95% interval"]), numbers=(1, 2, 3))
    rows = {row.name: row for row in found.comparisons[0].rows}
    for name in (TRAINED, BASE, BOUND):
        cells = [name, share(1.0 if name == BOUND else found.ratio(name).mean, 1)]
        if not several:
            profit = rows[name].profit
            places = decimals([profit.mean])
            cells += [amount(profit.mean, places), interval(profit, places) or NONE]
        shown.add_row(*cells)
    console.table(shown)
