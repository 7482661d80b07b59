"""How often a comparison of equal policies calls a difference clear: all pairs by max-T, beside what was usual.

Every study draws K policies with the same mean, N episodes that all of them meet. It errs where any
p-value is below 5%, and where any interval of a difference to the best leaves out 0. What was usual:
paired t tests of all policies against the best of the sample, corrected by Holm, with intervals that
stand for themselves.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from benchmarks.timing import Row
from restock.core.problem import Array
from restock.evaluation.family import Family
from restock.evaluation.stats import LEVEL, degrees_of, t_quantile

POLICIES = (2, 5, 10, 20)
STUDIES, SMALL_BATCH = 10_000, 500
WINDOW, SHORT, LONG = 10, 30, 300

Drawn = Callable[[np.random.Generator, int, int, int], Array]  # (generator, studies, episodes, policies) -> profits


def _windows(numbers: np.random.Generator, studies: int, episodes: int, policies: int) -> Array:
    """Means over windows of `WINDOW` periods that each begin one period after the last."""
    series = numbers.standard_normal((studies, episodes + WINDOW, policies)).cumsum(axis=1)
    return series[:, WINDOW:] - series[:, :-WINDOW]


def _correlated(numbers: np.random.Generator, studies: int, episodes: int, policies: int) -> Array:
    """Much luck that all share, some that neighbours share, and spreads that differ tenfold."""
    own = numbers.standard_normal((studies, episodes, policies))
    return 3.0 * numbers.standard_normal((studies, episodes, 1)) + (own + np.roll(own, 1, axis=2)) * np.geomspace(
        0.3, 3.0, policies
    )


KINDS: dict[str, Drawn] = {
    "normal": lambda numbers, *shape: numbers.standard_normal(shape),
    "skewed (exponential)": lambda numbers, *shape: numbers.exponential(size=shape),
    "skewed (lognormal)": lambda numbers, *shape: np.exp(1.5 * numbers.standard_normal(shape)),
    "correlated": _correlated,
    "overlapping windows": _windows,
}


@dataclasses.dataclass(frozen=True)
class Rates:
    """Shares of studies that err.

    Attributes:
        new: Any adjusted p below 5%, which is any joint interval of all pairs without 0.
        holm: Any p below 5%, Holm against the best of the sample.
        intervals: Any interval without 0 of a difference to the best of the sample, each at 95% by itself.
        single: A single pair, named beforehand: what the t interval itself holds.
    """

    new: float
    holm: float
    intervals: float
    single: float


def rates(kind: str, policies: int, studies: int = STUDIES, seed: int = 0) -> Rates:
    """Error rates over simulated studies of equal policies.

    Args:
        kind: One of `KINDS`.
        policies: How many [K].
        studies: How many to simulate.
        seed: Of the simulation.
    """
    block = WINDOW if kind == "overlapping windows" else 1
    episodes = LONG if block > 1 else SHORT
    numbers = np.random.default_rng([seed, policies])
    degrees = degrees_of(episodes, block)
    limit, alone = Family(policies, degrees).critical, t_quantile(1.0 - LEVEL / 2.0, degrees)
    holm = t_quantile(1.0 - LEVEL / (policies - 1) / 2.0, degrees)
    found = np.zeros(4)
    for _ in range(0, studies, SMALL_BATCH):
        profit = KINDS[kind](numbers, SMALL_BATCH, episodes, policies)
        statistic = statistics(profit, block)
        largest = statistic.max(axis=(1, 2))
        best = profit.mean(axis=1).argmax(axis=1)
        beside = statistic[np.arange(SMALL_BATCH), best].max(axis=1)
        single = statistic[:, 0, 1]
        found += [(largest > limit).sum(), (beside > holm).sum(), (beside > alone).sum(), (single > alone).sum()]
    return Rates(*(found / (SMALL_BATCH * math.ceil(studies / SMALL_BATCH))).tolist())


def statistics(profit: Array, block: int = 1) -> Array:
    """|t| of every pair of policies, as `restock.evaluation.stats.moments` has it; shape (studies, K, K).

    Args:
        profit: Shape (studies, episodes, K).
        block: Neighbouring episodes that share data.
    """
    count = profit.shape[1]
    degrees = degrees_of(count, block)
    if block > 1:
        waves = np.cos(np.pi * np.outer(np.arange(1, degrees + 1), np.arange(count) + 0.5) / count)
        parts = waves @ profit * math.sqrt(2.0 / count)
    else:
        parts = profit - profit.mean(axis=1, keepdims=True)
    products = parts.transpose(0, 2, 1) @ parts / degrees
    own = np.diagonal(products, axis1=1, axis2=2)
    variance = own[:, :, None] + own[:, None, :] - 2.0 * products
    means = profit.mean(axis=1)
    apart = np.abs(means[:, :, None] - means[:, None, :])
    found: Array = np.where(apart > 0.0, apart / np.sqrt(np.maximum(variance, 1e-300) / count), 0.0)
    return found


def measure() -> list[Row]:
    """Every kind of values, with few and many policies."""
    rows = []
    for kind in KINDS:
        for policies in POLICIES:
            found = rates(kind, policies)
            told = f"Holm; its intervals {found.intervals:.1%}, one pair by itself {found.single:.1%}"
            what = f"{policies} equal policies, {kind}: any false alarm"
            rows.append(Row(what, found.new, found.holm, target="<= 5%", limit=f"peer: {told}", unit="share"))
    return rows
