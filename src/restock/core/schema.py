"""Fields: every number of a problem declared once, with its kind, axis, unit, meaning and symbol.

A problem declares the parts of its world as named tuples whose fields are `real(...)`, `stock(...)`,
`flow(...)` and so on, and joins them in a `Schema`. From the declaration follow the memory layout, the
compiled `unpack`, `totals`, `decide`, `put` and `observe`, packing by name, labels and the table of symbols.
"""

from __future__ import annotations

import collections
import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core.errors import InvalidInput
from restock.core.generated import generated

Axis = str | tuple[str, ...]
ONE = "one"  # the axis of a single number
PERIOD = "period"  # the periods of an episode, an axis of every problem
HEADER = 5  # integers before the axes: lengths of a row, its recorded part, decision and observation; form of action

SEGMENTS = {
    "integer": "ints",
    "real": "floats",
    "stock": "recorded",
    "flow": "recorded",
    "income": "recorded",
    "cost": "recorded",
    "hidden": "hidden",
    "initial": "episode",
    "constant": "episode",
    "chance": "episode",
}  # where fields of each kind are kept; a memory row is [recorded | hidden | episode]
MEMORY = ("recorded", "hidden", "episode")


@dataclasses.dataclass(frozen=True)
class Field:
    """One named quantity; the schema fills in `name` and `part`.

    Attributes:
        kind: One of `SEGMENTS`.
        axis: What it has a number for; several, the last running fastest; `ONE` for a single number.
        unit: Of its numbers.
        meaning: What it is.
        symbol: In equations.
        over: Of `chance`: the axis that it has a row for.
        weight: Of `income` and `cost`: the table whose numbers say how much of it counts in the reward.
        entries: Of `income` and `cost`: names of its entries, where each is a part of the reward by itself.
        least: Of what an episode holds: the least that can be recorded.
        name: Its name.
        part: The part of the world that it belongs to.
    """

    kind: str
    axis: Axis
    unit: str
    meaning: str
    symbol: str = ""
    over: str = PERIOD
    weight: str = ""
    entries: tuple[str, ...] = ()
    least: float = 0.0
    name: str = ""
    part: str = ""

    @property
    def key(self) -> str:
        """Return the full name, as packing, texts and error messages use it."""
        return f"{self.part}.{self.name}"

    @property
    def axes(self) -> tuple[str, ...]:
        """Return the axes of its numbers: chance has a row for each period."""
        return (self.over, *along(self.axis)) if self.kind == "chance" else along(self.axis)


def along(axis: Axis) -> tuple[str, ...]:
    """Return the axes one by one; none for a single number."""
    return axis if isinstance(axis, tuple) else () if axis == ONE else (axis,)


def _maker(kind: str) -> Callable[..., Any]:
    def declare(axis: Axis, unit: str, meaning: str, symbol: str = "", **more: Any) -> Any:
        return Field(kind, axis, unit, meaning, symbol, **more)

    return declare


integer, real = _maker("integer"), _maker("real")  # tables
stock, flow, income, cost = _maker("stock"), _maker("flow"), _maker("income"), _maker("cost")  # recorded
hidden = _maker("hidden")  # carries over, and is not recorded
constant, chance = _maker("constant"), _maker("chance")  # of an episode: held in it, drawn a row a period
initial = _maker("initial")  # of an episode: what the first recorded stocks, in order, begin with


@dataclasses.dataclass(frozen=True)
class Seen:
    """A block of the observation.

    Attributes:
        name: Of the block.
        text: What is seen: entry `i` at the start of period `t`, from the parts of the world.
        axis: What it has a number for.
    """

    name: str
    text: str
    axis: Axis = ONE


