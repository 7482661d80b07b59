"""Pieces of HTML: tables, figures, marks of colour."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources

from restock.evaluation.compare import Comparison
from restock.report.svg import Svg
from restock.report.tables import Table


def page(title: str, opening: Sequence[str], parts: Sequence[tuple[str, str]]) -> str:
    """Return a self-contained page: head, links to its parts, the parts, and the time of writing.

    Args:
        title: Of the window.
        opening: What stands above the links (HTML).
        parts: Heading and content (HTML) of each part.
    """
    links = "".join(f'<a href="#part-{k}">{escape(name)}</a> ' for k, (name, _) in enumerate(parts))
    body = [*opening, f'<nav aria-label="Parts of this page">{links}</nav>']
    body += [f'<section><h2 id="part-{k}">{escape(name)}</h2>{text}</section>' for k, (name, text) in enumerate(parts)]
    now = datetime.datetime.now(datetime.UTC)
    body.append(f"<footer>Written by restock on {now:%Y-%m-%d %H:%M} UTC.</footer>")
    style = resources.files("restock.report").joinpath("style.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def table_of(table: Table, comparison: Comparison, shade: Mapping[str, str]) -> str:
    """Return a table with a row per policy."""
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
    """Return a row of a table, the first cell its name."""
    inner = "".join(f"<td>{escape(cell)}</td>" for cell in cells[1:])
    opening = f'<tr class="{kind}">' if kind else "<tr>"
    return f'{opening}<th scope="row">{mark}{escape(cells[0])}</th>{inner}</tr>'


def caption_of(words: str) -> str:
    """Return a caption that stays in sight when a wide table is moved sideways."""
    return f"<caption><span>{escape(words)}</span></caption>"


def figure(picture: Svg, caption: str, grow: float = 1.45) -> str:
    """Return a picture that may be enlarged up to a factor, and its caption (HTML)."""
    return (
        f'<figure style="max-width:{grow * picture.width:.0f}px">{picture}<figcaption>{caption}</figcaption></figure>'
    )


def scroll(table: str) -> str:
    """Wrap a wide table so that it scrolls sideways within the page, also by keyboard."""
    return f'<div class="scroll" tabindex="0">{table}</div>'


def chip(colour: str) -> str:
    """Return a square of the colour."""
    return f'<span class="chip" style="background:{colour}"></span>'
