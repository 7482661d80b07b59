"""Fields: every number of a problem declared once, with its kind, axis, unit, meaning and symbol.

A problem declares the parts of its world as named tuples whose fields are `real(...)`, `stock(...)`,
`flow(...)` and so on, and joins them in a `Schema`. From the declaration follow the memory layout, the
compiled `unpack`, `totals`, packing by name, labels and the table of symbols.
"""

from __future__ import annotations

import dataclasses
import linecache
import math
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core.errors import InvalidInput

ONE = "one"  # the axis of a single number
PERIOD = "period"  # the periods of an episode, an axis of every problem
HEADER = 4  # lengths that every integer table begins with: row, recorded part, decision, observation

SEGMENTS = {
    "integer": "ints",
    "real": "floats",
    "stock": "recorded",
    "flow": "recorded",
    "income": "recorded",
    "cost": "recorded",
    "initial": "episode",
    "chance": "episode",
}  # where fields of each kind are kept; a memory row is [recorded | episode]


@dataclasses.dataclass(frozen=True)
class Field:
    """One named quantity; the schema fills in `name` and `part`."""

    kind: str
    axis: str
    unit: str
    meaning: str
    symbol: str = ""
    name: str = ""
    part: str = ""

    @property
    def key(self) -> str:
        """Return the full name, as packing and error messages use it."""
        return f"{self.part}.{self.name}"

    @property
    def axes(self) -> tuple[str, ...]:
        """Return the axes of its numbers: chance has a row for each period."""
        named = () if self.axis == ONE else (self.axis,)
        return (PERIOD, *named) if self.kind == "chance" else named


def _maker(kind: str) -> Callable[..., Any]:
    def declare(axis: str, unit: str, meaning: str, symbol: str = "") -> Any:
        return Field(kind, axis, unit, meaning, symbol)

    return declare


integer, real = _maker("integer"), _maker("real")  # tables
stock, flow, income, cost = _maker("stock"), _maker("flow"), _maker("income"), _maker("cost")  # recorded
initial, chance = _maker("initial"), _maker("chance")  # drawn: the stock to begin with; one row a period


