"""The leaderboard as one HTML page, and as Markdown."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

from restock.benchmark.standing import Leaderboard, Standing
from restock.core.plain import plain
from restock.core.writing import write_whole
from restock.problems.network.words import WORDING
from restock.report import standings as say
from restock.report.markup import caption_of, chip, figure, page, row_of, scroll
from restock.report.numbers import share
from restock.report.svg import GREY, INK, PAPER, Scale, Svg, width_of
from restock.report.tables import Table
from restock.report.words import knows, upper

COLOURS = {"clairvoyant": "#1f2a36", "informed": "#14776a", "blind": "#2f6fb0"}
WIDE = 760.0


def write_board(board: Leaderboard, path: str | Path, command: str = "") -> Path:
    """Write the leaderboard as one HTML page: the whole file, or none.

    Raises:
        InvalidInput: The file cannot be written.
    """
    page = render(board, command)
    return write_whole(path, lambda file: file.write_text(page, encoding="utf-8"))


def write_markdown(board: Leaderboard, path: str | Path, command: str = "") -> Path:
    """Write the leaderboard as Markdown: the whole file, or none.

    Raises:
        InvalidInput: The file cannot be written.
    """
    text = markdown(board, command)
    return write_whole(path, lambda file: file.write_text(text, encoding="utf-8"))


def markdown(board: Leaderboard, command: str = "") -> str:
    """Return the leaderboard as Markdown."""
    parts = [f"# Leaderboard: {board.suite.name}", "## Who is ahead", board.suite.description]
    parts += [f"**Warning.** {text}" for text in say.warnings(board)]
    parts.append(" ".join(say.answer(board)))
    for title, table in (
        ("Standings", say.standings(board)),
        ("By group", say.by_group(board)),
        ("By scenario", say.by_scenario(board)),
        ("Agents", say.agents(board)),
    ):
        if table is None:
            continue
        parts += [f"## {title}", table.caption, _markdown_table(table)]
        if title == "Standings":
            parts.append("\n".join(f"- {text}" for text in say.close_calls(board)))
    parts.append("## What the figures mean")
    parts.append("\n".join(f"- **{name}**: {meaning}" for name, meaning in meanings(board).items()))
    parts.append("\n".join(f"- {text}" for text in say.notes(board)))
    if command:
        parts += ["## How to repeat this", f"```\n{command}\n```"]
    parts.append("\n".join(_made_with(board)))
    return "\n\n".join(part for part in parts if part) + "\n"


def _markdown_table(table: Table) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    ruler = "|---|" + "---:|" * (len(table.header) - 1)
    return "\n".join([line(table.header), ruler, *(line(row) for row in table.rows)])


def render(board: Leaderboard, command: str = "") -> str:
    """Return the page as text."""
    title = f"Leaderboard: {board.suite.name}"
    body = [f"<h1>{escape(title)}</h1>", f'<p class="lead">{escape(board.suite.description)}</p>']
    body += [f'<p class="warning">Warning. {escape(text)}</p>' for text in say.warnings(board)]
    body.append(f'<div class="answer"><p>{escape(" ".join(say.answer(board)))}</p></div>')
    levels = "".join(
        f'<div class="card" style="border-color:{COLOURS[level]}"><h3>{upper(level)}</h3>'
        f"<p>Knows {escape(knows(level, WORDING))}.</p></div>"
        for level in COLOURS
    )
    cards = f'<div class="cards">{levels}</div>'
    picture = figure(
        ratios(board),
        "<b>Share of the bound.</b> Mean over scenarios; bar: 95% interval. Open circles: published means.",
        1.3,
    )
    parts = [
        ("Standings", _table(board, say.standings(board)) + _listed(say.close_calls(board)) + cards),
        ("The ratios", picture),
        *([] if (groups := say.by_group(board)) is None else [("By group", _table(board, groups))]),
        ("By scenario", _table(board, say.by_scenario(board), shaded=True)),
        *_agents(board),
        ("What the figures mean", _definitions(board)),
        ("How to repeat this", _repeat(board, command)),
    ]
    return page(title, body, parts)


def ratios(board: Leaderboard) -> Svg:
    """Return each policy's share of the bound with its interval, best first."""
    rows = [row for row in board.rows if row.ratio is not None and row.information != "clairvoyant"]
    told = ". ".join(f"{row.shown} {share(_mean(row), 1)}" for row in rows)
    top, step = 14.0, 20.0
    left = max((width_of(row.shown, 14.5) for row in rows), default=100.0) + 22.0
    foot = top + step * len(rows)
    picture = Svg(WIDE, foot + 44.0, f"Share of the bound, best first. {told}.", 12.5)
    scale = Scale(min(0.0, *(_mean(row) for row in rows)) if rows else 0.0, 1.0, left, WIDE - 14.0)
    picture.foot_axis(scale, top - 6.0, foot, 6)
    picture.text((left + WIDE) / 2.0, foot + 38.0, "mean share of the bound", GREY, "middle")
    for k, row in enumerate(rows):
        assert row.ratio is not None
        y, colour = top + step * k + 8.0, COLOURS[row.information]
        picture.text(left - 10.0, y + 4.0, row.shown, GREY if row.published else INK, "end", not row.published)
        if math.isfinite(row.ratio.low):
            picture.line([(scale(row.ratio.low), y), (scale(row.ratio.high), y)], colour, 5.0, opacity=0.55)
        picture.dots([(scale(_mean(row)), y)], 5.0, colour)
        if row.published:
            picture.dots([(scale(_mean(row)), y)], 3.2, PAPER)
    return picture


