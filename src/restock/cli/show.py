"""`restock show`: one problem in words and numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from restock.cli.arguments import ProblemName, Trust
from restock.cli.console import AsJson, Console, Quiet, table, write
from restock.cli.problem_changes import ProblemChanges, with_options
from restock.core.errors import InvalidInput

AsYaml = Annotated[bool, typer.Option("--yaml", help="Print the YAML, to copy and change.")]


@with_options
def show(
    name: ProblemName,
    as_yaml: AsYaml = False,
    *,
    changes: ProblemChanges,
    trust: Trust = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Show a problem in words and numbers.

    What it is, its parts and demand; or its YAML.
    """
    from restock.problems.load import load_problem

    console = Console(as_json, quiet)
    given = changes.named()
    problem: Any = load_problem(name, **given)
    if as_yaml:
        text = _yaml(name, given)
        console.document({"name": problem.name, "yaml": text}) if as_json else write(text)
        return
    description = problem.description()
    if as_json:
        console.document({"name": problem.name, "horizon": problem.horizon, **description})
        return
    console.text(problem.explain(), hanging="  ")
    console.text()
    for part, title in problem.tables_shown.items():
        _print(console, title, description[part])
    console.remark(f"The same as YAML, to copy and change: restock show {name} --yaml")


def _print(console: Console, title: str, rows: list[dict[str, Any]]) -> None:
    """Print rows as a table, without empty columns."""
    names = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    numbers = [k for k, name in enumerate(names) if not any(isinstance(row[name], str) for row in rows)]
    shown = table(*(name.replace("_", "\n") for name in names), numbers=numbers, words=[0, 1], title=title)
    for row in rows:
        shown.add_row(*(_cell(row[name]) for name in names))
    console.table(shown)


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _yaml(name: str, changes: dict[str, Any]) -> str:
    """Return the YAML of the problem; with changes, written anew."""
    import yaml

    from restock.core.reading import MOST_YAML, parsed, read_text
    from restock.problems.load import instance_of, loader_of, shelf_of, shipped
    from restock.problems.manifest import ids

    if name in ids():
        name = instance_of(name)
    known = shipped()
    if name in known:
        text = shelf_of(known[name]).text(name)
    elif loader_of(name)[1] == "kind":
        import inspect

        loader = loader_of(name)[0]
        if not hasattr(loader, "SHELF"):
            raise InvalidInput("--yaml", name, "a class in a file has no YAML", "Leave it out.")
        text = loader.SHELF.text(inspect.signature(loader.load).parameters["instance"].default)
    else:
        text = read_text(Path(name), "file", "YAML", MOST_YAML)
    if not changes:
        return text if text.endswith("\n") else text + "\n"
    return str(yaml.safe_dump({**parsed(text), **changes}, sort_keys=False, allow_unicode=True))
