"""Poisson demand of many episodes in one compiled call, from NumPy's generators or from counter streams.

From a generator it takes the same bits as `Generator.poisson` and makes the same counts of them,
without the cost of a call for each row; should a NumPy ever count otherwise, `same_counts` finds out
and callers draw from the generator itself.
"""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core import backends, streams
from restock.demand import laws

Array = NDArray[np.float64]

MOST_TABLES = 512  # distinct means with a look-up table of their own; counts of others are searched for
GUIDES = 128  # places where the search in a table begins

GOLDEN, MIX_1, MIX_2, EPISODE, TO_UNIT = streams.GOLDEN, streams.MIX_1, streams.MIX_2, streams.EPISODE, streams.TO_UNIT
BY_30, BY_27, BY_31, BY_12 = (np.uint64(by) for by in (30, 27, 31, 12))


def transformed_rejection(bits, mean, b, a, inverse_alpha, v_r, probabilities):  # type: ignore[no-untyped-def]
    """Return one count of a mean of at least 10: Hormann's PTRS (1993), using random numbers in NumPy's order.

    `probabilities` are those of the counts 0, 1, ... as far as they are known; beyond, logarithms decide.
    """
    while True:
        u = random_double(bits) - 0.5  # type: ignore[name-defined]  # noqa: F821
        v = random_double(bits)  # type: ignore[name-defined]  # noqa: F821
        us = 0.5 - abs(u)
        k = math.floor((2.0 * a / us + b) * u + mean + 0.43)
        if us >= 0.07 and v <= v_r:
            return float(k)
        if k < 0 or (us < 0.013 and v > us):
            continue
        if k < len(probabilities):
            if v * inverse_alpha <= probabilities[k] * (a / (us * us) + b):
                return float(k)
            continue
        accepted = -mean + k * math.log(mean) - math.lgamma(k + 1.0)
        if math.log(v) + math.log(inverse_alpha) - math.log(a / (us * us) + b) <= accepted:
            return float(k)


def product_count(bits, least):  # type: ignore[no-untyped-def]
    """Return one count of a small mean: how many random numbers multiply down to exp(-mean)."""
    count = 0.0
    product = random_double(bits)  # type: ignore[name-defined]  # noqa: F821
    while product > least:
        count = count + 1.0
        product = product * random_double(bits)  # type: ignore[name-defined]  # noqa: F821
    return count


def scaled(count, mean, noise_scale):  # type: ignore[no-untyped-def]
    """Return the demand as far from the mean as the noise scale says; the count itself at a noise scale of 1."""
    if noise_scale == 1.0:
        return count
    demand = mean + noise_scale * (count - mean)
    return demand if demand > 0.0 else 0.0


def draw_counts(bits, mean, table, probabilities, noise_scale, draws):  # type: ignore[no-untyped-def]
    """Fill draws (R, K) from one bit generator a row.

    The means have shape (K,); `table` has the row of each in `probabilities`, -1 for none.
    """
    for r in range(len(bits)):
        last = -1.0
        for k in range(len(mean)):
            if mean[k] != last:
                last = mean[k]
                b = 0.931 + 2.53 * math.sqrt(last)
                a = -0.059 + 0.02483 * b
                inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
                v_r = 0.9277 - 3.6224 / (b - 2.0)
                least = math.exp(-last)
                n = table[k]
                known = cut(probabilities[max(n, 0)], 0, probabilities.shape[1] if n >= 0 else 0)  # type: ignore[name-defined]  # noqa: F821
            if last >= 10.0:
                count = transformed_rejection(bits[r], last, b, a, inverse_alpha, v_r, known)
            elif last == 0.0:
                count = 0.0
            else:
                count = product_count(bits[r], least)
            draws[r, k] = scaled(count, last, noise_scale)


def read_counts(keys, episodes, mean, table, edges, guides, noise_scale, draws):  # type: ignore[no-untyped-def]
    """Fill draws (R, K) with quantiles at the numbers of counter streams (see `streams.uniforms`).

    `table` has the number of each mean's look-up table, -1 for none; table n of `edges` holds the
    cumulative probabilities and an infinity, and of `guides` the count at which the search begins.
    """
    for r in range(len(keys)):
        counter = keys[r] + episodes[r] * EPISODE
        for k in range(len(mean)):
            counter = counter + GOLDEN
            z = (counter ^ (counter >> BY_30)) * MIX_1
            z = (z ^ (z >> BY_27)) * MIX_2
            u = ((z ^ (z >> BY_31)) >> BY_12) * TO_UNIT + 0.5 * TO_UNIT
            n = table[k]
            if n < 0:
                count = poisson_quantile(u, mean[k])  # type: ignore[name-defined]  # noqa: F821
            else:
                at = guides[n, int(u * GUIDES)]
                while edges[n, at] < u:
                    at = at + 1
                count = float(at)
            draws[r, k] = scaled(count, mean[k], noise_scale)


ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "draw_counts": ((np.int64, 1), (np.float64, 1), (np.int64, 1), (np.float64, 2), float, (np.float64, 2)),
    "read_counts": (
        *((np.uint64, 1), (np.uint64, 1), (np.float64, 1)),
        *((np.int64, 1), (np.float64, 2), (np.int64, 2), float, (np.float64, 2)),
    ),
}


