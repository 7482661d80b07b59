"""The parts of a decision form: fields, rows and grids."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass
class Box:
    """One field to fill in.

    Attributes:
        name: What the form calls it.
        path: What errors call it.
        label: What it is, for those who hear it.
        whole: Whether it takes whole numbers.
        low: Least number; None for none.
        high: Largest number.
        choices: Words to choose from; empty for a number.
        kept: Whether it stays as it is from period to period.
        value: What stands in it.
        error: What is wrong with that.
    """

    name: str
    path: str
    label: str
    whole: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    kept: bool = False
    value: str = ""
    error: str = ""


@dataclasses.dataclass
class Row:
    """A row of fields.

    Attributes:
        name: What they are about.
        told: What one decides them by, in short lines.
        boxes: One for each column, None where there is nothing to fill in.
    """

    name: str
    told: tuple[str, ...]
    boxes: list[Box | None]


@dataclasses.dataclass
class Grid:
    """Fields in rows and columns.

    Attributes:
        corner: Above the names of the rows.
        columns: Their names.
        rows: One below the other.
        hints: What the columns take: name and words.
    """

    corner: str
    columns: list[str]
    rows: list[Row]
    hints: list[tuple[str, str]]


@dataclasses.dataclass
class Form:
    """The form of a decision.

    Attributes:
        singles: Boxes that stand alone, each with what it takes.
        grids: Boxes of things that are decided for many at once.
        error: What is wrong with the whole.
    """

    singles: list[tuple[Box, str]]
    grids: list[Grid]
    error: str = ""

    def boxes(self) -> list[Box]:
        """Return all fields, in the order in which they stand on the page."""
        inner = [box for grid in self.grids for row in grid.rows for box in row.boxes if box is not None]
        return inner + [box for box, _ in self.singles]
