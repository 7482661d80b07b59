"""Deployable folders, for `openenv push`, `openenv build`, `docker build` and Hugging Face Spaces.

The folder holds the sources of restock itself, so that the image needs nothing but packages from an index.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

import restock
from restock.core.errors import InvalidInput, nearest
from restock.problems import manifest
from restock.problems.load import IDS, shipped
from restock.server.catalogue import Catalogue, tasks
from restock.server.settings import Settings

TEMPLATE = Path(__file__).with_name("space")
TASK = "retail-medium"  # of the template
# What the manifest says of the reward of a period.
STORES_RANGE = """\
    # Of a period, under the decomposed reward: six scores of -1 to 1 that are weighed, less 1 for each hard failure.
    range: [-5.0, 1.0]"""
MONEY_RANGE = """\
    # Of a period, in money: no bound is known.
    range: [-1.0e9, 1.0e9]"""
EXTRAS = ("server", "openenv")  # that the packed project needs besides


def packed(task: str) -> dict[str, bytes]:
    """Return the files of a folder that serves a task, by their paths in it.

    Args:
        task: What is played where a client names none: a shipped instance, an id of an environment, or easy, medium
            or hard.

    Raises:
        InvalidInput: No such task is shipped, or restock is not installed as a package.

    Example:
        >>> files = packed("easy")
        >>> b"RESTOCK_TASK=retail-easy" in files["Dockerfile"], "restock/problems/retail/dynamics.py" in files
        (True, True)
    """
    name = Catalogue.known(task)
    own = [task for task, family in shipped().items() if family in manifest.own()]
    if name is None or name not in own:
        known = [*tasks(), *IDS, *own]
        mend = f"{nearest(task, known)} A problem of your own is served by `restock serve {task}`."
        raise InvalidInput("PROBLEM", task, "must be a task that is shipped", mend)
    problem = Catalogue(name, Settings.reward).loaded(name)
    records = problem.records()
    stands_for = {
        TASK: name,
        "RetailAction": f"{records.title}Action",
        "RetailObservation": f"{records.title}Observation",
        STORES_RANGE: STORES_RANGE if manifest.manifest_of(problem.family).grader else MONEY_RANGE,
        "0.0.0.dev0": restock.__version__,
        "dependencies = []": _dependencies(),
        "{{WORDS}}": problem.explain(),
        "{{ACTION}}": _fields(records.action_type),
        "{{OBSERVATION}}": _fields(records.observation_type),
    }
    found = {"LICENSE": _license()}
    for path, content in _files(TEMPLATE):
        text = content.decode()
        for word, meant in stands_for.items():
            text = text.replace(word, meant)
        found[path] = text.encode()
    return found | {f"restock/{path}": content for path, content in _files(Path(restock.__file__).parent)}


def _files(folder: Path) -> list[tuple[str, bytes]]:
    """Return the files below a folder by their relative paths, without compiled Python."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    return [(path.relative_to(folder).as_posix(), path.read_bytes()) for path in paths]


def _dependencies() -> str:
    """Return the packages that restock needs to serve, from its own metadata."""
    found = []
    for line in _distribution().requires or ():
        requirement, _, marker = (part.strip() for part in line.partition(";"))
        if "extra" not in marker or any(f"extra == '{extra}'" in marker.replace('"', "'") for extra in EXTRAS):
            found.append(requirement)
    return "\n".join(["dependencies = [", *(f'    "{requirement}",' for requirement in found), "]"])


def _license() -> bytes:
    """Return the licence of restock, which a copy of it must carry."""
    for file in _distribution().files or ():
        if file.name == "LICENSE":
            return Path(str(file.locate())).read_bytes()
    raise InvalidInput("restock", "LICENSE", "the licence is missing from the installed package", "Install it again.")


def _distribution() -> importlib.metadata.Distribution:
    try:
        return importlib.metadata.distribution("restock")
    except importlib.metadata.PackageNotFoundError:
        mend = "Install it: pip install PATH_OF_ITS_SOURCES."
        raise InvalidInput("restock", restock.__version__, "must be installed as a package", mend) from None


def _fields(record: Any) -> str:
    """Return the fields of a record as rows of a table."""
    return "\n".join(f"| `{name}` | {field.description} |" for name, field in record.model_fields.items())
