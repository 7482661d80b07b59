"""The contract of a problem, in Powell's five parts.

    state S_t                 what carries over; named arrays in the leading part of a memory row
    decision x_t              what a policy chooses; read from an action by `decide`
    exogenous information W   everything random, drawn before the episode by a `Source`
    transition, contribution  one text, `step(t, *world)`, which also returns the reward

A problem keeps its numbers packed: integer tables, real tables, and one row of memory an
environment, [recorded | hidden state | episode]. Its text `unpack(ints, floats, memory)` turns them
into the world, the named views that every other text takes. Environments, simulation,
trajectories and KPIs are written once over this contract.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from restock.core import forms
from restock.core.backends import Text
from restock.core.checks import recorded_array, recorded_names
from restock.core.compiled import compiled, compiled_rollout
from restock.core.errors import InvalidInput
from restock.core.forms import UNBOUNDED as UNBOUNDED
from restock.core.forms import ActionForm as ActionForm
from restock.core.forms import Array as Array
from restock.core.forms import ObservationForm as ObservationForm
from restock.core.forms import choose as choose
from restock.core.scene import Place, Scene
from restock.core.schema import HEADER, PERIOD, Schema, along, entries
from restock.core.sources import DrawnEpisodes
from restock.core.sources import Source as Source
from restock.core.texts import Tables as Tables
from restock.core.texts import Texts as Texts
from restock.core.trajectory import Layout, Trajectory
from restock.core.wording import Curve, Wording

if TYPE_CHECKING:
    from restock.core.records import Records


@dataclasses.dataclass(frozen=True)
class Told:
    """Something that `info` tells after a step, besides the parts of the reward.

    Attributes:
        name: Its key; `cost.unit` is `unit` in the mapping `cost`.
        field: The recorded field it is.
        shape: How the numbers of the field are laid out; () for a single number.
        entry: Which number of the field it is, or the first of them.
        truth: Whether the numbers mean yes and no.
    """

    name: str
    field: str
    shape: tuple[int, ...] = ()
    entry: int = 0
    truth: bool = False


class Problem:
    """A sequential decision problem under uncertainty."""

    family: ClassVar[str]  # the folder of `restock.problems` it comes from
    texts: ClassVar[Texts]
    # From the schema of the texts, where a class does not say otherwise:
    schema: ClassVar[Schema]  # its declared fields
    parts: ClassVar[tuple[str, ...]]  # names of what `totals` returns
    stocks: ClassVar[tuple[str, ...]]  # recorded fields that carry over; the others are flows
    decision: ClassVar[str]  # name of the recorded field that holds the decision
    exogenous: ClassVar[Mapping[str, int]]  # what `exogenous_of` gives and `replay` takes, and its axes in one episode
    # Of the problem alone:
    monitored: ClassVar[tuple[str, ...]] = ()  # names of what `monitor` returns, if there is such a text
    action_kinds: ClassVar[tuple[str, ...]] = ("quantity", "normalized")  # the first is the default, so with the next
    observation_kinds: ClassVar[tuple[str, ...]] = ("flat", "scaled", "dict")
    service: ClassVar[tuple[str, str]] = ("sold", "demand")  # flows whose ratio is the served rate
    missed: ClassVar[tuple[str, str]] = ("unmet", "not served")  # flow of what was not served at once, and its name
    tables_shown: ClassVar[Mapping[str, str]] = {}  # parts of the description that are tables, and their titles

    spec: Any
    name: str
    horizon: int
    fixed_demand: bool = False  # whether demand is the same in every episode, whatever else differs between them
    origin: tuple[str, Mapping[str, Any]] | None = None  # of one from outside restock: its place, and its arguments

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Take from the schema what a class does not say otherwise."""
        super().__init_subclass__(**keywords)
        if "texts" in vars(cls):
            schema = cls.texts.schema
            cls.schema, cls.parts, cls.decision = schema, schema.money, schema.decision
            cls.stocks = tuple(field.name for field in schema.of("stock"))
            if "exogenous" not in vars(cls):
                cls.exogenous = {field.name: len(field.axes) for field in schema.of("initial", "chance")}

    def __init__(self, spec: Any) -> None:
        self.spec, self.name, self.horizon = spec, spec.name, spec.horizon

    # tables -----------------------------------------------------------------------------------

    def axes(self) -> Mapping[Any, Sequence[Any]]:
        """Return the entries of each axis besides the periods: their names, or a range where they have none.

        Entries of several axes together may have names of their own, under the tuple of the axes.
        """
        return {}

    @cached_property
    def sizes(self) -> dict[str, int]:
        """The length of each axis."""
        return {PERIOD: self.horizon} | {axis: len(found) for axis, found in self.axes().items()}

    def columns(self, **own: Any) -> Mapping[str, Any]:
        """Return the declared tables by full name: its `own`, given by name, and the others from the description."""
        fields = self.schema.of("integer", "real")
        return {one.key: own[one.name] if one.name in own else getattr(self.spec, one.name) for one in fields}

    def begins(self) -> Mapping[str, Any]:
        """Return the fields that are not zero when an episode begins, by full name."""
        return {}

    def reading(self, action: ActionForm | None) -> Sequence[Array]:
        """Return unit, shift and most of each number of the decision: unit * (action + shift), from 0 to the most."""
        size = int(self._packed[0][2])
        if action is None:
            return np.ones(size), np.zeros(size), np.full(size, np.inf)
        reach, width = action.most if action.reach is None else action.reach, action.high - action.low
        return reach / np.where(width > 0.0, width, 1.0), np.zeros(size) - action.low, reach

    @cached_property
    def _packed(self) -> tuple[NDArray[np.int64], Array, Array]:
        return *self.schema.pack(self.sizes, self.columns()), self.schema.row(self.sizes, self.begins())

    def tables(self, action: ActionForm | None = None, observation: ObservationForm | None = None) -> Tables:
        """Return the packed numbers; without forms, for decisions in physical units."""
        ints, floats, fresh = self._packed
        _, recorded, _, observed, _ = header = ints[:HEADER].copy()
        if action is not None and action.kind in self.action_kinds:
            header[-1] = self.action_kinds.index(action.kind)
        scale = np.ones(observed) if observation is None else observation.scale
        drawn = self.schema.length(self.sizes, "episode")
        given = sum(math.prod(self.schema.shape(field, self.sizes)) for field in self.schema.of("initial"))
        floats = np.concatenate([floats, *self.reading(action), scale])
        return Tables(np.concatenate([header, ints[HEADER:]]), floats, fresh, int(recorded), drawn, given)

    # what agents see and do ---------------------------------------------------------------------

    def largest(self) -> Any:
        """Return the largest decision that an action can ask for: a number, or one for each."""
        raise NotImplementedError

    def action_form(self, kind: str, max_order: Any = None) -> ActionForm:
        """Return the action form of that kind: unless a problem has its own, `quantity` or `normalized`, from nothing.

        Raises:
            InvalidInput: No such kind, or a bound where that is part of the problem.
        """
        choose(kind, self.action_kinds, "action")
        if max_order is not None:
            raise InvalidInput("max_order", max_order, "the largest order is part of the problem", "Change that.")
        field = self.schema.recorded[self.decision]
        names = self._named(field.name, field.axis)
        most = np.broadcast_to(np.asarray(self.largest(), dtype=np.float64), len(names)).copy()
        return forms.bounded(kind, names, most, field.meaning, field.unit)

    def seen(self, scaled: bool) -> Mapping[str, forms.Block]:
        """Return the blocks of the observation: unless a problem says more, as declared, over the largest decision.

        Args:
            scaled: Whether anybody asks for yardsticks.
        """
        yardstick = np.max(self.largest())
        return {one.name: forms.Block(self._named(one.name, one.axis), yardstick) for one in self.schema.seen}

    def observation_form(self, kind: str) -> ObservationForm:
        """Return the observation form of that kind: `flat` (physical units), `scaled` (over yardsticks), `dict`.

        Raises:
            InvalidInput: No such kind.
        """
        choose(kind, self.observation_kinds, "observation")
        return forms.seen(kind, self.seen(kind == "scaled"))

    def _named(self, name: str, axis: Any) -> list[str]:
        words = name.replace("_", " ")
        return [f"{words}: {entry}" for entry in entries(axis, self.axes())] if along(axis) else [words]

    # exogenous information ----------------------------------------------------------------------

    def draw(self, generator: np.random.Generator) -> Mapping[str, Any]:
        """Return what one episode holds, by the names of its declared fields."""
        raise NotImplementedError

    def source(
        self, seeds: Sequence[int], generators: Sequence[np.random.Generator] | None = None, ahead: int = 1
    ) -> Source:
        """Return the episodes for rows with these seeds (or drawn from these generators of theirs).

        Args:
            seeds: One a row.
            generators: NumPy generators of the rows, where the problem draws from such.
            ahead: Episodes that may be drawn from a generator at once, by a caller who leaves the
                generators alone.
        """
        return DrawnEpisodes(self, seeds, generators)

    @cached_property
    def held(self) -> dict[str, tuple[slice, tuple[int, ...]]]:
        """Where each field of an episode stands in it, and its shape, by its name."""
        return self.schema.held(self.sizes)

    def episode(self, drawn: Mapping[str, Any]) -> Array:
        """Return the episode that holds these numbers by name, shape (drawn,); one number may stand for all."""
        found = np.empty(self.plain.drawn)
        for name, (place, shape) in self.held.items():
            into = found[place]
            (into if len(shape) < 2 else into.reshape(shape))[...] = drawn[name]
        return found

    def replay(self, exogenous: Mapping[str, Any]) -> Array:
        """Return the episode that recorded exogenous information makes, shape (drawn,).

        Raises:
            InvalidInput: Another name, shape, or a number that cannot be.
        """
        recorded_names(exogenous, self.exogenous)
        least = {field.name: field.least for field in self.schema.fields}
        return self.episode(
            {
                name: recorded_array(f"exogenous.{name}", exogenous[name], self.held[name][1], least[name])
                for name in self.exogenous
            }
        )

    def exogenous_of(self, record: Array, episodes: Array) -> dict[str, Array]:
        """Return the named exogenous information of recorded episodes, as `replay` takes it."""
        batch = episodes.shape[:-1]
        held = {name: (episodes[..., place], shape) for name, (place, shape) in self.held.items()}
        return {name: part.reshape((*batch, *shape)) for name, (part, shape) in held.items() if name in self.exogenous}

    # what is known of it ------------------------------------------------------------------------

    def prior(self) -> Problem:
        """Return the same system as known to a learner who does not know its distributions."""
        return self

    def counterpart(self) -> Problem | None:
        """Return a problem with the same `prior` and other chances, to try blind policies on; None if there is none."""
        return None

    def told(self) -> tuple[Told, ...]:
        """Return what `info` reports after a step, besides the parts of the reward."""
        return ()

    def figures(self, trajectory: Trajectory) -> dict[str, Array]:
        """Return the key figures that only this kind of problem has, each of the shape of the batch."""
        return {}

    def masks(self, fields: Mapping[str, Array]) -> NDArray[np.bool_] | None:
        """Return which choices of a discrete action can be carried out now, shape (B, choices); None means all.

        Args:
            fields: Recorded fields by name, each of shape (B, k).
        """
        return None

    @property
    def sequential(self) -> bool:
        """Whether chance must be drawn period by period outside compiled code."""
        return False

    def draw_now(self, t: int, world: tuple[Any, ...], generator: np.random.Generator) -> None:
        """Write the exogenous information of period t into the world of a `sequential` problem."""
        raise NotImplementedError

    def operations(self, library: str) -> dict[str, Text]:
        """Return, by name, what the texts call that has no row-wise form of its own in `numpy` or `torch`."""
        return {}

    def labels(self) -> dict[str, tuple[str, ...]]:
        """Return the names of the entries of each recorded field."""
        return self.schema.labels(self.axes())

    def explain(self) -> str:
        """Return the problem in words: entities, clock, costs, demand; unless a problem says more, its parameters."""
        told = (f"  {name} = {getattr(self.spec, name)}: {field.description}"
                for name, field in type(self.spec).model_fields.items() if field.description)  # fmt: skip
        return "\n".join([f"{self.name}: {self.spec.description}".rstrip(": "), "", *told])

    def description(self) -> dict[str, Any]:
        """Return the problem as plain data, for JSON; lists of rows named in `tables_shown` are shown as tables."""
        found: dict[str, Any] = self.spec.model_dump(exclude={"name", "horizon"})
        return found

    def size(self) -> dict[str, int]:
        """Return how many there are of what it is made of, by name in the plural."""
        named = {axis: names for axis, names in self.axes().items() if isinstance(axis, str)}
        counts = {f"{axis}s": len(names) for axis, names in named.items() if not isinstance(names, range)}
        return counts or {"items": 1}

    def scene(self, t: int, world: tuple[Any, ...]) -> Scene:
        """Return the scene of the state at the start of period t; its stock, unless a problem says more."""
        names = self.labels().get("on_hand", ())
        stock = next((part.on_hand for part in world if hasattr(part, "on_hand")), ())
        return Scene(tuple(Place(name, "stock", float(amount)) for name, amount in zip(names, stock, strict=False)))

    def records(self) -> Records:
        """Actions and observations as records; unless a problem writes them itself, by the labels of its numbers."""
        from restock.core.records import PlainRecords

        return PlainRecords(self)

    @property
    def wording(self) -> Wording:
        """The words of texts and reports for the problem's things."""
        return Wording()

    def curves(self) -> tuple[Curve, ...]:
        """Return what pictures draw over the periods: first the stock, then demand that waits or is lost."""
        many = len(self.labels().get("on_hand", ())) > 1
        stock = f"Stock on hand, all {self.wording.places} together" if many else "Stock on hand"
        return (
            Curve("on_hand", stock),
            Curve("backlog", "Backlog: demand still owed", lacking=True),
            Curve(self.missed[0], f"Demand lost in each {self.wording.period}", lacking=True),
        )

    def missed_at(self) -> tuple[int, ...] | None:
        """Return which entry of `on_hand` each entry of the field `missed` lacked; None if that is unknown."""
        short, kept = (len(self.labels().get(name, ())) for name in (self.missed[0], "on_hand"))
        return tuple(range(kept)) if short == kept else None

    @cached_property
    def plain(self) -> Tables:
        """Tables for decisions in physical units."""
        return self.tables()

    @cached_property
    def layout(self) -> Layout:
        """Where each recorded field stands in a memory row."""
        columns = self.schema.columns(self.sizes)
        return Layout(columns, self.labels(), self.parts, self.stocks, self.service, self.missed_at())

    @property
    def kernels(self) -> SimpleNamespace:
        """The compiled loops of this kind of problem."""
        return compiled(self.texts_in_force)

    @property
    def texts_in_force(self) -> Texts:
        """The texts that are played: those of the class, unless the problem brings a law of its own."""
        return self.texts

    def policy_kernel(self, *policy: Text) -> Any:
        """Return the compiled rollout with a policy inside: its texts, the last its decision."""
        return compiled_rollout(self.texts_in_force, *policy)

    def world(self, memory: Array, tables: Tables | None = None) -> Any:
        """Return the named views of a memory row, as a named tuple of parts."""
        tables = tables or self.plain
        world = self.texts.unpack(tables.ints, tables.floats, memory)
        return self.schema.World(*world)

    @property
    def fixed(self) -> Any:
        """The world as an episode begins: for its tables."""
        return self.world(self.plain.fresh)

    def rows(self, episodes: Array, tables: Tables | None = None) -> Array:
        """Return memory rows at the start of given episodes, shape (B, W)."""
        tables = tables or self.plain
        memory = np.empty((len(episodes), len(tables.fresh)))
        tables.begun(memory, episodes)
        return memory
