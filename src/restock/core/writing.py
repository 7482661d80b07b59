"""Atomic writing of files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from restock.core.errors import InvalidInput


def write_whole(path: str | Path, write: Callable[[Path], object]) -> Path:
    """Let `write` fill a neighbour of the file, then put that in its place; missing folders are made.

    Whatever stops it, a file that was there before is as it was, and nothing half written stays.

    Args:
        path: The file.
        write: Given the path of the neighbour.

    Raises:
        InvalidInput: The file cannot be written.
    """
    target, neighbour = _places(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write(neighbour)
        os.replace(neighbour, target)
    except OSError as error:
        raise _unwritable(target, error.strerror or str(error)) from None
    finally:
        with contextlib.suppress(OSError):
            neighbour.unlink(missing_ok=True)
    return target


def check_writable(path: str | Path) -> Path:
    """Check, before a long job, that its result can be written; leave everything as it is.

    Raises:
        InvalidInput: It cannot.
    """
    target, neighbour = _places(path)
    folder = target.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise _unwritable(target, f"{folder} is a file")
    if folder == target.parent:
        try:
            neighbour.touch()
        except OSError as error:
            raise _unwritable(target, error.strerror or str(error)) from None
        finally:
            with contextlib.suppress(OSError):
                neighbour.unlink(missing_ok=True)
    elif not os.access(folder, os.W_OK):
        raise _unwritable(target, f"nothing can be made in {folder}")
    return target


def _places(path: str | Path) -> tuple[Path, Path]:
    """Return the file, and the neighbour that is filled first.

    Raises:
        InvalidInput: The path is none of a file.
    """
    if not isinstance(path, (str, Path)):
        raise InvalidInput("path", path, "must be the path of a file", "Write it as text.")
    target = Path(path)
    if "\0" in str(target):
        raise _unwritable(target, "a path holds no NUL")
    try:
        if target.is_dir() or not target.name:
            raise InvalidInput("path", str(target), "this is a folder", "Name a file in it.")
    except OSError as error:  # the name is too long
        raise _unwritable(target, error.strerror or str(error)) from None
    return target, target.with_name(f".{target.name}.{os.getpid()}")


def _unwritable(target: Path, why: str) -> InvalidInput:
    return InvalidInput("path", str(target), f"it cannot be written ({why})", "Choose another.")
