"""A file that one process at a time holds, so that two do not work in one folder."""

from __future__ import annotations

from typing import IO


def taken(file: IO[str]) -> bool:
    """Whether this process now holds the file; the system lets go of it when the process ends."""
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
