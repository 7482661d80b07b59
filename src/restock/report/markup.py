"""Pages from templates: everything that is filled in is escaped."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from restock.report.numbers import amount

Part = tuple[str, str]  # heading and content (HTML)


def environment(*packages: str) -> Environment:
    """Return an environment that fills in the templates of packages; of two with one name, the first package's."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in packages]), autoescape=True,
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters["amount"] = amount
    return made


@cache
def _reports() -> Environment:
    return environment(__package__)


def parts(template: str, **given: Any) -> list[Part]:
    """Return the parts of a page: what the template puts between `call part(heading)` and `endcall`.

    Args:
        template: Name of the template, without its ending.
        **given: For the template.
    """
    found: list[Part] = []

    def part(heading: str, caller: Callable[[], str]) -> str:
        found.append((heading, caller()))
        return ""

    _reports().get_template(f"{template}.html").render(part=part, **given)
    return found


def page(
    title: str, parts: Sequence[Part], answer: Sequence[Part], lead: str = "", warnings: Sequence[str] = ()
) -> str:
    """Return a self-contained page: the answer, links to the parts, the parts, and the time of writing.

    Args:
        title: Of the page and its window.
        parts: See `parts`.
        answer: Paragraphs, each with a name in front or an empty one.
        lead: What stands above the answer.
        warnings: What must not be overlooked.
    """
    style = resources.files(__package__).joinpath("style.css").read_text(encoding="utf-8")
    return _reports().get_template("page.html").render(
        title=title, parts=[(heading, Markup(content)) for heading, content in parts], answer=answer, lead=lead,
        warnings=warnings, style=Markup(style), now=datetime.datetime.now(datetime.UTC),
    )  # fmt: skip
