"""Demand: distributions, effects, series, goodwill, and the random numbers behind them."""

from restock.demand.compiled_distribution import CompiledDistribution as CompiledDistribution
from restock.demand.distribution import Distribution as Distribution
