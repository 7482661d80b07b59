"""Folders that one process at a time works in."""

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
    """Hold a folder for this process, made if it is not there; let go when the process ends, however it ends.

    Args:
        folder: The folder.
        field: What it is called in an error.
        mend: What to do when another process holds it.

    Raises:
        InvalidInput: Another process holds it, or it cannot be made.
    """
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


def take(file: IO[str]) -> bool:
    """Take a file for this process, if no other has it.

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
