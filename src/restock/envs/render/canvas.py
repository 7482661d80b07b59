"""Smooth shapes and sharp text on a Pillow image."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# DejaVu Sans 2.35, cut by pyftsubset (fonttools) to Latin, Greek, Cyrillic, arrows and mathematics:
# --unicodes=20-7E,A0-17F,218-21B,370-3FF,400-45F,490,491,1E9E,2010-2027,2030-203A,2044,2070-208E,20AC,20B4-20BF,
# 2116-2122,2190-2199,21D0-21D5,2200-226F --name-IDs=0,1,2,3,4,5,6,13,14 --name-languages=0x409 --notdef-outline
DEJAVU = Path(__file__).with_name("DejaVuSans.ttf")

Colour = tuple[int, int, int]
Point = tuple[float, float]

PAPER: Colour = (250, 249, 246)
WHITE: Colour = (255, 255, 255)
INK: Colour = (38, 50, 63)
GREY: Colour = (118, 128, 139)
LINE: Colour = (203, 209, 215)
FAINT: Colour = (232, 234, 235)
STOCK: Colour = (74, 150, 134)
TRANSIT: Colour = (71, 126, 178)
SHORT: Colour = (207, 91, 66)
ROLES: dict[str, Colour] = {
    "source": (150, 157, 165),
    "factory": (125, 104, 160),
    "distributor": (71, 126, 178),
    "retailer": (74, 150, 134),
    "market": (196, 145, 60),
}


class Canvas:
    """An image under construction: shapes are drawn at twice the size and reduced, text is added last."""

    SCALE = 2

    def __init__(self, width: int, height: int) -> None:
        from PIL import Image, ImageDraw

        self.width, self.height = width, height
        self._image = Image.new("RGB", (width * self.SCALE, height * self.SCALE), PAPER)
        self._draw = ImageDraw.Draw(self._image)
        self._texts: list[tuple[Point, str, Any, Colour, str, int]] = []

    def box(self, x: float, y: float, width: float, height: float, fill: Colour, edge: Colour | None = None) -> None:
        """Draw a rectangle with slightly rounded corners."""
        s = self.SCALE
        if width <= 0.0 or height <= 0.0:
            return
        radius = min(4.0, width / 2.0, height / 2.0) * s
        corners = (x * s, y * s, max(x * s, (x + width) * s - 1), max(y * s, (y + height) * s - 1))
        self._draw.rounded_rectangle(corners, radius, fill, edge, s if edge else 1)

    def path(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        """Draw a line through points."""
        s = self.SCALE
        scaled = [(x * s, y * s) for x, y in points]
        self._draw.line(scaled, colour, max(1, round(width * s)), joint="curve")

    def tip(self, x: float, y: float, size: float, colour: Colour) -> None:
        """Draw an arrowhead that points right and ends at (x, y)."""
        s = self.SCALE
        half = size * 0.55
        self._draw.polygon([(x * s, y * s), ((x - size) * s, (y - half) * s), ((x - size) * s, (y + half) * s)], colour)

    def dot(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Draw a disc with a thin rim of paper, so that neighbours stay apart."""
        s = self.SCALE
        corners = ((x - radius) * s, (y - radius) * s, (x + radius) * s, (y + radius) * s)
        self._draw.ellipse(corners, colour, PAPER, s if radius > 2.5 else 1)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: int,
        colour: Colour = INK,
        anchor: str = "lm",
        room: float | None = None,
        halo: bool = False,
    ) -> None:
        """Draw text at an anchor (Pillow's two letters), cut to its width; a halo separates it from lines below."""
        face = font(size, words.isascii())
        if room is not None:
            words = _cut(words, face, room)
        if words:
            self._texts.append(((x, y), words, face, colour, anchor, 2 if halo else 0))

    def pixels(self) -> NDArray[np.uint8]:
        """Return the finished image, uint8 of shape (H, W, 3)."""
        from PIL import ImageDraw

        image = self._image.reduce(self.SCALE)
        draw = ImageDraw.Draw(image)
        for place, words, face, colour, anchor, halo in self._texts:
            draw.text(place, words, colour, face, anchor, stroke_width=halo, stroke_fill=PAPER)
        return np.array(image, dtype=np.uint8)


@lru_cache(maxsize=64)
def font(size: int, plain: bool = True) -> Any:
    """Return Pillow's own typeface, which has little beyond ASCII, or DejaVu Sans for what is not plain."""
    from PIL import ImageFont

    return ImageFont.load_default(size) if plain else ImageFont.truetype(str(DEJAVU), size)


def text_width(words: str, size: int) -> float:
    """Return the width of a text in pixels."""
    return float(font(size, words.isascii()).getlength(words))


def mixed(colour: Colour, share: float, ground: Colour = WHITE) -> Colour:
    """Return a colour mixed with a ground at a given share."""
    share = min(1.0, max(0.0, share))
    red, green, blue = (round(share * c + (1.0 - share) * g) for c, g in zip(colour, ground, strict=True))
    return red, green, blue


def curve(a: Point, b: Point, steps: int = 24) -> list[Point]:
    """Return a smooth curve from a to b that begins and ends horizontally: a cubic Bezier curve."""
    if abs(a[1] - b[1]) < 0.5:
        return [a, b]
    u = np.linspace(0.0, 1.0, steps + 1)
    middle = 1.5 * u * (1.0 - u)  # both inner control points stand half-way across
    late = u * u * (3.0 - 2.0 * u)
    xs = a[0] + (b[0] - a[0]) * (u**3 + middle)
    ys = a[1] + (b[1] - a[1]) * late
    return list(zip(xs.tolist(), ys.tolist(), strict=True))


def along(points: Sequence[Point], shares: Sequence[float]) -> list[Point]:
    """Return the points at given shares of the way along a line."""
    corners = np.asarray(points)
    reached = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
    targets = np.asarray(shares) * reached[-1]
    xs, ys = np.interp(targets, reached, corners[:, 0]), np.interp(targets, reached, corners[:, 1])
    return list(zip(xs.tolist(), ys.tolist(), strict=True))


def _cut(words: str, face: Any, room: float) -> str:
    """Return the words, or as many letters as fit before two dots."""
    if face.getlength(words) <= room:
        return words
    while words and face.getlength(words + "..") > room:
        words = words[:-1]
    return words + ".." if words else ""
