"""The full-horizon linear program of a supply network, built once and solved for many demands.

Variables for t = 0 .. T - 1: units shipped f[t, i] on each link, sold s[t, m] and unmet u[t, m] at
each market, stock at the end x[t, j] at each node. Arrivals and shipments keep the clock of the
simulation: a node ships from the stock it held in the morning, a retailer also sells what arrived
today. With fixed order costs there is one binary y[t, i] for each f[t, i], and the program is a MILP.
"""

from __future__ import annotations

import dataclasses
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core.errors import InvalidInput
from restock.core.problem import Array
from restock.problems.network import NetworkProblem

Row = tuple[list[int], list[float], float, float]  # columns, values, least, most
MIP_GAP = 0.01  # with fixed costs, a plan within 1 % of its proven bound is good enough


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
        self._build()
        model = highspy.Highs()
        model.setOptionValue("output_flag", False)
        model.setOptionValue("threads", 1)
        model.setOptionValue("mip_rel_gap", MIP_GAP)
        model.passModel(self._lp)
        self._model = model
        self._optimal = highspy.HighsModelStatus.kOptimal

    def solve(self, demand: Array) -> Solution:
        """The best plan for a demand path of shape (T, M).

        Raises:
            InvalidInput: HiGHS finds no optimum (the numbers are too far apart in size).
        """
        values = np.ascontiguousarray(demand, dtype=np.float64).ravel()
        self._model.changeRowsBounds(len(values), self._demand_rows, values, values)
        if self._switches:
            most = self._most_useful(values.reshape(self.problem.horizon, -1).sum(axis=0))
            for row, column, i in self._switches:
                self._model.changeCoeff(row, column, -float(most[i]))
        self._model.run()
        if self._model.getModelStatus() != self._optimal:
            status = self._model.modelStatusToString(self._model.getModelStatus())
            raise InvalidInput("hindsight", status, "HiGHS found no optimum", "Check the sizes of the numbers.")
        t, e = self.problem.horizon, len(self.problem.links)
        columns = np.array(self._model.getSolution().col_value)
        orders = columns[: t * e].reshape(t, e)
        if self._integer:
            # HiGHS takes a millionth of a switch for off, and a little may leak through; played, it would cost K.
            off = columns[-t * e :].reshape(t, e) < 0.5
            orders = np.where(off & (self._parts()[1].fixed_cost > 0.0), 0.0, orders)
        info = self._model.getInfo()
        bound = info.mip_dual_bound if self._integer else info.objective_function_value
        return Solution(np.maximum(orders, 0.0), info.objective_function_value, bound)

    def forget(self) -> None:
        """Start the next solution from scratch."""
        self._model.clearSolver()

    def _build(self) -> None:
        import highspy

        problem = self.problem
        spec = problem.spec
        nodes, links, _, markets = self._parts()
        t, n, e, m = problem.horizon, len(nodes.initial), len(problem.links), len(problem.markets)
        self._integer = bool((links.fixed_cost > 0).any())
        worth: Array = spec.discount ** np.arange(t, dtype=np.float64)

        f = np.arange(t * e).reshape(t, e)
        s = t * e + np.arange(t * m).reshape(t, m)
        u = s + t * m
        x = t * (e + 2 * m) + np.arange(t * n).reshape(t, n)
        count = t * (e + 2 * m + n)
        cost = np.zeros(count + (t * e if self._integer else 0))
        upper = np.full(len(cost), highspy.kHighsInf)

        # A unit shipped in t is charged in transit at the end of t .. t + L - 1.
        held = np.concatenate([[0.0], np.cumsum(worth)])
        first = np.arange(t)
        for i in range(e):
            last = np.minimum(first + int(links.lead_time[i]), t)
            operating = nodes.operating_cost[links.supplier[i]] if links.supplier[i] >= 0 else 0.0
            pipeline = links.pipeline_cost[i] * (held[last] - held[first])
            cost[f[:, i]] = -worth * (links.outside_price[i] + operating) - pipeline
        for k in range(m):
            retailer = markets.retailer[k]
            cost[s[:, k]] = worth * (markets.price[k] - nodes.operating_cost[retailer])
            cost[u[:, k]] = -worth * markets.shortage_cost[k]
        for j in range(n):
            cost[x[:, j]] = -worth * nodes.holding_cost[j]

        rows: list[Row] = []
        carry = 1.0 if spec.backlog else 0.0
        for period in range(t):
            for k in range(m):  # market: s + u - carry u' = demand; these rows come first
                columns, values = [int(s[period, k]), int(u[period, k])], [1.0, 1.0]
                if period and carry:
                    columns.append(int(u[period - 1, k]))
                    values.append(-1.0)
                rows.append((columns, values, 0.0, 0.0))
        for period in range(t):
            for j in range(n):
                rows += self._node_rows(period, j, f, s, x)
        self._switches: list[tuple[int, int, int]] = []  # row, column of y, and link of each f <= most * y
        if self._integer:
            rows += self._fixed_cost_rows(f, count, cost, worth, upper, len(rows))

        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(cost), len(rows)
        lp.sense_ = highspy.ObjSense.kMaximize
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, np.zeros(len(cost)), upper
        lp.row_lower_ = np.array([row[2] for row in rows])
        lp.row_upper_ = np.array([row[3] for row in rows])
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum([len(row[0]) for row in rows])])
        lp.a_matrix_.index_ = np.concatenate([row[0] for row in rows])
        lp.a_matrix_.value_ = np.concatenate([row[1] for row in rows])
        if self._integer:
            kinds = [highspy.HighsVarType.kContinuous] * count + [highspy.HighsVarType.kInteger] * (len(cost) - count)
            lp.integrality_ = kinds
        self._lp = lp
        self._demand_rows: NDArray[np.int32] = np.arange(t * m, dtype=np.int32)

    def _parts(self) -> tuple[Any, Any, Any, Any]:
        """Nodes, links, rules and markets as named arrays."""
        nodes, links, markets, rules = self.problem.world(self.problem.plain.fresh)[:4]
        return nodes, links, rules, markets

    def _node_rows(self, period: int, j: int, f: Any, s: Any, x: Any) -> list[Row]:
        """Balance, morning stock and capacity of node j in a period."""
        import highspy

        nodes, links, _, markets = self._parts()
        initial = float(nodes.initial[j]) if period == 0 else 0.0
        outgoing = [int(f[period, i]) for i in np.flatnonzero(links.supplier == j)]
        per_unit = float(nodes.units_in[j])
        columns, values = [int(x[period, j])], [1.0]
        if period:
            columns.append(int(x[period - 1, j]))
            values.append(-1.0)
        for i in np.flatnonzero(links.buyer == j):
            sent = period - int(links.lead_time[i])
            if sent >= 0:
                columns.append(int(f[sent, i]))
                values.append(-1.0)
        columns += outgoing + [int(s[period, k]) for k in np.flatnonzero(markets.retailer == j)]
        values += [per_unit] * len(outgoing) + [1.0] * int((markets.retailer == j).sum())
        rows = [(columns, values, initial, initial)]
        if outgoing:
            before = [int(x[period - 1, j])] if period else []
            values = [per_unit] * len(outgoing) + [-1.0] * len(before)
            rows.append((outgoing + before, values, -highspy.kHighsInf, initial))
            if np.isfinite(nodes.capacity[j]):
                rows.append((outgoing, [1.0] * len(outgoing), -highspy.kHighsInf, float(nodes.capacity[j])))
        return rows

    def _fixed_cost_rows(self, f: Any, count: int, cost: Array, worth: Array, upper: Array, first: int) -> list[Row]:
        """Rows f <= most * y, with y binary and its cost; `solve` writes `most`, which depends on the demand."""
        import highspy

        links = self._parts()[1]
        t, e = f.shape
        rows: list[Row] = []
        for i in np.flatnonzero(links.fixed_cost > 0.0):
            for period in range(t):
                y = count + period * e + int(i)
                cost[y] = -worth[period] * links.fixed_cost[i]
                self._switches.append((first + len(rows), y, int(i)))
                rows.append(([int(f[period, i]), y], [1.0, -1.0], -highspy.kHighsInf, 0.0))
        upper[count:] = 1.0
        return rows

    def _most_useful(self, demand: Array) -> Array:
        """Units that the best plan ships on a link in a period at most, shape (E,).

        What is bought and never sold only costs, so a best plan moves no more than the initial
        stock that can reach the link and what the demand downstream can ever use.

        Args:
            demand: Demand of each market over the whole horizon, shape (M,).
        """
        nodes, links, _, markets = self._parts()
        suppliers: dict[int, list[int]] = {j: [] for j in range(len(nodes.initial))}
        for supplier, buyer in zip(links.supplier, links.buyer, strict=True):
            if supplier >= 0:
                suppliers[int(buyer)].append(int(supplier))
        upstream_first = list(TopologicalSorter(suppliers).static_order())
        stock = np.array(nodes.initial, dtype=np.float64)
        for j in upstream_first:
            stock[j] += sum(stock[k] * nodes.units_out[k] for k in suppliers[j])
        need = np.zeros(len(stock))
        np.add.at(need, markets.retailer, demand)
        for j in reversed(upstream_first):
            for k in suppliers[j]:
                need[k] += need[j] * nodes.units_in[k]
        managed = links.supplier >= 0
        held = np.where(managed, stock[links.supplier] * nodes.units_out[links.supplier], 0.0)
        most = 1e-6 + held + need[links.buyer]
        limited: Array = np.minimum(most, np.where(managed, nodes.capacity[links.supplier], np.inf))
        return limited
