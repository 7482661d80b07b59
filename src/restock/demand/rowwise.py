"""Demand of a whole batch at once, from its mean and one random number each.

The meanings of `laws.demand_of` for `restock.core.rowwise`, where mean and draw are arrays of shape
(B,). The laws branch on data, so the numbers come from the same compiled text row by row.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from restock.core import backends
from restock.demand import laws


def each(law, mean, spread, power, noise_scale, draw, demand):  # type: ignore[no-untyped-def]
    """Return the demand of each row."""
    for b in range(len(demand)):
        demand[b] = demand_of(law[b], mean[b], spread[b], power[b], noise_scale[b], draw[b])  # type: ignore[name-defined]  # noqa: F821


@cache
def _each(own: Any) -> Any:
    return backends.compile_texts(laws.laws_with(own), (each,), "demand").each


def numpy_demand(law: Any, mean: Any, spread: Any, power: Any, noise_scale: Any, draw: Any, own: Any = None) -> Any:
    """Return `laws.demand_of` on NumPy arrays that broadcast to shape (B,); `own` is the function of law OWN."""
    if np.ndim(law) == 0 and law == laws.GIVEN:
        return draw
    columns = [np.ascontiguousarray(a) for a in np.broadcast_arrays(law, mean, spread, power, noise_scale, draw)]
    columns = [column.astype(np.float64) for column in columns]
    demand = np.empty(len(columns[0]))
    _each(own)(*columns, demand)
    return demand


def torch_demand(law: Any, mean: Any, spread: Any, power: Any, noise_scale: Any, draw: Any, own: Any = None) -> Any:
    """Return `laws.demand_of` on torch tensors: the exact demand, with a gradient through the mean.

    `own` is the distribution of law OWN.

    The demand is written mean + deviation(mean) * z with z held constant, so the gradient says how demand
    moves as the mean does, whole units or not. Where it was cut at 0 nothing moves it.
    """
    import torch

    if not isinstance(law, torch.Tensor) and law == laws.GIVEN:
        return draw

    def plain(a: Any) -> Any:
        return a.detach().cpu().numpy() if isinstance(a, torch.Tensor) else a

    with torch.no_grad():
        function = None if own is None else own.demand_at
        exact = numpy_demand(*map(plain, (law, mean, spread, power, noise_scale, draw, function)))
        exact = torch.as_tensor(exact, dtype=draw.dtype, device=draw.device)
    if not isinstance(mean, torch.Tensor):
        mean = torch.full_like(draw, float(mean))
    deviation = noise_scale * _deviation(torch, law, mean, spread, power)
    if own is not None:
        deviation = torch.where(_code(torch, law, mean) == laws.OWN, noise_scale * _own(torch, own, mean), deviation)
    safe = torch.where(deviation > 0.0, deviation, torch.ones_like(deviation))
    z = ((exact - mean) / safe).detach()
    moved = torch.where(deviation > 0.0, mean + deviation * z, exact + (mean - mean.detach()))
    code = torch.as_tensor(law, device=draw.device)
    counts = ((code == laws.POISSON) | (code == laws.NEGATIVE_BINOMIAL)) & torch.as_tensor(noise_scale <= 1.0)
    demand = torch.where((exact > 0.0) | counts, moved, torch.zeros_like(moved))
    return torch.where(code == laws.GIVEN, draw, torch.clamp(demand, min=0.0))


def _deviation(torch: Any, law: Any, mean: Any, spread: Any, power: Any) -> Any:
    """Return the standard deviation of the law at these means, up to a constant factor."""
    code = _code(torch, law, mean)
    size = torch.clamp(torch.as_tensor(spread, dtype=mean.dtype, device=mean.device), min=1e-300)
    positive = mean > 0.0
    above = torch.where(positive, mean, torch.ones_like(mean))  # a root at zero has no finite gradient
    deviation = torch.zeros_like(mean)
    deviation = torch.where(code == laws.POISSON, above**0.5, deviation)
    deviation = torch.where((code == laws.NORMAL) | (code == laws.UNIFORM), spread * above**power, deviation)
    deviation = torch.where(code == laws.NEGATIVE_BINOMIAL, (above + above**2 / size) ** 0.5, deviation)
    deviation = torch.where(code == laws.RESAMPLED, above, deviation)
    return torch.where(positive, deviation, torch.zeros_like(mean))


def _code(torch: Any, law: Any, mean: Any) -> Any:
    return torch.as_tensor(law, dtype=mean.dtype, device=mean.device).expand_as(mean)


def _own(torch: Any, own: Any, mean: Any) -> Any:
    """Return the standard deviation of an own law at these means, with its slope as the gradient."""
    at = mean.detach().cpu().numpy()
    step = 1e-3 * np.maximum(at, 1e-6)
    below, here, above = (torch.as_tensor(own.deviation(x), dtype=mean.dtype, device=mean.device)
                          for x in (at - step, at, at + step))  # fmt: skip
    slope = (above - below) / torch.as_tensor(2.0 * step, dtype=mean.dtype, device=mean.device)
    return here + slope * (mean - mean.detach())
