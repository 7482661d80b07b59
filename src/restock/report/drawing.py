"""A scene as a picture: goods flow from the sources at the top to the markets at the bottom."""

from __future__ import annotations

import dataclasses
import itertools

from restock.core.problem import Array, Problem
from restock.core.scene import Place, Scene
from restock.core.wording import Wording
from restock.envs.render.layout import Layout, layout
from restock.evaluation.compare import Comparison
from restock.report.naming import named
from restock.report.numbers import quantity, units
from restock.report.svg import GREY, INK, LINE, PAPER, Point, Svg, width_of

BOX = (116.0, 48.0)
APART = (14.0, 72.0)
MARGIN = 10.0
ACROSS = 3  # boxes in a line where no arrows join them
FILLS = {
    "source": "#f1f3f5",
    "factory": "#ece6f4",
    "distributor": "#e3edf7",
    "retailer": "#e2f1ec",
    "market": "#fdf1dc",
}


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A picture and its explanation (HTML)."""

    picture: Svg
    caption: str


def start(comparison: Comparison, words: Wording) -> Drawn | None:
    """Return the nodes and links of the problem's scene at the start of the first episode.

    None where there is one place alone, which a picture says nothing about.
    """
    chance = comparison.rows[0].simulation.chance
    return first(opening(comparison.problem, chance.vectors), comparison.problem, words)


def first(scene: Scene, problem: Problem, words: Wording) -> Drawn | None:
    """Draw a scene before anything has happened, with lead times on the arrows; None for a single node."""
    timed = any(arrow.arrivals for arrow in scene.arrows)
    ways = f"{words.periods} from sending to arrival" if timed else ""
    tags = [_lead(len(arrow.arrivals), words) if timed else "" for arrow in scene.arrows]
    return _drawn(scene, problem, words, tags, ways, "at the start")


def moment(scene: Scene, problem: Problem, words: Wording, when: str) -> Drawn | None:
    """Draw a scene at any time, with units in transit on the arrows; None for a single node.

    Args:
        scene: What is drawn.
        problem: That it is of.
        words: What to call things.
        when: The time: `after period 3`.
    """
    tags = [quantity(arrow.in_transit) if arrow.in_transit > 0.0 else "" for arrow in scene.arrows]
    ways = "units under way" if any(arrow.arrivals for arrow in scene.arrows) else ""
    return _drawn(scene, problem, words, tags, ways, when)


def _drawn(scene: Scene, problem: Problem, words: Wording, tags: list[str], ways: str, when: str) -> Drawn | None:
    if len(scene.places) < 2:
        return None
    caption = f"the arrows show the {ways}, the boxes the stock {when}" if ways else f"the boxes show the stock {when}"
    alt = _in_words(scene, problem, words, tags, when)
    if not scene.arrows:
        return Drawn(_apart(scene, alt), f"{caption[:1].upper()}{caption[1:]}.")
    return Drawn(_joined(scene, alt, tags), f"Goods flow downwards; {caption}.")


def _lead(periods: int, words: Wording) -> str:
    return f"{periods} {words.period if periods == 1 else words.periods}" if periods else "at once"


def opening(problem: Problem, episodes: Array) -> Scene:
    """Return the scene at the start of the first of some episodes.

    Args:
        problem: What is played.
        episodes: Their chance, shape (B, drawn).
    """
    return problem.scene(0, problem.world(problem.rows(episodes[:1])[0]))


def _apart(scene: Scene, alt: str) -> Svg:
    """Lay out nodes without links in lines."""
    across = min(len(scene.places), ACROSS)
    lines = -(-len(scene.places) // across)
    width = across * (BOX[0] + APART[0]) + 2.0 * MARGIN
    height = lines * (BOX[1] + APART[0]) - APART[0] + 2.0 * MARGIN
    picture = Svg(width, height, alt, 12.5)
    for k, place in enumerate(scene.places):
        line, column = divmod(k, across)
        x = MARGIN + (column + 0.5) * (BOX[0] + APART[0])
        _box(picture, place, x, MARGIN + BOX[1] / 2.0 + line * (BOX[1] + APART[0]), False)
    return picture


def _joined(scene: Scene, alt: str, labels: list[str]) -> Svg:
    """Lay out nodes with links in layers."""
    plan = layout(len(scene.places), tuple((arrow.start, arrow.end) for arrow in scene.arrows))
    width = max(plan.rows, 2) * (BOX[0] + APART[0]) + 2.0 * MARGIN
    height = plan.width * (BOX[1] + APART[1]) - APART[1] + 2.0 * MARGIN
    picture = Svg(width, height, alt, 12.5)
    spots = [_spot(plan, width, column, share) for column, share in zip(plan.columns, plan.heights, strict=True)]

    tags: list[tuple[Point, str]] = []
    ends = _ends(plan, [(arrow.start, arrow.end) for arrow in scene.arrows], width)
    for arrow, passing, (leaves, reaches), told in zip(scene.arrows, plan.ways, ends, labels, strict=True):
        (x, y), (u, v) = spots[arrow.start], spots[arrow.end]
        way = [(x + leaves, y + BOX[1] / 2.0)]
        for column, share in passing:
            a, b = _spot(plan, width, column, share)
            way += [(a, b - BOX[1] / 2.0), (a, b + BOX[1] / 2.0)]
        way.append((u + reaches, v - BOX[1] / 2.0 - 5.0))
        picture.curve(way, GREY, 1.3)
        tip = way[-1]
        picture.area([(tip[0], tip[1] + 5.0), (tip[0] - 4.0, tip[1] - 4.0), (tip[0] + 4.0, tip[1] - 4.0)], GREY)
        if told and scene.places[arrow.end].role != "market":
            tags.append((_tag(way, [spot for spot, _ in tags]), told))
    for place, (x, y) in zip(scene.places, spots, strict=True):
        _box(picture, place, x, y, any(arrow.arrivals for arrow in scene.arrows))
    for (x, y), label in tags:
        picture.text(x, y + 4.0, label, INK, "middle", size=11.5, halo=True)
    return picture


def _spot(plan: Layout, width: float, column: int, share: float) -> Point:
    """Return the centre of a point of the layout."""
    return MARGIN + share * (width - 2.0 * MARGIN), MARGIN + BOX[1] / 2.0 + column * (BOX[1] + APART[1])


def _ends(plan: Layout, arrows: list[tuple[int, int]], width: float) -> list[tuple[float, float]]:
    """Return how far from the middle of its boxes each arrow begins and ends, so that arrows do not share an end."""
    shifts = [[0.0, 0.0] for _ in arrows]
    for side in (0, 1):
        groups: dict[int, list[tuple[float, int]]] = {}
        for i, (arrow, way) in enumerate(zip(arrows, plan.ways, strict=True)):
            near = way[0 if side == 0 else -1][1] if way else plan.heights[arrow[1 - side]]
            groups.setdefault(arrow[side], []).append((near, i))
        for group in groups.values():
            for k, (_, i) in enumerate(sorted(group)):
                shifts[i][side] = BOX[0] * 0.7 * ((k + 0.5) / len(group) - 0.5)
    return [(a, b) for a, b in shifts]


def _tag(way: list[Point], taken: list[Point]) -> Point:
    """Return where the label of an arrow stands: the position along it that is farthest from other labels."""
    (x, y), (u, v) = max(itertools.pairwise(way), key=lambda leg: leg[1][1] - leg[0][1])
    best, most = (x, y), -1.0
    for share in (0.5, 0.35, 0.65, 0.22, 0.78):
        eased = 3.0 * share**2 - 2.0 * share**3  # the curve's own shape
        spot = (x + (u - x) * eased, y + (v - y) * share)
        apart = min((max(abs(spot[0] - a) / 50.0, abs(spot[1] - b) / 14.0) for a, b in taken), default=1.0)
        if min(apart, 1.0) > most + 1e-9:
            best, most = spot, min(apart, 1.0)
    return best


def _box(picture: Svg, place: Place, x: float, y: float, roles: bool) -> None:
    """Draw a node, with its role if that says more than the name."""
    picture.box(x - BOX[0] / 2.0, y - BOX[1] / 2.0, *BOX, FILLS.get(place.role, PAPER), LINE, 5.0)
    title = named(place)
    below = [place.role] if (roles or place.role not in FILLS) and place.role not in title else []
    if place.stock is not None:
        below.append(units(place.stock))
    asked = dict(place.figures).get("demand", 0.0) if place.role == "market" else 0.0
    if asked > 0.0:
        below.append(f"demand {quantity(asked)}")
    if place.short > 0.0:
        below.append(f"{quantity(place.short)} {'owed' if place.short_name == 'backlog' else place.short_name}")
    while len(title) > 3 and width_of(title, 12.5) > BOX[0] - 14.0:
        title = title[:-2] + "\N{HORIZONTAL ELLIPSIS}"
    picture.text(x, y - 4.0 if below else y + 4.5, title, INK, "middle", True)
    if below:
        under = ", ".join(below)
        small = min(11.5, 10.4 * (BOX[0] - 12.0) / width_of(under, 11.5))
        picture.text(x, y + 13.0, under, GREY, "middle", size=small)


def _in_words(scene: Scene, problem: Problem, words: Wording, tags: list[str], when: str) -> str:
    """Return the picture in words, for readers who cannot see it."""
    names = [named(place) for place in scene.places]
    stocks = [
        f"{name}, {units(place.stock)}"
        for name, place in zip(names, scene.places, strict=True)
        if place.stock is not None
    ]
    ways = [
        f"{names[arrow.start]} to {names[arrow.end]}" + (f", {tag}" if tag else "")
        for arrow, tag in zip(scene.arrows, tags, strict=True)
    ]
    return f"{words.system.capitalize()} {problem.name} {when}: {'; '.join([*stocks, *ways])}."
