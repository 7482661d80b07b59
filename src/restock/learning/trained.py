"""A trained policy: named by the folder of its run, and used like any other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from restock.core.checks import yes_or_no
from restock.core.errors import InvalidInput, require_extra
from restock.core.problem import Array, Problem
from restock.learning.describe import described, description
from restock.learning.family import learning_of
from restock.learning.run_folder import BEST, RunFolder
from restock.learning.threads import one_thread
from restock.policies._base import Information, Policy, View
from restock.problems.network import NetworkProblem

TORCH = "A network of torch"


class Trained(Policy):
    """A policy that decides with the best network of a training run.

    What it may know was settled when it was trained: a network trained for one demand has learnt its
    mean curve, so it is `informed`; a generalist sees demand only as it comes, and is `blind`.

    Args:
        problem: The network it was trained for, under any demand; for a graph network any network.
        integer: Whether orders are rounded to whole numbers; default: what was better on held-out paths.

    Raises:
        InvalidInput: The run is damaged or not begun, torch is missing, or the problem has another network.
    """

    name: ClassVar[str] = "trained"
    summary: ClassVar[str] = "a trained network, named by the folder of its run"
    may_know: ClassVar[tuple[Information, ...]] = ("informed", "blind")
    folder: ClassVar[str] = ""

    def __init__(self, problem: Problem, integer: bool | None = None) -> None:
        if integer is not None:
            yes_or_no("integer", integer, "Write true for whole orders.")
        run = RunFolder(self.folder)
        config = run.config()
        super().__init__(problem, config["information"])
        require_extra("torch", "train", TORCH)
        self._about = str(config["algo"])
        self._deployed = _deployed(config, run.load(BEST), self.problem)
        self.integer = bool((run.result() or {}).get("integer", False)) if integer is None else integer

    def parameters_in_words(self) -> dict[str, Any]:
        """Return how it was trained, and whether it rounds."""
        return {"trained": self._about, "integer": str(self.integer)}

    def begin(self, episodes: int, seed: int, chance: Any) -> None:
        """Forget what was seen of earlier episodes."""
        self._deployed.begin(episodes)

    def act(self, view: View) -> Array:
        """Return the orders of shape (B, E)."""
        with one_thread():
            orders = self._deployed.orders(view)
        return np.round(orders) if self.integer else orders


class Decides(Protocol):
    """The interface of a network that decides from views."""

    def begin(self, episodes: int) -> None:
        """Forget what was seen of earlier episodes."""

    def orders(self, view: View) -> Array:
        """Return the orders of shape (B, E) (units)."""


def _deployed(config: Mapping[str, Any], content: Mapping[str, Any], problem: Any) -> Decides:
    """Return the network of a run, ready to decide in a problem."""
    if "preparation" in config:  # an algorithm of stable-baselines3
        from restock.learning.agents import agent_of

        check_same(described(config["problem"]), problem)
        return agent_of(config, content, problem)
    from restock.learning.actors import actor_of

    if config["architecture"]["kind"] == "graph":  # it fits any network, as long as the calendar does
        check_horizon(described(config["problem"]), problem)
        actor = actor_of({**config, "problem": description(problem)})
    else:
        check_same(described(config["problem"]), problem)
        actor = actor_of(config)
    actor.load_state_dict(content["actor"])
    return Deployed(actor, problem)


class Deployed:
    """A network that decides from views.

    Args:
        actor: The network.
        problem: What it decides in.
    """

    def __init__(self, actor: Any, problem: NetworkProblem) -> None:
        self.actor = actor
        spec = problem.spec
        self._rules = float(spec.backlog), float(spec.demand.goodwill is not None)
        self._lead = [int(lead) for lead in problem.fixed.links.lead_time]
        self._markets = len(problem.markets)

    def begin(self, episodes: int) -> None:
        """Forget what was seen of earlier episodes."""
        self.actor.begin(episodes)

    def orders(self, view: View) -> Array:
        """Return the orders of shape (B, E) (units)."""
        import torch

        with torch.no_grad():
            orders: Array = self.actor(view.t, self.state(view)).numpy().astype(np.float64)
        return orders

    def state(self, view: View) -> Any:
        """Return a view as a `State` of tensors."""
        import torch

        from restock.learning.tensor import State

        count = len(view["on_hand"])
        shipped, nothing = view.past["shipped"], np.zeros(count)
        pipe = [
            shipped[:, k, i] if k >= 0 else nothing
            for i, lead in enumerate(self._lead)
            for k in range(view.t - lead, view.t)
        ]
        last = view.past["demand"][:, -1] if view.t else np.zeros((count, self._markets))
        return State(
            *(
                torch.tensor(part, dtype=torch.float32)
                for part in (
                    view["on_hand"],
                    np.stack(pipe, axis=1) if pipe else np.zeros((count, 0)),
                    view["backlog"],
                    view["unmet"],
                    view["sentiment"],
                    last,
                    np.full((count, 1), self._rules[0]),
                    np.full((count, 1), self._rules[1]),
                )
            )
        )


def check_same(trained_for: Problem, problem: Problem) -> None:
    """Check that a policy fits a problem: the same family, names and, in a network, lead times.

    Raises:
        InvalidInput: They differ.
    """
    if problem.family != trained_for.family or problem.labels() != trained_for.labels():
        size = ", ".join(f"{count} {what}" for what, count in trained_for.size().items())
        mend = f"It was trained for {trained_for.name} ({size})."
        raise InvalidInput("problem", problem.name, "a trained policy decides in problems like its own only", mend)
    learning_of(trained_for).check_same(problem)


def check_horizon(trained_for: Problem, problem: Problem) -> None:
    """Check that a graph network fits a problem: a network of any shape, with the horizon it was trained for.

    Raises:
        InvalidInput: It cannot.
    """
    if not learning_of(problem).tensors or problem.horizon != trained_for.horizon:
        mend = f"Use a network over {trained_for.horizon} periods."
        raise InvalidInput("problem", problem.name, "a trained policy keeps to its calendar", mend)


def policy_at(folder: str) -> type[Policy]:
    """Return the policy class of a run's folder."""
    name = Path(folder).resolve().name
    return type("TrainedAt", (Trained,), {"folder": folder, "name": name, "__module__": __name__})
