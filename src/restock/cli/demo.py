"""`restock demo`: policies on real demand, in the terminal and as a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restock.cli.console import AsJson, Console, Quiet, table

if TYPE_CHECKING:
    from restock.evaluation.restaurant import Study

OUT, INGREDIENT, EVERY = "report.html", "koefte", 5
WIDE, WHOLE = 130, 160  # columns of a terminal from which on most of the table fits, and all of it
TOLD = ("policy", "profit", "of_bound", "difference", "verdict")  # columns of a narrow one

Out = Annotated[Path, typer.Option("--out", "-o", help="Where the report goes.")]
Ingredient = Annotated[str, typer.Option("--ingredient", help="Whose daily use is the demand.")]
Every = Annotated[int, typer.Option("--every", help="Days from the start of a window to that of the next.")]


def demo(
    out: Out = Path(OUT),
    ingredient: Ingredient = INGREDIENT,
    every: Every = EVERY,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Compare ordering policies on a restaurant's real demand and write the report.

    Daily use of an ingredient over two years is cut into windows of 30 days, which all policies meet
    in a serial and in a divergent network. Exit code 1 says that a policy earned more than a proven
    bound: something is wrong then.
    """
    from restock.core.writing import check_writable
    from restock.evaluation.restaurant import restaurant_study
    from restock.report.restaurant import write_restaurant_report

    console = Console(as_json, quiet)
    check_writable(out)
    with console.progress() as tell:
        study = restaurant_study(ingredient, every, progress=tell)
    command = _command(out, ingredient, every)
    write_restaurant_report(study, out, command)
    if as_json:
        console.document(_document(study, out, command))
    else:
        _print(console, study, out)
    return 1 if any(comparison.exceeded for comparison in study.comparisons) else 0


def _command(out: Path, ingredient: str, every: int) -> str:
    """Return the command that repeats this run."""
    import shlex

    words = ["restock", "demo", "--out", str(out)]
    words += ["--ingredient", ingredient] if ingredient != INGREDIENT else []
    words += ["--every", str(every)] if every != EVERY else []
    return shlex.join(words)


def _document(study: Study, out: Path, command: str) -> dict[str, Any]:
    from restock.evaluation.provenance import versions
    from restock.report.restaurant import TITLE, WORDS, assumptions, lead
    from restock.report.words import answer, overall, warnings

    windows = study.windows
    return {
        "question": TITLE,
        "setting": lead(study),
        "answer": overall(study.comparisons, WORDS),
        "warnings": [text for comparison in study.comparisons for text in warnings(comparison, WORDS)],
        "comparisons": [
            {**comparison.to_dict(), "answer": answer(comparison, WORDS)} for comparison in study.comparisons
        ],
        "demand": {
            "ingredient": study.ingredient,
            "days": len(windows.series),
            "planned_with": {"days": windows.past, "mean": study.mean, "sd": study.sd},
            "windows": [study.dates[start].isoformat() for start in windows.starts],
            "length": windows.length,
        },
        "assumptions": list(assumptions(study)),
        "report": str(out),
        "command": command,
        "versions": versions(),
    }


def _print(console: Console, study: Study, out: Path) -> None:
    from restock.report.columns import ENDS, PAGE
    from restock.report.restaurant import TITLE, WORDS, lead
    from restock.report.tables import summary
    from restock.report.words import answer, heading, overall, warnings

    console.text(TITLE, style="bold")
    console.text(lead(study))
    console.text()
    for comparison in study.comparisons:
        whole, wide = console.width >= WHOLE, console.width >= WIDE
        # A narrow terminal shows what tells most; the report has the rest.
        layout = PAGE if whole else [name for name in PAGE if name != "counts"] if wide else TOLD
        rows = summary(comparison, WORDS, layout, ends=whole)
        kept = [k for k, name in enumerate(rows.header) if wide or not name.endswith(ENDS)]
        shown = table(
            *(rows.header[k] for k in kept),
            numbers=range(1, len(kept) - 1),
            words=[len(kept) - 1],
            title=heading(comparison, WORDS),
        )
        for cells in rows.rows:
            shown.add_row(*(cells[k] for k in kept))
        console.table(shown)
        console.text(" ".join(answer(comparison, WORDS)))
        console.text()
    console.text(" ".join(overall(study.comparisons, WORDS)), style="bold")
    for comparison in study.comparisons:
        for warning in warnings(comparison, WORDS):
            console.text(f"Warning: {warning}", style="bold red" if comparison.exceeded else "yellow")
    console.text()
    console.text(f"Charts, key figures and what was assumed: {out}")