def _mean(row: Standing) -> float:
    assert row.ratio is not None
    return row.ratio.mean


def _table(board: Leaderboard, table: Table, shaded: bool = False) -> str:
    """Return a table with a row per policy; cells are shaded by their share of the bound if asked for."""
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.header)
    best = next((row for row in board.rows if row.rank == 1), None)
    lines = []
    for row, cells in zip(board.rows, table.rows, strict=True):
        kind = "bound" if row.information == "clairvoyant" else "best" if row is best else ""
        line = row_of(cells, chip(COLOURS[row.information]), kind)
        if shaded:
            for scenario in board.suite.scenarios:
                value = row.by_scenario.get(scenario.name)
                line = line.replace("<td>", "<td >" if value is None else f'<td style="background:{_shade(value)}">', 1)
        lines.append(line)
    kind = ' class="figures"' if shaded else ""
    return scroll(
        f"<table{kind}>{caption_of(table.caption)}<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )


def _agents(board: Leaderboard) -> list[tuple[str, str]]:
    """Return the section about agents, if there are any."""
    table = say.agents(board)
    if table is None:
        return []
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.header)
    colours = {row.shown: COLOURS[row.information] for row in board.rows if row.counted is not None}
    rows = "".join(row_of(cells, chip(colours[cells[0]])) for cells in table.rows)
    caption = caption_of(table.caption)
    return [("Agents", scroll(f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"))]


def _shade(ratio: float) -> str:
    """Return a shade from warm, at half the bound and below, over white to green, at the bound."""
    place = min(max((ratio - 0.5) / 0.5, 0.0), 1.0)
    low, middle, high = (251, 231, 214), (255, 255, 255), (196, 228, 218)
    ends, part = ((low, middle), place * 2.0) if place < 0.5 else ((middle, high), place * 2.0 - 1.0)
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(*ends, strict=True))


def meanings(board: Leaderboard) -> dict[str, str]:
    """Return the meaning of each column of the standings."""
    shown = say.standings(board).header
    return {name: meaning for name, meaning in say.MEANINGS.items() if name in shown}


def _definitions(board: Leaderboard) -> str:
    terms = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in meanings(board).items())
    return f"<dl>{terms}</dl>{_listed(say.notes(board))}"


def _listed(sentences: Sequence[str]) -> str:
    """Return sentences as a list; nothing if there are none."""
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in sentences)}</ul>" if sentences else ""


def _made_with(board: Leaderboard) -> list[str]:
    """Return the versions behind each run."""
    return [
        f"Run {Path(run).name} was made with {', '.join(f'{name} {version}' for name, version in found.items())}."
        for run, found in board.versions.items()
    ]


def _repeat(board: Leaderboard, command: str) -> str:
    text = f"<p>This command repeats it:</p><pre>{escape(command)}</pre>" if command else ""
    text += "".join(f"<p>{escape(line)}</p>" for line in _made_with(board))
    if board.suite.source:
        text += f"<p>The suite: {escape(board.suite.source)}.</p>"
    numbers = json.dumps(plain(board.to_dict()), indent=1, ensure_ascii=False)
    return text + f"<details><summary>All numbers, as JSON</summary><pre>{escape(numbers)}</pre></details>"
