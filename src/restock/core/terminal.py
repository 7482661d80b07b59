"""Text from outside, before a terminal or a log shows it."""

from __future__ import annotations

from typing import Final

_LINES = "\n\t"  # layout, which moves nothing but to the right and down
_CONTROLS = (
    *range(0x20),  # C0: escape sequences begin with one, bells and backspaces are others
    *range(0x7F, 0xA0),  # DEL and C1: an escape sequence in one character
    0x2028, 0x2029,  # line and paragraph separators, which some logs take for a new record
    *range(0x202A, 0x202F), *range(0x2066, 0x206A),  # what turns the direction of text round
)  # fmt: skip
_REMOVED: Final = dict.fromkeys(code for code in _CONTROLS if chr(code) not in _LINES)


def printable(text: str) -> str:
    r"""Return the text without control sequences and characters that turn text round; lines are kept.

    Args:
        text: Of a file, an endpoint, a client: anybody's.

    Example:
        >>> printable("a \x1b]0;title\x07\x9b31mb")
        'a ]0;title31mb'
    """
    return text.translate(_REMOVED)
