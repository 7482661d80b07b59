"""Demand series from outside: lists, arrays, CSV files, data sets shipped with the package."""

from __future__ import annotations

import csv
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pydantic
from numpy.typing import NDArray

from restock.core.errors import InvalidInput, nearest
from restock.core.validation import Spec

DATASETS = {"restaurant": "restaurant_demand.csv"}


class SeriesSource(Spec):
    """One column of a CSV file, or of a data set shipped with restock."""

    file: str | None = pydantic.Field(None, description="path of a CSV file with a header")
    dataset: str | None = pydantic.Field(None, description="name of a shipped data set")
    column: str = pydantic.Field(description="name of the column with one number a period")
    scale: float = pydantic.Field(1.0, gt=0.0, description="factor on every number")

    @pydantic.model_validator(mode="after")
    def _one_origin(self) -> SeriesSource:
        if (self.file is None) == (self.dataset is None):
            raise InvalidInput("file", self.file, "a series comes from a file or a dataset", "Give one of the two.")
        if self.dataset is not None and self.dataset not in DATASETS:
            raise InvalidInput("dataset", self.dataset, "there is no such data set", nearest(self.dataset, DATASETS))
        return self

    def read(self) -> NDArray[np.float64]:
        """The numbers of the column, shape (S,).

        Raises:
            InvalidInput: The file or column is missing, or a cell is not a demand.
        """
        if self.dataset is not None:
            name = DATASETS[self.dataset]
            text = resources.files("restock.data").joinpath(name).read_text(encoding="utf-8")
        else:
            name = str(self.file)
            text = _text_of(Path(name))
        return self.scale * _column(text, name, self.column)


def check_series(values: Any, field: str = "series") -> NDArray[np.float64]:
    """Demands as an array of shape (S,) or (S, M).

    Raises:
        InvalidInput: Empty, ragged, not numbers, not finite, or negative.
    """
    try:
        array = np.asarray(values)
        if array.dtype == bool or array.dtype.kind not in "iuf":
            raise ValueError
        array = array.astype(np.float64)
    except (ValueError, TypeError):
        raise InvalidInput(field, values, "a series is a list of numbers", "Write one number a period.") from None
    if array.ndim not in (1, 2) or array.size == 0:
        raise InvalidInput(
            field, f"shape {array.shape}", "a series has one number a period, or one row a period", "Reshape it."
        )
    if not np.isfinite(array).all():
        at = int(np.argwhere(~np.isfinite(array))[0][0])
        raise InvalidInput(f"{field}[{at}]", array[at].tolist(), "demand must be finite", "Fill or drop that period.")
    if (array < 0).any():
        at = int(np.argwhere(array < 0)[0][0])
        raise InvalidInput(
            f"{field}[{at}]", array[at].tolist(), "demand cannot be negative", "Net out returns before."
        )
    return array


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InvalidInput("series.file", str(path), "there is no such file", "Check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("series.file", str(path), f"it cannot be read ({error})", "Save it as UTF-8 CSV.") from None


def _column(text: str, name: str, column: str) -> NDArray[np.float64]:
    try:
        rows = list(csv.DictReader(text.splitlines(), strict=True))
    except csv.Error as error:
        raise InvalidInput("series.file", name, f"this is not a CSV file ({error})", "Save it as CSV.") from None
    if not rows:
        raise InvalidInput("series.file", name, "the file has no rows", "It needs a header and one row a period.")
    header = [key for key in rows[0] if key is not None]
    if column not in header:
        raise InvalidInput("series.column", column, f"{name} has no such column", nearest(column, header))
    numbers = []
    for line, row in enumerate(rows, start=2):
        try:
            numbers.append(float(row[column]))
        except (TypeError, ValueError):
            raise InvalidInput(
                f"{name}:{line}", row[column], f"column {column} has no number here", "Fill or drop that row."
            ) from None
    return check_series(numbers, f"{name}: {column}")
