"""One store: perishables in batches, prices that move demand, events, late deliveries and a cash limit."""

from restock.problems.retail.problem import RetailProblem
from restock.problems.retail.spec import RetailSpec

__all__ = ["RetailProblem", "RetailSpec"]
