"""One small network for all nodes and links of a supply network, so that it fits any topology.

Nodes are embedded by one perceptron, tell their neighbours up and down the links, and a second
perceptron reads each link from its two ends, what is under way on it, and the mean over all nodes.
Nothing that is learnt depends on how many nodes and links there are. Needs torch; import it inside
functions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from restock.core.problem import Array
from restock.learning.needs_torch import nn, torch
from restock.learning.tensor import State
from restock.problems.network import NetworkProblem

PROFILE = 12  # periods to arrival that are told apart; what is farther counts with the last


class Graph(nn.Module):
    """The shared network.

    Args:
        problem: The supply network.
        node_scale, link_scale, market_scale: What flows past each place in a period (units).
        more: How many features of the whole (memory, rules) there are.
        hidden: Units of the hidden layers.
        periods: Length of the calendar; 0 without one.
    """

    per_node: torch.Tensor
    per_market: torch.Tensor
    fixed_nodes: torch.Tensor
    fixed_links: torch.Tensor
    profile: torch.Tensor
    to_buyer: torch.Tensor
    to_supplier: torch.Tensor

    def __init__(
        self,
        problem: NetworkProblem,
        scales: tuple[Array, Array, Array],
        more: int,
        hidden: list[int],
        periods: int,
    ) -> None:
        super().__init__()
        fixed = problem.fixed
        nodes, links, markets = fixed.nodes, fixed.links, fixed.markets
        node_scale, link_scale, market_scale = scales
        n, e = len(problem.nodes), len(problem.links)
        lead, buyer, supplier = (np.asarray(part) for part in (links.lead_time, links.buyer, links.supplier))
        self.nodes, self.links = n, e

        capacity = np.where(np.isfinite(nodes.capacity), np.asarray(nodes.capacity), 0.0)
        retail = np.zeros((len(market_scale), n))
        retail[np.arange(len(market_scale)), markets.retailer] = 1.0
        price = np.asarray([link.price for link in problem.spec.ordered_links])
        fixed_nodes = np.stack([capacity / node_scale / 4.0, 20.0 * np.asarray(nodes.holding_cost), retail.sum(0)], 1)
        fixed_links = np.stack([0.1 * lead, price, 20.0 * np.asarray(links.pipeline_cost), supplier < 0], axis=1)
        # Units under way on a link, by periods to arrival.
        profile = np.zeros((int(lead.sum()), e, PROFILE))
        slot = 0
        for i in range(e):
            for k in range(int(lead[i])):
                profile[slot, i, min(k, PROFILE - 1)] = 1.0 / link_scale[i]
                slot += 1
        ends = np.zeros((2, e, n))
        ends[0, np.arange(e), buyer] = 1.0
        inside = np.flatnonzero(supplier >= 0)
        ends[1, inside, supplier[inside]] = 1.0
        self._keep("per_node", 0.2 / node_scale)
        self._keep("per_market", retail / market_scale[:, None])
        self._keep("fixed_nodes", fixed_nodes)
        self._keep("fixed_links", fixed_links)
        self._keep("profile", profile.reshape(len(profile), -1))
        self._keep("to_buyer", ends[0])
        self._keep("to_supplier", ends[1])

        width = hidden[0]
        shared = more + 1
        self.embed = nn.Linear(3 + fixed_nodes.shape[1] + PROFILE + shared, width)
        self.tell = nn.Linear(3 * width, width)
        sizes = [3 * width + fixed_links.shape[1] + PROFILE + shared, *hidden]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, hidden, strict=False))
        self.last = nn.Linear(hidden[-1], 1)
        self.calendar = nn.Parameter(torch.randn(periods, width)) if periods else None

    def _keep(self, name: str, values: Any) -> None:
        tensor = torch.as_tensor(np.asarray(values, dtype=np.float64), dtype=torch.float32)
        self.register_buffer(name, tensor, persistent=False)

    def forward(self, t: int, state: State, more: torch.Tensor) -> torch.Tensor:
        """Return one number for each link, shape (B, E)."""
        count = len(state.on_hand)
        whole = torch.cat([more, state.sentiment - 1.0], dim=1)
        under_way = (state.pipe @ self.profile).view(count, self.links, PROFILE)
        arriving = torch.einsum("blk,ln->bnk", under_way, self.to_buyer)
        here = torch.stack(
            [state.on_hand * self.per_node, state.unmet @ self.per_market, state.demand @ self.per_market], dim=2
        )
        fixed = self.fixed_nodes.expand(count, -1, -1)
        bias = 0.0 if self.calendar is None else self.calendar[min(t, len(self.calendar) - 1)]
        seen = torch.cat([here, fixed, arriving, _each(whole, self.nodes)], dim=2)
        node = nn.functional.silu(self.embed(seen) + bias)
        # What a node hears: from its suppliers, and from its customers.
        from_above = torch.einsum("bnh,en,em->bmh", node, self.to_supplier, self.to_buyer)
        from_below = torch.einsum("bnh,en,em->bmh", node, self.to_buyer, self.to_supplier)
        node = node + nn.functional.silu(self.tell(torch.cat([node, from_above, from_below], dim=2)))
        buyer = torch.einsum("bnh,en->beh", node, self.to_buyer)
        supplier = torch.einsum("bnh,en->beh", node, self.to_supplier)
        x = torch.cat(
            [
                buyer,
                supplier,
                _each(node.mean(dim=1), self.links),
                self.fixed_links.expand(count, -1, -1),
                under_way,
                _each(whole, self.links),
            ],
            dim=2,
        )
        for k, layer in enumerate(self.layers):
            x = layer(x)
            x = nn.functional.silu(x + bias if k == 0 else x)
        out: torch.Tensor = self.last(x).squeeze(2)
        return out


def _each(whole: torch.Tensor, count: int) -> torch.Tensor:
    """Features of the whole beside each of `count` entities."""
    return whole.unsqueeze(1).expand(-1, count, -1)
