"""Results as files for other programs: JSON and CSV, the same from the command line and from a page."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from restock.core.plain import plain
from restock.core.sheets import cell
from restock.evaluation.compare import Comparison
from restock.report.columns import COLUMNS
from restock.report.words import answer, warnings


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as `restock compare --json` writes it."""
    return {**comparison.to_dict(), "answer": answer(comparison), "warnings": warnings(comparison)}


def comparison_rows(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row per policy, as `restock compare --out FILE.csv` writes them.

    Args:
        document: Of `comparison_document`.
    """
    rows = []
    for entry in document["policies"]:
        row: dict[str, Any] = {}
        for column in COLUMNS.values():
            for field in column.fields:
                name, value = column.name if len(column.fields) == 1 else field, entry[field]
                row[name] = value.get("mean") if isinstance(value, Mapping) else value
                if column.ends is not None:
                    row |= {f"{name}_{end}": (value or {}).get(end) for end in ("low", "high")}
        rows.append(row | {name: value for name, value in entry["kpis"].items() if name != "profit"})
    return rows


def as_json(data: Any, without: Collection[str] = ()) -> str:
    """Return data as the JSON that a page shows.

    Args:
        data: What is written.
        without: Names of entries that are left out, wherever they stand.
    """
    return json.dumps(plain(data, without), indent=1, ensure_ascii=False)


def as_csv(rows: Sequence[Mapping[str, Any]], names: Sequence[str] | None = None) -> str:
    """Return rows as CSV: missing values are empty, and no cell can be executed by a spreadsheet.

    Args:
        rows: By the names of the columns; a row may lack some.
        names: Of the columns; default: all that a row has, in the order of their first mention.
    """
    columns = list(names or dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_cell(name) for name in columns])
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, (Mapping, list, tuple)):
        value = json.dumps(plain(value))
    return cell(value)
