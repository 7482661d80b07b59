"""Multi-echelon supply networks."""

from restock.problems.network.problem import NetworkProblem, is_network
from restock.problems.network.spec import NetworkSpec, check_network

__all__ = ["NetworkProblem", "NetworkSpec", "check_network", "is_network"]
