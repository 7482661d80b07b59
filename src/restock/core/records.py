"""Actions and observations as records: named, checked fields in place of arrays, for agents that speak.

Every problem has `Problem.records`; what a family does not write itself is derived from the names that any
problem gives its numbers. All records are pydantic models that forbid unknown fields, go through JSON and
back, and say what each field is, and in which unit.
"""

from __future__ import annotations

import abc
import copy
import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import numpy as np
import pydantic

from restock.core.errors import InvalidInput, nearest
from restock.core.validation import WHOLE, Spec, validated

if TYPE_CHECKING:
    from restock.core.problem import ActionForm, Array

MOST_UNITS = 1_000_000_000  # of one quantity: what is more is a slip of the pen
Units = Annotated[int, pydantic.Field(ge=0, le=MOST_UNITS), WHOLE]
Amount = Annotated[float, pydantic.Field(ge=0.0, le=MOST_UNITS)]


class Played(Protocol):
    """A view of an episode in play; `Environment.played` is one."""

    @property
    def periods(self) -> int:
        """The number of periods played."""

    @property
    def rewards(self) -> Array:
        """The rewards, shape (T,)."""

    @property
    def reward(self) -> float:
        """The reward of the last period; 0 before the first."""

    @property
    def parts(self) -> Mapping[str, float]:
        """The parts of the last period's reward by name; empty before the first."""

    @property
    def done(self) -> bool:
        """Whether the episode is over."""

    @property
    def lines(self) -> Array:
        """What is recorded, of each episode another array."""

    def __getitem__(self, name: str) -> Array:
        """Return a recorded field: stocks of shape (T + 1, k), flows of shape (T, k)."""

    def largest(self, name: str) -> Array:
        """Return the largest that each entry of a recorded field has been so far, shape (k,)."""

    def now(self, name: str) -> Array:
        """A recorded field now, shape (k,): a stock as it stands, a flow of the last period, zero before the first.

        What rounding has left of nothing is 0.
        """


@functools.cache
def _schema(record: type[Spec]) -> dict[str, Any]:
    return record.model_json_schema()


@dataclasses.dataclass(frozen=True)
class Counted:
    """What a part of the reward counts, so that whoever sees a period can work it out.

    Attributes:
        part: Its name, or `reward` for what holds of their sum.
        words: How it is worked out from what is seen.
        rates: The numbers that the words name, by node, link, market or product; empty where the words say all.
    """

    part: str
    words: str
    rates: Mapping[str, float] = dataclasses.field(default_factory=dict)


