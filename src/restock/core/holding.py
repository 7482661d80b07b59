"""Exclusive folder locks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from restock.core.errors import InvalidInput

LOCK = "lock"  # name of the file that stands for the folder


@contextmanager
def held(folder: Path, field: str, mend: str = "Wait for it, or name another folder.") -> Iterator[None]:
    """Lock a folder for this process, made if it is missing, until the process ends, however it ends.

    Args:
        folder: The folder.
        field: What it is called in an error.
        mend: What to do when another process holds it.

    Raises:
        InvalidInput: Another process holds it, it cannot be made, or a link in it leads out of it.
    """
    refuse_links(folder, field)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("a+", encoding="utf-8")
    except OSError as error:
        problem = f"nothing can be written there ({error.strerror or error})"
        raise InvalidInput(field, str(folder), problem, "Name another folder.") from None
    with file:
        if not take(file):
            file.seek(0)
            problem = f"process {file.read().strip() or 'unknown'} is at work in this folder"
            raise InvalidInput(field, str(folder), problem, mend)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def refuse_links(folder: Path, field: str) -> None:
    """Reject a folder from outside in which a link would lead elsewhere what is written there.

    Args:
        folder: The folder; it may be reached by a link itself.
        field: What it is called in an error.

    Raises:
        InvalidInput: There is such a link, at any depth.
    """
    home = folder.resolve()
    for place, folders, files in os.walk(home):
        for path in (Path(place, name) for name in (*folders, *files)):
            if path.is_symlink() and not _leads_into(home, path):
                problem = "must not be a link that leads out of the folder: what is written there would go elsewhere"
                raise InvalidInput(field, str(path), problem, "Replace the link by the file it leads to.")


def _leads_into(home: Path, link: Path) -> bool:
    try:
        return link.resolve().is_relative_to(home) and link.exists()
    except (OSError, RuntimeError):  # links in a circle
        return False


def take(file: IO[str]) -> bool:
    """Lock a file for this process, if no other has.

    Returns:
        Whether this process now holds the file; the system lets go of it when the process ends.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return _taken_on_windows(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _taken_on_windows(file: IO[str]) -> bool:
    import importlib

    msvcrt = importlib.import_module("msvcrt")
    try:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    return True
