"""`restock simulate`: one policy over many episodes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restock.cli.arguments import Episodes, ProblemName, Seed, Seeds, Trust, read_policy, read_seeds
from restock.cli.console import AsJson, Console, Quiet, table
from restock.cli.problem_changes import ProblemChanges, with_options

if TYPE_CHECKING:
    from restock.core.problem import Problem

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A parameter of the policy, such as service=0.95; repeatable."),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="Write every episode, period by period: .parquet, .csv or .npz."),
]


@with_options
def simulate(
    name: ProblemName,
    policy: Annotated[str, typer.Argument(metavar="POLICY", help="A policy: see restock list.")],
    episodes: Episodes = 100,
    seed: Seed = 0,
    seeds: Seeds = None,
    settings: Settings = None,
    *,
    changes: ProblemChanges,
    out: Out = None,
    trust: Trust = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Run one policy over many episodes.

    Prints its key figures with 95% intervals.
    """
    from restock.evaluation import simulate as evaluation
    from restock.evaluation.stats import episodes_for_t
    from restock.report.words import demand_doubt

    console = Console(as_json, quiet)
    save = None if out is None else saver(out)
    problem = changes.problem(name)
    chosen = read_policy(policy, problem, settings)
    with console.progress() as tell:
        result = evaluation.simulate(
            problem, chosen, episodes, seed,
            seeds=read_seeds(seeds), progress=lambda done, total: tell(chosen.name, done, total),
        )  # fmt: skip
        if save is not None:
            tell("writing", 1, 1)
            save(result.trajectory)
    figures, same, episodes = result.estimates(), result.identical, len(result.chance)
    told = [] if same or not problem.fixed_demand else demand_doubt([problem.name], episodes)
    needed = None if same else episodes_for_t(result.profit)
    if as_json:
        console.document(
            {
                "problem": problem.name,
                "policy": chosen.name,
                "information": chosen.information,
                "parameters": chosen.parameters_in_words(),
                "episodes": episodes,
                "horizon": problem.horizon,
                "seed": seed if seeds is None else None,
                "seeds": list(result.chance.seeds),
                "identical": same,
                "skewed": needed,
                "warnings": told,
                "kpis": {key: {"mean": e.mean, "low": e.low, "high": e.high} for key, e in figures.items()},
                "seconds": result.seconds,
                "out": None if out is None else str(out),
            }
        )
        return
    console.text(
        f"{chosen.name} ({chosen.information}) on {problem.name}: {episodes} episodes of {problem.horizon} periods, "
        f"{f'seed {seed}' if seeds is None else 'seeds of your own'}."
    )
    parameters = chosen.parameters_in_words()
    if parameters:
        console.text("; ".join(f"{key}: {_said(value)}" for key, value in parameters.items()) + ".")
    console.text()
    _print(console, figures, problem)
    if same:
        console.text(
            f"All {episodes} episodes are the same, so there are no intervals: nothing is known of how another would "
            "turn out.",
            style="yellow",
        )
    for doubt in told:
        console.text(doubt, style="yellow")
    if needed is not None:
        console.text(
            f"Warning: rare large values sway the mean {problem.wording.worth}: with {episodes} episodes its interval "
            f"may be off more often than stated. About {needed:,} would do.",
            style="yellow",
        )
    if out is not None:
        console.remark(f"Wrote {out}.")


def saver(path: Path) -> Callable[[Any], Any]:
    """Return the function that writes a trajectory, by the ending of the file; checked before anything long begins.

    Raises:
        InvalidInput: No such ending, the file cannot be written, or a package is missing.
    """
    from restock.core.errors import InvalidInput, nearest, require_extra
    from restock.core.writing import check_writable

    endings = (".parquet", ".csv", ".npz")
    if path.suffix not in endings:
        raise InvalidInput("--out", str(path), "the ending says in which form to write", nearest(path.suffix, endings))
    if path.suffix == ".parquet":
        require_extra("polars", "data", "Parquet")
    check_writable(path)
    return lambda trajectory: getattr(trajectory, f"to_{path.suffix[1:]}")(path)


def _said(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


def _print(console: Console, figures: dict[str, Any], problem: Problem) -> None:
    from restock.core.kpis import KPIS
    from restock.report.numbers import amount, decimals, interval, share, share_interval
    from restock.report.tables import SHARES
    from restock.report.words import PARTS, kpi_name

    wide, words = console.width >= 110, problem.wording
    shown = table("figure", "mean", "95% interval", *(["what it is"] if wide else []), numbers=(1, 2), words=[3])
    for key, value in figures.items():
        if (key in PARTS or key in problem.parts) and value.mean == 0.0 and not (value.low < 0.0 or value.high > 0.0):
            continue  # a kind of cost that this problem does not have
        if key in SHARES:
            cells = [share(value.mean, 1), share_interval(value, 1)]
        else:
            places = decimals([value.mean])
            cells = [amount(value.mean, places), interval(value, places)]
        told = words.figures[key][1] if key in words.figures else KPIS[key].meaning if key in KPIS else ""
        shown.add_row(kpi_name(key, words), *cells, *([told] if wide else []))
    console.table(shown)
