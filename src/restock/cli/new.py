"""`restock new`: a problem of your own, to begin with."""

from __future__ import annotations

import builtins
import keyword
import re
from pathlib import Path
from typing import Annotated

import typer

from restock.cli.console import AsJson, Console, Quiet

NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
LONGEST_NAME = 60


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name such as my-problem: the folder to write.")],
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write the folder of a problem of your own, to begin with.

    The newsvendor with lead time, in the files that every problem has, with the tests that every problem passes.
    """
    from restock.cli.folders import write_folder
    from restock.problems import template

    console = Console(as_json, quiet)
    folder = Path(check_name(name))
    files = template.texts(name)
    write_folder("NAME", folder, {path: text.encode("utf-8") for path, text in files.items()})
    if as_json:
        console.document({"folder": str(folder), "files": list(files)})
        return
    console.text(f"Wrote {folder}/: {', '.join(files)}.")
    console.remark(f"Its tests:   python -m pytest {folder}")
    console.remark(f"Compare:     restock compare {folder} {folder}/policies/base_stock.py:BaseStock random")
    console.remark(f'Environment: gym.make("restock/Problem-v0", problem="{folder}")')


def check_name(name: str) -> str:
    """Check the name of a new problem.

    Raises:
        InvalidInput: It is not one, or is taken.
    """
    from restock.core.errors import InvalidInput
    from restock.problems.load import families, shipped

    if NAME.fullmatch(name) is None or len(name) > LONGEST_NAME:
        problem = f"a name is at most {LONGEST_NAME} small letters and digits, with - or _ between words"
        raise InvalidInput("NAME", name, problem, "Write for instance my-problem.")
    if name in {*families(), *shipped()} or keyword.iskeyword(name) or hasattr(builtins, name):
        raise InvalidInput("NAME", name, "the name is taken", f"Write for instance my-{name}.")
    return name
