"""The form of a decision, from the schema of a problem's action record; and back to an action."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from restock.core.errors import InvalidInput, nearest
from restock.core.problem import Problem
from restock.core.records import MOST_UNITS
from restock.core.scene import Scene
from restock.report.naming import Names, arrowed
from restock.server.dashboard.beside import beside
from restock.server.dashboard.forms import Box, Form, Grid, Row

KEPT = ("delivery_method", "price_multipliers")  # what a store decides once for many days
LONGEST = 40  # characters of a number
DIGITS = 15  # of a number that is filled in: all that are no rounding errors
UNIT = re.compile(r"^(?P<words>.*)\((?P<unit>[^()]*)\)(?P<rest>[^()]*)$", re.S)
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
DECIMALS = re.compile(r"[+-]?\d+,\d+")
WHOLE = re.compile(r"[+-]?\d+")


def form_of(problem: Problem, scene: Scene | None = None) -> Form:
    """Return the empty form of a problem's decisions.

    Args:
        problem: What is decided in.
        scene: How it stands: rows are called as people call them, and tell what they are decided by.
    """
    records = problem.records()
    schema = records.schemas()[0]["properties"]
    some = np.full(len(problem.labels()[problem.decision]), 2.0)
    example = records.action(some).model_dump(mode="json")
    call = Names(scene, problem.wording).of if scene is not None else str
    singles: list[tuple[Box, str]] = []
    mappings: list[tuple[str, str, list[Box]]] = []
    for i, (field, told) in enumerate(schema.items()):
        words = str(told.get("description", ""))
        if isinstance(example.get(field), dict):
            boxes = [
                _box(problem, f"f{i}.{k}", f"action.{field}.{key}", f"{plain(field)}, {call(key)}", field, key, told)
                for k, key in enumerate(example[field])
            ]
            mappings.append((field, words, boxes))
        else:
            singles.append((_box(problem, f"f{i}", f"action.{field}", plain(field), field, None, told), words))
    grids = _grids(mappings, {field: list(example[field]) for field, _, _ in mappings})
    if scene is not None:
        for grid in grids:
            for row in grid.rows:
                row.name, row.told = call(row.name), beside(scene, row.name, call)
    return Form(singles, grids)


def action_of(form: Form, sent: Mapping[str, str]) -> dict[str, Any]:
    """Return the action that a form describes; empty fields are left out.

    Raises:
        InvalidInput: Something is no number.
    """
    action, wrong = read(form, sent)
    if wrong:
        raise wrong[0]
    return action


def read(form: Form, sent: Mapping[str, str]) -> tuple[dict[str, Any], list[InvalidInput]]:
    """Return the action of those fields of a form in which a number stands, and what is wrong with the others.

    Args:
        form: As `form_of` gives it; what was sent is written into its boxes.
        sent: By the names of the boxes.
    """
    action: dict[str, Any] = {}
    wrong: list[InvalidInput] = []
    for box in form.boxes():
        box.value = sent.get(box.name, "").strip()
        if not box.value:
            continue
        _, field, *key = box.path.split(".", 2)
        try:
            value: Any = box.value if box.choices else number(box.value, box.path)
        except InvalidInput as error:
            box.error = _said(error)
            wrong.append(error)
            continue
        if key:
            action.setdefault(field, {})[key[0]] = value
        else:
            action[field] = value
    return action, wrong


def number(text: str, field: str) -> int | float:
    """Return a number that a user wrote.

    Raises:
        InvalidInput: It is none.
    """
    written = text.strip().replace("\N{MINUS SIGN}", "-")
    try:
        if len(written) > LONGEST:
            raise ValueError
        found: int | float = int(written) if WHOLE.fullmatch(written) else float(written)
    except ValueError:
        raise InvalidInput(field, text, "must be a number", _mended(written)) from None
    return found


def _mended(written: str) -> str:
    """Return the hint for text that is not a number."""
    if THOUSANDS.fullmatch(written):
        return f"Write it without a comma: {written.replace(',', '')}."
    if DECIMALS.fullmatch(written):
        return f"Write it with a point: {written.replace(',', '.')}."
    return "Write for instance 12."


def blame(form: Form, error: InvalidInput) -> None:
    """Attach an error to the field that it is about, or else to the form."""
    box = next((one for one in form.boxes() if one.path == error.field), None)
    if box is None:
        form.error = form.error or _said(error)
    else:
        box.error = box.error or _said(error)


def carry(form: Form, sent: Mapping[str, str]) -> None:
    """Fill in the values that carry over from one period to the next."""
    for box in form.boxes():
        if box.kept:
            box.value = sent.get(box.name, "").strip()


def fill(form: Form, action: Mapping[str, Any]) -> None:
    """Write an action into the boxes."""
    for box in form.boxes():
        _, field, *key = box.path.split(".", 2)
        value = action.get(field)
        if key and isinstance(value, Mapping):
            value = value.get(key[0])
        if isinstance(value, (int, float)):
            box.value = f"{value:.{DIGITS}g}"
        elif isinstance(value, str):
            box.value = value


def plain(name: str) -> str:
    """Return the name of a field as people write it."""
    return name.replace("_", " ").removeprefix("updated ")


def unit_of(words: str) -> tuple[str, str]:
    """Split a description into text and unit, which ends it or stands before a semicolon."""
    found = UNIT.match(words)
    return (found["words"].strip() + found["rest"], found["unit"]) if found else (words, "")


def _said(error: InvalidInput) -> str:
    return arrowed(f"{error.problem[:1].upper()}{error.problem[1:]}. {error.mend}")


def _box(problem: Problem, name: str, path: str, label: str, field: str, key: str | None, told: Any) -> Box:
    """Return a field of the form, with what the schema and the problem say about it."""
    kind = told.get("properties", {}).get(key) or told.get("additionalProperties") or told
    box = Box(name, path, label, kind.get("type") == "integer", kind.get("minimum"), kind.get("maximum"))
    box.high = None if box.high is not None and box.high >= MOST_UNITS else box.high
    if "enum" in kind:
        box.choices = tuple(one for one in kind["enum"] if one is not None)
        box.value = str(kind.get("default") or "")
    spec: Any = getattr(problem, "spec", None)
    if field == "price_multipliers" and hasattr(spec, "price_range"):  # which the store holds them to
        box.low, box.high = spec.price_range
    box.kept = field in KEPT
    return box


def _grids(mappings: list[tuple[str, str, list[Box]]], keys: Mapping[str, list[str]]) -> list[Grid]:
    """Arrange mappings over the same names side by side; one over pairs of names becomes a square."""
    grids: list[Grid] = []
    for names in dict.fromkeys(tuple(one) for one in keys.values()):
        group = [entry for entry in mappings if tuple(keys[entry[0]]) == names]
        hints = [(plain(field), words) for field, words, _ in group]
        square = _square(names)
        if len(group) == 1 and square is not None:
            starts, ends = square
            by = dict(zip(names, group[0][2], strict=True))
            rows = [Row(start, (), [by.get(f"{start}->{end}") for end in ends]) for start in starts]
            grids.append(Grid("from \\ to", list(ends), rows, hints))
            continue
        columns = [plain(field) for field, _, _ in group]
        rows = [Row(name, (), [boxes[k] for _, _, boxes in group]) for k, name in enumerate(names)]
        grids.append(Grid("", columns, rows, hints))
    return grids


def _square(names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the starts and ends if all pairs 'start->end' of them are named."""
    pairs = [name.split("->") for name in names]
    if not all(len(pair) == 2 for pair in pairs):
        return None
    starts, ends = (tuple(sorted({pair[side] for pair in pairs})) for side in (0, 1))
    return (starts, ends) if len(names) == len(starts) * len(ends) and len(starts) > 2 else None


def chosen(name: str, value: str, known: tuple[str, ...] | list[str]) -> str:
    """Return one of the known words.

    Raises:
        InvalidInput: It is none of them.
    """
    if value not in known:
        raise InvalidInput(name, value, "there is no such choice", nearest(value, known))
    return value
