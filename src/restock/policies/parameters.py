"""The numbers that a compiled policy reads, each declared once: name, axes, unit, meaning, label and lower bound.

A policy declares them in a `Packing`. From that follow the flat array that compiled code is given, the code that
takes it apart again, what the same text reads row-wise, and the names under which reports tell the numbers.
"""

from __future__ import annotations

import dataclasses
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.generated import generated
from restock.core.problem import Array
from restock.core.schema import PERIOD as PERIOD

NODE, LINK, MARKET = "node", "link", "market"  # axes, beside the periods
LOCATION, PRODUCT = "location", "product"


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A number, or a table of numbers, that the text of a policy reads by its name.

    Attributes:
        axes: Of the table; the text sees the row of its own period where the first is `PERIOD`. None: one number.
        unit: Of the numbers.
        meaning: What they are.
        label: What reports call a number, before the name of what it belongs to; empty: they leave it out.
        least: Lower bound where `restock.fit` turns it.
        note: Whether the text keeps it from period to period; it writes it in period 0, whatever is there.
    """

    axes: tuple[str, ...]
    unit: str
    meaning: str
    label: str = ""
    least: float = 0.0
    note: bool = False


class Packing:
    """The parameters of a policy's text, in a flat array and out of it.

    Args:
        name: Of the named tuple that the text reads.
        module: Of the declaration, `__name__`: compiled code that is kept on disk is found again by it.
        **parameters: By name; notes come last.

    Raises:
        TypeError: A parameter comes after the notes.
    """

    def __init__(self, name: str, module: str, **parameters: Parameter) -> None:
        self.parameters = parameters
        make: Any = namedtuple  # its fields are not known to a type checker
        self.kind = make(name, parameters, module=module)
        self.axes = tuple(dict.fromkeys(axis for one in parameters.values() for axis in one.axes))
        kinds = [one.note for one in parameters.values()]
        if kinds != sorted(kinds):
            raise TypeError(f"{name}: notes must come after all that is given")

    def __getitem__(self, name: str) -> Parameter:
        return self.parameters[name]

    def checked(self, given: Mapping[str, Any]) -> dict[str, Array]:
        """Return the given numbers as arrays, in the order of their declaration.

        Raises:
            InvalidInput: One is missing, unknown, or not of the shape that its axes have.
        """
        names = [name for name, one in self.parameters.items() if not one.note]
        for name in (*given, *names):
            if (name in given) != (name in names):
                problem = "must be given" if name in names else "there is no such parameter"
                raise InvalidInput(name, given.get(name), problem, f"Known: {', '.join(names)}.")
        found = {name: np.asarray(given[name], dtype=np.float64) for name in names}
        sizes: dict[str, int] = {}
        for name, values in found.items():
            axes = self.parameters[name].axes
            shape = tuple(sizes.setdefault(axis, n) for axis, n in zip(axes, values.shape, strict=False))
            if len(axes) != values.ndim or shape != values.shape:
                problem = f"must have the axes {axes} of lengths {tuple(sizes.get(axis) for axis in axes)}"
                raise InvalidInput(name, values.shape, problem, "Give one number for each entry of every axis.")
        return found

    def sizes(self, checked: Mapping[str, Array]) -> dict[str, int]:
        """Return the length of each axis."""
        return {
            axis: n for name, one in checked.items() for axis, n in zip(self[name].axes, one.shape, strict=True)
        }  # fmt: skip

    def flat(self, checked: Mapping[str, Array]) -> Array:
        """Return the array for compiled code: the length of each axis, then every parameter but the notes."""
        sizes = self.sizes(checked)
        return np.concatenate([[float(sizes[axis]) for axis in self.axes], *(one.ravel() for one in checked.values())])

    def notes(self, checked: Mapping[str, Array]) -> dict[str, int]:
        """Return how many numbers each note has."""
        sizes = self.sizes(checked)
        return {
            name: int(np.prod([sizes[axis] for axis in one.axes]))
            for name, one in self.parameters.items()
            if one.note
        }  # fmt: skip

    def read(self, checked: Mapping[str, Array], t: int, notes: Mapping[str, Any]) -> Any:
        """Return what the text reads in period t when it is run row-wise."""
        return self.kind(**{name: self._row(name, values, t).tolist() for name, values in checked.items()}, **notes)

    def _row(self, name: str, values: Array, t: int) -> Array:
        return np.asarray(values[t] if self[name].axes[:1] == (PERIOD,) else values)

    def lines(self, text: Callable[..., Any], world: str) -> list[str]:
        """Return the lines that take the flat numbers apart and call the text."""
        lines = [f"n_{axis} = int(parameters[{k}])" for k, axis in enumerate(self.axes)]
        lines.append(f"at = {len(self.axes)}")
        for name, one in self.parameters.items():
            each, size = PERIOD in one.axes, " * ".join(f"n_{axis}" for axis in one.axes if axis != PERIOD)
            place = "at" + (f" + t * {size or 1}" if each else "")
            lines.append(f"{name} = cut(parameters, {place}, {size})" if size else f"{name} = parameters[{place}]")
            lines.append(f"at = at + {'n_period * ' if each else ''}{size or 1}")
        return [*lines, f"{text.__name__}(t, {self.kind.__name__}({', '.join(self.parameters)}), {world})"]

    def in_words(self, checked: Mapping[str, Array], entities: Mapping[str, Sequence[Any]]) -> dict[str, float]:
        """Return the labelled parameters of the first period, a number for each entity."""
        found: dict[str, float] = {}
        for name, values in checked.items():
            one = self[name]
            first = self._row(name, values, 0)
            if one.label and not first.ndim:
                found[one.label] = float(first)
            elif one.label:
                pairs = zip(entities[one.axes[-1]], first, strict=True)
                found |= {f"{one.label} {entity}": float(value) for entity, value in pairs}
        return found


@cache
def unpacked(packing: Packing, text: Callable[..., Any]) -> Callable[..., Any]:
    """Return the text `act(t, parameters, *world)` that reads the flat array and calls the given one."""
    world = ", ".join(text.__code__.co_varnames[2 : text.__code__.co_argcount])
    lines = packing.lines(text, world)
    return generated(packing.kind.__name__, "act", f"t, parameters, {world}", lines, [packing.kind])
