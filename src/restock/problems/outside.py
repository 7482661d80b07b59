"""Problems from outside the package: a folder written by `restock new`, or a class in a file or module.

Three forms, wherever a problem is named (`load_problem`, `simulate`, `compare`, the command line, and
`gym.make("restock/Problem-v0", problem=...)`):

    path/to/folder                     a problem folder: its `load.py` has `load`, `KEYWORDS` and `SHELF`
    path/to/folder/instances/big.yaml  an instance in such a folder
    path/to/file.py:MyProblem          a class in a file, or package.module:MyProblem in a module;
                                       its constructor's arguments are what may be changed
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from restock.core.backends import OUTSIDE
from restock.core.errors import InvalidInput, nearest
from restock.core.places import folder_module, module_at, names_a_place
from restock.core.problem import Problem

LONGEST_PATH = 4096
NEEDED = ("load", "KEYWORDS", "SHELF")


def loader_at(place: Any) -> Any | None:
    """Return the loader of a problem named by a place outside; None if the place names none.

    Returns:
        Something with `load(**changes)` and `KEYWORDS`, the names it takes.

    Raises:
        InvalidInput: It cannot be imported, or is no problem.
    """
    if isinstance(place, Problem):
        return _of_problem(place)
    if not isinstance(place, (str, Path)) or not _can_be_a_path(place):
        return None
    if isinstance(place, str) and names_a_place(place):
        return _of_class(place)
    return _of_folder(Path(place))


def folder_of(instance: str | Path) -> Path | None:
    """Return the problem folder that an instance file lies in; None where it lies in none."""
    if not _can_be_a_path(instance):
        return None
    folder = Path(instance).resolve().parent.parent
    return folder if Path(instance).resolve().parent.name == "instances" and (folder / "load.py").is_file() else None


def origin_of(problem: Problem) -> tuple[str, dict[str, Any]] | None:
    """Where the code of a problem from outside stands, and what `load_problem` makes the same problem of there.

    None of restock's own problems, and of one that was made by its class.
    """
    if problem.origin is not None:
        return problem.origin[0], dict(problem.origin[1])
    loader, spec = _of_problem(problem), getattr(problem, "spec", None)
    if loader is None or spec is None:
        return None
    return str(Path(loader.__file__).parent), {"instance": spec.model_dump(mode="json", exclude_none=True)}


def _can_be_a_path(place: str | Path) -> bool:
    return "\0" not in str(place) and len(str(place)) < LONGEST_PATH


def _of_folder(folder: Path) -> Any | None:
    if not (folder / "load.py").is_file():
        return None
    loader = folder_module(folder, "load", "problem")
    for name in NEEDED:
        if not hasattr(loader, name):
            mend = f"Define {', '.join(NEEDED)} there, as `restock new` does."
            raise InvalidInput("problem", str(folder), f"load.py has no {name}", mend)
    return loader


def _of_class(place: str) -> Any:
    module, home, attribute = module_at(place, "problem")
    kind = getattr(module, attribute, None)
    if not (isinstance(kind, type) and issubclass(kind, Problem)):
        known = [name for name, value in vars(module).items() if _is_problem(value)]
        mend = nearest(attribute, known) if known else "Derive a class from restock.core.problem.Problem there."
        raise InvalidInput("problem", place, f"{home} has no problem of that name", mend)
    keywords = tuple(name for name in inspect.signature(kind.__init__).parameters if name != "self")
    where = f"{Path(home).resolve() if home.endswith('.py') else home}:{attribute}"

    def load(**changes: Any) -> Problem:
        problem = kind(**changes)
        problem.origin = where, changes
        return problem

    return SimpleNamespace(load=load, KEYWORDS=keywords)


def _of_problem(problem: Problem) -> Any | None:
    """Return the loader beside the module of a problem that came from a folder outside."""
    package = type(problem).__module__.rpartition(".")[0]
    return sys.modules.get(f"{package}.load") if package.startswith(OUTSIDE) else None


def _is_problem(value: object) -> bool:
    return (
        isinstance(value, type)
        and issubclass(value, Problem)
        and value is not Problem
        and not inspect.isabstract(value)
    )
