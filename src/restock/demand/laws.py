"""Quantile functions: demand from its mean and one random number, scalar and compilable.

`demand_of` is what the text of dynamics calls. Law GIVEN takes the number as the demand itself, law
RESAMPLED as a multiple of the mean, the others take a uniform number in (0, 1) and return the demand
at that quantile. So two policies stay on the same random numbers even when their goodwill, and with
it their mean, differs. Law OWN is a function of the user's (see `restock.demand.compiled_distribution`):
texts that are compiled with it have it in place of `own_quantile`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

GIVEN, POISSON, NORMAL, UNIFORM, NEGATIVE_BINOMIAL, DETERMINISTIC, RESAMPLED, OWN = range(8)

LARGE_MEAN = 500.0  # above it a Poisson search starts at the mode, not at zero
LEAST_WEIGHT = 1e-20  # of a probability beside the whole: beyond it a tail adds nothing to a double
NEVER = 40.0  # deviations: nothing is ever drawn so far away
FAR_FROM_ZERO = 4.0  # deviations: a normal demand cut at 0 from there moves its mean by less than 1e-5 of the deviation


def poisson_quantile(u: float, mean: float) -> float:
    """Return the smallest k with P(Poisson(mean) <= k) >= u, searched from 0, or around a large mean."""
    if mean <= 0.0:
        return 0.0
    if mean > LARGE_MEAN:
        return count_search(u, mean, 0.0)
    probability = math.exp(-mean)
    total = probability
    k = 0.0
    while total < u and (k < mean or probability > LEAST_WEIGHT):
        k = k + 1.0
        probability = probability * mean / k
        total = total + probability
    return k


def count_search(u: float, mean: float, size: float) -> float:
    """Return the quantile of a count whose probability of 0 is too small for a search from there.

    Poisson for size 0, else negative binomial with that dispersion. Probabilities are taken
    relative to the one at the mode, so nothing underflows and nothing has to be normalised
    beforehand; each tail is summed from its end, so small and large quantiles are exact too.
    """
    mode = float(math.floor(mean if size == 0.0 else mean - mean / size))
    ratio = 0.0 if size == 0.0 else mean / (mean + size)
    weight = 1.0
    low = 0.0
    k = mode
    while k > 0.0 and weight > LEAST_WEIGHT:
        weight = weight * (k / mean if size == 0.0 else k / ((k - 1.0 + size) * ratio))
        low = low + weight
        k = k - 1.0
    bottom = k
    bottom_weight = weight
    weight = 1.0
    high = 0.0
    k = mode
    while weight > LEAST_WEIGHT:
        k = k + 1.0
        weight = weight * (mean / k if size == 0.0 else (k - 1.0 + size) * ratio / k)
        high = high + weight
    everything = low + 1.0 + high
    if u * everything > low + 1.0:
        left = (1.0 - u) * everything  # of the upper tail may stay above the quantile
        tail = weight
        while tail <= left:
            weight = weight * (k / mean if size == 0.0 else k / ((k - 1.0 + size) * ratio))
            tail = tail + weight
            k = k - 1.0
        return k
    k = bottom
    weight = bottom_weight
    total = weight
    while total < u * everything and k < mode:
        k = k + 1.0
        weight = weight * (mean / k if size == 0.0 else (k - 1.0 + size) * ratio / k)
        total = total + weight
    return k


def normal_quantile(u: float) -> float:
    """Return the standard normal quantile: Wichura's algorithm AS 241, accurate to about 1e-16."""
    q = u - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        top = (((((((2.5090809287301226727e3 * r + 3.3430575583588128105e4) * r + 6.7265770927008700853e4) * r
                   + 4.5921953931549871457e4) * r + 1.3731693765509461125e4) * r + 1.9715909503065514427e3) * r
                + 1.3314166789178437745e2) * r + 3.3871328727963666080e0)  # fmt: skip
        low = (((((((5.2264952788528545610e3 * r + 2.8729085735721942674e4) * r + 3.9307895800092710610e4) * r
                   + 2.1213794301586595867e4) * r + 5.3941960214247511077e3) * r + 6.8718700749205790830e2) * r
                + 4.2313330701600911252e1) * r + 1.0)  # fmt: skip
        return q * top / low
    r = math.sqrt(-math.log(u if q < 0.0 else 1.0 - u))
    if r <= 5.0:
        r = r - 1.6
        top = (((((((7.74545014278341407640e-4 * r + 2.27238449892691845833e-2) * r + 2.41780725177450611770e-1) * r
                   + 1.27045825245236838258e0) * r + 3.64784832476320460504e0) * r + 5.76949722146069140550e0) * r
                + 4.63033784615654529590e0) * r + 1.42343711074968357734e0)  # fmt: skip
        low = (((((((1.05075007164441684324e-9 * r + 5.47593808499534494600e-4) * r + 1.51986665636164571966e-2) * r
                   + 1.48103976427480074590e-1) * r + 6.89767334985100004550e-1) * r + 1.67638483018380384940e0) * r
                + 2.05319162663775882187e0) * r + 1.0)  # fmt: skip
    else:
        r = r - 5.0
        top = (((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 1.24266094738807843860e-3) * r
                   + 2.65321895265761230930e-2) * r + 2.96560571828504891230e-1) * r + 1.78482653991729133580e0) * r
                + 5.46378491116411436990e0) * r + 6.65790464350110377720e0)  # fmt: skip
        low = (((((((2.04426310338993978564e-15 * r + 1.42151175831644588870e-7) * r + 1.84631831751005468180e-5) * r
                   + 7.86869131145613259100e-4) * r + 1.48753612908506148525e-2) * r + 1.36929880922735805310e-1) * r
                + 5.99832206555887937690e-1) * r + 1.0)  # fmt: skip
    return -top / low if q < 0.0 else top / low


