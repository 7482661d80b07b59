"""Plug-ins: a name in a module or file, or a folder of modules, from outside the package.

Policies and problems from outside are named in the same forms, and imported here:

    my_package.my_module:Mine      a name in a module that Python can import
    path/to/file.py:Mine           a name in a file
    path/to/folder                 a folder of modules that import each other relatively
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from restock.core.backends import OUTSIDE
from restock.core.errors import InvalidInput
from restock.core.reading import read_text

Loaded = TypeVar("Loaded")
_PLACE = re.compile(r"(?P<home>.+\.py|[A-Za-z_][\w.]*):(?P<attribute>[A-Za-z_]\w*)", re.DOTALL)


def names_a_place(name: str) -> bool:
    """Return whether the text has the form of a name in a module or file, `home:Name`."""
    return split_place(name) is not None


def split_place(text: str) -> tuple[str, str] | None:
    """Return the home and the name in `home:Name`; None of a text of another form."""
    found = _PLACE.fullmatch(text)
    return None if found is None else (found["home"], found["attribute"])


def has_run(path: Path) -> bool:
    """Return whether this process has run a file, or the problem folder, as it is now.

    Raises:
        InvalidInput: It cannot be read.
    """
    files = sorted(path.glob("*.py")) if path.is_dir() else [path]
    return _name_of(path, files, "file") in sys.modules


def has_loaded(module: str, name: str) -> bool:
    """Whether this process has imported a module that has a class of that name, derived from one of restock's."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and any(base.__module__.startswith("restock.") for base in kind.__mro__)


def module_at(place: str, field: str) -> tuple[ModuleType, str, str]:
    """Return the module that `home:Name` names, the home as it was written, and the name in it.

    Args:
        place: `package.module:Name` or `path/to/file.py:Name`.
        field: What is named, for errors: `policy`, `problem`.

    Raises:
        InvalidInput: It has another form, or cannot be imported.
    """
    found = split_place(place)
    if found is None:
        raise InvalidInput(field, place, "this names no class", "Write package.module:Class or file.py:Class.")
    home, attribute = found
    module = _file(Path(home), place, field) if home.endswith(".py") else _module(home, place, field)
    return module, home, attribute


def folder_module(folder: Path, name: str, field: str) -> ModuleType:
    """Return a module of a folder, what its files say now, if they were edited since.

    The folder needs no `__init__.py`: tests inside it are collected whatever it is called.

    Args:
        folder: The folder; its modules import each other relatively (`from .spec import ...`).
        name: The module in it.
        field: What is named, for errors.

    Raises:
        InvalidInput: It cannot be imported.
    """
    package = _name_of(folder, sorted(folder.glob("*.py")), field)
    if package not in sys.modules:
        sys.modules[package] = ModuleType(package)
        sys.modules[package].__path__ = [str(folder.resolve())]
    try:
        return imported(lambda: importlib.import_module(f"{package}.{name}"), str(folder), field)
    except InvalidInput:
        for known in [known for known in sys.modules if known.partition(".")[0] == package]:
            del sys.modules[known]
        raise


def imported(load: Callable[[], Loaded], place: str, field: str) -> Loaded:
    """Return what `load` imports.

    Raises:
        InvalidInput: It raises anything.
    """
    try:
        return load()
    except (Exception, SystemExit) as error:  # whatever somebody's module does when it is imported
        reason = f"{type(error).__name__}: {error}"
        mend = "Correct it, or check the path."
        raise InvalidInput(field, place, f"it cannot be imported ({reason})", mend) from error


def _module(home: str, place: str, field: str) -> ModuleType:
    """Return the module, also when it lies in the working folder."""
    with _on_path(Path.cwd()):
        return imported(lambda: importlib.import_module(home), place, field)


def _file(path: Path, place: str, field: str) -> ModuleType:
    """Return the file as a module; what it says now, if it was edited since."""
    name = _name_of(path, [path], field)
    if name not in sys.modules:
        with _on_path(path.resolve().parent):
            _run(name, path, place, field)
    return sys.modules[name]


def _run(name: str, path: Path, place: str, field: str) -> None:
    """Run a file as the module of that name; nothing is left of one that cannot be imported."""
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    assert spec is not None and spec.loader is not None  # the path ends in .py
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        imported(lambda: spec.loader.exec_module(module), place, field)  # type: ignore[union-attr]
    except InvalidInput:
        del sys.modules[name]
        raise


def _name_of(path: Path, files: Iterable[Path], field: str) -> str:
    """Return a name for the module of a file or folder that no other has, and that changes with what its files say."""
    contents = (read_text(file, field, "Python") for file in files)
    mark = hashlib.sha256("\0".join([str(path.resolve()), *contents]).encode()).hexdigest()[:12]
    return f"{OUTSIDE}{re.sub(r'[^0-9a-zA-Z_]', '_', path.stem)}_{mark}"


@contextmanager
def _on_path(folder: Path) -> Iterator[None]:
    """The folder first among those that Python imports from."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
