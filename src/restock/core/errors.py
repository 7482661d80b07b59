"""The exception for invalid input, which names field, value and hint, and the one for an unfinished run."""

from __future__ import annotations

import difflib
import reprlib
import sys
from collections.abc import Iterable
from typing import Any

from restock.core.terminal import printable


class InvalidInput(ValueError):
    """Something given to restock cannot be used; nothing was changed.

    Attributes:
        field: What was wrong, as a path a reader can follow (``links[3].lead_time``).
        value: The value given.
        mend: What to write instead.
        problem: What is wrong with the value, in words.
    """

    def __init__(self, field: str, value: Any, problem: str, mend: str) -> None:
        self.field = printable(field)
        self.value = value
        self.problem = printable(problem)
        self.mend = printable(mend)
        super().__init__(f"{self.field} = {shown(value)}: {self.problem}. {self.mend}")

    def within(self, where: str) -> InvalidInput:
        """Return the same error with the place the data came from."""
        return InvalidInput(inside(where, self.field), self.value, self.problem, self.mend)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.field, self.value, self.problem, self.mend)


class UnknownKeyword(InvalidInput, TypeError):
    """An unknown keyword argument: a `TypeError` too, as users of Python and Gymnasium expect.

    Args:
        field: The keyword.
        value: What it was given.
        known: The keywords there are; None where Gymnasium raises the error it has just caught anew, from its text.
    """

    known: tuple[object, ...]

    def __init__(self, field: str, value: Any = None, known: Iterable[object] | None = None) -> None:
        caught = sys.exc_info()[1]
        if known is None and isinstance(caught, UnknownKeyword):
            field, value, known = caught.field, caught.value, caught.known
        self.known = tuple(known or ())
        # TorchRL takes a keyword back if it reads exactly this in the message.
        super().__init__(
            field,
            value,
            f"there is no such keyword (unexpected keyword argument '{field}')",
            nearest(field, self.known),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.field, self.value, self.known)


class Unfinished(RuntimeError):
    """A run stopped before its end; what it had finished is kept.

    Attributes:
        mend: What to do.
    """

    def __init__(self, problem: str, mend: str) -> None:
        super().__init__(printable(problem))
        self.mend = printable(mend)


def inside(where: str, field: str) -> str:
    """Return the path of a field inside something: `demand` and `mean` make `demand.mean`; a file ends in a colon."""
    if not where or not field:
        return (where or field).rstrip(":").lstrip(".")
    if where.endswith(":"):
        return f"{where} {field.lstrip('.')}"
    return where + ("" if field[0] in ".[" else ".") + field


_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxlist, _REPR.maxtuple, _REPR.maxdict = 4, 8, 8, 8
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 80


def shown(value: Any, limit: int = 80) -> str:
    """Return the value as an error shows it: its `repr`, shortened, however large or odd the value is."""
    try:
        text = printable(" ".join(_REPR.repr(value).split()))  # a repr of one's own escapes nothing
    except Exception:  # a repr may raise anything, and this is called where an error is being told
        text = f"<{type(value).__name__}>"
    return text if len(text) <= limit else text[: limit - 4] + " ..."


def nearest(name: object, known: Iterable[object]) -> str:
    """Return one sentence: the nearest known name, or the whole list when none is near."""
    names = [str(k) for k in known]
    close = difflib.get_close_matches(name if isinstance(name, str) else shown(name), names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Known: {', '.join(names)}."


def require_extra(module: str, extra: str, purpose: str) -> Any:
    """Import an optional module, or say which command installs it.

    Raises:
        InvalidInput: The module is not installed.
    """
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError:
        raise InvalidInput(
            "installation",
            module,
            f"{purpose} needs a package that is not installed",
            f"Run: pip install 'restock[{extra}]'.",
        ) from None
