"""Buying, converting and selling with cash: a small plant that may go bankrupt."""

from restock.problems.production.problem import ProductionProblem
from restock.problems.production.spec import ProductionSpec

__all__ = ["ProductionProblem", "ProductionSpec"]
