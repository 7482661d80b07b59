"""Pictures of a hyper-parameter search: trials, learning curves, importance, values against profit."""

from __future__ import annotations

import math
from collections.abc import Sequence

from restock.learning.tuning.outcome import Tuning
from restock.learning.tuning.spaces import Choices, Dimension
from restock.learning.tuning.study import Trial
from restock.report.numbers import amount, share
from restock.report.svg import GREY, INK, LINE, PAPER, Point, Scale, Svg, width_of

BEST, WHOLE, ENDED, FIRST = "#14776a", "#2f6fb0", "#a7afb8", "#b45309"
WIDE = 760.0
PANEL = (300.0, 210.0)


def profits(tuning: Tuning) -> tuple[float, float]:
    """Return the ends of a scale of profit: trials far below the others stand at its foot."""
    values = sorted(trial.value for trial in tuning.trials if trial.ended and math.isfinite(trial.value))
    if not values:
        return 0.0, 1.0
    lower, upper = values[len(values) // 4], values[(3 * len(values)) // 4]
    low, high = max(values[0], lower - 1.5 * (upper - lower)), values[-1]
    bound = tuning.lines.get("bound", math.inf)
    if high < bound < high + 0.5 * (high - low):
        high = bound
    room = 0.06 * (high - low) or max(1.0, 0.01 * abs(high))
    return low - room, high + room


def history(tuning: Tuning) -> Svg:
    """Draw the held-out profit of every trial, and the best so far."""
    ended = [trial for trial in tuning.trials if trial.ended]
    picture = Svg(WIDE, 290.0, f"Held-out {tuning.worth} of every trial, in their order, and the best so far")
    up = Scale(*profits(tuning), 245.0, 12.0)
    left = picture.room_for([up.low, up.high]) + 26.0
    across = Scale(-0.5, max(len(tuning.trials) - 0.5, 0.5), left, WIDE - 14.0)
    picture.left_axis(up, left, WIDE - 14.0)
    whole_numbers(picture, across, 245.0, len(tuning.trials))
    picture.text((left + WIDE) / 2.0, 284.0, "trial", GREY, "middle")
    for name, value in tuning.lines.items():
        if up.low < value < up.high:
            picture.line([(left, up(value)), (WIDE - 14.0, up(value))], GREY, 1.0, "5 4")
            words = str(tuning.line_names()[name])
            picture.text(WIDE - 16.0, up(value) - 5.0, words, GREY, "end", size=12.0, halo=True)
    steps: list[Point] = []
    best = -math.inf
    for trial in ended:
        if trial.state == "complete" and trial.value > best:
            if steps:
                steps.append((across(trial.number), up(up.clip(best))))
            best = trial.value
            steps.append((across(trial.number), up(up.clip(best))))
    if steps:
        picture.line([*steps, (across(len(tuning.trials) - 1), steps[-1][1])], BEST, 1.6)
    _dots(picture, tuning, [(trial, across(trial.number)) for trial in ended], up, 4.0)
    return picture


def curves(tuning: Tuning) -> Svg:
    """Return the best profit so far of every trial, while its training goes on."""
    picture = Svg(WIDE, 290.0, f"Best {tuning.worth} so far of every trial against the share of its training")
    up = Scale(*profits(tuning), 245.0, 12.0)
    left = picture.room_for([up.low, up.high]) + 26.0
    across = Scale(0.0, 1.0, left, WIDE - 20.0)
    picture.left_axis(up, left, WIDE - 20.0)
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        picture.text(across(part), 245.0 + 17.0, share(part), GREY, "middle")
    picture.text((left + WIDE) / 2.0, 284.0, "of the training", GREY, "middle")
    top = None if tuning.best is None else tuning.best.number
    first = None if tuning.preset is None else tuning.preset.number
    order = sorted(tuning.trials, key=lambda trial: (trial.number in (top, first), trial.number == top))
    for trial in order:
        points = [
            (across(min(place / tuning.plan.evaluations, 1.0)), up(up.clip(value)))
            for place, value in trial.evaluations.items()
        ]
        if not points or not trial.ended:
            continue
        marked = trial.number in (top, first)
        colour = BEST if trial.number == top else FIRST if marked else WHOLE if trial.state == "complete" else ENDED
        picture.line(points, colour, 2.4 if marked else 1.2, opacity=1.0 if marked else 0.55)
        if trial.state == "pruned":
            picture.dots(points[-1:], 2.6, ENDED)
    return picture


def importance(tuning: Tuning) -> Svg:
    """Return a bar per name."""
    found = tuning.importance or {}
    picture = Svg(WIDE, 16.0 + 26.0 * len(found), "How much each number matters to being among the best quarter")
    left = max(width_of(name, 13.0) for name in found) + 20.0
    across = Scale(0.0, max(max(found.values()), 1e-9), left, WIDE - 60.0)
    for k, (name, value) in enumerate(found.items()):
        y = 10.0 + 26.0 * k
        picture.text(left - 8.0, y + 13.5, name, INK, "end")
        picture.box(left, y, max(across(value) - left, 1.0), 18.0, WHOLE, round_=2.0)
        picture.text(max(across(value), left) + 7.0, y + 13.5, share(value), GREY)
    return picture


def against(tuning: Tuning, name: str) -> Svg:
    """Draw the values of one name against profit."""
    one = tuning.plan.space[name]
    wide, high = PANEL
    picture = Svg(wide, high, f"Held-out {tuning.worth} of the trials against {name}", 12.5)
    up = Scale(*profits(tuning), high - 32.0, 10.0)
    left = picture.room_for([up.low, up.high]) + 24.0
    picture.left_axis(up, left, wide - 10.0, 4)
    across = _axis(picture, one, left, wide - 10.0, high - 32.0)
    ended = [trial for trial in tuning.trials if trial.ended and name in trial.values]
    apart = _aside(one, ended, name, (wide - left) / max(len(one.ends), 1) * 0.5)
    marks = [(trial, across(_place(one, trial.values[name])) + apart[trial.number]) for trial in ended]
    _dots(picture, tuning, marks, up, 3.4)
    return picture


def whole_numbers(picture: Svg, across: Scale, foot: float, count: int) -> None:
    """Draw about ten trial numbers at the foot."""
    step = max(1, math.ceil(count / 10))
    for nice in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000):
        if nice >= step:
            step = nice
            break
    for number in range(0, count, step):
        picture.text(across(number), foot + 17.0, amount(number), GREY, "middle")


