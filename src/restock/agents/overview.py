"""Results of agents on several problems: one row each, and totals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from restock.agents.counts import Counts
from restock.agents.judge import Judgement, cut_off


def rows(judged: Sequence[Judgement]) -> list[dict[str, Any]]:
    """Return the result of each agent in each judgement, as plain data."""
    found = []
    for one in judged:
        for name, transcript in one.agents.items():
            result, grades = transcript.lines[-1], one.grades.get(name, ())
            found.append(
                {
                    "problem": transcript.run["problem"],
                    "agent": name,
                    "episodes": transcript.run["episodes"],
                    "mean": result["mean"],
                    "reference": one.reference,
                    "difference": None if one.reference is None else one.differences(name)[one.reference],
                    "gap": one.comparison.row(name).gap,
                    "score": sum(grade.score for grade in grades) / len(grades) if grades else None,
                    **{field: result[field] for field in ("counts", "cost", "seconds")},
                    **cut_off(transcript),
                    "limit": transcript.run["request"].get("max_tokens"),
                    "transcript": None if transcript.path is None else str(transcript.path),
                }
            )
    return found


def totals(table: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the sums of each agent."""
    names = dict.fromkeys(row["agent"] for row in table)
    return {name: total([row for row in table if row["agent"] == name]) for name in names}


def total(table: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the sums over rows; the cost is None where no price is known."""
    counts = Counts()
    for row in table:
        counts.add(Counts.of(row["counts"]))
    costs = [row["cost"] for row in table if row["cost"] is not None]
    return {
        "episodes": sum(row["episodes"] for row in table),
        "counts": counts.to_dict(),
        **{name: sum(row[name] for row in table) for name in ("cut", "cut_early", "cut_uncounted")},
        "limit": table[0]["limit"] if table else None,
        "cost": sum(costs) if costs else None,
        "seconds": counts.seconds,
    }
