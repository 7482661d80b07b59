"""Actions, observations and state in the classes of OpenEnv, made from the records of the problems.

Example:
    >>> from restock.server.openenv.models import RetailAction
    >>> RetailAction(buy_quantities={"toys": 5}).delivery_method is None
    True
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pydantic

from restock.core.records import AnyAction, AnyObservation
from restock.core.validation import Spec
from restock.problems.manifest import known
from restock.server.openenv.needs_openenv import Action, Observation, State
from restock.server.wire import BESIDE


def model_of(record: type[Spec], base: type[pydantic.BaseModel], name: str) -> Any:
    """Return a class of OpenEnv with the fields of a record.

    Args:
        record: An action or an observation.
        base: `Action` or `Observation` of OpenEnv.
        name: Of the class.
    """
    fields = {key: field for key, field in record.model_fields.items() if key not in BESIDE}
    made: Any = pydantic.create_model(  # type: ignore[call-overload]
        name, __base__=base, __module__=__name__, __doc__=record.__doc__,
        **{key: (field.annotation, field) for key, field in fields.items()},
    )  # fmt: skip
    return made


@lru_cache(maxsize=64)  # of problems that are loaded again and again there are new ones each time
def _made(action: type[Spec], observation: type[Spec], title: str) -> tuple[Any, Any]:
    return model_of(action, Action, f"{title}Action"), model_of(observation, Observation, f"{title}Observation")


class RestockState(State):
    """The state of an episode, besides the observation."""

    task: str | None = pydantic.Field(None, description="what is played")
    seed: int | None = pydantic.Field(None, description="of the episode")
    done: bool = pydantic.Field(False, description="whether the episode is over")
    total_reward: float = pydantic.Field(0.0, description="reward of all periods so far")


def models_for(problem: Any) -> tuple[type[Action], type[Observation]]:
    """Return the classes of a problem's actions and observations."""
    records = problem.records()
    named = records.action_type.__name__.removesuffix("Action")
    title = named if records.action_type.__module__.startswith("restock.") else records.title
    return _made(records.action_type, records.observation_type, title)


def __getattr__(name: str) -> Any:
    """Return `RetailAction`, `NetworkObservation`, ...: the classes of every family, and of any other problem."""
    if name.endswith(("Action", "Observation")):
        found = {one.__name__: one for one in _made(AnyAction, AnyObservation, "Any")}
        for family in known().values():
            if name.startswith(family.id.removeprefix("restock/").removesuffix("-v0")):
                found |= {one.__name__: one for one in models_for(family.loader.load())}
        if name in found:
            return found[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
