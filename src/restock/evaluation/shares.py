"""Intervals for shares, which stay within 0 and 1, and for gaps to a bound."""

from __future__ import annotations

import math

import numpy as np

from restock.core.problem import Array
from restock.evaluation.stats import LEVEL, Estimate, degrees_of, estimate, moments, t_quantile, without_rounding


def share_estimate(values: Array, block: int = 1, weights: Array | None = None) -> Estimate:
    """Return the mean of shares with a 95% interval within 0 and 1 (Wilson's, 1927, for means).

    With weights, it is the share of all together, sum(weights * shares) / sum(weights): where little is asked
    for, an episode without any demand would otherwise count as one that was served in full. Its standard
    error is that of a ratio of means (delta method).

    The mean m of shares has the spread of a proportion of n = m (1 - m) / s^2 yes-or-no answers, where
    s is its standard error; the interval is that of such a proportion, with a quantile of t. Where
    each value is 0 or 1 these are the values themselves, so 100 times 1 is 96% to 100%, not 100%.

    Args:
        values: Shares from 0 to 1, shape (B,); with any other value the interval is the usual one.
        block: At least the number of neighbours that share data.
        weights: What each is a share of, shape (B,); None: all alike.

    Example:
        >>> found = share_estimate(np.array([1.0] * 9 + [0.0]))
        >>> round(found.low, 2), round(found.high, 2)
        (0.54, 0.99)
    """
    values = np.asarray(values, dtype=np.float64)
    mean, error, degrees = moments(values, block)
    equal = weights is None or float(np.ptp(weights)) == 0.0
    if weights is not None and not equal:
        mean = float(weights @ values / weights.sum())
        error = moments(weights * (values - mean) / weights.mean(), block)[1]
    if math.isnan(error):
        return Estimate(mean, math.nan, math.nan)
    if not 0.0 <= values.min() <= values.max() <= 1.0:  # more was served than asked for: what was owed at the start
        return estimate(values, block) if equal else Estimate(mean, *_usual(mean, error, degrees))
    if equal and np.isin(values, (0.0, 1.0)).all() and (block <= 1 or error == 0.0):
        count = len(values) / max(block, 1)
    elif error <= 1e-12:
        return Estimate(mean, mean, mean)
    else:
        count = mean * (1.0 - mean) / error**2
    further = t_quantile(1.0 - LEVEL / 2.0, degrees) ** 2 / count
    centre = (mean + further / 2.0) / (1.0 + further)
    half = math.sqrt(further * (mean * (1.0 - mean) + further / 4.0)) / (1.0 + further)
    return Estimate(
        mean, 0.0 if mean == 0.0 else max(centre - half, 0.0), 1.0 if mean == 1.0 else min(centre + half, 1.0)
    )


def _usual(mean: float, error: float, degrees: int) -> tuple[float, float]:
    half = t_quantile(1.0 - LEVEL / 2.0, degrees) * error
    return mean - half, mean + half


def gap_estimate(profit: Array, limit: Array, block: int = 1, proven: bool = True) -> Estimate | None:
    """Return the gap to a bound as a share of it: (sum(bound) - sum(profit)) / |sum(bound)|.

    Where the bound is a gain, this is the part of it that is not earned; where it is a cost, because
    nothing can be earned, it is the cost above the least. The interval is that of a ratio of means
    (delta method). It does not reach below 0 where the bound is proven.

    Args:
        profit: Of each episode, shape (B,).
        limit: The bound of each episode, shape (B,).
        block: At least the number of neighbours that share data.
        proven: Whether nobody can earn more than the bound.

    Returns:
        None where the bound is (nearly) 0 on average.
    """
    scale = abs(float(limit.mean()))
    if not scale > 1e-9 * max(1.0, float(np.abs(limit).max()), float(np.abs(profit).max())):
        return None
    lacks = without_rounding(limit - profit, np.maximum(1.0, np.abs(limit)))
    gap = float(lacks.sum()) / abs(float(limit.sum()))
    ratio = float(profit.sum()) / float(limit.sum())
    strays = without_rounding(profit - ratio * limit, np.maximum(1.0, np.abs(limit)))
    _, error, degrees = moments(strays / scale, block)
    if math.isnan(error) or not math.isfinite(gap):
        return Estimate(gap, math.nan, math.nan)
    half = t_quantile(1.0 - LEVEL / 2.0, degrees) * error
    low = max(gap - half, 0.0) if proven and gap >= 0.0 else gap - half
    return Estimate(gap, low, gap + half)


def mean_of_ratios(ratios: list[float], parts: list[Array], capped: bool) -> Estimate:
    """Return the mean of several ratios, each of independent episodes, with a 95% interval.

    Args:
        ratios: One a problem.
        parts: How each episode of a problem strays from its ratio, relative to the mean of the bound.
        capped: Whether none of the ratios can be above 1.
    """
    mean = float(np.mean(ratios))
    found = [moments(part) for part in parts]
    errors = np.array([error for _, error, _ in found]) / len(ratios)
    if not np.isfinite(errors).all() or not math.isfinite(mean):
        return Estimate(mean, math.nan, math.nan)
    variance = float((errors**2).sum())
    if variance == 0.0:
        return Estimate(mean, mean, mean)
    # Degrees of freedom by Welch and Satterthwaite.
    degrees = variance**2 / sum(e**4 / degrees_of(len(p)) for e, p in zip(errors, parts, strict=True))
    half = t_quantile(1.0 - LEVEL / 2.0, float(degrees)) * math.sqrt(variance)
    return Estimate(mean, mean - half, min(mean + half, max(mean, 1.0)) if capped else mean + half)
