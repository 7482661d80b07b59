"""What a command line changes in a problem: options that are declared once, for every command that names a problem."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restock.cli.arguments import read_setting, read_yaml
from restock.core.errors import InvalidInput

if TYPE_CHECKING:
    from restock.core.problem import Problem


@dataclasses.dataclass(frozen=True)
class UsualChanges:
    """Changes that have an option of their own; a command takes all of them with one parameter, see `with_options`."""

    demand: Annotated[
        list[str] | None,
        typer.Option(
            "--demand",
            metavar="KEY=VALUE",
            help="Replace the demand: mean=25, effects.trend.slope=0.1, or YAML in one piece. May be repeated.",
        ),
    ] = None
    horizon: Annotated[int | None, typer.Option("--horizon", help="Periods in an episode.")] = None
    backlog: Annotated[
        bool | None,
        typer.Option("--backlog/--lost-sales", help="Whether unmet demand waits or is lost.", show_default=False),
    ] = None
    discount: Annotated[
        float | None,
        typer.Option("--discount", help="Worth of the next period's money in this period's."),
    ] = None

    def named(self) -> dict[str, Any]:
        """Return what is changed, by the names of `load_problem`.

        Raises:
            InvalidInput: The demand or a field cannot be read, or is given twice.
        """
        given = {
            "demand": read_demand(self.demand), "horizon": self.horizon,
            "backlog": self.backlog, "discount": self.discount,
        }  # fmt: skip
        return {name: value for name, value in given.items() if value is not None}

    def words(self) -> list[str]:
        """Return the options that say the same on a command line."""
        words = [word for snippet in self.demand or () for word in ("--demand", snippet)]
        words += [] if self.horizon is None else ["--horizon", str(self.horizon)]
        words += [] if self.backlog is None else ["--backlog" if self.backlog else "--lost-sales"]
        return words + ([] if self.discount is None else ["--discount", str(self.discount)])


@dataclasses.dataclass(frozen=True)
class ProblemChanges(UsualChanges):
    """Changes to any field of a problem."""

    fields: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="KEY=VALUE",
            help="Change any field of the problem: max_steps=50, cost_weight=0.01, task=hard. May be repeated.",
        ),
    ] = None

    def named(self) -> dict[str, Any]:
        """Return what is changed, by the names of `load_problem`.

        Raises:
            InvalidInput: The demand or a field cannot be read, or is given twice.
        """
        changes = super().named()
        for field in self.fields or ():
            name, value = read_setting("--with", field, "max_steps=50")
            if name in changes:
                raise InvalidInput("--with", field, f"{name} is given twice", "Give it once.")
            changes[name] = value
        return changes

    def words(self) -> list[str]:
        """Return the options that say the same on a command line."""
        return super().words() + [word for field in self.fields or () for word in ("--with", field)]

    def problem(self, name: str) -> Problem:
        """Return the problem of that name, changed.

        Raises:
            InvalidInput: There is none, or a change to it does not hold.
        """
        from restock.problems.load import load_problem

        return load_problem(name, **self.named())


def with_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Make a command take the options of its parameter `changes`, in the place of that parameter."""
    signature = inspect.signature(command, eval_str=True)
    kind = signature.parameters["changes"].annotation
    hints = typing.get_type_hints(kind, include_extras=True)
    options = [
        inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=hints[one.name])
        for one in dataclasses.fields(kind)
    ]
    parameters = []
    for parameter in signature.parameters.values():
        parameters += options if parameter.name == "changes" else [parameter.replace(kind=options[0].kind)]

    @functools.wraps(command)
    def called(**given: Any) -> Any:
        changes = kind(**{option.name: given.pop(option.name) for option in options})
        return command(changes=changes, **given)

    # typer reads the options from these.
    called.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return called


def read_demand(snippets: Sequence[str] | None) -> dict[str, Any] | None:
    """The demand that `--demand` describes, piece by piece; None without one.

    Raises:
        InvalidInput: A piece is not `key=value`, a mapping in YAML, or a number.
    """
    if not snippets:
        return None
    demand: dict[str, Any] = {}
    for snippet in snippets:
        if "=" in snippet and not snippet.lstrip().startswith("{"):
            key, _, value = snippet.partition("=")
            _put(demand, key.strip().split("."), read_yaml("--demand", value), snippet)
            continue
        data = read_yaml("--demand", snippet)
        if isinstance(data, (int, float)) and not isinstance(data, bool):
            data = {"mean": data}
        if not isinstance(data, dict):
            raise InvalidInput("--demand", snippet, "this is neither KEY=VALUE nor a mapping", "Write mean=25.")
        demand.update(data)
    return demand


def _put(data: dict[str, Any], path: Sequence[str], value: Any, snippet: str) -> None:
    """Set data[a][b][c] for the path a.b.c."""
    for part in path[:-1]:
        inner = data.setdefault(part, {})
        if not isinstance(inner, dict):
            raise InvalidInput("--demand", snippet, f"{part} has a value already", "Give it once.")
        data = inner
    data[path[-1]] = value
