"""Demand series from lists, arrays, CSV files and shipped data sets."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pydantic
from numpy.typing import NDArray

from restock.core.errors import InvalidInput, nearest
from restock.core.reading import read_text
from restock.core.validation import LARGEST, Spec

_CSV = "It needs a header and one row a period."
DATASETS = {"restaurant": "restaurant_demand.csv"}


class SeriesSource(Spec):
    """Columns of a CSV file or of a shipped data set: one, or one for each market in their order."""

    file: str | None = pydantic.Field(None, description="path of a CSV file with a header")
    dataset: str | None = pydantic.Field(None, description="name of a shipped data set")
    column: str | list[str] = pydantic.Field(description="name of the column with one number a period, or names")
    scale: float = pydantic.Field(1.0, gt=0.0, le=LARGEST, description="factor on every number")

    @pydantic.field_validator("column")
    @classmethod
    def _not_empty(cls, column: str | list[str]) -> str | list[str]:
        if not column:
            raise InvalidInput("", column, "this names no column", "Write the name of one, or one for each market.")
        return column

    @pydantic.model_validator(mode="after")
    def _one_origin(self) -> SeriesSource:
        if (self.file is None) == (self.dataset is None):
            problem = "a series comes from a file or a dataset"
            raise InvalidInput("file", self.file, problem, "Give one of the two, and not both.")
        if self.dataset is not None and self.dataset not in DATASETS:
            raise InvalidInput("dataset", self.dataset, "there is no such data set", nearest(self.dataset, DATASETS))
        return self

    def read(self) -> NDArray[np.float64]:
        """Return the numbers of the column, shape (S,), or of several, shape (S, M).

        Raises:
            InvalidInput: The file or a column is missing, or a cell is not a demand.
        """
        if self.dataset is not None:
            name = DATASETS[self.dataset]
            text = resources.files("restock.data").joinpath(name).read_text(encoding="utf-8")
        else:
            name = str(self.file)
            text = read_text(Path(name), "demand.series.file", "CSV")
        if isinstance(self.column, str):
            return check_series(self.scale * _column(text, name, self.column), "demand.series")
        columns = [_column(text, name, column) for column in self.column]
        return check_series(self.scale * np.stack(columns, axis=1), "demand.series")


def beside(demand: Any, folder: Path) -> Any:
    """Return the data of a demand, with the file of its series found from the folder of the spec.

    Args:
        demand: As it stands in a description; what is not a mapping with such a file stays as it is.
        folder: Where the description is.
    """
    series = demand.get("series") if isinstance(demand, Mapping) else None
    name = series.get("file") if isinstance(series, Mapping) else None
    if series is None or not isinstance(name, str) or Path(name).is_absolute():
        return demand
    return {**demand, "series": {**series, "file": str(folder / name)}}


def check_series(values: Any, field: str = "series") -> NDArray[np.float64]:
    """Return the demands as an array of shape (S,) or (S, M).

    Raises:
        InvalidInput: Empty, ragged, not numbers, not finite, negative, or beyond any demand.
    """
    try:
        array = np.asarray(values)
        if array.ndim == 0 or array.dtype.kind not in "iuf" or _holds_truth(values):
            raise ValueError
        array = array.astype(np.float64)
    except Exception:  # an array-like of another library may raise anything
        problem = "a series is numbers, in rows of equal length"
        raise InvalidInput(field, values, problem, "Write one number, or one row of numbers, a period.") from None
    if array.ndim not in (1, 2):
        problem = f"a series has one number, or one row of numbers, a period, not shape {array.shape}"
        raise InvalidInput(field, values, problem, "Reshape it to (periods, markets).")
    if array.size == 0:
        raise InvalidInput(field, values, "the series is empty", "Write one number, or one row of numbers, a period.")
    for wrong, problem, mend in (
        (~np.isfinite(array), "demand must be finite", "Fill or drop that period."),
        (array < 0.0, "demand cannot be negative", "Net out returns before."),
        (array > LARGEST, f"demand is at most {LARGEST:g}", "Count in a larger unit."),
    ):
        if wrong.any():
            place = [int(k) for k in np.argwhere(wrong)[0]]
            at = "".join(f"[{k}]" for k in place)
            raise InvalidInput(field + at, float(array[tuple(place)]), problem, mend)
    return array


def _holds_truth(values: Any) -> bool:
    """Return whether the numbers contain true or false, which NumPy would read as 1 or 0."""
    if isinstance(values, (list, tuple)):
        return any(isinstance(value, (bool, np.bool_)) or _holds_truth(value) for value in values)
    return False


def _column(text: str, name: str, column: str) -> NDArray[np.float64]:
    """Return one column of a CSV text, with a number in every row."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    numbers: list[float] = []
    try:
        header = [cell.strip() for cell in next(reader, [])]
        if not header:
            raise InvalidInput("demand.series.file", name, "the file is empty", _CSV)
        if column not in header:
            mend = nearest(column, header)
            if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
                mend = "Separate its cells by commas."
            raise InvalidInput("demand.series.column", column, f"{name} has no such column", mend)
        if header.count(column) > 1:
            raise InvalidInput("demand.series.column", column, f"{name} has it twice", "Rename one of them.")
        place = header.index(column)
        for row in reader:
            if row:
                numbers.append(_cell(row, header, place, f"{name}:{reader.line_num}"))
    except csv.Error as error:
        problem = f"this is not CSV ({error}, line {reader.line_num})"
        raise InvalidInput("demand.series.file", name, problem, "Save it as CSV.") from None
    if not numbers:
        raise InvalidInput("demand.series.file", name, "the file has no rows", _CSV)
    return np.array(numbers)


def _cell(row: list[str], header: list[str], place: int, where: str) -> float:
    """Return the number in one cell of a row."""
    if len(row) != len(header):
        problem = f"this row has {len(row)} cells, the header {len(header)}"
        raise InvalidInput(where, ",".join(row), problem, "Write a decimal point, not a comma, and fill every cell.")
    try:
        number = float(row[place])
        if "_" in row[place] or not 0.0 <= number <= LARGEST:
            raise ValueError
    except ValueError:
        problem = f"column {header[place]} has no demand here"
        raise InvalidInput(where, row[place], problem, "Write a number of 0 or more, or drop that row.") from None
    return number
