"""Simultaneous comparisons: one level of error for all p-values and intervals.

Whoever picks the best of K policies by the sample has looked at all K (K - 1) / 2 differences, so the
error rate must hold over all of them. The largest |t| of these pairs (max-T, single step) is held
against its distribution where it is largest: K policies that are equally good, normal, equally
variable and uncorrelated, each pair studentised by its own differences, as paired t statistics are.
That is Tukey's studentised range, but for paired samples. Correlated or unequally variable policies
have a smaller largest |t|, so what is called clear is called so too rarely then, never too often.
The distribution depends on K and the degrees of freedom alone. It is simulated once, from a named
stream, and kept.

Where the reference is named before anything is seen, only K - 1 differences are looked at, and
Sidak's (1967) inequality gives the level of each in closed form.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np

from restock.core import streams
from restock.core.problem import Array
from restock.evaluation.stats import LEVEL, Estimate, moments, t_probability, t_quantile

DRAWS = {10: 49_999, 40: 9_999, math.inf: 1_999}  # simulated studies of up to so many policies; more take longer each
AT_ONCE = 1_000
NORMAL_FROM = 1_000  # degrees of freedom, beyond which a standard deviation counts as known


@dataclasses.dataclass(frozen=True)
class Family:
    """Paired differences judged together, at 5% for all.

    Attributes:
        policies: How many policies there are [K].
        degrees: Of freedom of each difference.
        named: Whether the reference was named beforehand: K - 1 differences to it instead of all pairs.

    Example:
        >>> Family(policies=2, degrees=9).critical == t_quantile(0.975, 9)  # a single pair: the paired t test
        True
        >>> Family(5, 9, named=True).critical < Family(5, 9).critical
        True
    """

    policies: int
    degrees: int
    named: bool = False

    @property
    def size(self) -> int:
        """The number of differences."""
        return self.policies - 1 if self.named else self.policies * (self.policies - 1) // 2

    @property
    def critical(self) -> float:
        """The |t| beyond which a difference is significant."""
        if self.size <= 1:
            return t_quantile(1.0 - LEVEL / 2.0, self.degrees)
        if self.named:
            return t_quantile(1.0 - self.level / 2.0, self.degrees)
        largest = _largest(self.policies, self.degrees)
        rank = math.ceil(LEVEL * (len(largest) + 1)) - 1  # so that p is below the level just beyond it
        return float(min(largest[-rank], t_quantile(1.0 - LEVEL / self.size / 2.0, self.degrees)))

    @property
    def level(self) -> float:
        """The corresponding level of a single two-sided t test."""
        if self.size <= 1:
            return LEVEL
        if self.named:
            return -math.expm1(math.log1p(-LEVEL) / self.size)
        return 2.0 * t_probability(-self.critical, self.degrees)

    def level_at(self, degrees: int) -> float:
        """Return the approximate level at other degrees of freedom, between this one and that of infinitely many."""
        if self.named or self.size <= 1:
            return self.level
        endless = Family(self.policies, NORMAL_FROM).level
        return endless + (self.level - endless) * min(self.degrees / degrees, 1.0)

    def p(self, statistic: float) -> float:
        """Return the probability of so large a |t| anywhere in the family if there are no differences at all.

        Args:
            statistic: A t statistic; NaN stays NaN.
        """
        if math.isnan(statistic):
            return math.nan
        alone = 2.0 * t_probability(-abs(statistic), self.degrees)
        if self.size <= 1:
            return alone
        if self.named:
            return -math.expm1(self.size * math.log1p(-alone)) if alone < 1.0 else 1.0
        largest = _largest(self.policies, self.degrees)
        beyond = len(largest) - int(np.searchsorted(largest, abs(statistic)))
        return min((1 + beyond) / (len(largest) + 1), self.size * alone)  # Bonferroni, where simulation ends

    def judge(self, differences: Array, block: int = 1) -> tuple[Estimate, float]:
        """Return the mean difference with its simultaneous 95% interval, and its adjusted p-value.

        The p-value is below 5% where the interval excludes zero; NaN as the interval with one episode only.

        Args:
            differences: Paired, shape (B,).
            block: At least the number of neighbours that share data.
        """
        mean, error, _ = moments(differences, block)
        if math.isnan(error):
            return Estimate(mean, math.nan, math.nan), math.nan
        half = self.critical * error
        if error == 0.0:
            return Estimate(mean, mean, mean), 1.0 if mean == 0.0 else 0.0
        return Estimate(mean, mean - half, mean + half), self.p(mean / error)


@functools.lru_cache(maxsize=64)
def _largest(policies: int, degrees: int) -> Array:
    """Return the largest |t| of all pairs of equal policies in each simulated study, ascending."""
    numbers = streams.generator(0, "max-T")
    first, second = np.triu_indices(policies, 1)
    found: list[Array] = []
    draws = next(count for most, count in DRAWS.items() if policies <= most)
    for begin in range(0, draws, AT_ONCE):
        count = min(AT_ONCE, draws - begin)
        means = numbers.standard_normal((count, policies))
        apart = np.abs(means[:, first] - means[:, second])
        if degrees >= NORMAL_FROM:
            found.append(apart.max(axis=1) / math.sqrt(2.0))
            continue
        spread = _products(numbers, count, policies, degrees)
        own = np.diagonal(spread, axis1=1, axis2=2)
        variance = own[:, first] + own[:, second] - 2.0 * spread[:, first, second]
        found.append(np.sqrt((apart**2 / variance).max(axis=1) * degrees))
    return np.sort(np.concatenate(found))


def _products(numbers: np.random.Generator, count: int, policies: int, degrees: int) -> Array:
    """Return the sums of products of normal samples about their means (Wishart), shape (count, policies, policies)."""
    if degrees < policies:
        factor = numbers.standard_normal((count, policies, degrees))
    else:  # Bartlett's decomposition
        factor = np.tril(numbers.standard_normal((count, policies, policies)), -1)
        place = np.arange(policies)
        factor[:, place, place] = np.sqrt(numbers.chisquare(degrees - place, (count, policies)))
    products: Array = factor @ factor.transpose(0, 2, 1)
    return products
