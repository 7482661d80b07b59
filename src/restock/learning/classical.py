"""A classical policy's orders on tensors, as the ground that a network corrects."""

from __future__ import annotations

from typing import Any

import numpy as np

from restock.core import backends
from restock.core.errors import InvalidInput
from restock.learning.tensor import State
from restock.policies._base import TextPolicy
from restock.policies.registry import make_policy, policy_class
from restock.problems.network import NetworkProblem


class Classical:
    """The text of a classical policy, run row-wise on tensors.

    Args:
        problem: What it decides in.
        name: A policy whose decision is a text and keeps no notes (`base-stock`).

    Raises:
        InvalidInput: It is no such policy.
    """

    def __init__(self, problem: NetworkProblem, name: str) -> None:
        kind = policy_class(name)
        if not issubclass(kind, TextPolicy):
            mend = "Use base-stock or echelon-base-stock."
            raise InvalidInput("residual", name, "only a policy that is written as a text can be corrected", mend)
        level = {"information": "informed"} if "informed" in kind.may_know else {}
        policy: Any = make_policy(name, problem, **level)
        if policy.notes:
            raise InvalidInput("residual", name, "it keeps notes from period to period", "Use base-stock.")
        self._policy = policy
        self._text = policy.row_wise(backends.torch_operations())
        self._world = [
            type(part)(*(field.tolist() if isinstance(field, np.ndarray) else field for field in part))
            for part in problem.fixed
        ]
        lead = np.asarray(problem.fixed.links.lead_time)
        self._cuts = np.cumsum(lead)[:-1].tolist()
        self._links, self._nodes = len(lead), len(problem.nodes)

    def orders(self, t: int, state: State) -> Any:
        """Return the orders of period t, shape (B, E)."""
        import torch

        under_way = [part.sum(dim=1) for part in torch.tensor_split(state.pipe, self._cuts, dim=1)]
        now = {
            "on_hand": list(state.on_hand.unbind(1)),
            "in_transit": under_way,
            "backlog": list(state.backlog.unbind(1)),
            "unmet": list(state.unmet.unbind(1)),
            "sentiment": list(state.sentiment.unbind(1)),
        }
        nothing = torch.zeros_like(state.on_hand[:, 0])
        world = []
        for part in self._world:
            if hasattr(part, "on_hand"):
                part = part._replace(**now)
            elif hasattr(part, "ordered"):
                part = part._replace(ordered=[nothing] * self._links, used=[nothing] * self._nodes)
            world.append(part)
        self._text(t, self._policy.read(t), *world)
        ordered = next(part.ordered for part in world if hasattr(part, "ordered"))
        return torch.stack([one if isinstance(one, torch.Tensor) else nothing + one for one in ordered], dim=1)
