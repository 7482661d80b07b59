"""HiGHS without output."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator
from typing import IO, Any

_BANNER = (b"Running HiGHS", b"Includes third-party software")
_MAKING = threading.Lock()
_banner_to_come = True


def new_highs() -> Any:
    """Return an empty HiGHS model that prints nothing.

    HiGHS 1.16 and later print a banner from C when the first model of a process is made, before any option can be
    set. What reaches standard output meanwhile is held back, and written there without the banner.
    """
    global _banner_to_come
    import highspy

    with _MAKING:
        if not _banner_to_come:
            model = highspy.Highs()
        else:
            with tempfile.TemporaryFile() as heard, _standard_output_to(heard):
                model = highspy.Highs()
            _banner_to_come = False
    model.setOptionValue("output_flag", False)
    return model


@contextlib.contextmanager
def _standard_output_to(file: IO[bytes]) -> Iterator[None]:
    """Redirect descriptor 1 to a file, and restore it afterwards."""
    try:
        usual = os.dup(1)
    except OSError:  # it is closed
        yield
        return
    try:
        os.dup2(file.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(usual, 1)
        file.seek(0)
        for line in file:
            if not line.startswith(_BANNER):
                os.write(1, line)
    finally:
        os.close(usual)
