"""Many locations, one item, lateral shipments: stock that is shared to serve missions."""

from restock.problems.sharing.problem import SharingProblem
from restock.problems.sharing.spec import SharingSpec

__all__ = ["SharingProblem", "SharingSpec"]
