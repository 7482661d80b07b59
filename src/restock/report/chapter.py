"""The part of the report on one comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from restock.evaluation.compare import Comparison
from restock.report import drawing, figures, tables
from restock.report import words as say
from restock.report.markup import caption_of, chip, figure, row_of, scroll, table_of
from restock.report.words import Words

FIELDS = (
    ("on_hand", "Stock on hand, all nodes together"),
    ("backlog", "Backlog: demand still owed"),
    ("unmet", "Demand lost in each period"),
)


def chapter(comparison: Comparison, shade: Mapping[str, str], words: Words, labels: Sequence[str] | None) -> str:
    """Answer, network, uncertainty, reasons, stocks and key figures of one comparison (HTML)."""
    problem = comparison.problem
    names = list(labels) if labels is not None else [str(k + 1) for k in range(comparison.episodes)]
    network = figure(
        drawing.network(problem, words),
        f"<b>The network.</b> Goods flow downwards; on the arrows the {words.periods} from sending to arrival, in the "
        "boxes the stock at the start.",
        1.0,
    )
    drawn = len(figures.sample(comparison.episodes))
    some = "" if drawn == comparison.episodes else f" Drawn are {drawn} of {comparison.episodes} {words.episodes}."
    paired = figure(
        figures.differences(comparison, shade, words),
        f"<b>Paired comparison.</b> Each dot is one {words.episode}: profit of the policy minus profit of "
        f"{escape(comparison.reference)} on the same demand. Disc and bar: mean and 95% interval.{some}",
    )
    each = figure(
        figures.by_episode(comparison, shade, words, names),
        f"<b>Profit in each {words.episode}.</b> All policies meet the same demand, so the distance between two lines "
        "says more than their ups and downs.",
    )
    split = figures.costs(comparison, words)
    bars = "" if split is None else figure(
        split, f"<b>Where the money goes.</b> Costs per {words.episode}, mean over all {words.episodes}."
    )  # fmt: skip
    about = f"{getattr(getattr(problem, 'spec', None), 'description', '')} {say.facts(comparison, words)}"
    gaps = tables.gaps(comparison, words)
    reasons = "".join(f"<li>{escape(text)}</li>" for text in say.losses(comparison))
    parts = [
        f"<p>{escape(about.strip())}</p>",
        table_of(tables.summary(comparison, words), comparison, shade),
        f'<div class="two"><div>{network}<details><summary>The {escape(words.system)} in numbers</summary>'
        f"<pre>{escape(problem.explain())}</pre></details></div><div>{paired}{each}</div></div>",
    ]
    if gaps is not None:
        parts.append(
            f'<h3>Where each policy loses</h3><div class="two">{bars}<div><p>Measured against the bound, per '
            f"{words.episode}:</p><ul>{reasons}</ul></div></div>{table_of(gaps, comparison, shade)}"
        )
    elif bars:
        parts.append(f"<h3>Costs</h3>{bars}")
    parts += _stocks(comparison, shade, words, names)
    parts.append("<h3>Key figures</h3>" + _key_figures(comparison, shade, words))
    return "".join(parts)


def _stocks(comparison: Comparison, shade: Mapping[str, str], words: Words, names: Sequence[str]) -> list[str]:
    """Stock, and backlog or lost demand, over the periods: a panel for each policy."""
    example = _typical(comparison)
    shown = []
    for field, heading in FIELDS:
        trajectories = [row.simulation.trajectory for row in comparison.rows]
        if field not in trajectories[0] or not any(trajectory[field].any() for trajectory in trajectories):
            continue
        if field == "unmet" and "backlog" in shown:
            continue
        panels = "".join(
            figure(chart, f"<b>{chip(shade[row.name])}{escape(row.name)}</b>")
            for row, chart in figures.over_time(comparison, field, shade, example)
        )
        shown += [field, f'<h3>{heading}</h3><div class="panels">{panels}</div>']
    if not shown:
        return []
    note = (
        f"Units at the end of each {words.period}; 0 is the start. Thick line: mean over {comparison.episodes} "
        f"{words.episodes}. Band: the middle 80% of them. Thin line: the {words.episode} with the median profit of "
        f"{comparison.reference} ({names[example]})."
    )
    if say.bound_row(comparison) is not None and len(shown) > 2:
        note += " Where hindsight leaves demand unserved too, serving it in time was impossible or not worth its cost."
    return [*shown[1::2], f"<p>{escape(note)}</p>"]


def _typical(comparison: Comparison) -> int:
    """The episode in which the best policy's profit is the median."""
    profit = comparison.row(comparison.reference).simulation.profit
    return int(np.argsort(profit, kind="stable")[(len(profit) - 1) // 2])


def _key_figures(comparison: Comparison, shade: Mapping[str, str], words: Words) -> str:
    head = "".join(f'<th scope="col">{chip(shade[row.name])}{escape(row.name)}</th>' for row in comparison.rows)
    groups = []
    for title, table in tables.key_figures(comparison, words):
        groups.append(f'<tr><th scope="rowgroup" colspan="{len(comparison.rows) + 1}"><b>{escape(title)}</b></th></tr>')
        groups += [row_of(cells) for cells in table.rows]
    absent = tables.left_out(comparison)
    note = f"; not shown, as they never move: {', '.join(absent)}" if absent else ""
    if comparison.problem.layout.money and not say.money_parts(comparison):
        note += ". The parts are counted before discounting, so they do not add up to the profit"
    return scroll(
        f'<table class="figures">{caption_of(f"Means over {comparison.episodes} {words.episodes}{note}")}'
        f'<thead><tr><th scope="col">figure</th>{head}</tr></thead><tbody>{"".join(groups)}</tbody></table>'
    )
