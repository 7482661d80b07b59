"""Markup stands in templates, and what is filled in cannot become markup."""

from __future__ import annotations

import dataclasses
import re

import pytest

from restock.benchmark.leaderboard import published_board
from restock.report import board, markup
from tests.report.markup import Page
from tests.shared_material import REPOSITORY

PACKAGE = REPOSITORY / "src" / "restock"
TEMPLATES = sorted(PACKAGE.rglob("templates/*.html"))
HOSTILE = "<script>alert('x')</script>"
# The one place that takes HTML as it is: parts that a caller adds to the page of a training run.
TAKEN_AS_IT_IS = {"training.html": 1}


@pytest.mark.parametrize("source", sorted((PACKAGE / "report").glob("*.py")), ids=lambda path: path.name)
def test_python_writes_no_html(source):
    text = source.read_text(encoding="utf-8")
    found = re.findall(r"</?[a-z][a-z0-9]*(?=[ >/{])[^<]{0,40}", text) if source.name != "svg.py" else []
    assert not found


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: f"{path.parts[-3]}/{path.name}")
def test_nothing_is_filled_in_unescaped(template):
    text = template.read_text(encoding="utf-8")
    assert len(re.findall(r"\|\s*safe\b|autoescape", text)) == TAKEN_AS_IT_IS.get(template.name, 0)


def test_a_page_escapes_all_that_it_is_given():
    page = markup.page(HOSTILE, [(HOSTILE, "<p>content</p>")], [(HOSTILE, HOSTILE)], HOSTILE, [HOSTILE])
    read = Page(page)
    assert "script" not in read.tags and read.text.count("alert('x')") == 8 and "p" in read.tags


def test_a_leaderboard_escapes_names_and_words():
    plain = published_board("gym-invmgmt")
    rows = [dataclasses.replace(row, name=f"{HOSTILE} {row.name}") for row in plain.rows]
    suite = plain.suite.model_copy(update={"name": HOSTILE, "description": HOSTILE, "source": HOSTILE})
    hostile = dataclasses.replace(plain, suite=suite, rows=tuple(rows))
    read = Page(board.render(hostile, HOSTILE))
    assert "script" not in read.tags and read.tags == Page(board.render(plain, "command")).tags
