"""The chapter of the report on one comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from restock.core.wording import Wording
from restock.evaluation.compare import Comparison
from restock.report import drawing, figures, tables
from restock.report import words as say
from restock.report.markup import caption_of, chip, figure, row_of, scroll, table_of
from restock.report.words import Calling


def chapter(comparison: Comparison, shade: Mapping[str, str], calling: Calling, labels: Sequence[str] | None) -> str:
    """Return the answer, setting, uncertainty, reasons, stocks and key figures of one comparison (HTML)."""
    problem = comparison.problem
    words = say.called(problem, calling)
    names = list(labels) if labels is not None else [str(k + 1) for k in range(comparison.episodes)]
    drawn = drawing.start(comparison, words)
    picture = "" if drawn is None else figure(drawn.picture, f"<b>The {escape(words.system)}.</b> {drawn.caption}", 1.0)
    dots = len(figures.sample(comparison.episodes))
    some = "" if dots == comparison.episodes else f" Drawn are {dots} of {comparison.episodes} {words.episodes}."
    paired = figure(
        figures.differences(comparison, shade, words),
        f"<b>Paired comparison.</b> Each dot is one {words.episode}: {words.worth} of the policy minus "
        f"{words.worth} of {escape(comparison.reference)} on the same {words.chance}. Disc and bar: mean and joint "
        f"95% interval.{some}",
    )
    each = figure(
        figures.by_episode(comparison, shade, words, names),
        f"<b>{words.worth.capitalize()} in each {words.episode}.</b> All policies meet the same {words.chance}, so the "
        "distance between two lines says more than their ups and downs.",
    )
    told = f"{getattr(getattr(problem, 'spec', None), 'description', '')} {say.facts(comparison, words)}"
    opened = " open" if drawn is None else ""
    numbers = f"<pre>{escape(problem.explain())}</pre>"
    parts = [
        f"<p>{escape(told.strip())}</p>",
        table_of(tables.summary(comparison, words), comparison, shade) + _bound(comparison, words),
        f'<div class="two"><div>{picture}<details{opened}><summary>The {escape(words.system)} in numbers</summary>'
        f"{numbers}</details></div><div>{paired}{each}</div></div>",
        _reasons(comparison, shade, words),
    ]
    parts += _stocks(comparison, shade, words, names)
    parts.append("<h3>Key figures</h3>" + _key_figures(comparison, shade, words))
    return "".join(parts)


def _bound(comparison: Comparison, words: Wording) -> str:
    """Return a bound that has no row in the table."""
    told = say.bound_told(comparison, words)
    return f"<p>{escape(told)}</p>" if told else ""


def _reasons(comparison: Comparison, shade: Mapping[str, str], words: Wording) -> str:
    """Return the parts of the profit, and each policy's shortfall in them."""
    split, gaps = figures.split(comparison, words), tables.gaps(comparison, words)
    bars = "" if split is None else figure(
        split,
        f"<b>What the {words.worth} is made of</b>, per {words.episode}, mean over all {words.episodes}. Upper bar: "
        "what adds to it; lower bar: what is taken from it; it is by so much that the upper one is longer.",
    )  # fmt: skip
    reasons = "".join(f"<li>{escape(text)}</li>" for text in say.losses(comparison, words))
    if gaps is None or not reasons:
        return f"<h3>What the {words.worth} is made of</h3>{bars}" if bars else ""
    first = escape(say.model(comparison).name)
    listed = f"<div><p>Measured against {first}, per {words.episode}:</p><ul>{reasons}</ul></div>"
    return (
        f'<h3>Where each policy loses</h3><div class="two">{bars}{listed}</div>{table_of(gaps, comparison, shade)}'
        if bars
        else f"<h3>Where each policy loses</h3>{listed}"
    )


def _stocks(comparison: Comparison, shade: Mapping[str, str], words: Wording, names: Sequence[str]) -> list[str]:
    """Return stock, and backlog or lost demand, over the periods: a panel per policy."""
    example = _typical(comparison)
    blocks: list[str] = []
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
            panels = "".join(
                figure(chart, f"<b>{chip(shade[row.name])}{escape(row.name)}</b>")
                for row, chart in figures.over_time(comparison, curve, entries, shade, example)
            )
            unit = f' <span class="small">({escape(curve.unit)})</span>'
            blocks.append(f'<h3>{escape(heading)}{unit}</h3><div class="panels">{panels}</div>')
    if not blocks:
        return []
    note = (
        f"At the end of each {words.period}; 0 is the start. Thick line: mean over {comparison.episodes} "
        f"{words.episodes}. Band: the middle 80% of them. Thin line: the {words.episode} with the median {words.worth} "
        f"of {comparison.reference} ({names[example]})."
    )
    if (apart := figures.grain(comparison.problem.horizon)) > 1:
        note += f" Drawn are means of up to {apart} {words.periods}."
    if say.bound_row(comparison) is not None and lacking:
        note += " Where hindsight leaves demand unserved too, serving it in time was impossible or not worth its cost."
    return [*blocks, f"<p>{escape(note)}</p>"]


def _typical(comparison: Comparison) -> int:
    """Return the episode with the best policy's median profit."""
    profit = comparison.row(comparison.reference).simulation.profit
    return int(np.argsort(profit, kind="stable")[(len(profit) - 1) // 2])


def _key_figures(comparison: Comparison, shade: Mapping[str, str], words: Wording) -> str:
    head = "".join(f'<th scope="col">{chip(shade[row.name])}{escape(row.name)}</th>' for row in comparison.rows)
    groups = []
    for title, table in tables.key_figures(comparison, words):
        groups.append(f'<tr><th scope="rowgroup" colspan="{len(comparison.rows) + 1}"><b>{escape(title)}</b></th></tr>')
        groups += [row_of(cells) for cells in table.rows]
    absent = tables.left_out(comparison, words)
    note = f"; not shown, as they never move: {', '.join(absent)}" if absent else ""
    return scroll(
        f'<table class="figures">{caption_of(f"Means over {comparison.episodes} {words.episodes}{note}")}'
        f'<thead><tr><th scope="col">figure</th>{head}</tr></thead><tbody>{"".join(groups)}</tbody></table>'
    )
