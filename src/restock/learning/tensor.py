"""The dynamics of a supply network on whole tensors, for training.

One period of `restock.problems.network.dynamics.step`, with all nodes, links and markets of a batch
in one operation each; a property test holds the two together. It exists because it is several times
faster under torch than the text run row by row (measured by `python -m benchmarks learning`).

Rationing link by link, x_i = min(q_i, what the links before i left of the cap), is written with
running sums over the links of a supplier: min(sum of q up to i, cap) and its differences. So is the
serving of several markets from one retailer. min(a, b) is written a - relu(a - b): the same number,
with a gradient that goes to a at a tie, as in the text, and a cheaper one than that of torch.minimum.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from restock.problems.network import NetworkProblem


class State(NamedTuple):
    """S_t of a batch."""

    on_hand: Any  # (B, N) units
    pipe: Any  # (B, S) units under way, link by link, soonest first
    backlog: Any  # (B, M) units
    unmet: Any  # (B, M) units
    sentiment: Any  # (B, 1)
    demand: Any  # (B, M) of the period before
    carry: Any  # (B, 1) rule of the episode: 1 where unmet demand waits, 0 where it is lost
    feels: Any  # (B, 1) rule of the episode: 1 where goodwill moves demand, 0 where it does not


class TensorNetwork:
    """A network's tables as tensors, and its period.

    Args:
        problem: The network.
        dtype: torch.float32 (default) or torch.float64.

    Attributes:
        slots: Units under way that are told apart [S], the sum of lead times.
    """

    def __init__(self, problem: NetworkProblem, dtype: Any = None) -> None:
        import torch

        self.torch = torch
        self.dtype = torch.float32 if dtype is None else dtype
        self.problem = problem
        fixed = problem.fixed
        nodes, links, markets = fixed.nodes, fixed.links, fixed.markets
        n, e, m = len(problem.nodes), len(problem.links), len(problem.markets)
        lead = np.asarray(links.lead_time)
        self.slots = int(lead.sum())
        first = np.concatenate([[0], np.cumsum(lead)[:-1]])

        # Pipe and today's shipments side by side: where the next pipe and today's arrivals are read from.
        behind = np.arange(self.slots) + 1
        last = first + lead - 1
        behind[last[lead > 0]] = self.slots + np.flatnonzero(lead > 0)
        self._next = torch.as_tensor(behind)
        self._arriving = torch.as_tensor(np.where(lead > 0, first, self.slots + np.arange(e)))

        inside = np.flatnonzero(links.supplier >= 0)
        same = links.supplier[inside, None] == links.supplier[None, inside]
        upto = same & (np.arange(len(inside))[:, None] <= np.arange(len(inside)))
        before = np.zeros((len(inside), len(inside)))
        for k in range(len(inside) - 1):
            if same[k, k + 1]:
                before[k, k + 1] = 1.0
        place = np.zeros((len(inside), e))
        place[np.arange(len(inside)), inside] = 1.0
        supplied = np.zeros((e, n))
        supplied[inside, links.supplier[inside]] = 1.0
        self._outside = self._tensor((links.supplier < 0).astype(float))
        self._supplier = torch.as_tensor(np.asarray(links.supplier)[inside])
        self._upto = self._tensor(place.T @ upto)  # (E, I)
        self._differ = self._tensor((np.eye(len(inside)) - before) @ place)  # (I, E)
        self._use = self._tensor(supplied * np.asarray(nodes.units_in))
        bought = np.zeros((e, n))
        bought[np.arange(e), links.buyer] = 1.0
        self._buy = self._tensor(bought)
        self._supply_most = self._tensor(np.asarray(nodes.capacity)[links.supplier[inside]])
        self._supply_out = self._tensor(np.asarray(nodes.units_out)[links.supplier[inside]])
        self._any_inside = len(inside) > 0

        together = np.asarray(markets.retailer)[:, None] == np.asarray(markets.retailer)[None, :]
        self._single = bool(together.sum() == m)
        serving = together & (np.arange(m)[:, None] <= np.arange(m))
        previous = np.zeros((m, m))
        for k in range(m):
            earlier = np.flatnonzero(together[:k, k])
            if len(earlier):
                previous[earlier[-1], k] = 1.0
        self._serving = self._tensor(serving.astype(float))
        self._served = self._tensor(np.eye(m) - previous)
        self._retailer = torch.as_tensor(np.asarray(markets.retailer))
        sell = np.zeros((m, n))
        sell[np.arange(m), markets.retailer] = 1.0
        self._sell = self._tensor(sell)

        operating = np.asarray(nodes.operating_cost)
        per_link = np.asarray(links.outside_price) + supplied @ operating
        slot_cost = np.repeat(np.asarray(links.pipeline_cost), lead)
        self.fixed = np.asarray(links.fixed_cost)
        self._fixed = self._tensor(self.fixed)
        self._worth = self._tensor(
            np.concatenate(
                [
                    np.asarray(markets.price) - operating[markets.retailer],
                    -np.asarray(markets.shortage_cost),
                    -per_link,
                    -slot_cost,
                    -np.asarray(nodes.holding_cost),
                ]
            )
        )
        self._initial = self._tensor(nodes.initial)
        rules = problem.spec.demand.goodwill
        self.goodwill = None if rules is None else (rules.growth, rules.decay, rules.floor, rules.cap)
        self._least = max(problem.demand.least_mean, 1e-9)
        self._power = _elasticity(problem)
        self._markets = m
        self._speck = 1e-9 if self.dtype == torch.float64 else 1e-4  # unmet demand that is a rounding error

    def _tensor(self, values: Any) -> Any:
        return self.torch.as_tensor(np.array(values, dtype=np.float64), dtype=self.dtype)

    def start(self, carry: Any, feels: Any) -> State:
        """Return the state at the start of B episodes with these rules, each of shape (B,)."""
        torch, dtype, count = self.torch, self.dtype, len(carry)
        nothing = torch.zeros((count, self._markets), dtype=dtype)
        return State(
            self._initial.expand(count, -1),
            torch.zeros((count, self.slots), dtype=dtype),
            nothing,
            nothing,
            torch.ones((count, 1), dtype=dtype),
            nothing,
            self._tensor(carry)[:, None],
            self._tensor(feels)[:, None],
        )

    def step(
        self, t: int, state: State, ordered: Any, mean: Any, stray: Any, sharpness: float = float("inf")
    ) -> tuple[State, Any]:
        """Play period t.

        Args:
            t: The period.
            state: S_t.
            ordered: Decision, shape (B, E) (units).
            mean: Mean demand before goodwill, shape (B, M).
            stray: What demand strays from its mean at a goodwill of 1, shape (B, M) (units). At a
                goodwill of s it is s mean + s^power stray, so the value is exact at 1 and the gradient
                goes through the mean.
            sharpness: k of 1 - exp(-k unmet), the chance that a shortage is felt; infinite for
                the rule itself.

        Returns:
            The next state, and [sold | unmet | shipped | pipe | on hand], whose worth `profit` tells.
        """
        torch = self.torch
        on_hand, pipe, backlog, unmet, sentiment = state[:5]
        quantity = torch.relu(ordered)
        if self._any_inside:
            cap = on_hand.index_select(1, self._supplier) * self._supply_out
            cap = cap - torch.relu(cap - self._supply_most)
            wanted = quantity @ self._upto
            shipped = (wanted - torch.relu(wanted - cap)) @ self._differ + quantity * self._outside
            on_hand = torch.relu(on_hand - shipped @ self._use)
        else:
            shipped = quantity
        line = torch.cat([pipe, shipped], dim=1)
        pipe = line.index_select(1, self._next)
        on_hand = on_hand + line.index_select(1, self._arriving) @ self._buy

        if self.goodwill is not None and t > 0:
            sentiment = self._goodwill(state, sharpness)
        demand = mean + stray
        if self.goodwill is not None:
            moved = torch.clamp(mean * sentiment, min=self._least)
            factor = moved / torch.clamp(mean, min=self._least)
            demand = torch.relu(moved + torch.pow(factor, self._power) * stray)
        wanted = demand + backlog
        held = on_hand.index_select(1, self._retailer)
        if self._single:
            sold = wanted - torch.relu(wanted - held)
            on_hand = on_hand - sold @ self._sell
        else:
            asked = wanted @ self._serving
            sold = (asked - torch.relu(asked - held)) @ self._served
            on_hand = on_hand - sold @ self._sell
        unmet = wanted - sold
        happened = torch.cat([sold, unmet, shipped, pipe, on_hand], dim=1)
        waiting = unmet * state.carry
        return State(on_hand, pipe, waiting, unmet, sentiment, demand, state.carry, state.feels), happened

    def _goodwill(self, state: State, sharpness: float) -> Any:
        torch = self.torch
        assert self.goodwill is not None
        growth, decay, floor, cap = self.goodwill
        short = state.unmet if self._markets == 1 else state.unmet.sum(dim=1, keepdim=True)
        felt = (short > self._speck).to(self.dtype) if sharpness == float("inf") else -torch.expm1(-sharpness * short)
        served = torch.clamp(growth * state.sentiment, max=cap)
        missed = torch.clamp(decay * state.sentiment, min=floor)
        moved = felt * missed + (1.0 - felt) * served
        return state.feels * moved + (1.0 - state.feels)

    def profit(self, happened: Any, sharpness: float = float("inf")) -> Any:
        """Return the discounted profit of each period, shape (B, T), from what happened, shape (T, B, .).

        Fixed order costs have no gradient; with a finite `sharpness` k they are smoothed to
        K (1 - exp(-k shipped)).
        """
        worth = happened @ self._worth
        m, e = self._markets, len(self.fixed)
        if self.fixed.any():
            shipped = happened[:, :, 2 * m : 2 * m + e]
            hard = (shipped > 1e-9).to(self.dtype)
            paid = hard if sharpness == float("inf") else -self.torch.expm1(-sharpness * shipped)
            worth = worth - paid @ self._fixed
        discount = self.problem.spec.discount ** np.arange(len(happened))
        return (worth * self._tensor(discount)[:, None]).T


def _elasticity(problem: NetworkProblem) -> float:
    """Return the elasticity of the deviation of demand to mean demand; 0.5 for Poisson."""
    mean = problem.demand.mean
    low, high = (problem.demand.distribution.deviation(mean * factor)[mean > 0.0] for factor in (0.99, 1.01))
    if not low.size or not (low > 0.0).all():
        return 0.5
    return float(np.mean(np.log(high / low)) / np.log(1.01 / 0.99))
