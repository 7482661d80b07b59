"""`restock leaderboard`: who is ahead in one or more runs of a suite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restock.cli.arguments import Trust
from restock.cli.console import FAILED, AsJson, Console, Quiet, table

if TYPE_CHECKING:
    from restock.benchmark.standing import Leaderboard

WIDE = 170  # columns: below, some of the table are left out

Runs = Annotated[list[Path], typer.Argument(metavar="RUN", help="Folders of runs of one suite: see restock bench.")]
Page = Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write one HTML page.")]
Markdown = Annotated[Path | None, typer.Option("--markdown", metavar="FILE", help="Write it as Markdown.")]
Own = Annotated[bool, typer.Option("--no-published", help="Leave out published results.")]


def leaderboard(
    runs: Runs,
    out: Page = None,
    markdown: Markdown = None,
    no_published: Own = False,
    trust: Trust = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Rank the policies in the runs of a suite.

    Published results for the suite stand beside own ones, marked as published. Exit code 1 says that
    a policy earned more than a proven bound: something is wrong then.
    """
    from restock.benchmark import leaderboard as benchmark
    from restock.core.writing import check_writable
    from restock.report import board as page
    from restock.report import standings as say

    console = Console(as_json, quiet)
    for path in (out, markdown):
        if path is not None:
            check_writable(path)
    board = benchmark.leaderboard(runs, published=not no_published)
    command = _command(runs, out, markdown, no_published, trust)
    if out is not None:
        page.write_board(board, out, command)
    if markdown is not None:
        page.write_markdown(board, markdown, command)
    if as_json:
        files = {"out": out, "markdown": markdown}
        told = {"warnings": say.warnings(board)}
        console.document({**board.to_dict(), **told, **{k: None if v is None else str(v) for k, v in files.items()}})
    else:
        _print(console, board)
        for path in (out, markdown):
            if path is not None:
                console.text(f"Written: {path}")
    return FAILED if board.exceeded else 0


def _command(runs: list[Path], out: Path | None, markdown: Path | None, no_published: bool, trust: bool) -> str:
    """Return the command that repeats the leaderboard."""
    import shlex

    words = ["restock", "leaderboard", *map(str, runs)]
    for option, path in (("--out", out), ("--markdown", markdown)):
        words += [] if path is None else [option, str(path)]
    words += [*(["--no-published"] if no_published else []), *(["--trust"] if trust else [])]
    return shlex.join(words)


def _print(console: Console, board: Leaderboard) -> None:
    from restock.report import standings as say

    full = say.standings(board)
    console.text(full.caption)
    console.text()
    kept = list(range(len(full.header))) if console.width >= WIDE else _most_telling(full.header, console.width)
    numbers = [i for i, k in enumerate(kept) if full.header[k] not in ("policy", "knows")]
    shown = table(*(full.header[k] for k in kept), numbers=numbers, words=[kept.index(0)])
    for cells in full.rows:
        shown.add_row(*(cells[k] for k in kept))
    console.table(shown)
    guests = say.agents(board)
    if guests is not None:
        console.text(guests.caption)
        console.text()
        about = table(*(cell.replace(" ", "\n", 1) for cell in guests.header), numbers=range(1, 8), words=[0])
        for cells in guests.rows:
            about.add_row(*cells)
        console.table(about)
    for sentence in (*say.answer(board), *say.close_calls(board), *say.notes(board)):
        console.text(sentence)
    for warning in say.warnings(board):
        console.text(
            f"Warning: {warning}",
            style="bold red" if board.exceeded or any(row.caught for row in board.rows) else "yellow",
        )


def _most_telling(header: tuple[str, ...], width: int) -> list[int]:
    """Return the columns for a narrow terminal."""
    names = ["rank", "policy", "knows", "of bound", "95% interval"]
    names += ["time per decision"] if width >= 92 else []
    names += ["ahead of the next", "p (Holm)"] if width >= 120 else []
    return [header.index(name) for name in names]
