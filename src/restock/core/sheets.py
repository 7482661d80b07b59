"""Tables as CSV files that may be opened in a spreadsheet: whatever a name says, no cell is carried out."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from restock.core.writing import write_whole

CARRIED_OUT = ("=", "+", "-", "@", "\t", "\r")  # what text begins with that a spreadsheet carries out


def cell(value: Any) -> Any:
    r"""Return a value as a cell.

    Text that a spreadsheet would carry out has an apostrophe before it, and lines in it end in `\n`: Python leaves
    other ends unquoted, and what follows would be a row of its own.
    """
    if not isinstance(value, str):
        return value
    lines = value.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{lines}" if value.startswith(CARRIED_OUT) else lines


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    """Write a table, whole or not at all.

    Args:
        path: The file.
        header: Names of the columns.
        rows: Values in their order; None is empty.

    Raises:
        InvalidInput: The file cannot be written.
    """

    def write(file: Path) -> None:
        with file.open("w", newline="", encoding="utf-8") as handle:
            writer = csv.writer(handle, lineterminator="\n")
            writer.writerow(map(cell, header))
            writer.writerows(map(cell, row) for row in rows)

    return write_whole(path, write)
