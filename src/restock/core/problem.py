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

import abc
import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from restock.core.backends import Text
from restock.core.compiled import compiled, compiled_rollout
from restock.core.errors import InvalidInput
from restock.core.scene import Place, Scene
from restock.core.schema import Schema
from restock.core.trajectory import Layout, Trajectory
from restock.core.wording import Curve, Wording

if TYPE_CHECKING:
    from restock.core.records import Records

Array = NDArray[np.float64]
UNBOUNDED = float(np.finfo(np.float32).max)  # a bound for observations that have none


def monitor(t: int, *world: Any) -> tuple[()]:
    """Tell nothing besides the parts of the reward."""
    return ()


nothing_to_monitor = monitor  # compiled code calls a text by its own name


@dataclasses.dataclass(frozen=True)
class Texts:
    """The functions that define a problem; see `restock.core.kernels` for their parts.

    Attributes:
        name: Marks compiled variants.
        laws: Functions the others call (distributions, parts of the dynamics), in order of dependence.
        unpack: (ints, floats, memory) -> world.
        step: (t, *world) -> reward.
        ends: (t, *world) -> how the episode ends with period t: 0 it goes on, 1 terminated, 2 truncated, 3 both.
        decide: (action, ints, floats, *world): writes the decision, read from an action laid out flat.
        observe: (t, obs, ints, floats, *world): writes the observation.
        monitor: (t, *world) -> the numbers that `info` tells beside the parts of the reward, as `Problem.monitored`
            names them; t is -1 before the first period.
        totals: (t, *world) -> the parts of the reward, which add up to it.
        put: (decision, *world): writes a decision given in physical units.
    """

    name: str
    laws: tuple[Text, ...]
    unpack: Text
    step: Text
    ends: Text
    decide: Text
    observe: Text
    totals: Text
    put: Text
    monitor: Text = nothing_to_monitor

    @classmethod
    def of(cls, name: str, dynamics: ModuleType, interface: ModuleType, laws: tuple[Text, ...] = ()) -> Texts:
        """Return the texts of a problem's two modules, which bear the names they have here."""
        seen = (interface.decide, interface.observe, interface.totals, interface.put)
        monitor = getattr(interface, "monitor", nothing_to_monitor)
        return cls(name, laws, interface.unpack, dynamics.step, dynamics.ends, *seen, monitor)

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


@dataclasses.dataclass(frozen=True)
class ActionForm:
    """How an agent's action is written.

    Attributes:
        kind: Its name (`quantity`, `normalized`, ...).
        labels: What each number decides.
        low: Least value of each number, shape (A,).
        high: Most; for whole numbers the number of choices less one.
        most: Largest quantity (or level) each number can ask for, in physical units, shape (A,).
        discrete: Whether actions are whole numbers.
        words: What an action of this form is.
        shape: How an agent lays the numbers out; None: one after the other. A single number is of shape ().
        exact: Whether numbers that are not whole are taken as float64 rather than float32.
        reach: The largest quantity of each decision, where one number decides several; None: `most`.
    """

    kind: str
    labels: tuple[str, ...]
    low: Array
    high: Array
    most: Array
    discrete: bool
    words: str = ""
    shape: tuple[int, ...] | None = None
    exact: bool = False
    reach: Array | None = None


@dataclasses.dataclass(frozen=True)
class ObservationForm:
    """What an agent sees.

    Attributes:
        kind: `flat`, `scaled` or `dict`.
        labels: What each number is.
        low: Least value, shape (O,).
        high: Most.
        scale: Factor on the physical value, shape (O,).
        groups: Name and slice of each block, for the `dict` form.
    """

    kind: str
    labels: tuple[str, ...]
    low: Array
    high: Array
    scale: Array
    groups: Mapping[str, slice]


class Source(abc.ABC):
    """A source of episodes: an independent sequence for each of several rows."""

    @abc.abstractmethod
    def next(self, rows: NDArray[np.int64]) -> Array:
        """Return the next episode of each row named, shape (len(rows), drawn)."""

    @abc.abstractmethod
    def restart(self, row: int, seed: int, generator: np.random.Generator) -> None:
        """Restart a row's sequence."""


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


