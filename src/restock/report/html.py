"""The report: one HTML file that needs no network, no script and no other file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from restock.core.errors import InvalidInput
from restock.core.writing import write_whole
from restock.evaluation.compare import Comparison
from restock.evaluation.provenance import in_words, versions
from restock.report import columns, tables
from restock.report import words as say
from restock.report.chapter import chapter
from restock.report.documents import as_json
from restock.report.markup import Part, page, parts
from restock.report.naming import arrowed
from restock.report.numbers import amount
from restock.report.palette import colours
from restock.report.svg import Svg
from restock.report.words import Calling


@dataclasses.dataclass(frozen=True)
class Section:
    """A section that the report shows besides the comparisons.

    Attributes:
        title: Heading.
        paragraphs: Text.
        picture: A chart, or None.
        caption: What the chart shows.
        quote: Text kept as it is written, line by line (a licence).
    """

    title: str
    paragraphs: tuple[str, ...] = ()
    picture: Svg | None = None
    caption: str = ""
    quote: str = ""


def write_report(
    comparisons: Comparison | Sequence[Comparison],
    path: str | Path,
    *,
    title: str = "Comparison of policies",
    lead: str = "",
    words: Calling = None,
    labels: Sequence[str] | None = None,
    policies: Mapping[str, str] | None = None,
    assumptions: Sequence[str] = (),
    sections: Sequence[Section] = (),
    command: str = "",
) -> Path:
    """Write the report of one or more comparisons: the whole file, or none.

    Args:
        comparisons: What to show, each in a part of its own.
        path: The file; missing folders are made, an older report is replaced at the very end.
        title: The question, or what this is about.
        lead: A paragraph below it: what was done.
        words: What to call episodes and periods, where it is not what the problem calls them.
        labels: A name for each episode (for instance a date).
        policies: What a policy does, by name, where its own summary is not enough.
        assumptions: Sentences added to those that hold for every comparison.
        sections: Parts to add, such as where the data come from.
        command: The command that repeats all this.

    Returns:
        The path.

    Raises:
        InvalidInput: There is nothing to report, labels do not fit, or the file cannot be written.
    """
    shown = [comparisons] if isinstance(comparisons, Comparison) else list(comparisons)
    if not shown:
        raise InvalidInput("comparisons", shown, "there is nothing to report", "Give at least one comparison.")
    for comparison in shown:
        if labels is not None and len(labels) != comparison.episodes:
            raise InvalidInput(
                "labels", len(labels), f"{comparison.episodes} are needed, one for each episode", "Name each episode."
            )
    page = render(
        shown, title=title, lead=lead, words=words, labels=labels, policies=policies or {},
        assumptions=assumptions, sections=sections, command=command,
    )  # fmt: skip
    return write_whole(path, lambda file: file.write_text(page, encoding="utf-8"))


def render(
    comparisons: Sequence[Comparison],
    *,
    title: str,
    lead: str,
    words: Calling,
    labels: Sequence[str] | None,
    policies: Mapping[str, str],
    assumptions: Sequence[str],
    sections: Sequence[Section],
    command: str,
) -> str:
    """Return the page as text."""
    names = list(dict.fromkeys(row.name for comparison in comparisons for row in comparison.rows))
    shade = colours(names)
    shown = parts(
        "comparison",
        cards=_cards(comparisons, shade, words, policies),
        chapters=[chapter(c, shade, words, labels) for c in comparisons],
        sections=sections,
        assumptions=_assumptions(comparisons, words, assumptions),
        meanings=_meanings(comparisons, words),
        command=command,
        made_with=f"Made with {in_words(versions())}.",
        numbers=as_json([c.to_dict() for c in comparisons], without=("seconds",)),
    )
    warnings = [text for c in comparisons for text in say.warnings(c, words)]
    return page(title, shown, _answer(comparisons, words), lead, warnings)


# parts ----------------------------------------------------------------------------------------


def _answer(comparisons: Sequence[Comparison], words: Calling) -> list[Part]:
    if len(comparisons) == 1:
        return [("", " ".join(say.answer(comparisons[0], words)))]
    each = [(f"{say.upper(c.problem.name)}.", " ".join(say.answer(c, words))) for c in comparisons]
    return [(" ".join(say.overall(comparisons, words)), ""), *each]


def _cards(
    comparisons: Sequence[Comparison], shade: Mapping[str, str], words: Calling, told: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Describe each policy, what it may know when it decides, and its parameters."""
    cards = []
    for name, colour in shade.items():
        holders = [(c, row) for c in comparisons for row in c.rows if row.name == name]
        policy = holders[0][1].simulation.policy
        settings = []
        for comparison, row in holders:
            if parameters := row.simulation.policy.parameters_in_words():
                listed = ", ".join(f"{arrowed(key)}: {_setting(value)}" for key, value in parameters.items())
                where = f"on {comparison.problem.name} " if len(comparisons) > 1 else ""
                settings.append(f"{where}to {listed}")
        does, knows = say.upper(told.get(name) or policy.summary), say.called(holders[0][0].problem, words)
        cards.append(
            {"name": name, "colour": colour, "does": does, "knows": say.knows(policy.information, knows),
             "settings": settings}
        )  # fmt: skip
    return cards


