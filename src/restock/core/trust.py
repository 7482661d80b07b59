"""Files are data: code that a file names is refused, unless the user trusts the file.

A transcript, the folder of a run or a list of policies may name a class (`file.py:Class`) or a problem folder, and
to use such a name is to run what stands there. So whoever reads a file hands what it says to `refuse_code` before
anything is done with it; `read_yaml` does by default. Names that a user types or passes in Python are not checked.

One context variable says whether files are trusted: `--trust` sets it for a command, `trust=True` for a call, and
`restock.trusting()` for a block. A new thread or process begins without. `make_policy` and `load_problem` have no such
argument: theirs may come from a file.
"""

from __future__ import annotations

import functools
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from restock.core.errors import InvalidInput, inside
from restock.core.places import has_loaded, has_run, split_place

MEND = "Read that code; to let it run, add --trust (in Python `with restock.trusting():`)."
SHIPPED = ("restock.policies.", "restock.problems.")  # what is made by names, and opens no file when it is made
HOLDERS = (str, Mapping, list, tuple)
FOLDERS = ("place", "instance")  # keys whose text may be a problem folder
_TRUSTED: ContextVar[bool] = ContextVar("files are trusted", default=False)

Given = ParamSpec("Given")
Returned = TypeVar("Returned")


@contextmanager
def trusting(trust: bool = True) -> Iterator[None]:
    """Let files name code that is then run; False changes nothing.

    Example:
        >>> with trusting():
        ...     trusted()
        True
        >>> trusted()
        False
    """
    before = _TRUSTED.set(trust or trusted())
    try:
        yield
    finally:
        _TRUSTED.reset(before)


def trusted() -> bool:
    """Return whether files may name code."""
    return _TRUSTED.get()


def may_trust(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """Give the keyword-only argument `trust` of a function its meaning: the function runs within `trusting(trust)`."""

    @functools.wraps(function)
    def within(*args: Given.args, **kwargs: Given.kwargs) -> Returned:
        with trusting(kwargs.get("trust") is True):
            return function(*args, **kwargs)

    return within


def refuse_code(data: Any, file: str | Path) -> None:
    """Refuse what a file says if it names code that would be run, unless files are trusted.

    Classes of restock's own policies and problems may be named, and code that this process has run already.

    Args:
        data: Plain data as the file holds them.
        file: The file; paths in it are looked for from its folder and from the working folder.

    Raises:
        InvalidInput: It names code; the field is the file and the field in it, the hint how to trust it.
    """
    if trusted():
        return
    bases = ("", os.path.dirname(file))
    for field, key, text in _texts(data):
        code = _class_in(text, bases) or (_folder_in(text, bases) if key in FOLDERS else None)
        if code is not None:
            ask(inside(f"{file}:", field), text, code)


def ask(field: str, value: Any, code: str) -> None:
    """Refuse to run code that a file brings, unless files are trusted.

    Args:
        field: Where it is named.
        value: What names it.
        code: What would be run.

    Raises:
        InvalidInput: Files are not trusted.
    """
    if not trusted():
        raise InvalidInput(field, value, f"a file must not run code by itself, and this would run {code}", MEND)


def _texts(data: Any) -> Iterator[tuple[str, str, str]]:
    """Yield every text in plain data with its field and the key it stands under; an alias is followed once."""
    waiting, seen = deque([("", "", data)]), set[int]()
    while waiting:
        field, key, value = waiting.popleft()
        if isinstance(value, str):
            yield field, key, value
        elif isinstance(value, (Mapping, list, tuple)) and id(value) not in seen:
            seen.add(id(value))
            if isinstance(value, Mapping):
                waiting += ((inside(field, str(name)), str(name), one) for name, one in value.items())
            else:
                waiting += ((f"{field}[{k}]", key, one) for k, one in enumerate(value) if isinstance(one, HOLDERS))


def _class_in(text: str, bases: Sequence[str]) -> str | None:
    """Return the code that a text names as `home:Name`, also behind a prefix of its own (`stand-in:file.py:Mine`)."""
    while ":" in text:
        place = split_place(text)
        if place is not None:
            return _file(place[0], bases) if place[0].endswith(".py") else _module(*place)
        text = text.partition(":")[2]
    return None


def _file(home: str, bases: Sequence[str]) -> str | None:
    there = [path for base in bases if os.path.isfile(path := os.path.join(base, home))]
    return None if there and all(has_run(Path(path)) for path in there) else home


def _module(home: str, name: str) -> str | None:
    first = home.partition(".")[0]
    harmless = home.startswith(SHIPPED) if first == "restock" else has_loaded(home, name) or not _to_be_found(first)
    return None if harmless else f"the module {home}"


def _folder_in(text: str, bases: Sequence[str]) -> str | None:
    """Return the code of the problem folder that a text names, or that an instance lies in."""
    paths = [Path(base, text) for base in bases if "\0" not in text]
    for folder in (*paths, *(path.resolve().parent.parent for path in paths if path.parent.name == "instances")):
        load = folder / "load.py"
        if os.path.isfile(load) and not has_run(folder):
            return str(load)
    return None


def _to_be_found(module: str) -> bool:
    """Return whether Python finds a module, in the working folder or elsewhere; it is not imported."""
    try:
        return PathFinder.find_spec(module, [os.getcwd()]) is not None or find_spec(module) is not None
    except (ImportError, ValueError):  # a module without a specification, such as __main__
        return True
