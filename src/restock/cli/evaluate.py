"""`restock evaluate`: the policy of a training run on fresh episodes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restock.cli.arguments import Trust
from restock.cli.console import AsJson, Console, Quiet, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from restock.evaluation.explain import Explanation
    from restock.learning.evaluation import Evaluation

Run = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a training run.")]
Episodes = Annotated[
    int | None,
    typer.Option("--episodes", "-n", help="How many. Default: as many as held-out paths, at most 200."),
]
Seed = Annotated[int | None, typer.Option("--seed", help="Of the episodes, which no other command meets. Default: 0.")]
Report = Annotated[
    Path | None, typer.Option("--report", help="Where the report goes. Default: report.html in the folder.")
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Also what it orders in which state, and what it looks at. Takes longer.")
]


def evaluate(
    run: Run,
    episodes: Episodes = None,
    seed: Seed = None,
    report: Report = None,
    explain: Explain = False,
    trust: Trust = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Play the policy of a training run on fresh episodes, and write the report of the run.

    The policy to beat (base-stock, in a network) and the hindsight optimum, where there is one, meet the same episodes.
    """
    from restock.core.writing import check_writable
    from restock.learning import evaluation as learning
    from restock.learning.train import require_torch
    from restock.report.explaining import parts, sentences
    from restock.report.training import write_training_report

    console = Console(as_json, quiet)
    require_torch()
    if report is not None:
        check_writable(report)
    if explain:
        _check_explained(run)
    with console.progress() as tell:
        found = learning.evaluate(run, episodes, 0 if seed is None else seed, tell)
        explained = _explained(found, tell) if explain else None
        more = [] if explained is None else [_as_section(part) for part in parts(explained)]
        page = write_training_report(found, report, more)
    if as_json:
        told = {} if explained is None else {"explained": explained.to_dict()}
        console.document(found.to_dict() | told | {"report": str(page)})
        return
    print_evaluation(console, found)
    if explained is not None:
        where = f" (on {found.names[0]})" if len(found.comparisons) > 1 else ""
        console.text(f"What it does{where}: {' '.join(sentences(explained))}")
        console.text()
    console.text(f"Curves and pictures: {page}")


def _check_explained(run: Path) -> None:
    """Check before anything is played that the policy of the run can be explained."""
    from restock.evaluation.explain import check_explained
    from restock.learning.describe import described
    from restock.learning.run_folder import RunFolder

    config = RunFolder(run).config()
    check_explained("--explain", described(config["problem"]), "Leave out --explain.")


def _explained(found: Evaluation, tell: Callable[[str, int, int], None]) -> Explanation:
    """Return the explanation of the policy on the first problem it was judged on."""
    from restock.evaluation.explain import LEAST_EPISODES, explain
    from restock.learning.evaluation import TRAINED

    first = found.comparisons[0]
    policy = first.row(TRAINED).simulation.policy
    episodes = max(first.episodes, LEAST_EPISODES)
    return explain(
        first.problem, policy, episodes, found.seed, progress=lambda done, total: tell("explaining", done, total)
    )


def _as_section(part: tuple[str, str]) -> Callable[[Any], tuple[str, str]]:
    """Return the part of the report that is the same for every evaluation."""
    return lambda evaluation: part


def print_evaluation(console: Console, found: Evaluation) -> None:
    """Print the table of an evaluation."""
    from restock.report.numbers import NONE, amount, decimals, interval, share, share_interval

    several = len(found.comparisons) > 1
    console.text(f"{found.run.name}: {found.episodes} fresh episodes, seed {found.seed}.")
    console.text()
    bounded, worth = found.bound is not None, found.comparisons[0].problem.wording.worth
    measure = ["above\nthe bound" if found.costs else "of bound", "95% interval"] if bounded else []
    header = ["policy", *measure, *([] if several else [f"mean {worth}", "95% interval"])]
    shown = table(*header, numbers=range(1, len(header)))
    rows = {row.name: row for row in found.comparisons[0].rows}
    for name in found.policies:
        value = found.gap(name) if found.costs else found.ratio(name)
        cells = [name, *([share(value.mean, 1), share_interval(value, 1)] if value is not None else [])]
        if not several:
            profit = rows[name].profit
            places = decimals([profit.mean])
            cells += [amount(profit.mean, places), interval(profit, places) or NONE]
        shown.add_row(*cells)
    console.table(shown)
