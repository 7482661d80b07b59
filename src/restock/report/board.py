"""The leaderboard as one HTML page, and as Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from restock.benchmark.standing import Leaderboard, Standing
from restock.core.writing import write_whole
from restock.evaluation.provenance import in_words
from restock.problems.network.words import WORDING
from restock.report import standings as say
from restock.report.documents import as_json
from restock.report.markup import page, parts
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
    scenarios = [scenario.name for scenario in board.suite.scenarios]
    source = [f"The suite: {board.suite.source}."] if board.suite.source else []
    shown = parts(
        "board",
        standings=say.standings(board),
        close_calls=say.close_calls(board),
        levels=[(upper(level), colour, knows(level, WORDING)) for level, colour in COLOURS.items()],
        ratios=ratios(board),
        by_group=say.by_group(board),
        by_scenario=say.by_scenario(board),
        agents=say.agents(board),
        marks={row.shown: COLOURS[row.information] for row in board.rows},
        kinds=kinds(board),
        shades={row.shown: [_shade(row.by_scenario.get(name)) for name in scenarios] for row in board.rows},
        meanings=meanings(board),
        notes=say.notes(board),
        command=command,
        made_with=[*_made_with(board), *source],
        numbers=as_json(board.to_dict()),
    )
    answer = [("", " ".join(say.answer(board)))]
    return page(f"Leaderboard: {board.suite.name}", shown, answer, board.suite.description, say.warnings(board))


def kinds(board: Leaderboard) -> dict[str, str]:
    """Return the class of each policy's row in a table."""
    best = next((row for row in board.rows if row.rank == 1), None)
    return {
        row.shown: "bound" if row.information == "clairvoyant" else "best" if row is best else ""
        for row in board.rows
    }  # fmt: skip


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


def _shade(ratio: float | None) -> str:
    """Return a shade from warm, at half the bound, over white to green, at the bound; empty without a ratio."""
    if ratio is None:
        return ""
    place = min(max((ratio - 0.5) / 0.5, 0.0), 1.0)
    low, middle, high = (251, 231, 214), (255, 255, 255), (196, 228, 218)
    ends, part = ((low, middle), place * 2.0) if place < 0.5 else ((middle, high), place * 2.0 - 1.0)
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(*ends, strict=True))


def meanings(board: Leaderboard) -> dict[str, str]:
    """Return the meaning of each column of the standings."""
    shown = say.standings(board).header
    return {name: meaning for name, meaning in say.MEANINGS.items() if name in shown}


def _made_with(board: Leaderboard) -> list[str]:
    """Return the versions behind each run."""
    return [f"Run {Path(run).name} was made with {in_words(found)}." for run, found in board.versions.items()]