class Schema:
    """The parts of a world, in the order in which `step` takes them.

    Args:
        name: Name of the problem, for tracebacks and error messages.
        parts: Named tuples of fields, by the name that the texts use.

    Raises:
        TypeError: Two recorded fields of one name: their names are keys of a trajectory.
    """

    def __init__(self, name: str, **parts: Any) -> None:
        self.name, self.parts = name, parts
        self.fields = tuple(
            dataclasses.replace(kind._field_defaults[field], name=field, part=part)
            for part, kind in parts.items()
            for field in kind._fields
        )
        for kind in parts.values():  # a declaration is no default: leaving a field out stays an error
            kind.__new__.__defaults__ = None
        seen: dict[str, str] = {}
        for field in self.segment("recorded"):
            if field.name in seen:
                raise TypeError(f"{field.key}: {seen[field.name]} is recorded under that name already")
            seen[field.name] = field.key
        self.axes = tuple(dict.fromkeys(axis for field in self.fields for axis in field.axes))

    def segment(self, *segments: str) -> Iterator[Field]:
        """Iterate over the fields kept in these segments, in order."""
        return (field for segment in segments for field in self.fields if SEGMENTS[field.kind] == segment)

    def of(self, *kinds: str) -> tuple[Field, ...]:
        """Return the fields of these kinds, as declared."""
        return tuple(field for field in self.fields if field.kind in kinds)

    @property
    def money(self) -> tuple[str, ...]:
        """Return the names of the parts of the reward."""
        return tuple(field.name for field in self.of("income", "cost"))

    def shape(self, field: Field, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """Return the shape of a field's numbers; () for a single number."""
        return tuple(sizes[axis] for axis in field.axes)

    def places(self, sizes: Mapping[str, int], *segments: str) -> dict[str, slice]:
        """Return where each field of adjoining segments stands, by its full name."""
        found, at = {}, HEADER + len(self.axes) if "ints" in segments else 0
        for field in self.segment(*segments):
            end = at + math.prod(self.shape(field, sizes))
            found[field.key] = slice(at, end)
            at = end
        return found

    def length(self, sizes: Mapping[str, int], *segments: str) -> int:
        """Return how many numbers segments take."""
        return sum(math.prod(self.shape(field, sizes)) for field in self.segment(*segments))

    def pack(
        self, sizes: Mapping[str, int], decided: int, observed: int, given: Mapping[str, Any]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return integer and real tables made from columns given by full name.

        Args:
            sizes: Length of each axis.
            decided: Numbers of a decision.
            observed: Numbers of an observation.
            given: Each field of a table, by full name (`rules.price`).

        Raises:
            InvalidInput: A field is missing, unknown, or of another shape.
        """
        tabled = {field.key: field for field in self.segment("ints", "floats")}
        for key in given:
            if key not in tabled:
                raise InvalidInput(key, given[key], f"{self.name} has no such table", f"Known: {', '.join(tabled)}.")
        row = self.length(sizes, "recorded", "episode")
        header = (row, self.length(sizes, "recorded"), decided, observed, *(sizes[axis] for axis in self.axes))
        ints = np.array([*header, *np.zeros(self.length(sizes, "ints"))], dtype=np.int64)
        floats = np.zeros(self.length(sizes, "floats"))
        for segment, table in (("ints", ints), ("floats", floats)):
            for key, place in self.places(sizes, segment).items():
                if key not in given:
                    raise InvalidInput(key, None, f"{self.name} must be given it", "Give every declared table.")
                shape, values = self.shape(tabled[key], sizes), np.asarray(given[key])
                if values.shape != shape:
                    problem = f"the shape must be {shape}, got {values.shape}"
                    raise InvalidInput(key, given[key], problem, f"Its axes: {tabled[key].axes}.")
                table[place] = values.ravel()
        return ints, floats

    def sizes(self, ints: NDArray[np.int64]) -> dict[str, int]:
        """Return the length of each axis, as packed."""
        return {axis: int(ints[HEADER + k]) for k, axis in enumerate(self.axes)}

    def columns(self, ints: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
        """Return the columns of each recorded field in a memory row, by name."""
        places = self.places(self.sizes(ints), "recorded")
        return {key.partition(".")[2]: np.arange(place.start, place.stop) for key, place in places.items()}

    def labels(self, entities: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """Return the names of the entries of each recorded field, given those of each axis."""
        return {field.name: entities.get(field.axis, (field.name,)) for field in self.segment("recorded")}

    # texts, generated once ----------------------------------------------------------------------

    @cached_property
    def unpack(self) -> Callable[..., Any]:
        """Return the text (ints, floats, memory) -> world, as named views."""
        lines = [f"n_{axis} = ints[{HEADER + k}]" for k, axis in enumerate(self.axes)]
        for name, segments in (("ints", ("ints",)), ("floats", ("floats",)), ("memory", ("recorded", "episode"))):
            lines.append(f"at = {HEADER + len(self.axes) if name == 'ints' else 0}")
            for field in self.segment(*segments):
                sizes = [f"n_{axis}" for axis in field.axes] or ["1"]
                view = "grid" if len(sizes) == 2 else "cut"
                lines.append(f"{field.part}_{field.name} = {view}({name}, at, {', '.join(sizes)})")
                lines.append(f"at = at + {' * '.join(sizes)}")
        world = (
            f"{kind.__name__}({', '.join(f'{part}_{name}' for name in kind._fields)})"
            for part, kind in self.parts.items()
        )
        return self._text("unpack", "ints, floats, memory", [*lines, f"return {', '.join(world)}"])

    @cached_property
    def totals(self) -> Callable[..., Any]:
        """Return the text (t, *world) -> income and costs, summed over their axis and signed.

        Fields of one axis share a loop: the sums do not wait for each other (15 % on a large network).
        """
        lines, money = [], self.of("income", "cost")
        names = {field.name: f"{field.part}.{field.name}[0]" for field in money if field.axis == ONE}
        for axis in dict.fromkeys(field.axis for field in money if field.axis != ONE):
            those = [field for field in money if field.axis == axis]
            lines += [f"{field.name} = 0.0" for field in those]
            lines.append(f"for k in range(len({those[0].key})):")
            lines += [f"    {field.name} = {field.name} + {field.key}[k]" for field in those]
        signed = (("" if field.kind == "income" else "0.0 - ") + names.get(field.name, field.name) for field in money)
        lines.append(f"return {', '.join(signed)},")
        return self._text("totals", f"t, {', '.join(self.parts)}", lines)

    def observe(self, *names: str) -> Callable[..., Any]:
        """Return the text that writes recorded fields, each number times its scale at the end of the real tables."""
        recorded = {field.name: field for field in self.segment("recorded")}
        lines = ["scale = len(floats) - ints[3]", "k = 0"]
        for field in (recorded[name] for name in names):
            lines.append(f"for i in range(len({field.key})):")
            lines += [f"    obs[k] = {field.key}[i] * floats[scale + k]", "    k = k + 1"]
        return self._text("observe", f"t, obs, ints, floats, {', '.join(self.parts)}", lines)

    def put(self, name: str) -> Callable[..., Any]:
        """Return the text that writes a decision, given in physical units, to a recorded field."""
        (field,) = (field for field in self.segment("recorded") if field.name == name)
        lines = [f"for i in range(len({field.key})):", f"    {field.key}[i] = decision[i]"]
        return self._text("put", f"decision, {', '.join(self.parts)}", lines)

    def _text(self, name: str, arguments: str, lines: list[str]) -> Callable[..., Any]:
        from restock.core import operations

        source = f"def {name}({arguments}):\n" + "\n".join(f"    {line}" for line in lines) + "\n"
        file = f"<{self.name}.{name}>"
        linecache.cache[file] = (len(source), None, source.splitlines(True), file)  # for tracebacks and inspect
        space: dict[str, Any] = {kind.__name__: kind for kind in self.parts.values()}
        # numba's disk cache loads a function again by the module that declares the parts
        module = next(iter(self.parts.values())).__module__
        space |= {"cut": operations.cut, "grid": operations.grid, "__name__": module}
        exec(compile(source, file, "exec"), space)
        text: Callable[..., Any] = space[name]
        return text

    # what people read ---------------------------------------------------------------------------

    def symbols(self) -> str:
        """Return the table of symbols, in Markdown."""
        rows = ["| symbol | name | axes | unit | meaning |", "|---|---|---|---|---|"]
        for field in self.fields:
            axes = " x ".join(field.axes) or ONE
            rows.append(f"| {field.symbol} | `{field.key}` | {axes} | {field.unit} | {field.meaning} |")
        return "\n".join(rows)
