"""From a run's configuration to its network. Needs torch; import it inside functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from restock.core.validation import validated
from restock.learning.config import Architecture, Regimes
from restock.learning.describe import described
from restock.learning.family import learning_of
from restock.learning.networks import Actor
from restock.learning.tensor import TensorNetwork


def regimes_of(config: Mapping[str, Any]) -> Regimes | None:
    """Return what a generalist is trained for; None for a policy for one demand.

    Raises:
        InvalidInput: It does not hold.
    """
    return None if config.get("regimes") is None else validated(Regimes, config["regimes"], "regimes")


def ground_of(config: Mapping[str, Any]) -> Any:
    """Return the problem that is trained on. The demand of a network can be drawn, for a generalist with goodwill.

    Raises:
        InvalidInput: It does not hold.
    """
    return learning_of(described(config["problem"])).ground(regimes_of(config))


def actor_of(config: Mapping[str, Any]) -> Actor:
    """Return the network that a configuration describes, untrained.

    Raises:
        InvalidInput: The configuration does not hold.
    """
    architecture = validated(Architecture, config["architecture"], "architecture")
    ground, problem = ground_of(config), described(config["problem"])
    curves = learning_of(problem).curves(regimes_of(config)) if architecture.memory == "belief" else None
    return Actor(ground, TensorNetwork(ground), architecture, curves)
