"""The report of a training run: one HTML page in its folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from restock.core.writing import write_whole
from restock.learning.evaluation import Evaluation
from restock.report.markup import page

# A part of the page: a heading and its content (HTML), or None where there is nothing to say.
Part = tuple[str, str] | None
Section = Callable[[Evaluation], Part]


def write_training_report(evaluation: Evaluation, path: str | Path | None = None, more: Sequence[Section] = ()) -> Path:
    """Write the report of a training run; the whole file or nothing.

    Args:
        evaluation: Of the run, see `restock.learning.evaluation.evaluate`.
        path: The file; default: `report.html` in the folder of the run.
        more: Parts to add after those about learning.

    Raises:
        InvalidInput: The run is damaged, or the file cannot be written.
    """
    text = render(evaluation, more)
    target = evaluation.run.path / "report.html" if path is None else path
    return write_whole(target, lambda file: file.write_text(text, encoding="utf-8"))


def render(evaluation: Evaluation, more: Sequence[Section] = ()) -> str:
    """The page as text."""
    parts = [part for section in (*SECTIONS, *more) if (part := section(evaluation)) is not None]
    title = f"Training run {evaluation.run.name}"
    return page(title, [f"<h1>{escape(title)}</h1>"], parts)


SECTIONS: tuple[Section, ...] = ()
