"""The base class of policies, and how they are run.

A policy is made for one problem. A simulation of B episodes calls `begin` once, then `act` once a
period with a `View` of all B episodes; `act` returns B decisions. The view holds what the policy may
know at its information level, and nothing else; the past and the mean are read-only:

    blind         stocks, pipeline, backlog, past demand, the calendar, and the configured prior
                  (the problem as `Problem.prior` describes it: no effects, no series to come)
    informed      and the mean of demand in every period
    clairvoyant   and the episodes themselves, future included

A policy that can decide at several levels takes `information` as a parameter.

A policy whose decision can be written as a text over the problem's world (like the dynamics)
derives from `TextPolicy`: the text then runs row-wise in `act`, and compiled inside whole rollouts.
"""

from __future__ import annotations

import abc
import dataclasses
import dis
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from restock.core import backends
from restock.core.backends import Text
from restock.core.errors import InvalidInput, nearest
from restock.core.play import Episodes
from restock.core.problem import Array, Problem
from restock.policies.parameters import Packing, unpacked

if TYPE_CHECKING:
    from restock.policies.agent import PolicyAgent

Information = Literal["blind", "informed", "clairvoyant"]
Progress = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True)
class View:
    """The information that a policy has at the start of period t.

    Attributes:
        t: The period about to be played.
        now: Stocks by name, each of shape (B, k), made when it is first asked for.
        past: Flows of periods 0 .. t - 1 by name, each of shape (B, t, k), read-only and not copied.
        mean: Mean demand of every period, shape (B, T, M), read-only; None for a blind policy.
    """

    t: int
    now: Mapping[str, Array]
    past: Mapping[str, Array]
    mean: Array | None

    def __getitem__(self, name: str) -> Array:
        return self.now[name]


@dataclasses.dataclass(frozen=True)
class Tunable:
    """A parameter of a policy that `restock.fit` may change; all arrays have its shape.

    Attributes:
        start: The value in force.
        scale: How far a first try should move it.
        low, high: Bounds; a number whose bounds meet stays as it is.
        usual: Whether `fit` turns it without being told to.
        instead_of: Parameters that are not given beside it.
        names: Of the entries of its last axis, by which they are written down; empty: as a list.
    """

    start: Array
    scale: Array
    low: Array
    high: Array
    usual: bool = True
    instead_of: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def written(self, values: Array) -> Any:
        """Numbers of its shape as they are written down: {name: number}, {name: numbers}, lists or a number."""
        if not self.names:
            return values.tolist()
        return {name: values[..., k].tolist() for k, name in enumerate(self.names)}


