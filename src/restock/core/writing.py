"""Writing files whole or not at all."""

from __future__ import annotations

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
    target = Path(path)
    neighbour = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        _check_is_no_folder(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        write(neighbour)
        os.replace(neighbour, target)
    except OSError as error:
        raise _unwritable(target, error.strerror) from None
    finally:
        neighbour.unlink(missing_ok=True)
    return target


def check_writable(path: str | Path) -> Path:
    """Make sure, before a long job, that its result can be written; leaves the file as it is.

    Raises:
        InvalidInput: It cannot.
    """
    target = Path(path)
    neighbour = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        _check_is_no_folder(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        neighbour.touch()
    except OSError as error:
        raise _unwritable(target, error.strerror) from None
    finally:
        neighbour.unlink(missing_ok=True)
    return target


def _check_is_no_folder(target: Path) -> None:
    if target.is_dir():
        raise InvalidInput("path", str(target), "this is a folder", "Name a file in it.")


def _unwritable(target: Path, why: str | None) -> InvalidInput:
    return InvalidInput("path", str(target), f"it cannot be written ({why})", "Choose another.")
