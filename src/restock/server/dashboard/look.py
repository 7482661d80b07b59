"""Observations as people read them: single facts, and tables of fields that share their names."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from restock.report.naming import proper
from restock.report.numbers import quantity
from restock.server.dashboard.beside import until
from restock.server.dashboard.fields import plain, unit_of

SAID_ELSEWHERE = ("parts", "reward", "done", "period", "horizon", "day", "current_day")
GAUGED = ("on_hand", "updated_inventory")
EVENTS = "updated_events"
LONGEST_TEXT = 200


@dataclasses.dataclass(frozen=True)
class Fact:
    """A single value: name, value and unit in words, and meaning."""

    name: str
    value: str
    unit: str
    about: str


@dataclasses.dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        words: The value.
        full: How full its gauge is (0 to 1); None without one.
        series: Numbers one behind the other as shares of the largest; None where it is none.
    """

    words: str
    full: float | None = None
    series: tuple[float, ...] | None = None


@dataclasses.dataclass(frozen=True)
class Sight:
    """A table of fields that share the same names.

    Attributes:
        columns: Name, unit and meaning of each field.
        rows: Name and cells of each.
        gauged: Whether there are gauges in it.
    """

    columns: tuple[tuple[str, str, str], ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    gauged: bool = False


@dataclasses.dataclass(frozen=True)
class Seen:
    """An observation: facts and tables."""

    facts: tuple[Fact, ...]
    tables: tuple[Sight, ...]

    @property
    def explained(self) -> bool:
        """Whether the meaning of anything in it is known."""
        return any(fact.about for fact in self.facts) or any(
            about for table in self.tables for _, _, about in table.columns
        )


def look(
    seen: Mapping[str, Any],
    about: Mapping[str, str],
    before: Sequence[Mapping[str, Any]] = (),
    call: Callable[[str], str] = str,
) -> Seen:
    """Return an observation as facts and tables.

    Args:
        seen: As plain data.
        about: What each field is, in words that end in the unit; what is missing there has only its name.
        before: The observations before it: a gauge is full at the most that there has been at its place.
        call: What to call places and ways.
    """
    facts: list[Fact] = []
    groups: dict[tuple[str, ...], list[str]] = {}
    flat: dict[str, Any] = {}
    for field, value in seen.items():
        if field in SAID_ELSEWHERE or (field == "profit" and isinstance(value, Mapping)):
            continue
        if isinstance(value, Mapping) and value and all(isinstance(inner, Mapping) for inner in value.values()):
            flat |= {str(name): inner for name, inner in value.items()}
        else:
            flat[field] = value
    most = {field: _most([*before, seen], field) for field in GAUGED if isinstance(seen.get(field), Mapping)}
    for field, value in flat.items():
        if isinstance(value, Mapping) and list(value) == [field]:
            value = value[field]  # one number under the name of its field
        if isinstance(value, Mapping) and value:
            groups.setdefault(tuple(map(str, value)), []).append(field)
        else:
            words, unit = unit_of(about.get(field, ""))
            facts.append(Fact(plain(field), told(call(value) if isinstance(value, str) else value), unit, words))
    tables = (_sight(names, fields, flat, about, most, call) for names, fields in groups.items())
    return Seen(tuple(facts), tuple(tables))


def _most(seen: Sequence[Mapping[str, Any]], field: str) -> dict[str, float]:
    """Return the largest value so far of each entry of a field."""
    found: dict[str, float] = {}
    for one in seen:
        values = one.get(field)
        for name, value in values.items() if isinstance(values, Mapping) else ():
            found[str(name)] = max(found.get(str(name), 0.0), _size(value))
    return found


def told(value: Any) -> str:
    """Return a value in words."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return quantity(value)
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else value[:LONGEST_TEXT] + " ..."
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {told(inner)}" for name, inner in value.items()) or "none"
    if isinstance(value, Sequence):
        if all(isinstance(one, (int, float)) for one in value) and value:
            return _series([float(one) for one in value])
        return "; ".join(_lot(one) for one in value) or "none"
    return str(value)[:LONGEST_TEXT]


def _series(values: list[float]) -> str:
    """Return the numbers one after the other, or that there is nothing."""
    told = [quantity(one) for one in values]
    return "nothing" if not any(one.strip("0.") for one in told) else " \N{MIDDLE DOT} ".join(told)


def _lot(one: Any) -> str:
    """Return an entry of a list in words: units and their days left, or units of a product and their day of arrival."""
    if isinstance(one, (list, tuple)) and len(one) == 2:
        left = "" if one[1] is None else f" for {told(one[1])} d"
        return f"{told(one[0])}{left}"
    if isinstance(one, Mapping) and len(one) == 1:
        ((name, inner),) = one.items()
        if isinstance(inner, (list, tuple)) and len(inner) == 2:
            return f"{told(inner[0])} {name} on day {told(inner[1])}"
    return told(one)


def _sight(
    names: tuple[str, ...],
    fields: list[str],
    seen: Mapping[str, Any],
    about: Mapping[str, str],
    most: Mapping[str, Mapping[str, float]],
    call: Callable[[str], str],
) -> Sight:
    columns = []
    for field in fields:
        words, unit = unit_of(about.get(field, ""))
        columns.append((plain(field), unit, words))
    rows = []
    values = {field: {str(key): value for key, value in seen[field].items()} for field in fields}
    for name in names:
        cells = []
        for field in fields:
            value = values[field][name]
            size, largest = _size(value), most.get(field, {}).get(name, 0.0)
            full = min(size / largest, 1.0) if field in GAUGED and largest > 0.0 else None
            words = until(value - 1) if field == EVENTS and isinstance(value, int) else told(value)  # told last evening
            if value == []:
                words = "none" if field in GAUGED else "\N{EN DASH}"
            cells.append(Cell(words, full, _shares(value)))
        rows.append((proper(name) if fields == [EVENTS] else call(name), tuple(cells)))
    return Sight(tuple(columns), tuple(rows), any(cell.full is not None for _, cells in rows for cell in cells))


def _shares(value: Any) -> tuple[float, ...] | None:
    """Return a list of numbers as shares of the largest; nothing if all are zero."""
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, (int, float)) for one in value):
        return None
    most = max((abs(float(one)) for one in value), default=0.0)
    return tuple(max(float(one), 0.0) / most for one in value) if most > 0.0 else ()


def _size(value: Any) -> float:
    """Return how large a value is."""
    if isinstance(value, (int, float)):
        return max(float(value), 0.0)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return sum(_size(one[0]) for one in value if isinstance(one, (list, tuple)) and one)
    return 0.0
