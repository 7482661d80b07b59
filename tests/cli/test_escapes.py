"""Names and texts from outside, on their way to a terminal: what it would obey does not arrive."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from restock.cli import console
from restock.cli.main import app, ended
from restock.core.errors import InvalidInput, Unfinished, shown

TITLE, RED, CLEAR = "\x1b]0;owned\x07", "\x9b31m", "\x1b[2J"
NASTY = f"name{TITLE}{RED}{CLEAR}\x08\x7f\r\u202eend"
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


class Odd:
    def __repr__(self) -> str:
        return NASTY


def test_an_error_shows_nothing_that_a_terminal_obeys() -> None:
    error = InvalidInput(NASTY, Odd(), f"no {NASTY}", f"Known: {NASTY}.")
    assert not OBEYED.search(str(error)) and not OBEYED.search(shown(Odd()))
    assert not any(OBEYED.search(part) for part in (error.field, error.problem, error.mend))
    assert str(error.within(NASTY)).count("end") == 5
    assert not OBEYED.search(str(Unfinished(NASTY, NASTY)))


@pytest.mark.parametrize("as_json", [False, True])
def test_a_command_prints_nothing_that_a_terminal_obeys(capsys: Any, as_json: bool) -> None:
    said = console.Console(as_json, quiet=False)
    rows = console.table("name", NASTY, title=NASTY)
    rows.add_row(NASTY, "1")
    said.table(rows)
    said.text(f"two\n  lines {NASTY}", style="bold", hanging="  ")
    said.remark(NASTY)
    said.document({NASTY: NASTY})
    out, err = capsys.readouterr()
    assert not OBEYED.search(out.replace("\r", "")) and not OBEYED.search(err)
    assert out.count("end") >= 4 and "  lines name" in out and "owned" in err


@pytest.mark.parametrize(
    "error",
    [InvalidInput("a", 1, NASTY, NASTY), OSError(NASTY), console.Halted(1, NASTY, NASTY), RuntimeError(NASTY)],
    ids=lambda error: type(error).__name__,
)
def test_whatever_ends_a_command_is_told_without_escapes(capsys: Any, error: Exception) -> None:
    def fails() -> None:
        raise error

    assert ended(fails, []) > 0
    err = capsys.readouterr().err
    assert "owned" in err and not OBEYED.search(err)


def test_the_names_in_a_transcript_and_in_a_problem_are_data(tmp_path: Path) -> None:
    """Both are files that somebody else may have written."""
    problem = tmp_path / "problem.yaml"
    problem.write_text(f'family: network\nname: "{"".join(NASTY.encode("unicode_escape").decode())}"\nnodes: 3\n')
    for words in (["show", str(problem)], ["simulate", str(problem), "base-stock"]):
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 2 and not OBEYED.search(done.output)
