"""`restock compare`: which policy is best, by how much, and how certainly."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restock.cli.arguments import Episodes, ProblemName, Seed, Seeds, Trust, read_policy, read_seeds
from restock.cli.console import AsJson, Console, Quiet, as_document, table
from restock.cli.problem_changes import ProblemChanges, with_options

if TYPE_CHECKING:
    from restock.evaluation.compare import Comparison

Policies = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="POLICY",
        help="Policies, with parameters where wanted: base-stock:service=0.99. Default: the usual ones of the problem.",
        show_default=False,
    ),
]
Reference = Annotated[
    str | None,
    typer.Option(
        "--reference",
        metavar="POLICY",
        help="Compare with this one of the policies, named beforehand; default: with the best, all pairs allowed for.",
        show_default=False,
    ),
]
NoBound = Annotated[bool, typer.Option("--no-bound", help="Leave out the hindsight optimum.")]
Report = Annotated[Path | None, typer.Option("--report", help="Write a report as one HTML page.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Write the table: .json or .csv.")]


@with_options
def compare(
    name: ProblemName,
    policies: Policies = None,
    episodes: Episodes = 100,
    seed: Seed = 0,
    seeds: Seeds = None,
    reference: Reference = None,
    *,
    changes: ProblemChanges,
    no_bound: NoBound = False,
    report: Report = None,
    out: Out = None,
    trust: Trust = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Compare policies, and say how certain the differences are.

    Every policy meets the same demand; the hindsight optimum says what could have been earned.
    Exit code 1 says that a policy earned more than a proven bound: something is wrong then.
    """
    from restock.core.errors import InvalidInput
    from restock.core.writing import check_writable
    from restock.evaluation import compare as evaluation
    from restock.policies.registry import usual_policies
    from restock.report.documents import comparison_document

    console = Console(as_json, quiet)
    save = None if out is None else _saver(out)
    if report is not None:
        check_writable(report)
    problem = changes.problem(name)
    chosen = {}
    for text in policies or usual_policies(problem.family):
        if text in chosen:
            raise InvalidInput("POLICY", text, "this is named twice", "Name it once.")
        chosen[text] = read_policy(text, problem)
    with console.progress() as tell:
        result = evaluation.compare(
            problem, chosen, episodes, seed,
            seeds=read_seeds(seeds), bound=not no_bound, reference=reference, progress=tell,
        )  # fmt: skip
    document = comparison_document(result)
    if save is not None:
        save(document)
    if report is not None:
        from restock.report.html import write_report

        title = f"Which policy earns most on {problem.name}?"
        words = ["restock", "compare", name, *chosen]
        words += ["--episodes", str(episodes), "--seed", str(seed), *changes.words()]
        given = {"--seeds": seeds, "--reference": reference, "--report": report}
        words += [word for option, value in given.items() if value is not None for word in (option, str(value))]
        words += [*(["--no-bound"] if no_bound else []), *(["--trust"] if trust else [])]
        write_report(result, report, title=title, command=shlex.join(words))
    if as_json:
        files = {"out": out, "report": report}
        console.document({**document, **{key: None if path is None else str(path) for key, path in files.items()}})
    else:
        _print(console, result, document)
        if report is not None:
            console.text(f"Charts and key figures: {report}")
    return 1 if result.exceeded else 0


def _saver(path: Path) -> Callable[[dict[str, Any]], object]:
    """Return the function that writes the table, by the ending of the file.

    Raises:
        InvalidInput: No such ending, or the file cannot be written.
    """
    from restock.core.errors import InvalidInput, nearest
    from restock.core.writing import check_writable, write_whole
    from restock.report.documents import as_csv, comparison_rows

    if path.suffix not in (".json", ".csv"):
        raise InvalidInput(
            "--out", str(path), "the ending says in which form to write", nearest(path.suffix, [".json", ".csv"])
        )
    check_writable(path)
    text = as_document if path.suffix == ".json" else lambda document: as_csv(comparison_rows(document))
    return lambda document: write_whole(path, lambda file: file.write_text(text(document), encoding="utf-8"))


def _print(console: Console, result: Comparison, document: dict[str, Any]) -> None:
    from restock.report.columns import TERMINAL, Shown, chosen
    from restock.report.numbers import NONE
    from restock.report.words import bound_told, bounded

    drawn = "seeds of your own" if result.seed is None else f"seed {result.seed}"
    console.text(
        f"{result.problem.name}: {result.episodes} episodes of {result.problem.horizon} periods, {drawn}; "
        "every policy meets the same demand."
    )
    console.text()
    wide, whole = console.width >= 120, Shown(result, result.problem.wording)
    columns = [column for column in chosen(result, TERMINAL) if wide or column.name not in ("counts", "p")]
    shown = table(*(column.heading(whole, wrapped=True) for column in columns), numbers=range(2, 8), words=[0])
    for row in whole.rows:
        cells = []
        for column in columns:
            mean, ends = column.cell(row, whole), NONE if column.ends is None else column.ends(row, whole)
            if column.name == "difference":
                mean = whole.reference(row) or mean
            if column.ends_title and ends != NONE:
                mean += f" [{ends}]" if wide else f"\n{ends}"
            elif wide and ends != NONE:
                mean += f"\n{ends}"
            cells.append(mean)
        shown.add_row(*cells)
    console.table(shown)
    for sentence in document["answer"]:
        console.text(sentence)
    if result.family.size > 1 and not result.identical:
        which = "to the reference" if result.family.named else "of all pairs of policies"
        console.text(
            f"Intervals of differences, and p, hold together for the {result.family.size} differences {which}."
        )
    if told := bound_told(result):
        console.text(told)
    elif bounded(result) and result.bound_proven:
        console.text("The bound is proven: no policy can earn more in these episodes.")
    for warning in document["warnings"]:
        console.text(f"Warning: {warning}", style="bold red" if result.exceeded else "yellow")
