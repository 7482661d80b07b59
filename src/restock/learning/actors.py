"""From a run's configuration to its network. Needs torch; import it inside functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from restock.core.validation import validated
from restock.learning.config import Architecture, Regimes
from restock.learning.describe import described
from restock.learning.networks import Actor
from restock.learning.paths import trainable
from restock.learning.regimes import curves_of, general
from restock.learning.tensor import TensorNetwork
from restock.problems.network import NetworkProblem


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
    problem = described(config["problem"])
    if not isinstance(problem, NetworkProblem):
        return problem
    return trainable(problem) if regimes_of(config) is None else general(problem)


def actor_of(config: Mapping[str, Any]) -> Actor:
    """Return the network that a configuration describes, untrained.

    Raises:
        InvalidInput: The configuration does not hold.
    """
    architecture = validated(Architecture, config["architecture"], "architecture")
    ground, problem = ground_of(config), described(config["problem"])
    curves = None
    if architecture.memory == "belief" and isinstance(problem, NetworkProblem):
        curves = curves_of(problem, regimes_of(config))
    return Actor(ground, TensorNetwork(ground), architecture, curves)
