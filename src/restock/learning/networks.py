"""Policy networks: from the state of a supply network to orders, differentiable.

Numbers enter in multiples of what flows past the place in a period, so that one set of
hyperparameters fits problems of any size. This module needs torch; import it inside functions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from restock.core.problem import Array
from restock.learning.config import Architecture
from restock.learning.graph import Graph
from restock.learning.memory import FEW, Belief, Memory, memory_of
from restock.learning.needs_torch import nn, torch
from restock.learning.tensor import State, TensorNetwork
from restock.policies.flows import mean_flow
from restock.problems.network import NetworkProblem

LEAST_FLOW = 1e-3  # units/period, of places that nothing flows past
RULES = 4  # pairs of rules: with or without backlog, with or without goodwill
LEAST_START = 0.05  # multiple of the flow that an order begins at, so that its gradient does not vanish


class Actor(nn.Module):
    """A policy network.

    Args:
        problem: What it decides in.
        tensors: The same as tensors.
        architecture: What it looks like.
        curves: Demand curves that are possible, as factors on the mean, and their noise (for a belief).
    """

    def __init__(
        self,
        problem: NetworkProblem,
        tensors: TensorNetwork,
        architecture: Architecture,
        curves: tuple[Array, Array] | None = None,
    ) -> None:
        super().__init__()
        scale = Scales(problem)
        self.memory = memory_of(architecture.memory, problem, scale.market, curves)
        self.inputs = Inputs(tensors, scale, self.memory is not None)
        remembered = 0 if self.memory is None else self.memory.count
        self.body: nn.Module
        if architecture.kind == "graph":
            periods = problem.horizon if architecture.calendar else 0
            more = remembered + 2 * self.inputs.rules
            self.body = Graph(problem, (scale.node, scale.link, scale.market), more, architecture.hidden, periods)
        else:
            self.body = _whole(problem, architecture, self.inputs.count + remembered)
        self._graph = architecture.kind == "graph"
        self.head = _head(problem, architecture, scale)
        known = self.memory.curves.shape[0] if isinstance(self.memory, Belief) else 1
        self.plan = Plan(scale, problem.horizon, known) if architecture.begins and known <= FEW else None

    def begin(self, count: int) -> None:
        """Forget what was seen of earlier episodes."""
        if self.memory is not None:
            self.memory.begin(count)

    def forward(self, t: int, state: State) -> torch.Tensor:
        """Return the orders of period t, shape (B, E) (units). Periods come in their order, after `begin`."""
        seen = [state.carry, state.feels] if self._graph and self.inputs.rules else []
        if not self._graph:
            seen = [self.inputs(state)]
        if self.memory is not None:
            seen.append(self.memory(t, state))
        x = torch.cat(seen, dim=1) if seen else state.on_hand[:, :0]
        raw = self.body(t, state, x)
        if self.plan is not None:
            raw = raw + self.plan(t, state, self.memory)
        orders: torch.Tensor = self.head(t, state, raw)
        return orders


class Scales:
    """What flows past each place in a period at mean demand (units).

    Attributes:
        market: Shape (M,).
        node: Out of each node, shape (N,).
        link: Into the buyer of each link, shape (E,).
        slot: Of the links' places in the pipe, shape (S,).
        level: Demand of a node over its lead time and one period, shape (N,).
    """

    def __init__(self, problem: NetworkProblem) -> None:
        links = problem.fixed.links
        mean = problem.demand.mean.mean(axis=0)
        out, flow = mean_flow(problem, mean)
        into = np.zeros(len(out))
        np.add.at(into, links.buyer, flow)
        lead = np.asarray(links.lead_time)
        longest = np.zeros(len(out))
        np.maximum.at(longest, links.buyer, lead)
        self.market = np.maximum(mean, LEAST_FLOW)
        self.node = np.maximum(out, LEAST_FLOW)
        self.link = np.maximum(into[links.buyer], LEAST_FLOW)
        self.slot = np.repeat(self.link, lead)
        self.level = self.node * (longest + 1.0)


class Inputs(nn.Module):
    """The state as numbers of order one: on hand, pipe, unmet, last demand, goodwill, rules; shape (B, I)."""

    factor: torch.Tensor

    def __init__(self, tensors: TensorNetwork, scale: Scales, rules: bool) -> None:
        super().__init__()
        self.goodwill, self.rules = tensors.goodwill is not None, rules
        more = [[4.0]] * self.goodwill + [[1.0, 1.0]] * rules
        factors = [0.2 / scale.node, 1.0 / scale.slot, 1.0 / scale.market, 1.0 / scale.market, *more]
        self.register_buffer("factor", _tensor(np.concatenate(factors)), persistent=False)

    @property
    def count(self) -> int:
        """How many numbers."""
        return len(self.factor)

    def forward(self, state: State) -> torch.Tensor:
        """Return features of shape (B, I)."""
        parts = [state.on_hand, state.pipe, state.unmet, state.demand]
        if self.goodwill:
            parts.append(state.sentiment - 1.0)
        if self.rules:
            parts += [state.carry, state.feels]
        return torch.cat(parts, dim=1) * self.factor


class Perceptron(nn.Module):
    """Layers of SiLU; each period has its own bias in the first."""

    def __init__(self, inputs: int, outputs: int, hidden: list[int], periods: int) -> None:
        super().__init__()
        sizes = [inputs, *hidden]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, hidden, strict=False))
        self.last = nn.Linear(hidden[-1], outputs)
        self.calendar = nn.Parameter(torch.randn(periods, hidden[0])) if periods else None

    def forward(self, t: int, x: torch.Tensor) -> torch.Tensor:
        """Return numbers of shape (B, outputs)."""
        for k, layer in enumerate(self.layers):
            assert isinstance(layer, nn.Linear)
            bias: torch.Tensor = layer.bias
            if k == 0 and self.calendar is not None:
                bias = bias + self.calendar[min(t, len(self.calendar) - 1)]
            x = nn.functional.silu(nn.functional.linear(x, layer.weight, bias))
        out: torch.Tensor = self.last(x)
        return out


class Whole(nn.Module):
    """One perceptron sees everything and decides everything."""

    def __init__(self, inputs: int, outputs: int, hidden: list[int], periods: int) -> None:
        super().__init__()
        self.net = Perceptron(inputs, outputs, hidden, periods)

    def forward(self, t: int, state: State, x: torch.Tensor) -> torch.Tensor:
        """Return numbers of shape (B, outputs)."""
        out: torch.Tensor = self.net(t, x)
        return out


class Plan(nn.Module):
    """Orders that training begins at, as what is added to the output of the network.

    There is a plan for each demand curve and each pair of rules; those of the curves are mixed by the
    weights of the belief.

    Args:
        scale: What flows where.
        periods: T.
        curves: C of the belief; 1 without one.
    """

    unit: torch.Tensor
    plans: torch.Tensor

    def __init__(self, scale: Scales, periods: int, curves: int) -> None:
        super().__init__()
        self.register_buffer("unit", _tensor(scale.link), persistent=False)
        self.register_buffer("plans", torch.zeros((curves * RULES, periods, len(scale.link))))

    def begin_at(self, orders: Array) -> None:
        """Take orders of shape (C, 4, T, E) (units) as what an output of 0 means; the rules as in `start.rules`."""
        multiples = np.maximum(orders / self.unit.numpy(), LEAST_START)
        raw = multiples + np.log(-np.expm1(-multiples))  # where softplus gives the multiples
        self.plans = _tensor(raw.reshape(self.plans.shape))

    def forward(self, t: int, state: State, memory: Memory | None) -> torch.Tensor:
        """Return numbers of shape (B, E)."""
        plans = self.plans[:, min(t, self.plans.shape[1] - 1)]
        weights = nn.functional.one_hot((2 * state.carry + state.feels)[:, 0].long(), RULES).to(plans.dtype)
        if isinstance(memory, Belief):
            weights = (memory.weights[:, :, None] * weights[:, None, :]).flatten(1)
        return weights @ plans


class Quantity(nn.Module):
    """Orders are softplus of the output, in multiples of the flow into the buyer."""

    unit: torch.Tensor

    def __init__(self, scale: Scales) -> None:
        super().__init__()
        self.register_buffer("unit", _tensor(scale.link), persistent=False)

    def forward(self, t: int, state: State, raw: torch.Tensor) -> torch.Tensor:
        """Return orders of shape (B, E)."""
        return nn.functional.softplus(raw) * self.unit


class OrderUpTo(nn.Module):
    """A level for each node, and a share of what is missing for each of its links."""

    unit: torch.Tensor
    position: torch.Tensor
    in_transit: torch.Tensor
    owed: torch.Tensor

    def __init__(self, problem: NetworkProblem, scale: Scales) -> None:
        super().__init__()
        fixed = problem.fixed
        links, markets = fixed.links, fixed.markets
        n = len(problem.nodes)
        self.register_buffer("unit", _tensor(scale.level), persistent=False)
        of_slot = np.repeat(np.asarray(links.buyer), np.asarray(links.lead_time))
        self.register_buffer("in_transit", _tensor(np.eye(n)[of_slot].reshape(-1, n)), persistent=False)
        self.register_buffer("owed", _tensor(np.eye(n)[np.asarray(markets.retailer)]), persistent=False)
        self.nodes = n
        self.buyer = torch.as_tensor(np.asarray(links.buyer))
        self.register_buffer("position", _tensor(np.eye(n)[np.asarray(links.buyer)]), persistent=False)

    def forward(self, t: int, state: State, raw: torch.Tensor) -> torch.Tensor:
        """Return orders of shape (B, E)."""
        level = 2.0 * nn.functional.softplus(raw[:, : self.nodes]) * self.unit
        held = state.on_hand + state.pipe @ self.in_transit - state.backlog @ self.owed
        missing = torch.relu(level - held).index_select(1, self.buyer)
        weight = torch.exp(raw[:, self.nodes :].clamp(-8.0, 8.0))
        share = weight / (weight @ self.position).index_select(1, self.buyer)
        return share * missing


class Residual(nn.Module):
    """A classical policy's orders, corrected; of the sum what is below 0 counts as 0."""

    unit: torch.Tensor

    def __init__(self, problem: NetworkProblem, scale: Scales, name: str) -> None:
        super().__init__()
        from restock.learning.classical import Classical

        self.base = Classical(problem, name)
        self.register_buffer("unit", _tensor(scale.link), persistent=False)

    def forward(self, t: int, state: State, raw: torch.Tensor) -> torch.Tensor:
        """Return orders of shape (B, E)."""
        return torch.relu(self.base.orders(t, state) + raw * self.unit)


def _whole(problem: NetworkProblem, architecture: Architecture, inputs: int) -> nn.Module:
    outputs = len(problem.links) + (len(problem.nodes) if architecture.head == "order-up-to" else 0)
    periods = problem.horizon if architecture.calendar else 0
    return Whole(inputs, outputs, architecture.hidden, periods)


def _head(problem: NetworkProblem, architecture: Architecture, scale: Scales) -> nn.Module:
    if architecture.residual is not None:
        return Residual(problem, scale, architecture.residual)
    return OrderUpTo(problem, scale) if architecture.head == "order-up-to" else Quantity(scale)


def _tensor(values: Any) -> torch.Tensor:
    return torch.as_tensor(np.asarray(values, dtype=np.float64), dtype=torch.float32)


def parameters_of(actor: nn.Module) -> int:
    """Return how many numbers are learnt."""
    return sum(math.prod(p.shape) for p in actor.parameters())
