"""All episodes of a run as one table."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from restock.benchmark.task import Plan
from restock.core.sheets import write_rows
from restock.core.writing import write_whole


def write_table(
    folder: Path, plan: Plan, results: Sequence[Mapping[str, Any]], say: Callable[[str], None] = print
) -> Path:
    """Write `episodes.parquet`, or `episodes.csv` if polars is not installed; one row per episode.

    Args:
        folder: Of the run.
        plan: What the run consists of.
        results: Its finished tasks.
        say: Called with a sentence where Parquet cannot be written.

    Raises:
        InvalidInput: The file cannot be written.
    """
    rows = rows_of(plan, results)
    try:
        import polars
    except ImportError:
        say("Parquet needs polars (pip install 'restock[data]'): the episodes are written as CSV.")
        columns = list(dict.fromkeys(column for row in rows for column in row))
        return write_rows(folder / "episodes.csv", columns, ([row.get(column) for column in columns] for row in rows))
    content = io.BytesIO()  # polars tells of a full disk in ways of its own
    polars.DataFrame(rows, infer_schema_length=None).write_parquet(content)
    return write_whole(folder / "episodes.parquet", lambda file: file.write_bytes(content.getvalue()))


def rows_of(plan: Plan, results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows: what was run, with what, the results, and the processor time of decisions per episode."""
    run = {"suite": plan.suite.name, "suite_hash": plan.suite_mark}
    made = {f"{package.lower()}_version": version for package, version in plan.versions.items()}
    rows = []
    for result in results:
        count = len(result["episodes"])
        deciding = result["seconds"]["deciding"] / count
        about = {"scenario": result["scenario"], "policy": result["policy"], "information": result["information"]}
        for episode in result["episodes"]:
            rows.append(
                {
                    **run, **about, "seed": episode["seed"], "profit": episode["profit"], "bound": episode["bound"],
                    "decision_seconds": deciding, "decisions": result["horizon"], **episode["kpis"], **made,
                }
            )  # fmt: skip
    return rows
