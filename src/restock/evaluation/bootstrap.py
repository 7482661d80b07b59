"""Aggregates over many scenarios, with intervals from resampled seeds.

Interquartile mean and probability of improvement follow Agarwal, Schwarzer, Castro, Courville and
Bellemare (2021), Deep Reinforcement Learning at the Edge of the Statistical Precipice, with two
differences. There, runs are independent of each other; here every scenario is met with the same
seeds, and good luck in one is good luck in others (the correlation of ratios to the bound between
scenarios of one seed is .2 to .3 for blind policies). So a resample draws seeds, and takes what
they gave in all scenarios; resampling each scenario by itself would give intervals half as wide as
they should be. And policies meet the same episodes, so improvement is counted episode by episode.

Quantiles are taken further out than 2.5%, as a t interval would be with so few seeds (Hesterberg
2015, What Teachers Should Know About the Bootstrap, section 4.2).
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from restock.core import streams
from restock.core.problem import Array
from restock.evaluation.stats import LEVEL, Estimate, t_quantile, without_rounding

RESAMPLES = 4000
FEWEST = 5  # seeds: with less, resampling says nothing


def resamples(seeds: int, count: int = RESAMPLES) -> NDArray[np.int64]:
    """Return the seeds drawn with replacement, shape (count, seeds); the same in every call.

    Args:
        seeds: How many there are [R].
        count: How many resamples.
    """
    return streams.generator(0, "bootstrap").integers(seeds, size=(count, seeds))


def mean_ratio(profit: Array, bound: Array, drawn: NDArray[np.int64]) -> Estimate:
    """Return the mean over scenarios of sum(profit) / sum(bound), both over seeds.

    Args:
        profit: Of each episode, shape (S, R): scenarios, seeds.
        bound: Likewise.
        drawn: Resamples of the seeds, shape (n, R).
    """
    value = float((profit.sum(axis=1) / bound.sum(axis=1)).mean())
    found = (profit[:, drawn].sum(axis=2) / bound[:, drawn].sum(axis=2)).mean(axis=0)
    return _estimate(value, found, profit.shape[1])


def interquartile_mean(ratios: Array, drawn: NDArray[np.int64]) -> Estimate:
    """Return the mean of the middle half of all episodes of all scenarios.

    Args:
        ratios: Of each episode, shape (S, R).
        drawn: Resamples of the seeds, shape (n, R).
    """
    found = _middle(np.moveaxis(ratios[:, drawn], 1, 0).reshape(len(drawn), -1))
    return _estimate(float(_middle(ratios.reshape(1, -1))[0]), found, ratios.shape[1])


def improvement(first: Array, second: Array, drawn: NDArray[np.int64]) -> Estimate:
    """Return the probability that the first earns more than the second in an episode of a scenario; ties count half.

    Args:
        first: Of each episode, shape (S, R).
        second: Likewise, in the same episodes.
        drawn: Resamples of the seeds, shape (n, R).
    """
    apart = differences(first, second)
    ahead = (0.5 * (np.sign(apart) + 1.0)).mean(axis=0)
    return _estimate(float(ahead.mean()), ahead[drawn].mean(axis=1), apart.shape[1])


def differences(first: Array, second: Array) -> Array:
    """Return the first minus the second, with 0 for differences due to rounding."""
    return without_rounding(first - second, np.maximum(np.abs(first), np.abs(second)))


def _middle(values: Array) -> Array:
    """Return the mean of each row without a quarter of the values at either end."""
    cut = values.shape[1] // 4
    ordered = np.sort(values, axis=1)
    middle: Array = ordered[:, cut : values.shape[1] - cut].mean(axis=1)
    return middle


def _estimate(value: float, found: Array, seeds: int) -> Estimate:
    if seeds < FEWEST or not np.isfinite(found).all():
        return Estimate(value, math.nan, math.nan)
    further = math.sqrt(seeds / (seeds - 1.0)) * t_quantile(1.0 - LEVEL / 2.0, seeds - 1)
    tail = NormalDist().cdf(-further)
    low, high = np.quantile(found, [tail, 1.0 - tail])
    return Estimate(value, float(low), float(high))
