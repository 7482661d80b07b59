"""Output of commands: results on stdout, everything else on stderr, one JSON document if asked for."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restock.cli.stdout import document_stream
from restock.core.plain import plain
from restock.core.terminal import printable

if TYPE_CHECKING:
    from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no remarks.")]

SHOW_PROGRESS_AFTER = 0.7  # seconds: what is over by then needs no bar
FINE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130  # how a command ends
NARROW = 72  # columns: below, even numbers are wrapped
PLAIN = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-"})


class Halted(Exception):
    """Raised to end a command early in its own way.

    Attributes:
        code: The exit code.
        mend: What to do now.
    """

    def __init__(self, code: int, problem: str, mend: str) -> None:
        super().__init__(problem)
        self.code, self.mend = code, mend


class Console:
    """Where a command writes.

    Args:
        as_json: Print one JSON document on stdout and nothing else there.
        quiet: No progress bar and no remarks.
    """

    def __init__(self, as_json: bool, quiet: bool) -> None:
        self.as_json = as_json
        self.quiet = quiet
        if quiet:
            os.environ["RESTOCK_QUIET"] = "1"  # no remark when something is compiled

    def document(self, data: Any) -> None:
        """Print the JSON document of the command."""
        write(as_document(data))

    def text(self, words: str = "", style: str | None = None, hanging: str = "") -> None:
        """Print lines, wrapped to the terminal; continuation lines begin with the line's indent and `hanging`."""
        import textwrap

        lines = []
        for line in words.splitlines() or [""]:
            indent = line[: len(line) - len(line.lstrip())]
            lines += textwrap.wrap(line, self.width, subsequent_indent=indent + hanging, break_on_hyphens=False) or [""]
        write("\n".join(self._rendered("\n".join(lines), style)) + "\n")

    def table(self, table: Table) -> None:
        """Print a table, fitted to the terminal, and an empty line."""
        write("\n".join(self._rendered(table, None)).strip("\n") + "\n\n")

    def remark(self, words: str) -> None:
        """Print a remark beside the result on stderr, unless `quiet`."""
        if not self.quiet:
            tell(words)

    @property
    def width(self) -> int:
        """The columns of the terminal."""
        return int(_rich(sys.stdout).width)

    @contextmanager
    def progress(self) -> Iterator[Callable[[str, int, int], None]]:
        """Return a callback (what, steps done, steps in all) that shows a bar on stderr once the work takes long.

        No bar with `quiet`, and none where stderr is not a terminal.
        """
        if self.quiet or not sys.stderr.isatty():
            yield lambda what, done, total: None
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        began = time.monotonic()
        bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeRemainingColumn(),
            console=_rich(sys.stderr),
            transient=True,
        )
        task = bar.add_task("", total=1)

        def update(what: str, done: int, total: int) -> None:
            bar.update(task, description=printable(what), completed=done, total=total)
            if not bar.live.is_started and time.monotonic() - began > SHOW_PROGRESS_AFTER:
                bar.start()

        try:
            yield update
        finally:
            bar.stop()

    def _rendered(self, what: Any, style: str | None) -> list[str]:
        """Return the lines as the terminal shows them, without trailing padding."""
        from rich.segment import Segment, Segments

        rich = _rich(sys.stdout)
        # What is shown has names from files in its cells; the escapes of its own style come after them.
        plain = Segments([Segment(printable(part.text), part.style) for part in rich.render(what)])
        with rich.capture() as captured:
            rich.print(plain, style=style)
        return [line.rstrip(" ") for line in captured.get().splitlines()]


def table(*header: str, numbers: Sequence[int] = (), words: Sequence[int] = (), title: str | None = None) -> Table:
    """Return an empty table.

    Args:
        *header: Names of the columns.
        numbers: Columns that are flush right.
        words: Columns that are wrapped where room is short; on a very narrow terminal all are.
        title: What the table is, in a line above it.
    """
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title=title, title_justify="left", title_style="bold")
    narrow = _rich(sys.stdout).width < NARROW
    for k, name in enumerate(header):
        made.add_column(
            name,
            justify="right" if k in numbers else "left",
            no_wrap=not narrow and k not in words,
            overflow="fold",
            header_style="bold",
        )
    return made


def tell(words: str) -> None:
    """Print words on stderr, without control sequences."""
    print(printable(words), file=sys.stderr)


def write(text: str) -> None:
    """Print text on stdout; if the reader has gone (`| head`), end the command quietly.

    Raises:
        Exit: The reader has gone.
    """
    stream = document_stream()
    if "utf" not in (stream.encoding or "").lower():
        text = text.translate(PLAIN)
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            stream.write(text.encode(stream.encoding, "replace").decode(stream.encoding))
        stream.flush()
    except BrokenPipeError:
        # Python writes once more at its end: let that go nowhere.
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())
        raise typer.Exit(0) from None


def as_document(data: Any) -> str:
    """Return the data as one JSON document in ASCII; numbers that JSON lacks become null."""
    return json.dumps(plain(data), indent=2, allow_nan=False) + "\n"


def _rich(stream: Any) -> Any:
    """Return a rich console for a stream: no markup, no guessed colours; NO_COLOR and COLUMNS are respected."""
    from rich.console import Console as RichConsole

    return RichConsole(file=stream, markup=False, highlight=False, emoji=False)
