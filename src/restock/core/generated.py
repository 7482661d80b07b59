"""Texts that are written by a declaration, and not by hand."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from typing import Any

from restock.core import operations


def generated(owner: str, name: str, arguments: str, lines: Sequence[str], kinds: Sequence[Any]) -> Callable[..., Any]:
    """Return the function with these lines, which may use the operations of texts and make the named tuples.

    Args:
        owner: What declares it, for tracebacks.
        name: Of the function.
        arguments: Separated by commas.
        lines: Of its body.
        kinds: Named tuples that it makes; numba's disk cache loads it again by the module of the first.
    """
    source = f"def {name}({arguments}):\n" + "\n".join(f"    {line}" for line in lines) + "\n"
    file = f"<{owner}.{name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)  # for tracebacks and inspect
    space = {**vars(operations), **{kind.__name__: kind for kind in kinds}, "__name__": kinds[0].__module__}
    exec(compile(source, file, "exec"), space)
    text: Callable[..., Any] = space[name]
    return text
