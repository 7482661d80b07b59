"""The full-horizon program of a supply network for known demand, built once and solved for many demands.

With fixed order costs there is one binary for each shipment (see `restock.solvers.structure`), and
the program is a MILP.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.problem import Array
from restock.problems.network import NetworkProblem
from restock.solvers.structure import highs_model, most_useful, parts_of, structure, switch_rows

MIP_GAP = 0.01  # with fixed costs, a plan within 1% of its proven bound is good enough


@dataclasses.dataclass(frozen=True)
class Solution:
    """An optimal plan for one demand path.

    Attributes:
        orders: Units shipped, shape (T, E).
        profit: Value of the plan in the program.
        bound: No plan for this demand earns more (equal to `profit` for a linear program).
    """

    orders: Array
    profit: float
    bound: float


class NetworkProgram:
    """The program of a network; `solve` changes only the demand, so HiGHS starts from the last basis.

    A program may have many optimal plans; which one is found depends on where HiGHS starts. Call
    `forget` before a new episode, so that its plan does not depend on the episodes before it.

    Args:
        problem: The network. Stock can be withheld from a market in the program but not in the
            simulation, so with several markets on one node its value is an upper bound.
    """

    def __init__(self, problem: NetworkProblem) -> None:
        import highspy

        self.problem = problem
        plan = structure(problem)
        self._plan = plan
        self._fixed = parts_of(problem)[1].fixed_cost > 0.0
        self._integer = bool(self._fixed.any())
        cost, rows, integer = plan.cost, plan.rows, None
        upper = np.full(len(cost), highspy.kHighsInf)
        self._switches: list[tuple[int, int, int]] = []
        if self._integer:
            more, costs, switches = switch_rows(problem, plan, len(cost))
            self._switches = [(len(rows) + row, column, i) for row, column, i in switches]
            integer = np.arange(len(cost), len(cost) + len(costs))
            cost, upper, rows = np.append(cost, costs), np.append(upper, np.ones(len(costs))), rows + more
        self._model = highs_model(cost, upper, rows, integer)
        self._model.setOptionValue("mip_rel_gap", MIP_GAP)
        self._demand_rows = plan.market.ravel().astype(np.int32)
        self._optimal = highspy.HighsModelStatus.kOptimal

    def solve(self, demand: Array) -> Solution:
        """Return the best plan for a demand path of shape (T, M).

        Raises:
            InvalidInput: HiGHS finds no optimum (the numbers are too far apart in size).
        """
        values = np.ascontiguousarray(demand, dtype=np.float64).ravel()
        self._model.changeRowsBounds(len(values), self._demand_rows, values, values)
        if self._switches:
            total = values.reshape(self.problem.horizon, -1).sum(axis=0)
            most = most_useful(self.problem, parts_of(self.problem)[0].initial, total)
            for row, column, i in self._switches:
                self._model.changeCoeff(row, column, -float(most[i]))
        self._model.run()
        if self._model.getModelStatus() != self._optimal:
            status = self._model.modelStatusToString(self._model.getModelStatus())
            raise InvalidInput("hindsight", status, "HiGHS found no optimum", "Check the sizes of the numbers.")
        columns = np.array(self._model.getSolution().col_value)
        orders = columns[self._plan.shipped]
        if self._integer:
            # HiGHS takes a millionth of a switch for off, and a little may leak through; played, it would cost K.
            off = columns[len(self._plan.cost) :].reshape(orders.shape) < 0.5
            orders = np.where(off & self._fixed, 0.0, orders)
        info = self._model.getInfo()
        bound = info.mip_dual_bound if self._integer else info.objective_function_value
        return Solution(np.maximum(orders, 0.0), info.objective_function_value, bound)

    def forget(self) -> None:
        """Forget the last basis, so that the next solution starts from scratch."""
        self._model.clearSolver()