def _dots(picture: Svg, tuning: Tuning, marks: Sequence[tuple[Trial, float]], up: Scale, size: float) -> None:
    """Draw a dot per trial: full if complete, open if pruned, green for the best, amber for the preset."""
    top = None if tuning.best is None else tuning.best.number
    first = None if tuning.preset is None else tuning.preset.number
    for trial, x in sorted(marks, key=lambda mark: (mark[0].number == top, mark[0].state == "complete")):
        if not math.isfinite(trial.value):
            continue
        spot = (x, up(up.clip(trial.value)))
        if trial.number == top:
            picture.dots([spot], size + 1.6, BEST)
        elif trial.number == first:
            picture.dots([spot], size + 0.6, FIRST)
        elif trial.state == "complete":
            picture.dots([spot], size, WHOLE, 0.85)
        else:
            picture.dots([spot], size, ENDED)
            picture.dots([spot], size - 1.4, PAPER)


def _axis(picture: Svg, one: Dimension, left: float, right: float, foot: float) -> Scale:
    """Draw the values at the foot; return the scale for the result of `_place`."""
    picture.line([(left, foot), (right, foot)], LINE, 1.0)
    if isinstance(one, Choices):
        across = Scale(-0.5, len(one.values) - 0.5, left, right)
        for k, value in enumerate(one.values):
            words = str(value).replace(" ", "")
            picture.text(across(k), foot + 17.0, words, GREY, "middle", size=11.0 if len(one.values) < 4 else 10.0)
        return across
    room = 0.04 * (_place(one, one.high) - _place(one, one.low))
    across = Scale(_place(one, one.low) - room, _place(one, one.high) + room, left, right)
    if one.log:
        marks = [float(one.low), math.sqrt(one.low * one.high), float(one.high)]
    else:
        marks = [float(one.low), (one.low + one.high) / 2.0, float(one.high)]
    for k, mark in enumerate(marks):
        value = mark if k != 1 else float(f"{mark:.2g}")
        anchor = ("start", "middle", "end")[k]
        picture.text(across(_place(one, value)), foot + 17.0, f"{value:g}", GREY, anchor)
    return across


def _place(one: Dimension, value: float) -> float:
    if isinstance(one, Choices):
        return float(one.values.index(value)) if value in one.values else -0.5
    return math.log(value) if one.log else float(value)


def _aside(one: Dimension, trials: Sequence[Trial], name: str, width: float) -> dict[int, float]:
    """Return the sideways offsets of the dots of a choice, so that they do not hide each other."""
    if not isinstance(one, Choices):
        return dict.fromkeys((trial.number for trial in trials), 0.0)
    met: dict[str, list[int]] = {}
    for trial in trials:
        met.setdefault(str(trial.values[name]), []).append(trial.number)
    return {
        number: width * ((k + 0.5) / len(numbers) - 0.5) for numbers in met.values() for k, number in enumerate(numbers)
    }