class Records(abc.ABC):
    """How decisions and what is seen of a problem are written as records.

    Args:
        problem: The problem; see `Problem.records`.

    Attributes:
        action_type: What an agent sends.
        observation_type: What it gets.
        summary_type: What `summary` gives.
    """

    action_type: type[Spec]
    observation_type: type[Spec]
    summary_type: type[Spec] = Spec

    def __init__(self, problem: Any) -> None:
        self.problem = problem

    @cached_property
    def form(self) -> ActionForm:
        """The action form that takes what `decision` gives: physical units, bounded by `MOST_UNITS` alone."""
        form: ActionForm = self.problem.action_form("quantity")
        most = np.full(len(form.labels), float(MOST_UNITS))
        return dataclasses.replace(form, most=most, high=most, exact=True)

    @abc.abstractmethod
    def decision(self, action: Any) -> Array:
        """Return the decision that an action (a record, or a mapping with its fields) asks for, in physical units.

        Raises:
            InvalidInput: Something in it cannot be; the field is named.
        """

    @abc.abstractmethod
    def action(self, decision: Any) -> Spec:
        """Return the record of a decision in physical units, as policies give it: the inverse of `decision`."""

    @abc.abstractmethod
    def observation(self, played: Played) -> Spec:
        """Return the present observation from an episode in play (`Played`), without the future."""

    def impossible(self, action: Any, played: Played) -> list[InvalidInput]:
        """Return what in a valid action can certainly not be carried out now, whatever the demand will be.

        To play it is a fault that costs what the problem says; whoever asks a person may refuse it instead.
        """
        return []

    def counted(self) -> tuple[Counted, ...]:
        """Return what each part of the reward counts; nothing of a problem that does not say it."""
        return ()

    def metadata(self, played: Played) -> dict[str, Any]:
        """Return what else may be reported about the last period, as plain data."""
        return {}

    def summary(self, played: Played) -> Spec:
        """Return a few numbers about the state now."""
        return Spec()

    def allowed(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what this problem takes in a field of an action, where any of its kind takes more.

        Returns:
            By field, the keywords of JSON Schema that say so; of a mapping, every name that may stand in it, with the
            keywords of its value.
        """
        return {}

    @property
    def title(self) -> str:
        """What comes before `Action` and `Observation` in the names that its records have elsewhere."""
        return type(self.problem).__name__.removesuffix("Problem")

    def schemas(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the JSON schemas of an action of this problem and of an observation, titled by the kind of problem.

        What the schema of an action allows is what `decision` takes. One called just `Action` is taken by clients of
        OpenEnv for that of an environment of tools.
        """
        kinds = (("Action", self.action_type), ("Observation", self.observation_type))
        action, seen = ({**copy.deepcopy(_schema(record)), "title": f"{self.title}{kind}"} for kind, record in kinds)
        for field, allowed in self.allowed().items():
            told = action["properties"][field]
            if "additionalProperties" in told:
                entry = told["additionalProperties"]
                told["properties"] = {name: {**entry, **keywords} for name, keywords in allowed.items()}
                told["additionalProperties"] = False
            else:
                told |= allowed
        return action, seen

    def words(self) -> str:
        """Return the fields of action and observation, one line each."""
        lines = []
        for title, record in (("Action", self.action_type), ("Observation", self.observation_type)):
            lines += [f"{title}:", *(f"  {name}: {field.description}" for name, field in record.model_fields.items())]
        return "\n".join(lines)


class Names(Mapping[str, int]):
    """Names of entities and their places, to read what an action says about each.

    Args:
        what: What one of them is called.
        names: In their order.
    """

    def __init__(self, what: str, names: Sequence[str]) -> None:
        self._what = what
        self._places = {name: k for k, name in enumerate(names)}

    def __getitem__(self, name: str) -> int:
        return self._places[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def place(self, name: str, field: str, value: Any) -> int:
        """Return the position of a name.

        Raises:
            InvalidInput: Nothing is called so; `field` and `value` tell where it was written, and with what.
        """
        found = self._places.get(name)
        if found is None:
            raise InvalidInput(field, value, f"there is no such {self._what}", nearest(name, self))
        return found

    def write(self, amounts: Mapping[str, float], into: Array, field: str) -> None:
        """Write named amounts to their places.

        Raises:
            InvalidInput: Something is named that there is not.
        """
        for name, amount in amounts.items():
            into[self.place(name, f"{field}.{name}", amount)] = amount

    def read(self, values: Array) -> dict[str, float]:
        """Return every number by its name."""
        return dict(zip(self._places, values.tolist(), strict=True))

    def above_zero(self, values: Array) -> dict[str, float]:
        """Return the numbers above zero by name."""
        return {name: value for name, value in self.read(values).items() if value > 0.0}


# any problem ------------------------------------------------------------------------------------------


class AnyAction(Spec):
    """A decision by the names that the problem gives its numbers; what is not named is zero, or the least allowed."""

    decision: dict[str, float] = pydantic.Field(
        {}, description="each number by its label, in the unit that the label tells and within its bounds"
    )


class AnyObservation(Spec):
    """What is known at the start of a period."""

    period: int = pydantic.Field(description="periods played (periods)")
    horizon: int = pydantic.Field(description="most periods of an episode (periods)")
    stocks: dict[str, dict[str, float]] = pydantic.Field(
        description="what carries over to the next period, by field and entity (in the units of the problem)"
    )
    flows: dict[str, dict[str, float]] = pydantic.Field(
        description="what happened in the last period, by field and entity (units of the problem); 0 before the first"
    )
    parts: dict[str, float] = pydantic.Field(
        description="parts of the last reward, which add up to it (in the unit of the reward)"
    )
    reward: float = pydantic.Field(description="reward of the last period (in the unit of the problem)")
    done: bool = pydantic.Field(description="whether the episode is over (yes or no)")


class PlainRecords(Records):
    """Records of any problem, from the labels of its action form and of its recorded fields."""

    action_type = AnyAction
    observation_type = AnyObservation

    @cached_property
    def form(self) -> ActionForm:
        """`quantity` where there is such a form, else the first, which should be the decision itself."""
        kinds = self.problem.action_kinds
        form: ActionForm = self.problem.action_form("quantity" if "quantity" in kinds else kinds[0])
        return form

    @cached_property
    def _names(self) -> Names:
        return Names("number to decide", self.form.labels)

    def allowed(self) -> Mapping[str, Mapping[str, Any]]:
        """Return each number by its label, with its bounds."""
        kind: dict[str, Any] = {"type": "integer"} if self.form.discrete else {}
        bounds = (
            {
                name: float(limit[k])
                for name, limit in (("minimum", self.form.low), ("maximum", self.form.high))
                if np.isfinite(limit[k])
            }
            for k in range(len(self._names))
        )
        return {"decision": {name: {**kind, **of} for name, of in zip(self._names, bounds, strict=True)}}

    def decision(self, action: AnyAction | Mapping[str, Any]) -> Array:
        """Return the numbers of the action form, within its bounds, shape (A,)."""
        asked = validated(AnyAction, action, "action")
        found = np.clip(np.zeros(len(self._names)), self.form.low, self.form.high)
        for label, number in asked.decision.items():
            field = f"action.decision.{label}"
            k = self._names.place(label, field, number)
            low, high = float(self.form.low[k]), float(self.form.high[k])
            if not low <= number <= high:
                raise InvalidInput(field, number, f"must be {low:g} to {high:g}", "Write a number within that.")
            if self.form.discrete and number != int(number):
                raise InvalidInput(field, number, "must be an integer", "Write one without fraction.")
            found[k] = number
        return found

    def action(self, decision: Any) -> AnyAction:
        """Return the record of a decision, held to the bounds of the form."""
        numbers = np.clip(np.asarray(decision, dtype=np.float64), self.form.low, self.form.high)
        return AnyAction(decision=self._names.read(np.rint(numbers) if self.form.discrete else numbers))

    def observation(self, played: Played) -> AnyObservation:
        """Return the present observation."""
        layout = self.problem.layout
        known: dict[bool, dict[str, dict[str, float]]] = {True: {}, False: {}}
        for name in layout.columns:
            values = played.now(name)
            entries = layout.labels.get(name, (name,))
            known[name in layout.stocks][name] = dict(zip(entries, values.tolist(), strict=False))
        return AnyObservation(
            period=played.periods,
            horizon=self.problem.horizon,
            stocks=known[True],
            flows=known[False],
            parts=dict(played.parts),
            reward=played.reward,
            done=played.done,
        )
