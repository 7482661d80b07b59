"""A state as an image: goods flow from left to right, from outside sources to markets.

Every place is a box with its stock as a bar; every shipment is a dot that moves along its arrow as
its arrival draws near; below, a calendar says how much arrives where and when. All frames of an
episode have the same size and the same places.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from restock.core.errors import require_extra
from restock.core.scene import Arrow, Place, Scene
from restock.envs.render import canvas
from restock.envs.render.arrivals import calendar_rows, calendar_size, draw_calendar
from restock.envs.render.canvas import FAINT, GREY, INK, LINE, PAPER, ROLES, SHORT, STOCK, TRANSIT, WHITE, Canvas, mixed
from restock.envs.render.frame import HEAD, MARGIN, SPACE, Frame, Style, Way, frame_of, tags_of, ways_of
from restock.envs.render.layout import layout
from restock.envs.render.view import View, money, units

MOST_TAGS = 40  # arrows with a number on each


def as_image(view: View) -> NDArray[np.uint8]:
    """Return the state as an image, uint8 of shape (H, W, 3), the same size throughout an episode.

    Args:
        view: The moment to show.

    Raises:
        InvalidInput: Pillow is not installed.
    """
    require_extra("PIL", "viz", "drawing an image")
    scene = view.scene
    plan = layout(len(scene.places), tuple((arrow.start, arrow.end) for arrow in scene.arrows))
    rows = calendar_rows(scene)
    frame = frame_of(plan, scene.arrows, calendar_size(rows))
    picture = Canvas(frame.width, frame.height)
    _headline(picture, frame, view, scene)
    ways = ways_of(frame, scene.arrows)
    for arrow, way in zip(scene.arrows, ways, strict=True):
        _arrow(picture, frame, arrow, way)
    for arrow, way in zip(scene.arrows, ways, strict=True):
        _shipments(picture, frame, arrow, way)
    if frame.style.letter >= 11 and len(scene.arrows) <= MOST_TAGS:
        for arrow, (x, y) in zip(scene.arrows, tags_of(ways), strict=True):
            _tag(picture, frame, arrow, x, y)
    for k, place in enumerate(scene.places):
        _place(picture, frame, place, *frame.centre(plan.columns[k], plan.heights[k]))
    if rows:
        draw_calendar(picture, rows, MARGIN, frame.top + frame.tall + SPACE)
    return picture.pixels()


def _headline(picture: Canvas, frame: Frame, view: View, scene: Scene) -> None:
    """Draw name, clock, reward of the period and total."""
    right = frame.width - MARGIN
    picture.text(MARGIN, 34, view.problem.name, 24, room=frame.width / 2 - MARGIN)
    picture.text(MARGIN, 64, view.clock, 14, GREY)
    picture.box(MARGIN + 170, 61, 200, 6, FAINT)
    picture.box(MARGIN + 170, 61, 200 * view.period / view.problem.horizon, 6, INK)
    figures = [("total", money(view.total)), ("reward of the period", money(view.last_reward))]
    figures += [(name, f"{amount:.2f}") for name, amount in scene.facts]
    for k, (name, amount) in enumerate(figures):
        x = right - 160 * k
        colour = SHORT if amount.startswith("-") and len(amount) > 1 else INK
        picture.text(x, 36, amount, 22 if k == 0 else 18, colour, "rm")
        picture.text(x, 62, name, 12, GREY, "rm")
    picture.path([(MARGIN, HEAD - 6), (right, HEAD - 6)], LINE, 1)


def _arrow(picture: Canvas, frame: Frame, arrow: Arrow, way: Way) -> None:
    """Draw the line of an arrow, darker if goods are in transit or moved in the last period."""
    busy = arrow.in_transit > 0.0 or arrow.moved > 0.0
    colour = mixed(GREY, 0.75 if frame.style.letter >= 11 else 0.45, PAPER) if busy else mixed(LINE, 0.8, PAPER)
    width = 1.4 if frame.style.letter >= 11 else 1.0 if frame.style.letter else 0.6
    picture.path(way, colour, width)
    if frame.style.letter:
        picture.tip(*way[-1], 8.0 if frame.style.letter >= 11 else 5.0, colour)


def _shipments(picture: Canvas, frame: Frame, arrow: Arrow, way: Way) -> None:
    """Draw dots where the goods are, and their sum."""
    if not arrow.in_transit > 0.0:
        return
    lead = len(arrow.arrivals)
    spots = canvas.along(way, [(lead - k - 0.5) / lead for k in range(lead)])
    largest = {0: 2.0, 9: 3.5, 11: 5.0}.get(frame.style.letter, 7.0)
    for amount, (x, y) in zip(arrow.arrivals, spots, strict=True):
        if amount > 0.0:
            size = math.sqrt(min(1.0, amount / arrow.full))
            picture.dot(x, y, max(largest * size, min(1.5, largest)), TRANSIT)


def _tag(picture: Canvas, frame: Frame, arrow: Arrow, x: float, y: float) -> None:
    """Draw the number on an arrow: units in transit, or those moved last period if none are in transit."""
    lead = len(arrow.arrivals)
    amount = arrow.in_transit if lead else arrow.moved
    if amount > 0.0:
        picture.text(x, y, units(amount), frame.style.letter - 1, TRANSIT if lead else GREY, "mm", halo=True)


def _place(picture: Canvas, frame: Frame, place: Place, x: float, y: float) -> None:
    """Draw a box: role, name, stock as number and bar, shortage."""
    width, height = frame.style.box
    left, top = x - width / 2.0, y - height / 2.0
    letter = frame.style.letter
    colour = ROLES.get(place.role, INK)
    share = min(1.0, place.stock / place.full) if place.stock and place.full > 0.0 else 0.0
    if not letter:
        picture.box(left, top, width, height, SHORT if place.short > 0.0 else mixed(colour, 0.25 + 0.75 * share))
        return
    picture.box(left, top, width, height, WHITE, SHORT if place.short > 0.0 else LINE)
    picture.box(left, top, 5, height, colour)
    inner, room = left + 12, width - 20
    if letter >= 13:
        _full_box(picture, place, inner, top, room, letter)
    else:
        _small_box(picture, place, inner, top, room, frame.style)
    if place.stock is not None and place.full > 0.0:
        thick = 7.0 if letter >= 13 else 4.0 if letter >= 11 else 3.0
        at = top + height - thick - (8.0 if letter >= 13 else 5.0 if letter >= 11 else 2.0)
        picture.box(inner, at, room, thick, FAINT)
        picture.box(inner, at, room * share, thick, STOCK)


def _full_box(picture: Canvas, place: Place, x: float, top: float, room: float, letter: int) -> None:
    """Draw name and role above, and below them the stock, or a market's demand and sales."""
    picture.text(x, top + 15, place.name, letter + 2, room=room - canvas.text_width(place.role, letter - 2) - 6.0)
    picture.text(x + room, top + 15, place.role, letter - 2, GREY, "rm")
    if place.stock is None:
        words = "   ".join(f"{name} {units(amount)}" for name, amount in place.figures)
        picture.text(x, top + 36, words, letter - 2, GREY, room=room)
        if place.role == "market":
            colour = SHORT if place.short > 0.0 else GREY
            picture.text(x, top + 53, f"{place.short_name} {units(place.short)}", letter - 1, colour, room=room)
        return
    stock = units(place.stock)
    left = room - canvas.text_width(stock, letter + 3) - 8.0
    picture.text(x, top + 38, stock, letter + 3, STOCK)
    words = " ".join(f"{name} {units(amount)}" for name, amount in place.figures)
    if canvas.text_width(words, letter - 2) > left:
        words = words.partition(" ")[2]
    picture.text(x + room, top + 38, words, letter - 2, GREY, "rm", left)


def _small_box(picture: Canvas, place: Place, x: float, top: float, room: float, style: Style) -> None:
    """Draw the name, and the one number that matters most."""
    figure, colour = "", STOCK
    if place.stock is not None:
        figure = units(place.stock)
    elif place.short > 0.0:
        figure, colour = units(-place.short), SHORT
    elif place.figures:
        figure, colour = units(place.figures[-1][1]), GREY
    y = top + (style.box[1] - 6.0) / 2.0 if place.stock is not None else top + style.box[1] / 2.0
    wide = canvas.text_width(figure, style.letter)
    picture.text(x + room, y, figure, style.letter, colour, "rm", room)
    picture.text(x, y, place.name, style.letter, room=room - wide - 4)
