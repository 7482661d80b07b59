"""Pictures of a moment of an episode: its nodes, and stock, demand, orders and backlog over time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from restock.core.play import draw_each
from restock.core.problem import Problem
from restock.core.scene import Scene
from restock.report.drawing import Drawn, first, moment, opening
from restock.report.naming import Names
from restock.report.periods import Over, over_periods
from restock.server.dashboard.turns import Episode

SLIM, WIDE = 300.0, 420.0  # a narrower picture is not blown up; a wider one is moved sideways on a small screen


@dataclasses.dataclass(frozen=True)
class Pictures:
    """The pictures of one moment.

    Attributes:
        network: The places; None where there is one alone.
        shape: `slim` where they stand one below the other, `wide` where they need more room than a phone has.
        over: What happened over the periods; None before anything has.
        title: What the places are called, as a heading.
    """

    network: Drawn | None
    shape: str
    over: Over | None
    title: str = ""


NOTHING = Pictures(None, "", None)


def pictured(problem: Problem | None, episode: Episode, t: int) -> Pictures:
    """Draw an episode after t periods; nothing if it was not played here.

    Args:
        problem: What is played; None where it is not known.
        episode: With its scenes and its record.
        t: Periods that are over.
    """
    if problem is None or len(episode.scenes) <= t:
        return NOTHING
    scene, words = episode.scenes[t], problem.wording
    drawn = moment(scene, problem, words, f"after {words.period} {t}") if t else first(scene, problem, words)
    played = episode.record is not None and episode.record.periods > 0
    over = over_periods(problem, episode.record, scene, t) if played and episode.record is not None else None
    return Pictures(drawn, _shape(drawn), over, _title(problem))


def at_start(problem: Problem, seed: int) -> Pictures:
    """Draw the nodes before an episode; this needs no compilation."""
    scene = opening(problem, draw_each(problem, [seed]).vectors)
    drawn = first(scene, problem, problem.wording)
    return Pictures(drawn, _shape(drawn), None, _title(problem))


def _title(problem: Problem) -> str:
    return f"The {problem.wording.places}"


def _shape(drawn: Drawn | None) -> str:
    width = 0.0 if drawn is None else drawn.picture.width
    return "wide" if width > WIDE else "slim" if width < SLIM else ""


def called(problem: Problem | None, scenes: list[Scene]) -> Callable[[str], str]:
    """Return the names of nodes and links; their labels if nothing is known about them."""
    return Names(scenes[0], problem.wording).of if problem is not None and scenes else str