class Problem(abc.ABC):
    """A sequential decision problem under uncertainty."""

    family: ClassVar[str]  # the folder of `restock.problems` it comes from
    texts: ClassVar[Texts]
    schema: ClassVar[Schema | None] = None  # its declared fields
    parts: ClassVar[tuple[str, ...]]  # names of what `totals` returns
    monitored: ClassVar[tuple[str, ...]] = ()  # names of what `monitor` returns, if there is such a text
    action_kinds: ClassVar[tuple[str, ...]]  # the first is the default, so with observations
    observation_kinds: ClassVar[tuple[str, ...]] = ("flat", "scaled", "dict")
    exogenous: ClassVar[Mapping[str, int]]  # what `exogenous_of` gives and `replay` takes, and its axes in one episode
    decision: ClassVar[str]  # name of the recorded field that holds the decision
    stocks: ClassVar[tuple[str, ...]] = ("on_hand", "in_transit", "backlog", "sentiment")  # the other fields are flows
    service: ClassVar[tuple[str, str]] = ("sold", "demand")  # flows whose ratio is the served rate
    missed: ClassVar[tuple[str, str]] = ("unmet", "not served")  # flow of what was not served at once, and its name
    tables_shown: ClassVar[Mapping[str, str]] = {}  # parts of the description that are tables, and their titles

    name: str
    horizon: int
    origin: tuple[str, Mapping[str, Any]] | None = None  # of one from outside restock: its place, and its arguments

    @abc.abstractmethod
    def tables(self, action: ActionForm | None = None, observation: ObservationForm | None = None) -> Tables:
        """Return the packed numbers; without forms, for decisions in physical units."""

    @abc.abstractmethod
    def action_form(self, kind: str, max_order: Any = None) -> ActionForm:
        """Return the action form of that kind."""

    @abc.abstractmethod
    def observation_form(self, kind: str) -> ObservationForm:
        """Return the observation form of that kind."""

    @abc.abstractmethod
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

    @abc.abstractmethod
    def replay(self, exogenous: Mapping[str, Any]) -> Array:
        """Return the episode that recorded exogenous information makes, shape (drawn,)."""

    @abc.abstractmethod
    def exogenous_of(self, record: Array, episodes: Array) -> dict[str, Array]:
        """Return the named exogenous information of recorded episodes, as `replay` takes it."""

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
        """Return, by name, what the texts call that has no row-wise form of its own (see `restock.core.rowwise`).

        Args:
            library: `numpy` or `torch`.
        """
        return {}

    @abc.abstractmethod
    def labels(self) -> dict[str, tuple[str, ...]]:
        """Return the names of the entries of each recorded field."""

    @abc.abstractmethod
    def explain(self) -> str:
        """Return the problem in words: entities, clock, costs, demand."""

    @abc.abstractmethod
    def description(self) -> dict[str, Any]:
        """Return the problem as plain data, for JSON; lists of rows named in `tables_shown` are shown as tables."""

    @abc.abstractmethod
    def size(self) -> dict[str, int]:
        """Return how many there are of what it is made of, by name in the plural."""

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
        tables = self.plain
        if self.schema is not None:
            columns = self.schema.columns(tables.ints)
            return Layout(columns, self.labels(), self.parts, self.stocks, self.service, self.missed_at())
        places = np.arange(len(tables.fresh), dtype=np.float64)
        world = self.texts.unpack(tables.ints, tables.floats, places)
        columns = {}
        for part in world:
            for name, field in part._asdict().items():
                if isinstance(field, np.ndarray) and field.base is not None and np.shares_memory(field, places):
                    if field.size and field.flat[-1] < tables.recorded:
                        columns[name] = field.ravel().astype(np.int64)
                    elif not field.size:
                        columns[name] = np.empty(0, dtype=np.int64)
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

    def world(self, memory: Array, tables: Tables | None = None) -> tuple[Any, ...]:
        """Named views of a memory row."""
        tables = tables or self.plain
        world: tuple[Any, ...] = self.texts.unpack(tables.ints, tables.floats, memory)
        return world

    def rows(self, episodes: Array, tables: Tables | None = None) -> Array:
        """Return memory rows at the start of given episodes, shape (B, W)."""
        tables = tables or self.plain
        memory = np.empty((len(episodes), len(tables.fresh)))
        tables.begun(memory, episodes)
        return memory


def choose(kind: str, kinds: Sequence[str], field: str) -> None:
    """Check that a form is one of those offered.

    Raises:
        InvalidInput: It is not.
    """
    from restock.core.errors import nearest

    if not isinstance(kind, str) or kind not in kinds:
        raise InvalidInput(field, kind, "there is no such form", nearest(kind, kinds))
