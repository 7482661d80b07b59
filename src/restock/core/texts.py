"""The functions that define a problem, and the tables that they read."""

from __future__ import annotations

import dataclasses
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core.backends import Text
from restock.core.schema import Schema

Array = NDArray[np.float64]


def monitor(t: int, *world: Any) -> tuple[()]:
    """Tell nothing besides the parts of the reward."""
    return ()


nothing_to_monitor = monitor  # compiled code calls a text by its own name


@dataclasses.dataclass(frozen=True)
class Texts:
    """The functions that define a problem; see `restock.core.kernels` for their parts.

    Attributes:
        schema: The fields of its world.
        laws: Functions the others call (distributions, parts of the dynamics), in order of dependence.
        unpack: (ints, floats, memory) -> world.
        step: (t, *world) -> reward.
        ends: (t, *world) -> how the episode ends with period t: 0 it goes on, 1 terminated, 2 truncated, 3 both.
        decide: (action, ints, floats, *world): writes the decision, read from an action laid out flat.
        observe: (t, obs, ints, floats, *world): writes the observation.
        totals: (t, *world) -> the parts of the reward, which add up to it.
        put: (decision, *world): writes a decision given in physical units.
        monitor: (t, *world) -> the numbers that `info` tells beside the parts of the reward, as `Problem.monitored`
            names them; t is -1 before the first period.
    """

    schema: Schema
    laws: tuple[Text, ...]
    unpack: Text
    step: Text
    ends: Text
    decide: Text
    observe: Text
    totals: Text
    put: Text
    monitor: Text

    @classmethod
    def of(cls, *modules: ModuleType, laws: tuple[Text, ...] = ()) -> Texts:
        """Return the texts of a problem.

        Args:
            modules: The first has its `SCHEMA`; `step` and `ends` stand in one of them, and whatever else is not
                made from the schema.
            laws: Functions the texts call.
        """
        schema: Schema = modules[0].SCHEMA
        made = ("unpack", "decide", "observe", "totals", "put")
        found: dict[str, Text] = {name: getattr(schema, name) for name in made} | {"monitor": nothing_to_monitor}
        for module in modules:
            found |= {name: text for name, text in vars(module).items() if name in (*made, "step", "ends", "monitor")}
        return cls(schema, laws, **found)

    @property
    def name(self) -> str:
        """Return what marks compiled variants."""
        return self.schema.name

    @property
    def all(self) -> tuple[Text, ...]:
        """In order of dependence."""
        seen = (self.decide, self.observe, self.monitor, self.totals, self.put)
        return (*self.laws, self.unpack, self.step, self.ends, *seen)


@dataclasses.dataclass(frozen=True)
class Tables:
    """A problem's packed numbers, for one form of action and observation.

    Attributes:
        ints: Integer tables, shape (I,).
        floats: Real tables, shape (F,).
        fresh: A memory row at the start of an episode, its episode part zero, shape (W,).
        recorded: Leading entries of a row that a trajectory keeps.
        drawn: Trailing entries of a row that make up the episode.
        given: Leading entries of a row, and of an episode, that the episode fills: a state it begins with.
    """

    ints: NDArray[np.int64]
    floats: Array
    fresh: Array
    recorded: int
    drawn: int
    given: int = 0

    def begun(self, memory: Array, episodes: Array) -> None:
        """Begin episodes of shape (..., drawn) in memory rows of shape (..., W)."""
        first = len(self.fresh) - self.drawn
        memory[..., :first] = self.fresh[:first]
        memory[..., first:] = episodes
        memory[..., : self.given] = episodes[..., : self.given]
