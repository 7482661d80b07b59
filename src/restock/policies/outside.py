"""Policies from outside the package: a module or file and a class in it, or an installed plug-in.

Four forms, wherever a policy is named (`make_policy`, `simulate`, `compare`, the command line, a
list of policies for the benchmark):

    my_package.my_module:MyPolicy      a class in a module that Python can import
    path/to/file.py:MyPolicy           a class in a file
    runs/my-run                        the folder of a training run (`restock train`)
    my-policy                          an installed package's entry point in the group restock.policies

The last takes one line in that package's pyproject.toml:

    [project.entry-points."restock.policies"]
    my-policy = "my_package.my_module:MyPolicy"
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from restock.core.errors import InvalidInput, nearest
from restock.core.reading import read_text
from restock.policies._base import Policy

Loaded = TypeVar("Loaded")
GROUP = "restock.policies"
LONGEST_PATH = 4096
_PLACE = re.compile(r"(?P<home>.+\.py|[A-Za-z_][\w.]*):(?P<attribute>[A-Za-z_]\w*)", re.DOTALL)


def names_a_place(name: str) -> bool:
    """Whether the text has the form of a class in a module or file, `home:Class`."""
    return _PLACE.fullmatch(name) is not None


def names_a_run(name: str) -> bool:
    """Whether the text is the path of a folder with a training run in it."""
    return "\0" not in name and len(name) < LONGEST_PATH and Path(name, "config.yaml").is_file()


def entry_points() -> dict[str, metadata.EntryPoint]:
    """Policies of installed packages, by name."""
    return {point.name: point for point in metadata.entry_points(group=GROUP)}


def class_at(place: str) -> type[Policy]:
    """The policy class at `package.module:Class` or `path/to/file.py:Class`.

    Raises:
        InvalidInput: It cannot be imported, there is no such class, or it is no policy.
    """
    found = _PLACE.fullmatch(place)
    if found is None:
        raise InvalidInput("policy", place, "this names no class", "Write package.module:Class or file.py:Class.")
    home, attribute = found["home"], found["attribute"]
    module = _file(Path(home), place) if home.endswith(".py") else _module(home, place)
    if not hasattr(module, attribute):
        known = [name for name, value in vars(module).items() if _is_policy(value)]
        mend = nearest(attribute, known) if known else "Define a class derived from restock.policies.Policy there."
        raise InvalidInput("policy", place, f"{home} has no {attribute}", mend)
    return _checked(getattr(module, attribute), place)


def class_of(point: metadata.EntryPoint) -> type[Policy]:
    """The policy class of an installed package's entry point.

    Raises:
        InvalidInput: It cannot be imported, or is no policy.
    """
    return _checked(_imported(point.load, point.name), point.name)


def _module(home: str, place: str) -> ModuleType:
    """The module, also when it lies in the working folder."""
    with _on_path(Path.cwd()):
        return _imported(lambda: importlib.import_module(home), place)


def _file(path: Path, place: str) -> ModuleType:
    """The file as a module; what it says now, if it was edited since."""
    content = read_text(path, "policy", "Python")
    name = f"restock_outside_{path.stem}_{hashlib.sha256(f'{path.resolve()}{content}'.encode()).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    assert spec is not None and spec.loader is not None  # the path ends in .py
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with _on_path(path.resolve().parent):
            _imported(lambda: spec.loader.exec_module(module), place)  # type: ignore[union-attr]
    except InvalidInput:
        del sys.modules[name]
        raise
    return module


def _imported(load: Callable[[], Loaded], place: str) -> Loaded:
    try:
        return load()
    except (Exception, SystemExit) as error:  # whatever somebody's module does when it is imported
        reason = f"{type(error).__name__}: {error}"
        mend = "Mend it, or check the path."
        raise InvalidInput("policy", place, f"it cannot be imported ({reason})", mend) from error


def _is_policy(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Policy) and value is not Policy


def _checked(value: object, place: str) -> type[Policy]:
    if not (isinstance(value, type) and issubclass(value, Policy)):
        raise InvalidInput("policy", place, "this is not a policy", "Derive a class from restock.policies.Policy.")
    if not isinstance(getattr(value, "name", None), str):
        raise InvalidInput("policy", place, "the policy has no name", f'Write `name = "mine"` in {value.__name__}.')
    return value


@contextmanager
def _on_path(folder: Path) -> Iterator[None]:
    """The folder first among those that Python imports from."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
