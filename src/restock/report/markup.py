"""Pieces of HTML: tables, figures, marks of colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from restock.evaluation.compare import Comparison
from restock.report.svg import Svg
from restock.report.tables import Table


def table_of(table: Table, comparison: Comparison, shade: Mapping[str, str]) -> str:
    """A table with a row for each policy."""
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.header)
    rows = []
    for cells in table.rows:
        policy = comparison.row(cells[0])
        kind = "bound" if policy.information == "clairvoyant" else "best" if policy.name == comparison.reference else ""
        rows.append(row_of(cells, chip(shade[policy.name]), kind))
    return scroll(
        f"<table>{caption_of(table.caption)}<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def row_of(cells: Sequence[str], mark: str = "", kind: str = "") -> str:
    """A row of a table, the first cell its name."""
    inner = "".join(f"<td>{escape(cell)}</td>" for cell in cells[1:])
    opening = f'<tr class="{kind}">' if kind else "<tr>"
    return f'{opening}<th scope="row">{mark}{escape(cells[0])}</th>{inner}</tr>'


def caption_of(words: str) -> str:
    """A caption that stays in sight when a wide table is moved sideways."""
    return f"<caption><span>{escape(words)}</span></caption>"


def figure(picture: Svg, caption: str, grow: float = 1.45) -> str:
    """A picture that may grow so many times, and its caption (HTML)."""
    return (
        f'<figure style="max-width:{grow * picture.width:.0f}px">{picture}<figcaption>{caption}</figcaption></figure>'
    )


def scroll(table: str) -> str:
    """Wide tables move sideways within the page; reachable by keyboard."""
    return f'<div class="scroll" tabindex="0">{table}</div>'


def chip(colour: str) -> str:
    """A square of the colour."""
    return f'<span class="chip" style="background:{colour}"></span>'
