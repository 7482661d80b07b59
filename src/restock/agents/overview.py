"""An agent on several problems: one row each, and what all of them took together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from restock.agents.judge import Judgement

SUMMED = (
    "replies", "retries", "fallbacks", "unreadable", "rejected",
    "tokens_in", "tokens_out", "tokens_reasoning", "tokens_cached",
)  # fmt: skip


def rows(judged: Sequence[Judgement]) -> list[dict[str, Any]]:
    """What the first agent of each judgement came to, as plain data."""
    found = []
    for one in judged:
        name, transcript = next(iter(one.agents.items()))
        result, grades = transcript.lines[-1], one.grades.get(name, ())
        apart = one.differences(name)
        found.append(
            {
                "problem": transcript.run["problem"],
                "agent": name,
                "episodes": transcript.run["episodes"],
                "mean": result["mean"],
                "reference": one.reference,
                "difference": None if one.reference is None else apart[one.reference],
                "gap": one.comparison.row(name).gap,
                "score": sum(grade.score for grade in grades) / len(grades) if grades else None,
                "repairs": sum(result["counts"]["repairs"].values()),
                **{field: result["counts"][field] for field in SUMMED},
                "cost": result["cost"],
                "seconds": result["seconds"],
                "transcript": None if transcript.path is None else str(transcript.path),
            }
        )
    return found


def total(table: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Sums over all problems; the cost is None where no price is known."""
    summed = {field: sum(row[field] for row in table) for field in ("episodes", "repairs", *SUMMED, "seconds")}
    costs = [row["cost"] for row in table if row["cost"] is not None]
    return {**summed, "cost": sum(costs) if costs else None}