class Schema:
    """The parts of a world, in the order in which `step` takes them.

    Args:
        name: Name of the problem, for tracebacks and error messages.
        decision: The recorded field that holds the decision.
        seen: The observation: names of recorded fields, and blocks.
        choice: Whether an action is the decision as it stands: which of several things to do.
        discount: The constant that discounts the parts of the reward; "": they are not discounted.
        money: Names of the parts of the reward, where they are told in another order than declared.
        parts: Named tuples of fields, by the name that the texts use.

    Raises:
        TypeError: Two recorded fields of one name: their names are keys of a trajectory; or what an episode begins
            with does not fit the first stocks.
    """

    def __init__(
        self,
        name: str,
        decision: str,
        seen: Sequence[str | Seen] = (),
        choice: bool = False,
        discount: str = "",
        money: Sequence[str] = (),
        **parts: Any,
    ) -> None:
        self.name, self.decision, self.choice, self.discount, self.parts = name, decision, choice, discount, parts
        self.World = collections.namedtuple("World", parts)  # type: ignore[misc]
        self.fields = tuple(
            dataclasses.replace(kind._field_defaults[field], name=field, part=part)
            for part, kind in parts.items()
            for field in kind._fields
        )
        for kind in parts.values():  # a declaration is no default: leaving a field out stays an error
            kind.__new__.__defaults__ = None
        self.recorded: dict[str, Field] = {}
        for field in self.segment("recorded"):
            if field.name in self.recorded:
                raise TypeError(f"{field.key}: {self.recorded[field.name].key} is recorded under that name already")
            self.recorded[field.name] = field
        begun = [field.axis for field in self.of("initial")]
        if begun != [field.axis for field in self.recorded.values()][: len(begun)]:
            raise TypeError(f"{name}: what an episode begins with must be the first stocks, in their order")
        self.seen = tuple(one if isinstance(one, Seen) else self._seen(one) for one in seen)
        axes = (axis for field in self.fields for axis in field.axes)
        self.axes = tuple(dict.fromkeys((*axes, *(axis for block in self.seen for axis in along(block.axis)))))
        declared = (part for field in self.of("income", "cost") for part in field.entries or (field.name,))
        self.money = tuple(money) or tuple(declared)

    def _seen(self, name: str) -> Seen:
        return Seen(name, f"{self.recorded[name].key}[i]", self.recorded[name].axis)

    def segment(self, *segments: str) -> Iterator[Field]:
        """Iterate over the fields kept in these segments, in order."""
        return (field for segment in segments for field in self.fields if SEGMENTS[field.kind] == segment)

    def of(self, *kinds: str) -> tuple[Field, ...]:
        """Return the fields of these kinds, as declared."""
        return tuple(field for field in self.fields if field.kind in kinds)

    # layout ---------------------------------------------------------------------------------------

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

    def pack(self, sizes: Mapping[str, int], given: Mapping[str, Any]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return integer and real tables made from columns given by full name.

        Args:
            sizes: Length of each axis.
            given: Each field of a table, by full name (`rules.price`).

        Raises:
            InvalidInput: A field is missing, unknown, or of another shape.
        """
        tabled = {field.key: field for field in self.segment("ints", "floats")}
        for key in given:
            if key not in tabled:
                raise InvalidInput(key, given[key], f"{self.name} has no such table", f"Known: {', '.join(tabled)}.")
        decided = math.prod(self.shape(self.recorded[self.decision], sizes))
        observed = sum(math.prod(sizes[axis] for axis in along(block.axis)) for block in self.seen)
        header = (self.length(sizes, *MEMORY), self.length(sizes, "recorded"), decided, observed, 0)
        lengths = (sizes[axis] for axis in self.axes)
        ints = np.array([*header, *lengths, *np.zeros(self.length(sizes, "ints"))], dtype=np.int64)
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

    def row(self, sizes: Mapping[str, int], given: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return a memory row with these fields, by full name, and zeros."""
        row, places = np.zeros(self.length(sizes, *MEMORY)), self.places(sizes, *MEMORY)
        for key, values in given.items():
            row[places[key]] = np.ravel(values)
        return row

    def held(self, sizes: Mapping[str, int]) -> dict[str, tuple[slice, tuple[int, ...]]]:
        """Return where each field of an episode stands in it, and its shape, by its name."""
        places = self.places(sizes, "episode")
        return {field.name: (places[field.key], self.shape(field, sizes)) for field in self.segment("episode")}

    def columns(self, sizes: Mapping[str, int]) -> dict[str, NDArray[np.int64]]:
        """Return the columns of each recorded field in a memory row, by name."""
        places = self.places(sizes, "recorded")
        return {key.partition(".")[2]: np.arange(place.start, place.stop) for key, place in places.items()}

    def labels(self, entities: Mapping[Any, Sequence[Any]]) -> dict[str, tuple[str, ...]]:
        """Return the names of the entries of each recorded field, given those of each axis."""
        return {name: entries(field.axis, entities) or (name,) for name, field in self.recorded.items()}

    # texts, generated once ----------------------------------------------------------------------

    @cached_property
    def unpack(self) -> Callable[..., Any]:
        """Return the text (ints, floats, memory) -> world, as named views."""
        lines = [f"n_{axis} = ints[{HEADER + k}]" for k, axis in enumerate(self.axes)]
        for name, segments in (("ints", ("ints",)), ("floats", ("floats",)), ("memory", MEMORY)):
            lines.append(f"at = {HEADER + len(self.axes) if name == 'ints' else 0}")
            for field in self.segment(*segments):
                rows = f"n_{field.over}" if field.kind == "chance" else ""
                many = _many(field.axis)
                view = f"grid({name}, at, {rows}, {many})" if rows and many else f"cut({name}, at, {rows or many or 1})"
                if field.kind == "constant" and not many:
                    view = f"{name}[at]"
                lines.append(f"{field.part}_{field.name} = {view}")
                lines.append(f"at = at + {' * '.join(filter(None, (rows, many))) or 1}")
        world = (
            f"{kind.__name__}({', '.join(f'{part}_{name}' for name in kind._fields)})"
            for part, kind in self.parts.items()
        )
        return self._text("unpack", "ints, floats, memory", [*lines, f"return {', '.join(world)},"])

    @cached_property
    def totals(self) -> Callable[..., Any]:
        """Return the text (t, *world) -> income and costs: summed over their axis, weighted, discounted and signed.

        Fields of one axis share a loop: the sums do not wait for each other (15 % on a large network).
        """
        lines = [f"worth = {self.discount} ** larger(t, 0)"] if self.discount else []
        terms, loops = {}, collections.defaultdict(list)
        for field in self.of("income", "cost"):
            by = ("" if field.kind == "income" else "0.0 - ") + ("worth * " if self.discount else "")
            weigh = f"{field.weight}[{{0}}] * " if field.weight else ""
            if not field.entries and field.axis != ONE:
                loops[field.axis].append(field)
                terms[field.name] = by + field.name
            for k, part in enumerate(field.entries or (field.name,) * (field.axis == ONE)):
                terms[part] = by + weigh.format(k) + f"{field.key}[{k}]"
        for those in loops.values():
            lines += [f"{field.name} = 0.0" for field in those]
            lines.append(f"for k in range(len({those[0].key})):")
            lines += [f"    {field.name} = {field.name} + {field.key}[k]" for field in those]
        lines.append(f"return {', '.join(terms[part] for part in self.money)},")
        return self._text("totals", f"t, {', '.join(self.parts)}", lines)

    @cached_property
    def observe(self) -> Callable[..., Any]:
        """Return the text that writes what is seen, each number times its scale at the end of the real tables."""
        lines = ["scale = cut(floats, len(floats) - ints[3], ints[3])", "k = 0"]
        for block in self.seen:
            many = _many(block.axis, {axis: f"ints[{HEADER + self.axes.index(axis)}]" for axis in along(block.axis)})
            if not many:
                lines += ["i = 0", f"obs[k] = ({block.text}) * scale[k]", "k = k + 1"]
                continue
            lines += [f"n = {many}", "into = cut(obs, k, n)", "by = cut(scale, k, n)", "for i in range(n):"]
            lines += [f"    into[i] = ({block.text}) * by[i]", "k = k + n"]
        return self._text("observe", f"t, obs, ints, floats, {', '.join(self.parts)}", lines)

    @cached_property
    def decide(self) -> Callable[..., Any]:
        """Return the text that reads an action as the decision, as it stands or by `restock.core.operations.read`."""
        into = self.recorded[self.decision].key
        number = "action[i] * 1.0" if self.choice else "read(action[i], i, ints, floats)"
        lines = [f"for i in range(len({into})):", f"    {into}[i] = {number}"]
        return self._text("decide", f"action, ints, floats, {', '.join(self.parts)}", lines)

    @cached_property
    def put(self) -> Callable[..., Any]:
        """Return the text that writes a decision, given in physical units."""
        into = self.recorded[self.decision].key
        lines = [f"for i in range(len({into})):", f"    {into}[i] = decision[i]"]
        return self._text("put", f"decision, {', '.join(self.parts)}", lines)

    def _text(self, name: str, arguments: str, lines: list[str]) -> Callable[..., Any]:
        return generated(self.name, name, arguments, lines, tuple(self.parts.values()))

    # what people read ---------------------------------------------------------------------------

    def symbols(self) -> str:
        """Return the table of symbols, in Markdown."""
        rows = ["| symbol | name | axes | unit | meaning |", "|---|---|---|---|---|"]
        for field in self.fields:
            axes = " x ".join(field.axes) or ONE
            rows.append(f"| {field.symbol} | `{field.key}` | {axes} | {field.unit} | {field.meaning} |")
        return "\n".join(rows)


def entries(axis: Axis, entities: Mapping[Any, Sequence[Any]]) -> tuple[str, ...]:
    """Return the names of what an axis has a number for; of several axes joined, unless they have names together."""
    if axis in entities:
        return tuple(map(str, entities[axis]))
    joined = itertools.product(*(entities[one] for one in along(axis)))
    return tuple(" ".join(map(str, names)) for names in joined) if along(axis) else ()


def _many(axis: Axis, names: Mapping[str, str] | None = None) -> str:
    """Return the text of how many numbers an axis has; "" for a single number."""
    return " * ".join(names[one] if names else f"n_{one}" for one in along(axis))
