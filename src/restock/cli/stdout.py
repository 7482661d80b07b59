"""Standard output with `--json`: one document, whatever else tries to print.

Libraries print from C, policies print from Python, and a process that is started inherits the stream.
While it is reserved, all of that goes to stderr, and `document_stream` alone leads to stdout.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_STDOUT, _STDERR = 1, 2  # file descriptors
_document: Any = None


def document_stream() -> Any:
    """Return the stream for results: stdout, even while it is reserved."""
    return sys.stdout if _document is None else _document


def reserve() -> int | None:
    """Reserve stdout for the document; return a new descriptor of it, None if Python has its own stream."""
    global _document
    stdout = sys.stdout
    descriptor = _moved(stdout)
    if descriptor is None:  # as in notebooks and tests: only `print` can be kept away
        _document = stdout
    else:
        _document = open(descriptor, "w", encoding=stdout.encoding, errors=stdout.errors, closefd=False)
    sys.stdout = sys.stderr
    return descriptor


@contextmanager
def reserved() -> Iterator[None]:
    """Reserve stdout for the document until the block ends; if it is reserved already, change nothing."""
    global _document
    if _document is not None:
        yield
        return
    stdout = sys.stdout
    descriptor = reserve()
    try:
        yield
    finally:
        sys.stdout, _document = stdout, None
        if descriptor is not None:
            with contextlib.suppress(OSError, AttributeError):
                ctypes.CDLL(None).fflush(None)  # what C has kept back, as long as it still leads to stderr
            os.dup2(descriptor, _STDOUT)
            os.close(descriptor)


def _moved(stdout: Any) -> int | None:
    """Return a new descriptor of stdout, whose own leads to stderr from now on; None if it is not stdout's."""
    try:
        if stdout.fileno() != _STDOUT:
            return None
        stdout.flush()
        descriptor = os.dup(_STDOUT)
    except (AttributeError, OSError, ValueError):
        return None
    try:
        os.dup2(_STDERR, _STDOUT)
    except OSError:  # stderr is closed
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), _STDOUT)
    return descriptor
