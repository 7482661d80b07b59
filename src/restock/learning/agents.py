"""An agent of stable-baselines3 as a policy: the network of an algorithm decides from views."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from restock.core.problem import Array
from restock.core.validation import validated
from restock.learning.actors import ground_of
from restock.learning.preparation import Preparation, Prepared, Stack
from restock.learning.several import rules_of
from restock.policies._base import View
from restock.problems.network import NetworkProblem


class Agent:
    """A network of an algorithm, deployed without exploration.

    Args:
        network: The `policy` of a model of stable-baselines3.
        prepared: The forms it was trained with.
        problem: What it decides in.
    """

    def __init__(self, network: Any, prepared: Prepared, problem: NetworkProblem) -> None:
        self.network, self.prepared = network, prepared
        self._rules = np.array([rules_of(problem)])
        self._masked = "action_masks" in inspect.signature(network.predict).parameters

    def begin(self, episodes: int) -> None:
        """Forget what was seen of earlier episodes."""
        self._rows = np.repeat(self._rules, episodes, axis=0)
        self._stack = Stack(self.prepared.preparation.frame_stack)
        self._state: Any = None
        if self.prepared.ground is not None:
            self.prepared.ground.begin(episodes, 0, None)

    def orders(self, view: View) -> Array:
        """Orders of shape (B, E) (units)."""
        prepared, ground = self.prepared, None
        if prepared.ground is not None:
            ground = prepared.ground.act(view)
        seen = prepared.complete(prepared.seen(view), view, ground, self._rows)
        stacked = self._stack.begin(seen) if view.t == 0 else self._stack.add(seen)
        first = np.full(len(stacked), view.t == 0)
        keywords: dict[str, Any] = {}
        if self._masked:
            keywords["action_masks"] = np.tile(prepared.masks(view.t), (len(stacked), 1))
        actions, self._state = self.network.predict(stacked, self._state, first, deterministic=True, **keywords)
        return prepared.orders(actions, view, ground)


def prepared_of(config: Mapping[str, Any]) -> Prepared:
    """The forms that a run's configuration describes.

    Raises:
        InvalidInput: They do not hold.
    """
    chosen = validated(Preparation, config["preparation"], "preparation")
    return Prepared(ground_of(config), chosen, config["information"])


def agent_of(config: Mapping[str, Any], weights: Mapping[str, Any], problem: NetworkProblem) -> Agent:
    """The agent of a run, for a problem on the same network.

    Args:
        config: The run's configuration.
        weights: Of its network.
        problem: What it is to decide in.

    Raises:
        InvalidInput: The configuration does not hold, or stable-baselines3 is missing.
    """
    from restock.learning.algorithms import network_of

    prepared = prepared_of(config)
    network = network_of(config, prepared)
    network.load_state_dict(weights)
    network.set_training_mode(False)
    return Agent(network, prepared, problem)
