"""Actions, observations and state in the classes of OpenEnv, made from the records of the problems.

Example:
    >>> from restock.server.openenv.models import RetailAction
    >>> RetailAction(buy_quantities={"toys": 5}).delivery_method is None
    True
"""

from __future__ import annotations

from typing import Any

import pydantic

from restock.core import records as any_problem
from restock.core.validation import Spec
from restock.problems.minimal import structured as minimal
from restock.problems.network import structured as network
from restock.problems.production import structured as production
from restock.problems.retail import structured as retail
from restock.problems.sharing import structured as sharing
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


RetailAction = model_of(retail.RetailAction, Action, "RetailAction")
RetailObservation = model_of(retail.RetailObservation, Observation, "RetailObservation")
NetworkAction = model_of(network.NetworkAction, Action, "NetworkAction")
NetworkObservation = model_of(network.NetworkObservation, Observation, "NetworkObservation")
SharingAction = model_of(sharing.SharingAction, Action, "SharingAction")
SharingObservation = model_of(sharing.SharingObservation, Observation, "SharingObservation")
ProductionAction = model_of(production.ProductionAction, Action, "ProductionAction")
ProductionObservation = model_of(production.ProductionObservation, Observation, "ProductionObservation")
MinimalAction = model_of(minimal.MinimalAction, Action, "MinimalAction")
MinimalObservation = model_of(minimal.MinimalObservation, Observation, "MinimalObservation")
AnyAction = model_of(any_problem.AnyAction, Action, "AnyAction")
AnyObservation = model_of(any_problem.AnyObservation, Observation, "AnyObservation")

MODELS = {
    retail.RetailAction: (RetailAction, RetailObservation),
    network.NetworkAction: (NetworkAction, NetworkObservation),
    sharing.SharingAction: (SharingAction, SharingObservation),
    production.ProductionAction: (ProductionAction, ProductionObservation),
    minimal.MinimalAction: (MinimalAction, MinimalObservation),
    any_problem.AnyAction: (AnyAction, AnyObservation),
}


class RestockState(State):
    """The state of an episode, besides the observation."""

    task: str | None = pydantic.Field(None, description="what is played")
    seed: int | None = pydantic.Field(None, description="of the episode")
    done: bool = pydantic.Field(False, description="whether the episode is over")
    total_reward: float = pydantic.Field(0.0, description="reward of all periods so far")


def models_for(problem: Any) -> tuple[type[Action], type[Observation]]:
    """Return the classes of a problem's actions and observations."""
    records = problem.records()
    if records.action_type in MODELS:
        return MODELS[records.action_type]
    action = model_of(records.action_type, Action, f"{records.title}Action")
    return action, model_of(records.observation_type, Observation, f"{records.title}Observation")