@cache
def _compiled() -> SimpleNamespace:
    texts = (laws.count_search, laws.poisson_quantile, transformed_rejection, product_count, scaled)
    return backends.compile_texts(texts, (draw_counts, read_counts), "counts")


@cache
def _entry(name: str) -> Callable[..., Any]:
    return backends.entry(getattr(_compiled(), name), *ARGUMENTS[name])


@cache
def same_counts() -> bool:
    """Return whether this NumPy makes the same counts from the same bits."""
    mean = np.array([0.0, 0.1, 3.0, 9.99, 10.0, 20.0, 55.5, 1000.0, 1e7]).repeat(40)
    theirs, ours = streams.generator(20), streams.generator(20)
    draws = np.empty((1, len(mean)))
    Counts(mean[:, None], 1.0).draw(np.array([streams.bits_of(ours)]), draws)
    return bool((draws[0] == theirs.poisson(mean)).all() and theirs.random() == ours.random())


class Counts:
    """Poisson demand around fixed means.

    Args:
        mean: Shape (T, M).
        noise_scale: Demand is mean + noise_scale * (count - mean), at least 0.
    """

    def __init__(self, mean: Array, noise_scale: float) -> None:
        self._mean = np.ascontiguousarray(mean.ravel())
        self._noise_scale = float(noise_scale)
        self._known: tuple[Any, ...] = ()
        self._look_up: tuple[Any, ...] = ()

    def draw(self, bits: NDArray[np.int64], draws: Array) -> None:
        """Draw demand of shape (R, T * M), one row from each of R generators (see `restock.core.streams.bits_of`)."""
        if not self._known:
            self._known = _probabilities(self._mean)
        _entry("draw_counts")(bits, self._mean, *self._known, self._noise_scale, draws)

    def read(self, keys: NDArray[np.uint64], episodes: NDArray[np.uint64], draws: Array) -> None:
        """Return demand of shape (R, T * M) at the numbers of these episodes of counter streams."""
        if not self._look_up:
            self._look_up = _cumulative(self._mean)
        _entry("read_counts")(keys, episodes, self._mean, *self._look_up, self._noise_scale, draws)


def cumulative(mean: float) -> Array:
    """Return P(Poisson(mean) <= k) for k = 0, 1, ..., summed as `laws.poisson_quantile` sums it.

    A look-up in this table and that search therefore give the same count for every u.
    """
    probability = math.exp(-mean)
    edges = [probability]
    k = 0.0
    while edges[-1] < 1.0 - 2.0**-53 and (k < mean or probability > laws.LEAST_WEIGHT):
        k = k + 1.0
        probability = probability * mean / k
        edges.append(edges[-1] + probability)
    edges[-1] = 1.0  # where the search ends whatever rounding left
    return np.array(edges)


def _tables(mean: Array) -> tuple[Array, NDArray[np.int64]]:
    """Return the distinct means that get a table of their own, and the table of each mean, -1 for none."""
    distinct, table = np.unique(mean, return_inverse=True)
    if len(distinct) > MOST_TABLES or distinct.max(initial=0.0) > laws.LARGE_MEAN:
        return np.empty(0), np.full(len(mean), -1)
    return distinct, table.astype(np.int64).ravel()


def _probabilities(mean: Array) -> tuple[NDArray[np.int64], Array]:
    """Return the table of each mean, and the tables: probabilities of the counts, as far as counts go."""
    distinct, table = _tables(mean)
    most = distinct.max(initial=0.0)
    counts = np.arange(int(most + 12.0 * math.sqrt(most) + 20.0))
    logarithms = np.array([math.lgamma(k + 1.0) for k in counts])
    rows = [np.exp(counts * math.log(one) - one - logarithms) if one > 0.0 else 0.0 * counts for one in distinct]
    return table, np.stack(rows) if rows else np.empty((1, 0))


def _cumulative(mean: Array) -> tuple[NDArray[np.int64], Array, NDArray[np.int64]]:
    """Return the table of each mean, and the tables: cumulative probabilities, and where a search begins."""
    distinct, table = _tables(mean)
    if not len(distinct):
        return table, np.full((1, 1), np.inf), np.zeros((1, GUIDES), dtype=np.int64)
    rows = [cumulative(float(one)) for one in distinct]
    edges = np.full((len(rows), max(map(len, rows)) + 1), np.inf)
    for row, values in zip(edges, rows, strict=True):
        row[: len(values)] = values
    begins = [np.searchsorted(row, np.arange(GUIDES) / GUIDES) for row in edges]
    return table, edges, np.array(begins, dtype=np.int64)
