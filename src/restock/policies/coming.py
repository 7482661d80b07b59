"""The distribution of the demand that a level has to cover, node by node.

    D_j(t) = sum over m of g_jm (demand of market m in the window of the pair)

Its quantiles are exact where the law adds up: Poisson and negative binomial counts (whole numbers), the
normal, a single period of any law, and the sums of a resampled series. Elsewhere a normal distribution
of the same mean and variance stands for it, or, where that would often be negative, a gamma distribution.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from restock.core.problem import Array
from restock.demand import laws
from restock.demand.empirical import Empirical
from restock.demand.rowwise import numpy_demand
from restock.policies.plan import Window
from restock.policies.ratios import quantiles
from restock.problems.network import NetworkProblem


class Coming:
    """The demand that levels have to cover.

    Args:
        problem: The network.
        usage: Stock used up at each node for each unit sold on each market [g], shape (N, M).
        weights: The same way by way, shape (P,).
        window: Which demand it is.

    Attributes:
        mean: Shape (T, N) (units).
        variance: Shape (T, N); of a resampled series, with what neighbouring periods have in common.
        periods: How many periods before the horizon are covered, the mean over a node's ways, shape (T, N).
    """

    def __init__(self, problem: NetworkProblem, usage: Array, weights: Array, window: Window) -> None:
        self._demand: Any = problem.demand
        self._usage = usage
        ways = window.ways
        self.mean: Array = ways.by_node(window.mean * weights)
        self.periods: Array = ways.average(window.periods, weights)
        self._mixed = ways.mixed
        # Ways to one market carry the same customers' demand, so what it strays by adds up; markets are independent.
        strays = np.add.reduceat(np.sqrt(window.variance) * weights, ways.pair_begins, axis=1)
        nodes = np.searchsorted(ways.pair_node, np.arange(len(usage)))
        self.variance: Array = np.add.reduceat(strays**2, nodes, axis=1)
        if isinstance(self._demand.distribution, Empirical):
            self.variance = self._resampled_variance()

    def quantile(self, ratios: Array) -> Array:
        """Return the demand that is not exceeded with these probabilities, shape (T, N) (units).

        Args:
            ratios: In (0, 1), of shape (N,) or (T, N).
        """
        wanted = np.broadcast_to(ratios, self.mean.shape)
        distribution = self._demand.distribution
        if isinstance(distribution, Empirical):
            return self._resampled(wanted)
        found = self._continuous(wanted)
        if distribution.law in (laws.POISSON, laws.NEGATIVE_BINOMIAL) and self._demand.noise_scale == 1.0:
            return self._counts(wanted, found)
        return self._single_period(wanted, found)

    def _continuous(self, ratios: Array) -> Array:
        """Return quantiles of the normal, or of a gamma distribution for demand too variable for it."""
        deviation = np.sqrt(self.variance)
        z = quantiles(ratios)
        normal = self.mean + z * deviation
        # Wilson and Hilferty (1931): the cube root of a gamma variable is nearly normal.
        relative = np.divide(deviation, self.mean, out=np.zeros_like(deviation), where=self.mean > 0.0)
        part = relative**2 / 9.0
        gamma = self.mean * np.maximum(1.0 - part + z * np.sqrt(part), 0.0) ** 3
        skewed = (relative * laws.FAR_FROM_ZERO > 1.0) & (self._demand.distribution.law != laws.UNIFORM)
        return np.asarray(np.where(skewed, gamma, np.maximum(normal, 0.0)))

    def _shares(self) -> tuple[Array, Array]:
        """Return the stock used per unit of demand, NaN if a node's markets differ in it, and their number; (N,)."""
        used = self._usage > 0.0
        least, most = np.where(used, self._usage, np.inf).min(axis=1), self._usage.max(axis=1)
        agreed = (most - least <= 1e-12 * most) & (most > 0.0) & ~self._mixed
        return np.where(agreed, most, np.nan), used.sum(axis=1)

    def _counts(self, ratios: Array, otherwise: Array) -> Array:
        """Return quantiles of the sum of counts, in units of what a customer uses; other nodes as given."""
        share, _ = self._shares()
        exact = np.isfinite(share)
        unit = np.where(exact, share, 1.0)
        mean, variance = self.mean / unit, self.variance / unit**2
        distribution = self._demand.distribution
        size = 1.0
        if distribution.law == laws.NEGATIVE_BINOMIAL:
            beyond = np.maximum(variance - mean, 1e-12)
            size = np.clip(mean**2 / beyond, 1e-6, 1e12)
        sizes = np.ravel(np.broadcast_to(size, mean.shape))
        counts = numpy_demand(distribution.law, np.ravel(mean), sizes, 0.5, 1.0, np.ravel(ratios))
        return np.where(exact, unit * counts.reshape(mean.shape), otherwise)

    def _single_period(self, ratios: Array, otherwise: Array) -> Array:
        """Return quantiles of the law itself where one period of one market is covered; elsewhere as given."""
        share, markets = self._shares()
        demand = self._demand
        alone = np.isfinite(share) & (markets == 1) & (np.abs(self.periods - 1.0) < 1e-9)
        if not demand.distribution.has_quantiles or not alone.any():
            return otherwise
        found = otherwise.copy()
        for t, j in np.argwhere(alone):
            mean = np.full((1, demand.markets), self.mean[t, j] / share[j])
            value = demand.quantile(np.full_like(mean, ratios[t, j]), mean, demand.noise_scale)
            found[t, j] = share[j] * value[0, int(np.argmax(self._usage[j]))]
        return found

    # a resampled series -----------------------------------------------------------------------

    def _sums(self) -> list[tuple[int, Array, Array]]:
        """Return, per node and number of covered periods: node, positions, and sorted sums relative to their mean."""
        covered = np.round(self.periods).astype(np.int64)
        found = []
        for j in range(covered.shape[1]):
            for count in np.unique(covered[:, j]):
                if count > 0:
                    sums = self._demand.distribution.sums(self._usage[j], int(count), self._demand.noise_scale)
                    found.append((j, covered[:, j] == count, sums))
        return found

    def _resampled_variance(self) -> Array:
        variance = np.zeros_like(self.mean)
        self._relative = self._sums()
        for j, where, sums in self._relative:
            variance[where, j] = (self.mean[where, j] * sums.std()) ** 2
        return variance

    def _resampled(self, ratios: Array) -> Array:
        found = np.zeros_like(self.mean)
        for j, where, sums in self._relative:
            at = np.minimum((ratios[where, j] * len(sums)).astype(np.int64), len(sums) - 1)
            found[where, j] = self.mean[where, j] * sums[at]
        return found
