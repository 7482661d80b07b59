"""The options that change a problem: declared once, and the same on every command that names one."""

from __future__ import annotations

import dataclasses
import inspect
import re

import pytest
import typer

from restock.cli.main import app
from restock.cli.problem_changes import ProblemChanges, UsualChanges, with_options
from tests.cli.running import run
from tests.shared_material import REPOSITORY

OPTIONS = ("--demand", "--horizon", "--backlog/--lost-sales", "--discount")


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_is_declared_once(option: str) -> None:
    sources = [path.read_text(encoding="utf-8") for path in (REPOSITORY / "src" / "restock" / "cli").glob("*.py")]
    declared = re.compile(rf'typer\.Option\(\s*"{re.escape(option)}"')
    assert sum(len(declared.findall(text)) for text in sources) == 1


def test_the_words_of_changes_say_the_same_on_a_command_line() -> None:
    changes = ProblemChanges(["mean=31", "effects.trend.slope=0.5"], 7, False, 0.9, ["max_order=12"])
    assert changes.words() == [
        "--demand", "mean=31", "--demand", "effects.trend.slope=0.5", "--horizon", "7", "--lost-sales",
        "--discount", "0.9", "--with", "max_order=12",
    ]  # fmt: skip
    assert ProblemChanges(backlog=True).words() == ["--backlog"]
    assert ProblemChanges().words() == [] and ProblemChanges().named() == {}
    shown = run("show", "serial", "--json", *ProblemChanges(["mean=31"], 7, False, 0.9).words()).document
    assert shown["horizon"] == 7
    problem = ProblemChanges(["mean=31"], 7, False, 0.9).problem("serial")
    assert (problem.horizon, problem.spec.backlog, problem.spec.discount) == (7, False, 0.9)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["show", "simulate", "compare", "fit", "train", "tune", "agent"])
def test_a_command_takes_every_change(name: str) -> None:
    (command,) = (one.callback for one in app.registered_commands if one.name == name)
    kind = UsualChanges if name == "agent" else ProblemChanges
    taken = list(inspect.signature(command).parameters)
    options = [one.name for one in dataclasses.fields(kind)]
    assert "changes" not in taken
    first = taken.index("demand")
    assert taken[first : first + len(options)] == options


def test_options_arrive_as_one_value() -> None:
    seen: list[ProblemChanges] = []
    own = typer.Typer()

    @own.command()
    @with_options
    def go(name: str, *, changes: ProblemChanges) -> None:
        seen.append(changes)

    own(["serial", "--horizon", "3", "--with", "a=1", "--lost-sales"], standalone_mode=False)
    assert seen == [ProblemChanges(horizon=3, backlog=False, fields=["a=1"])]
