"""What a network remembers of an episode. Needs torch; import it inside functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from restock.core.problem import Array
from restock.learning.needs_torch import nn, torch
from restock.learning.tensor import State
from restock.problems.network import NetworkProblem

RECENT = 8  # demands that `History` shows
FEW = 32  # curves up to which a belief shows the weight of each
WINDOWS = (3, 6, 12)  # periods over which a belief tells how sure it is
LEAST_VARIANCE = 1.0 / 12.0  # demand may be counted in whole units


class Memory(nn.Module):
    """Features of the past; `begin`, then one call a period.

    Attributes:
        count: How many features.
    """

    count: int

    def begin(self, count: int) -> None:
        """Get ready for B episodes."""
        raise NotImplementedError


class History(Memory):
    """The last demands, newest first, and the mean of all so far, each freed of goodwill; shape (B, 9 M)."""

    unit: torch.Tensor

    def __init__(self, problem: NetworkProblem, unit: Array) -> None:
        super().__init__()
        self._markets = len(unit)
        self.count = (RECENT + 1) * self._markets
        self.register_buffer("unit", torch.as_tensor(1.0 / unit, dtype=torch.float32), persistent=False)

    def begin(self, count: int) -> None:
        """Reset: nothing was seen, so the mean is the configured one."""
        self._seen: list[torch.Tensor] = []
        self._rows = count

    def forward(self, t: int, state: State) -> torch.Tensor:
        """Return features of shape (B, 9 M)."""
        nothing = torch.ones((self._rows, self._markets))
        if t > 0:
            self._seen.append(state.demand * self.unit / state.sentiment)
        recent = (self._seen[::-1] + [nothing] * RECENT)[:RECENT]
        mean = torch.stack(self._seen).mean(dim=0) if self._seen else nothing
        return torch.cat([*recent, mean], dim=1)


class Belief(Memory):
    """Which demand curves explain the demand so far, and what they forecast.

    The weight of a curve c is multiplied in each period by the normal density of the demand D it
    explains, with mean mu_c s and deviation nu_c sigma(mu_c s), s being the goodwill that everyone
    sees. Features: the expected curve of the periods to come (0 beyond the horizon); the deviation of
    its sums over 3, 6 and 12 periods; the weights themselves where the curves are few.

    Args:
        problem: Its prior mean is what the curves multiply.
        curves: Factors, shape (C, T).
        noise: Factors on the deviation, shape (C,).

    Attributes:
        weights: Of the curves, as of the last call, shape (B, C).
    """

    curves: torch.Tensor
    sums: torch.Tensor
    expected: torch.Tensor
    variance: torch.Tensor
    weights: torch.Tensor

    def __init__(self, problem: NetworkProblem, curves: Array, noise: Array) -> None:
        super().__init__()
        periods = curves.shape[1]
        self._periods = periods
        self.count = periods + len(WINDOWS) + (len(curves) if len(curves) <= FEW else 0)
        prior = problem.demand.mean
        mean = np.maximum(curves[:, :, None] * prior, problem.demand.least_mean)  # (C, T, M)
        deviation = noise[:, None, None] * problem.demand.noise_scale * problem.demand.distribution.deviation(mean)
        padded = np.concatenate([curves, np.zeros((len(curves), periods))], axis=1)
        sums = np.concatenate([np.zeros((len(curves), 1)), np.cumsum(padded, axis=1)], axis=1)
        at = np.arange(periods)
        self.register_buffer("curves", _tensor(padded), persistent=False)
        over = np.stack([sums[:, at + w] - sums[:, at] for w in WINDOWS])
        self.register_buffer("sums", _tensor(over), persistent=False)  # (W, C, T)
        self.register_buffer("expected", _tensor(mean.transpose(1, 2, 0)), persistent=False)  # (T, M, C)
        self.register_buffer("variance", _tensor((deviation**2).transpose(1, 2, 0)), persistent=False)

    @property
    def known(self) -> Array:
        """The curves, as factors on the prior mean, shape (C, T)."""
        curves: Array = self.curves[:, : self._periods].numpy()
        return curves

    def begin(self, count: int) -> None:
        """Reset all curves to equal probability."""
        self._likelihood = torch.zeros((count, self.curves.shape[0]))

    @torch.no_grad()
    def forward(self, t: int, state: State) -> torch.Tensor:
        """Return features of shape (B, T + 3) and the weights."""
        if t > 0:
            goodwill = state.sentiment
            for m in range(state.demand.shape[1]):
                mean = goodwill * self.expected[t - 1, m]
                variance = torch.clamp(goodwill * self.variance[t - 1, m], min=LEAST_VARIANCE)
                distance = state.demand[:, m : m + 1] - mean
                self._likelihood = self._likelihood - 0.5 * (torch.log(variance) + distance * distance / variance)
        self.weights = weights = torch.softmax(self._likelihood, dim=1)
        forecast = weights @ self.curves[:, t : t + self._periods]
        sums = self.sums[:, :, t]
        middle = weights @ sums.T
        spread = torch.sqrt(torch.clamp(weights @ (sums * sums).T - middle * middle, min=0.0))
        shown = [forecast, 0.3 * spread]
        if self.curves.shape[0] <= FEW:
            shown.append(weights)
        return torch.cat(shown, dim=1)


def memory_of(kind: str, problem: NetworkProblem, unit: Array, curves: tuple[Array, Array] | None) -> Memory | None:
    """Return the memory of that kind; None for `none`."""
    if kind == "none":
        return None
    if kind == "history":
        return History(problem, unit)
    assert curves is not None
    return Belief(problem, *curves)


def _tensor(values: Any) -> torch.Tensor:
    return torch.as_tensor(np.asarray(values, dtype=np.float64), dtype=torch.float32)
