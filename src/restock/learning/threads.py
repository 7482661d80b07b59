"""How many threads torch runs on. Needs torch when called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread.

    Small networks run faster so (on a busy machine ten times), processor time is what the clock says, and
    sums do not depend on how many cores there are.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
