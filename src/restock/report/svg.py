"""Pictures as SVG text: no library, text stays text, and the same input gives the same bytes."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterable, Sequence
from html import escape

from restock.report.numbers import amount

Point = tuple[float, float]

INK, GREY, LINE, FAINT, PAPER = "#1f2a36", "#5d6873", "#c9cfd6", "#e9ecef", "#ffffff"


@dataclasses.dataclass(frozen=True)
class Scale:
    """A linear map from values to positions on the picture.

    Attributes:
        low: Least value.
        high: Largest value.
        start: Where the least value stands.
        end: Where the largest stands.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the position of a value."""
        span = self.high - self.low
        return self.start + (self.end - self.start) * ((value - self.low) / span if span else 0.5)

    def clip(self, value: float) -> float:
        """Return the nearest value on the scale."""
        return min(max(value, self.low), self.high)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round numbers from low to high, about `about` of them."""
    if not high > low:
        return [low]
    rough = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [k * step for k in range(first, last + 1)]


def width_of(text: str, size: float) -> float:
    """Return the approximate width of a text in the page's sans-serif font."""
    narrow = sum(letter in "iljtf.,:;' |!()[]" for letter in text)
    return size * (0.56 * (len(text) - narrow) + 0.31 * narrow)


class Svg:
    """A picture under construction.

    Args:
        width: Of the coordinates.
        height: Likewise.
        alt: What it shows, for those who do not see it.
        size: Letter size of its texts.
    """

    def __init__(self, width: float, height: float, alt: str, size: float = 13.0) -> None:
        self.width, self.height, self.size = width, height, size
        self._alt = alt
        self._parts: list[str] = []

    def line(
        self, points: Sequence[Point], colour: str, width: float = 1.5, dash: str = "", opacity: float = 1.0
    ) -> None:
        """Draw a line through points."""
        way = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
        extra = (f' stroke-dasharray="{dash}"' if dash else "") + (f' opacity="{opacity:g}"' if opacity < 1.0 else "")
        self._parts.append(
            f'<path d="{way}" fill="none" stroke="{colour}" stroke-width="{width:g}" stroke-linejoin="round"{extra}/>'
        )

    def curve(self, points: Sequence[Point], colour: str, width: float = 1.5) -> None:
        """Draw a smooth curve through points, vertical at each of them."""
        way = f"M{_n(points[0][0])} {_n(points[0][1])}"
        for (x, y), (u, v) in itertools.pairwise(points):
            middle = (y + v) / 2.0
            way += f"C{_n(x)} {_n(middle)} {_n(u)} {_n(middle)} {_n(u)} {_n(v)}"
        self._parts.append(f'<path d="{way}" fill="none" stroke="{colour}" stroke-width="{width:g}"/>')

    def area(self, points: Sequence[Point], colour: str, opacity: float = 1.0) -> None:
        """Draw a filled shape."""
        way = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points) + "Z"
        extra = f' fill-opacity="{opacity:g}"' if opacity < 1.0 else ""
        self._parts.append(f'<path d="{way}" fill="{colour}"{extra}/>')

    def box(
        self, x: float, y: float, width: float, height: float, fill: str, stroke: str = "", round_: float = 0.0
    ) -> None:
        """Draw a rectangle."""
        extra = (f' stroke="{stroke}"' if stroke else "") + (f' rx="{round_:g}"' if round_ else "")
        self._parts.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" fill="{fill}"{extra}/>'
        )

    def tiles(self, corners: Iterable[tuple[float, float, float, float]], colour: str) -> None:
        """Draw rectangles (x, y, width, height) of one colour without edges, in little text."""
        way = "".join(f"M{_n(x)} {_n(y)}h{_n(w)}v{_n(h)}h-{_n(w)}z" for x, y, w, h in corners)
        self._parts.append(f'<path d="{way}" fill="{colour}" shape-rendering="crispEdges"/>')

    def dots(self, points: Iterable[Point], radius: float, colour: str, opacity: float = 1.0) -> None:
        """Draw discs."""
        inner = "".join(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{radius:g}"/>' for x, y in points)
        self._parts.append(f'<g fill="{colour}" fill-opacity="{opacity:g}">{inner}</g>')

    def text(
        self,
        x: float,
        y: float,
        words: str,
        colour: str = INK,
        anchor: str = "start",
        bold: bool = False,
        size: float | None = None,
        halo: bool = False,
    ) -> None:
        """Draw a line of text on its baseline, anchored at its start, middle or end."""
        extra = "" if anchor == "start" else f' text-anchor="{anchor}"'
        extra += ' font-weight="600"' if bold else ""
        extra += f' font-size="{size:g}"' if size is not None else ""
        extra += f' paint-order="stroke" stroke="{PAPER}" stroke-width="4" stroke-linejoin="round"' if halo else ""
        self._parts.append(f'<text x="{_n(x)}" y="{_n(y)}" fill="{colour}"{extra}>{escape(words)}</text>')

    def room_for(self, values: Sequence[float]) -> float:
        """Return the width that the numbers at the left need."""
        places = _places(values)
        return max(width_of(amount(value, places), self.size) for value in values) + 10.0

    def left_axis(self, scale: Scale, left: float, right: float, about: int = 5) -> None:
        """Draw numbers at the left and faint lines across."""
        values = ticks(scale.low, scale.high, about)
        places = _places(values)
        for value in values:
            y = scale(value)
            self.line([(left, y), (right, y)], GREY if value == 0.0 else FAINT, 1.0)
            self.text(left - 6.0, y + self.size * 0.35, amount(value, places), GREY, "end")

    def foot_axis(self, scale: Scale, top: float, foot: float, about: int = 5, lines: bool = True) -> None:
        """Draw numbers at the foot, and faint lines upwards."""
        values = ticks(scale.low, scale.high, about)
        places = _places(values)
        for value in values:
            x = scale(value)
            if lines:
                self.line([(x, top), (x, foot)], GREY if value == 0.0 else FAINT, 1.0)
            words = amount(value, places)
            room = width_of(words, self.size) / 2.0 + 2.0
            self.text(min(max(x, room), self.width - room), foot + self.size * 1.3, words, GREY, "middle")

    def periods(self, along: Scale, last: int, y: float, first: int = 0) -> None:
        """Draw some periods between the first and the last as numbers at the foot."""
        for t in sorted({first + k * (last - first) // 3 for k in range(4)}):
            wide = width_of(str(t), self.size) / 2.0
            self.text(min(along(t), self.width - wide - 2.0), y, str(t), GREY, "middle")

    def key(self, names: Sequence[tuple[str, str]], left: float, y: float) -> float:
        """Draw the names with their colours in lines, and return the foot."""
        x = left
        for name, colour in names:
            wide = 18.0 + 1.1 * width_of(name, 12.0) + 14.0
            if x > left and x + wide > self.width - 4.0:
                x, y = left, y + 18.0
            self.box(x, y - 9.0, 12.0, 10.0, colour, round_=2.0)
            self.text(x + 17.0, y, name, INK, size=12.0)
            x += wide
        return y

    def __str__(self) -> str:
        return (
            f'<svg viewBox="0 0 {self.width:g} {self.height:g}" width="{self.width:g}" height="{self.height:g}" '
            f'font-size="{self.size:g}" role="img" aria-label="{escape(self._alt)}" '
            f'xmlns="http://www.w3.org/2000/svg"><title>{escape(self._alt)}</title>' + "".join(self._parts) + "</svg>"
        )

    __html__ = __str__  # a template fills it in as it is


def _places(values: Sequence[float]) -> int:
    step = min((b - a for a, b in itertools.pairwise(values)), default=1.0)
    if step <= 0.0:
        return 0
    places = max(0, min(6, -math.floor(math.log10(step) + 1e-9)))
    whole = step * 10.0**places
    return places if abs(whole - round(whole)) < 1e-6 else min(6, places + 1)  # 0.25 needs two


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
