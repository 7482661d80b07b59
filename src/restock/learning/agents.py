"""An agent of stable-baselines3 as a policy: the network of an algorithm decides from views."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from restock.core.problem import Array, Problem
from restock.learning.actors import ground_of
from restock.learning.forms import forms_of
from restock.learning.normalising import Scaled, scaled_by
from restock.learning.preparation import Forms, Stack
from restock.policies._base import View


class Agent:
    """A network of an algorithm, deployed without exploration.

    Args:
        network: The `policy` of a model of stable-baselines3.
        forms: The forms it was trained with.
        problem: What it decides in.
        scaled: What observations are turned into before the network sees them; None: nothing.
    """

    def __init__(self, network: Any, forms: Forms, problem: Problem, scaled: Scaled | None = None) -> None:
        self.network, self.forms, self._problem, self._scaled = network, forms, problem, scaled
        self._masked = "action_masks" in inspect.signature(network.predict).parameters

    def begin(self, episodes: int) -> None:
        """Forget what was seen of earlier episodes."""
        self._stack = Stack(self.forms.preparation.frame_stack)
        self._state: Any = None
        self.forms.begin(episodes, self._problem)

    def orders(self, view: View) -> Array:
        """Return the decisions of shape (B, D), in physical units."""
        seen = self.forms.look(view)
        stacked = self._stack.begin(seen) if view.t == 0 else self._stack.add(seen)
        shown = stacked if self._scaled is None else self._scaled(stacked)
        first = np.full(len(stacked), view.t == 0)
        keywords = {"action_masks": self.forms.masks(view)} if self._masked else {}
        actions, self._state = self.network.predict(shown, self._state, first, deterministic=True, **keywords)
        return self.forms.decided(actions, view)


def forms_in(config: Mapping[str, Any]) -> Forms:
    """Return the forms that a run's configuration describes.

    Raises:
        InvalidInput: They do not hold.
    """
    return forms_of(ground_of(config), config["preparation"], config["information"])


def agent_of(config: Mapping[str, Any], content: Mapping[str, Any], problem: Problem) -> Agent:
    """Return the agent of a run, for a problem of the same shape.

    Args:
        config: The run's configuration.
        content: Its checkpoint: the weights of the network, and what observations are scaled by.
        problem: What it is to decide in.

    Raises:
        InvalidInput: The configuration does not hold, or stable-baselines3 is missing.
    """
    from restock.learning.algorithms import network_of

    forms = forms_in(config)
    network = network_of(config, forms)
    network.load_state_dict(content["policy"])
    network.set_training_mode(False)
    return Agent(network, forms, problem, scaled_by(content.get("seen")))