def _assumptions(comparisons: Sequence[Comparison], calling: Calling, own: Sequence[str]) -> list[str]:
    words = say.called(comparisons[0].problem, calling)
    items = list(own)
    if any(c.block > 1 for c in comparisons):
        items.append(
            f"Neighbouring {words.episodes} overlap and share {words.chance}, so they count for less than as many "
            "independent ones; the 95% intervals allow for that (t interval with a long-run variance from slow cosine "
            "terms)."
        )
    elif not any(c.identical for c in comparisons):
        least = min(c.episodes for c in comparisons)
        items.append(
            f"The {words.episodes} are independent of each other; 95% intervals are t intervals. They tell of what is "
            f"in these {words.episodes}: what happens in fewer than about 3 in {amount(least)} may be missing from "
            "them altogether."
        )
    for c in comparisons:
        if c.identical:
            items.append(
                f"On {c.problem.name} nothing is random: all {c.episodes} {words.episodes} are the same. So there is "
                "no interval and no test, and nothing is known of how another would turn out."
            )
    chosen = any(say.rivals(c) for c in comparisons if not c.family.named)
    if chosen and not all(c.identical for c in comparisons):
        items.append(
            "The policy that the others are compared with is the best on these very data. P-values and joint intervals "
            "allow for that: they hold for all pairs of policies together (max-T, single step)."
        )
    if any(c.bound is not None and c.bound_proven for c in comparisons):
        items.append(
            f"Hindsight plans with all {words.chance} of the {words.episode} known in advance, by mathematical "
            "programming. The bound it gives is proven: no policy can earn more. How much of the gap any real policy "
            "could close is not known."
        )
    if any(c.bound is not None and c.bound_proven and not say.attained(c) for c in comparisons):
        items.append(
            "The bound comes from a relaxation. The plan of hindsight that can be carried out earns less than that, so "
            "it may lie behind a good policy."
        )
    for c in comparisons:
        if c.seed is not None:
            items.append(
                f"On {c.problem.name} the {words.episodes} are drawn from seed {c.seed}; every policy meets them. Each "
                "has a seed of its own, listed with all numbers below, and reset(seed=...) of an environment begins it."
            )
        elif c.seeds:
            items.append(
                f"On {c.problem.name} each of the {words.episodes} has a seed of its own, listed with all numbers "
                "below; reset(seed=...) of an environment begins it."
            )
    return items


def _meanings(comparisons: Sequence[Comparison], words: Calling) -> dict[str, str]:
    return dict(
        pair
        for say_meanings in (columns.meanings, tables.meanings)
        for comparison in comparisons
        for pair in say_meanings(comparison, words)
    )


def _setting(value: Any) -> str:
    return amount(value, 1) if isinstance(value, float) else str(value)