def normal_location(mean: float, deviation: float) -> float:
    """Return the mean of the normal that has the mean `mean` once it is cut at 0; far below 0 for a mean of 0.

    E[max(0, X)] = a Phi(a / sd) + sd phi(a / sd) for X ~ N(a, sd), which rises in a: Newton's method.
    """
    if mean <= 0.0:
        return -NEVER * deviation
    if mean >= FAR_FROM_ZERO * deviation:
        return mean
    target = mean / deviation
    a = target
    for _ in range(60):
        below = 0.5 * math.erfc(a / math.sqrt(2.0))
        excess = a * (1.0 - below) + math.exp(-0.5 * a * a) / math.sqrt(2.0 * math.pi) - target
        if abs(excess) <= 1e-14 * target:
            break
        a = a - excess / max(1.0 - below, 1e-12)
    return a * deviation


def negative_binomial_quantile(u: float, mean: float, size: float) -> float:
    """Return the smallest k with P(X <= k) >= u for mean `mean` and variance mean + mean**2 / size."""
    if mean <= 0.0:
        return 0.0
    probability = math.exp(-size * math.log1p(mean / size))
    if probability < 1e-290:
        return count_search(u, mean, size)
    ratio = mean / (mean + size)
    total = probability
    k = 0.0
    while total < u and (k < mean or probability > LEAST_WEIGHT):
        probability = probability * (k + size) * ratio / (k + 1.0)
        total = total + probability
        k = k + 1.0
    return k


def own_quantile(u: float, mean: float, spread: float, power: float) -> float:
    """Return the demand of an own law; there is none where nobody brought one."""
    return mean


def demand_of(law: float, mean: float, spread: float, power: float, noise_scale: float, draw: float) -> float:
    """Return the demand of one market in one period.

    Args:
        law: Code of the distribution; GIVEN returns `draw`.
        mean: Mean demand [mu] (units/period), goodwill included.
        spread: Standard deviation (normal) or half-width (uniform) at mean 1; dispersion (negative binomial).
        power: The spread grows as mean ** power.
        noise_scale: Demand is mean + noise_scale * (sampled - mean), at least 0.
        draw: The demand itself (GIVEN), a multiple of the mean (RESAMPLED) or a uniform number in (0, 1).
    """
    if law == GIVEN:
        return draw
    shift = 0.0
    if law == POISSON:
        sampled = poisson_quantile(draw, mean)
    elif law == NORMAL:
        deviation = spread * mean**power
        sampled = mean + deviation * normal_quantile(draw)
        shift = normal_location(mean, noise_scale * deviation) - mean
    elif law == RESAMPLED:
        sampled = mean * draw
    elif law == UNIFORM:
        sampled = mean + spread * mean**power * (2.0 * draw - 1.0)
    elif law == NEGATIVE_BINOMIAL:
        sampled = negative_binomial_quantile(draw, mean, spread)
    elif law == OWN:
        sampled = own_quantile(draw, mean, spread, power)
    else:
        sampled = mean
    demand = mean + noise_scale * (sampled - mean) + shift
    return demand if demand > 0.0 else 0.0


LAWS: tuple[Callable[..., Any], ...] = (
    count_search, poisson_quantile, normal_quantile, normal_location, negative_binomial_quantile, own_quantile,
    demand_of,
)  # fmt: skip


@cache
def own_law(function: Callable[..., float]) -> Callable[..., float]:
    """Return a function of the user's, compiled by numba where it is not yet."""
    import numba

    compiled: Callable[..., float] = function if hasattr(function, "py_func") else numba.njit(function)
    return compiled


@cache
def laws_with(function: Callable[..., float] | None) -> tuple[Callable[..., Any], ...]:
    """Return `LAWS` with a function of the user's as the law OWN."""
    if function is None:
        return LAWS
    *others, _, last = LAWS

    def own_quantile(u: float, mean: float, spread: float, power: float) -> float:
        return the_law(u, mean, spread, power)  # type: ignore[name-defined,no-any-return]  # noqa: F821

    brought = FunctionType(own_quantile.__code__, {**globals(), "the_law": own_law(function)}, "own_quantile")
    names = {**last.__globals__, "own_quantile": brought}
    return (*others, brought, FunctionType(last.__code__, names, last.__name__))
