"""The chapter of the report on one comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from restock.evaluation.compare import Comparison, Row
from restock.report import drawing, figures, tables
from restock.report import words as say
from restock.report.svg import Svg
from restock.report.words import Calling

Panels = tuple[str, str, list[tuple[str, Svg]]]  # heading, unit, and the chart of each policy


def chapter(
    comparison: Comparison, shade: Mapping[str, str], calling: Calling, labels: Sequence[str] | None
) -> dict[str, Any]:
    """Return what the template shows of one comparison: answer, setting, uncertainty, reasons, stocks, key figures."""
    problem = comparison.problem
    words = say.called(problem, calling)
    names = list(labels) if labels is not None else [str(k + 1) for k in range(comparison.episodes)]
    stocks, lacking = _stocks(comparison, shade)
    return {
        "heading": say.heading(comparison, calling),
        "words": words,
        "shade": shade,
        "kinds": {row.name: _kind(row, comparison) for row in comparison.rows},
        "reference": comparison.reference,
        "episodes": comparison.episodes,
        "facts": f"{getattr(getattr(problem, 'spec', None), 'description', '')} {say.facts(comparison, words)}".strip(),
        "summary": tables.summary(comparison, words),
        "bound": say.bound_told(comparison, words),
        "drawn": drawing.start(comparison, words),
        "explained": problem.explain(),
        "paired": figures.differences(comparison, shade, words),
        "dots": len(figures.sample(comparison.episodes)),
        "each": figures.by_episode(comparison, shade, words, names),
        "split": figures.split(comparison, words),
        "gaps": tables.gaps(comparison, words),
        "losses": say.losses(comparison, words),
        "model": say.model(comparison).name,
        "stocks": stocks,
        "shown": names[_typical(comparison)],
        "grain": figures.grain(problem.horizon),
        "out_of_reach": lacking and say.bound_row(comparison) is not None,
        "key_figures": tables.key_figures(comparison, words),
        "left_out": tables.left_out(comparison, words),
    }


def _kind(row: Row, comparison: Comparison) -> str:
    """Return the class of the row of a policy."""
    return "bound" if row.information == "clairvoyant" else "best" if row.name == comparison.reference else ""


def _stocks(comparison: Comparison, shade: Mapping[str, str]) -> tuple[list[Panels], bool]:
    """Return stock, and backlog or lost demand, over the periods by policy; and whether demand lacks anything."""
    example = _typical(comparison)
    blocks: list[Panels] = []
    lacking = False
    for curve in comparison.problem.curves():
        trajectories = [row.simulation.trajectory for row in comparison.rows]
        if curve.field not in trajectories[0] or not any(trajectory[curve.field].any() for trajectory in trajectories):
            continue
        if curve.lacking and lacking:
            continue  # what is lost says no more where demand waits
        lacking = lacking or curve.lacking
        labels = trajectories[0].labels(curve.field)
        chosen = curve.chosen(len(labels))
        for entries in [[k] for k in chosen] if curve.apart else [chosen]:
            heading = f"{curve.title}: {labels[entries[0]]}" if curve.apart else curve.title
            charts = figures.over_time(comparison, curve, entries, shade, example)
            blocks.append((heading, curve.unit, [(row.name, chart) for row, chart in charts]))
    return blocks, lacking


def _typical(comparison: Comparison) -> int:
    """Return the episode with the best policy's median profit."""
    profit = comparison.row(comparison.reference).simulation.profit
    return int(np.argsort(profit, kind="stable")[(len(profit) - 1) // 2])
