"""One item in one place: the smallest worked example of a problem."""

from restock.problems.minimal.problem import MinimalProblem
from restock.problems.minimal.spec import MinimalSpec

__all__ = ["MinimalProblem", "MinimalSpec"]
