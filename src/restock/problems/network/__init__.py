"""Multi-echelon supply networks."""

from restock.problems.network.problem import NetworkProblem
from restock.problems.network.spec import NetworkSpec, check_network

__all__ = ["NetworkProblem", "NetworkSpec", "check_network"]