class Policy(abc.ABC):
    """A rule for decisions, made for one problem.

    Args:
        problem: What it decides in.
        information: What it may know, one of `may_know`; default: the first.

    Raises:
        InvalidInput: It cannot decide at that level.

    Attributes:
        problem: The problem as it may know it: of a blind policy, `Problem.prior` of the one given.
        information: What it may know.
        bound: No policy earns more in the episodes begun last, shape (B,); infinite where that is
            not proven, None from a policy that has no bound to tell.
        progress: Set while the policy is run; a `begin` that takes long calls it with (done, in all).
    """

    name: ClassVar[str]
    summary: ClassVar[str] = "a policy from outside restock"  # one line for lists
    may_know: ClassVar[tuple[Information, ...]] = ("blind",)
    bound: Array | None = None
    progress: Progress | None = None

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Reject a class that would silently be blind: its level is chosen from `may_know` when it is made."""
        super().__init_subclass__(**keywords)
        if "information" in vars(cls):
            given = vars(cls)["information"]
            mend = f'Write `may_know = ("{given}",)` in its place.'
            raise InvalidInput(f"policy {cls.__name__}.information", given, "a class says what it `may_know`", mend)

    def __init__(self, problem: Problem, information: Information | None = None) -> None:
        if information is not None and information not in self.may_know:
            known = f"{self.name} decides on these levels: {', '.join(self.may_know)}"
            raise InvalidInput("information", information, known, nearest(information, self.may_know))
        self.information: Information = information or self.may_know[0]
        self.problem: Any = problem.prior() if self.information == "blind" else problem

    def begin(self, episodes: int, seed: int, chance: Episodes | None) -> None:  # noqa: B027 - most need nothing
        """Prepare for a batch of episodes.

        Args:
            episodes: How many [B].
            seed: For the policy's own random streams.
            chance: The episodes themselves, for a clairvoyant policy; else None.
        """

    @abc.abstractmethod
    def act(self, view: View) -> Array:
        """Return the decisions of shape (B, A), in physical units."""

    def as_agent(self, env: Any) -> PolicyAgent:
        """Return the policy as an agent with `predict(observation)`, as stable-baselines3 calls one.

        Args:
            env: The environment, or the several, that it plays in; see `restock.policies.agent.PolicyAgent`.
        """
        from restock.policies.agent import PolicyAgent

        return PolicyAgent(self, env)

    def parameters_in_words(self) -> dict[str, Any]:
        """Return the parameters in force, for tables and reports."""
        return {}

    def mean_decision(self) -> Array | None:
        """Return the decision for mean demand, shape (A,), NaN where that is no quantity; None if it is not known."""
        return None

    def tunables(self) -> dict[str, Tunable]:
        """Return what `restock.fit` may change, by the parameter of `make_policy`."""
        return {}


class TextPolicy(Policy):
    """A policy whose decision is a text that back ends compile.

    The text is `act(t, own, *world)` where the class declares the parameters that it reads (see
    `restock.policies.parameters`), and `act(t, parameters, *world)` with the flat numbers where it does not.

    Attributes:
        text: Writes the decision; follows the house rules of a text of dynamics. It may use
            `flows.used` and `flows.released` as scratch space. What belongs to the episode (for a
            network `rules` and `chance`) is not there for it: compiled, it would see the future.
        helpers: Functions that the text calls by their names, beside those that every text may call.
        packing: The parameters that it reads; None: the flat numbers as they are.
        parameters: Numbers the text reads, shape (P,).
        notes: How many numbers the text keeps from period to period, at the end of its `parameters`.
            It writes them in period 0, whatever is there.

    Raises:
        InvalidInput: The text touches what belongs to the episode.
    """

    text: ClassVar[Text]
    helpers: ClassVar[tuple[Text, ...]] = ()
    packing: ClassVar[Packing | None] = None
    parameters: Array
    notes: int = 0
    _own: Mapping[str, Array] | None = None  # what `packing` declares
    _kept: Any = ()  # the notes of the episodes begun last

    def __init__(self, problem: Problem, information: Information | None = None) -> None:
        super().__init__(problem, information)
        checked = type(problem), type(self).text
        if checked not in _CHECKED:
            _check_text(self.name, problem, type(self).text)
            _CHECKED.add(checked)

    def reads(self, **given: Any) -> None:
        """Set what the text reads: every parameter that `packing` declares, by name.

        Raises:
            InvalidInput: One is missing, unknown, or not of its shape.
        """
        assert self.packing is not None
        self._own = self.packing.checked(given)
        self.parameters = self.packing.flat(self._own)
        self.notes = sum(self.packing.notes(self._own).values())

    @classmethod
    def texts(cls) -> tuple[Text, ...]:
        """Return the functions that are compiled for a rollout, in order of dependence; the last one decides."""
        read = () if cls.packing is None else (unpacked(cls.packing, cls.text),)
        return (*cls.helpers, cls.text, *read)

    def packed(self) -> Array:
        """Return the numbers for the compiled text, with room for its notes, shape (P + notes,)."""
        return np.concatenate([self.parameters, np.zeros(self.notes)])

    def row_wise(self, operations: Mapping[str, Any]) -> Callable[..., Any]:
        """Return the text as it runs on whole columns, by the operations of a back end."""
        bound = backends.bind_all((*type(self).helpers, type(self).text), dict(operations))
        found: Callable[..., Any] = bound[type(self).text.__name__]
        return found

    def read(self, t: int, nothing: Any = 0.0) -> Any:
        """Return what the text reads in period t, row-wise; `nothing` stands for its notes before period 0."""
        if self.packing is None or self._own is None:
            kept = self._kept if t else [nothing] * self.notes
            return [*self.parameters.tolist(), *kept]
        if not t or not self._kept:  # a policy without notes may begin anywhere
            self._kept = {name: [nothing] * n for name, n in self.packing.notes(self._own).items()}
        return self.packing.read(self._own, t, self._kept)

    def act(self, view: View) -> Array:
        """Return the decisions of shape (B, A), from one run of the text over whole columns."""
        problem = self.problem
        world = list(problem.fixed)
        rows = len(next(iter(view.now.values())))
        for k, part in enumerate(world):
            fields = {}
            for name, field in part._asdict().items():
                if name in view.now:
                    fields[name] = [column.copy() for column in view.now[name].T]
                elif name in problem.layout.columns:
                    fields[name] = [np.zeros(rows) for _ in problem.layout.columns[name]]
                else:
                    fields[name] = field
            world[k] = type(part)(**fields)
        read = self.read(view.t, np.zeros(rows))
        self.row_wise(backends.numpy_operations())(view.t, read, *world)
        if self.packing is None:
            self._kept = read[len(self.parameters) :]
        written = next(getattr(part, problem.decision) for part in world if hasattr(part, problem.decision))
        columns = [np.broadcast_to(column, (rows,)) for column in written]
        return np.stack(columns, axis=1)


_CHECKED: set[tuple[type[Problem], Text]] = set()  # texts that were looked through, with the kind of problem


def _check_text(name: str, problem: Problem, text: Text) -> None:
    """Reject a text that reads what belongs to the episode."""
    read = _names_read(text)
    for argument in _episode_arguments(problem, text):
        if argument in read:
            raise InvalidInput(
                f"policy {name}", argument, "its text reads what belongs to the episode, the future included",
                "Decide from the state, the flows and the parameters.",
            )  # fmt: skip


def _episode_arguments(problem: Problem, text: Text) -> list[str]:
    """Return the arguments of a policy's text that are fixed or drawn with the episode."""
    held = {field.part for field in problem.schema.segment("episode")}
    names = text.__code__.co_varnames[2 : text.__code__.co_argcount]
    return [name for name, part in zip(names, problem.schema.parts, strict=True) if part in held]


def _names_read(text: Text) -> set[str]:
    """Return the local names whose values the bytecode of a text uses."""
    used: set[str] = set()
    for step in dis.get_instructions(text):
        if step.opname.startswith("LOAD_FAST"):  # newer Pythons load two at once
            used.update(step.argval if isinstance(step.argval, tuple) else [step.argval])
    return used
