"""The linear program of a supply network as columns and rows, which every solver of networks starts from.

Columns for t = 0 .. T - 1: units shipped f[t, i] on each link, sold s[t, m] and unmet u[t, m] at
each market, stock at the end x[t, j] at each node. Arrivals and shipments keep the clock of the
simulation: a node ships from the stock it held in the morning, a retailer also sells what arrived
today. The objective is the discounted profit of the horizon, to be maximised.
"""

from __future__ import annotations

import dataclasses
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core.problem import Array
from restock.problems.network import NetworkProblem
from restock.solvers.highs import new_highs

Integers = NDArray[np.int64]
INFINITY = float("inf")


@dataclasses.dataclass(frozen=True)
class Rows:
    """Rows of a sparse matrix, with lower and upper limits on their sums.

    Attributes:
        starts: Where each row begins among `columns` and `values`, and their length at the end.
        columns: Columns of the entries.
        values: The entries.
        least: Shape (R,).
        most: Shape (R,).
    """

    starts: Integers
    columns: Integers
    values: Array
    least: Array
    most: Array

    def __len__(self) -> int:
        return len(self.least)

    @classmethod
    def of(cls, rows: list[tuple[list[int], list[float], float, float]]) -> Rows:
        """Return rows given as (columns, values, least, most)."""
        return cls(
            np.cumsum([0, *(len(row[0]) for row in rows)]),
            np.array([column for row in rows for column in row[0]], dtype=np.int64),
            np.array([value for row in rows for value in row[1]], dtype=np.float64),
            np.array([row[2] for row in rows], dtype=np.float64),
            np.array([row[3] for row in rows], dtype=np.float64),
        )

    def shifted(self, by: int) -> Rows:
        """Return the same rows over columns offset to the right."""
        return dataclasses.replace(self, columns=self.columns + by)

    def __add__(self, other: Rows) -> Rows:
        return Rows(
            np.concatenate([self.starts, other.starts[1:] + self.starts[-1]]),
            np.concatenate([self.columns, other.columns]),
            np.concatenate([self.values, other.values]),
            np.concatenate([self.least, other.least]),
            np.concatenate([self.most, other.most]),
        )


@dataclasses.dataclass(frozen=True)
class Structure:
    """Columns and rows of a network's program.

    Attributes:
        shipped: Column of f[t, i], shape (T, E).
        sold: Column of s[t, m], shape (T, M).
        unmet: Column of u[t, m], shape (T, M).
        stock: Column of x[t, j], shape (T, N).
        cost: Worth of a unit in each column, shape (C,).
        rows: All rows.
        market: Row s + u - carry u' = demand of each market, shape (T, M).
        balance: Row of each node's stock, shape (T, N): what comes in from outside the columns.
        morning: Row that keeps shipments within the morning's stock, shape (T, N); -1 if it ships nothing.
    """

    shipped: Integers
    sold: Integers
    unmet: Integers
    stock: Integers
    cost: Array
    rows: Rows
    market: Integers
    balance: Integers
    morning: Integers


def parts_of(problem: NetworkProblem) -> tuple[Any, Any, Any]:
    """Return nodes, links and markets as named arrays."""
    fixed = problem.fixed
    nodes, links, markets = fixed.nodes, fixed.links, fixed.markets
    return nodes, links, markets


def structure(problem: NetworkProblem) -> Structure:
    """Return the program of a network, demand 0 and the initial stock written in."""
    nodes, links, markets = parts_of(problem)
    t, n, e, m = problem.horizon, len(nodes.initial), len(problem.links), len(problem.markets)
    f = np.arange(t * e).reshape(t, e)
    s = t * e + np.arange(t * m).reshape(t, m)
    u = s + t * m
    x = t * (e + 2 * m) + np.arange(t * n).reshape(t, n)
    carry = 1.0 if problem.spec.backlog else 0.0

    rows: list[tuple[list[int], list[float], float, float]] = []
    for period in range(t):
        for k in range(m):
            columns, values = [int(s[period, k]), int(u[period, k])], [1.0, 1.0]
            if period and carry:
                columns.append(int(u[period - 1, k]))
                values.append(-1.0)
            rows.append((columns, values, 0.0, 0.0))
    balance, morning = np.empty((t, n), dtype=np.int64), np.full((t, n), -1)
    buys = [np.flatnonzero(links.buyer == j) for j in range(n)]
    ships = [np.flatnonzero(links.supplier == j) for j in range(n)]
    sells = [np.flatnonzero(markets.retailer == j) for j in range(n)]
    for period in range(t):
        for j in range(n):
            before = [int(x[period - 1, j])] if period else []
            initial = float(nodes.initial[j]) if period == 0 else 0.0
            sent = [(period - int(links.lead_time[i]), i) for i in buys[j]]
            came = [int(f[then, i]) for then, i in sent if then >= 0]
            outgoing = [int(f[period, i]) for i in ships[j]]
            used = [float(nodes.units_in[j])] * len(outgoing)
            sales = [int(s[period, k]) for k in sells[j]]
            columns = [int(x[period, j]), *before, *came, *outgoing, *sales]
            values = [1.0, *(-1.0 for _ in before), *(-1.0 for _ in came), *used, *(1.0 for _ in sales)]
            balance[period, j] = len(rows)
            rows.append((columns, values, initial, initial))
            if outgoing:
                morning[period, j] = len(rows)
                rows.append((outgoing + before, used + [-1.0] * len(before), -INFINITY, initial))
                if np.isfinite(nodes.capacity[j]):
                    rows.append((outgoing, [1.0] * len(outgoing), -INFINITY, float(nodes.capacity[j])))
    cost = _cost(problem, f, s, u, x)
    return Structure(f, s, u, x, cost, Rows.of(rows), np.arange(t * m).reshape(t, m), balance, morning)


def worth_of(problem: NetworkProblem) -> Array:
    """Return the value of money of each period in that of the first, shape (T,)."""
    worth: Array = problem.spec.discount ** np.arange(problem.horizon, dtype=np.float64)
    return worth


def _cost(problem: NetworkProblem, f: Integers, s: Integers, u: Integers, x: Integers) -> Array:
    nodes, links, markets = parts_of(problem)
    worth = worth_of(problem)
    t = problem.horizon
    cost = np.zeros(f.size + s.size + u.size + x.size)
    # A unit shipped in t is charged in transit at the end of t .. t + L - 1.
    held = np.concatenate([[0.0], np.cumsum(worth)])
    first = np.arange(t)
    for i in range(f.shape[1]):
        last = np.minimum(first + int(links.lead_time[i]), t)
        operating = nodes.operating_cost[links.supplier[i]] if links.supplier[i] >= 0 else 0.0
        pipeline = links.pipeline_cost[i] * (held[last] - held[first])
        cost[f[:, i]] = -worth * (links.outside_price[i] + operating) - pipeline
    for k in range(s.shape[1]):
        cost[s[:, k]] = worth * (markets.price[k] - nodes.operating_cost[markets.retailer[k]])
        cost[u[:, k]] = -worth * markets.shortage_cost[k]
    for j in range(x.shape[1]):
        cost[x[:, j]] = -worth * nodes.holding_cost[j]
    return cost


def switch_rows(problem: NetworkProblem, plan: Structure, first: int) -> tuple[Rows, Array, list[tuple[int, int, int]]]:
    """Return the rows of fixed order costs: f <= most * y with y binary, in columns from `first` on.

    Returns:
        The rows, the cost of the columns y of shape (T * E,), and of each row its number among them,
        its column y and its link. `most` stands at -1 until it is known, see `most_useful`.
    """
    links = parts_of(problem)[1]
    t, e = plan.shipped.shape
    worth = worth_of(problem)
    cost = np.zeros(t * e)
    rows: list[tuple[list[int], list[float], float, float]] = []
    switches = []
    for i in np.flatnonzero(links.fixed_cost > 0.0):
        for period in range(t):
            y = first + period * e + int(i)
            cost[y - first] = -worth[period] * links.fixed_cost[i]
            switches.append((len(rows), y, int(i)))
            rows.append(([int(plan.shipped[period, i]), y], [1.0, -1.0], -INFINITY, 0.0))
    return Rows.of(rows), cost, switches


def most_useful(problem: NetworkProblem, stock: Array, demand: Array) -> Array:
    """Return the most units that the best plan ships on a link in a period, shape (E,).

    What is bought and never sold only costs, so a best plan moves no more than the stock that can
    reach the link and what the demand downstream can ever use.

    Args:
        problem: The network.
        stock: Stock of each node, whatever is on its way there included, shape (N,).
        demand: Demand of each market still to come, shape (M,).
    """
    nodes, links, markets = parts_of(problem)
    suppliers: dict[int, list[int]] = {j: [] for j in range(len(nodes.initial))}
    for supplier, buyer in zip(links.supplier, links.buyer, strict=True):
        if supplier >= 0:
            suppliers[int(buyer)].append(int(supplier))
    upstream_first = list(TopologicalSorter(suppliers).static_order())
    stock = np.array(stock, dtype=np.float64)
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


def replacement_costs(problem: NetworkProblem) -> Array:
    """Return the least cost of one unit more at each node: purchase, shipping and pipeline, shape (N,)."""
    nodes, links, _ = parts_of(problem)
    suppliers: dict[int, list[int]] = {j: [] for j in range(len(nodes.initial))}
    for supplier, buyer in zip(links.supplier, links.buyer, strict=True):
        suppliers[int(buyer)] += [int(supplier)] if supplier >= 0 else []
    cost = np.full(len(nodes.initial), np.inf)
    for node in TopologicalSorter(suppliers).static_order():
        for i in np.flatnonzero(links.buyer == node):
            j = links.supplier[i]
            source = links.outside_price[i] if j < 0 else cost[j] * nodes.units_in[j] + nodes.operating_cost[j]
            cost[node] = min(cost[node], source + links.pipeline_cost[i] * links.lead_time[i])
    return cost


def highs_model(cost: Array, upper: Array, rows: Rows, integer: Integers | None = None) -> Any:
    """Return a HiGHS model that maximises; silent, on one thread."""
    import highspy

    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(cost), len(rows)
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, np.zeros(len(cost)), upper
    lp.row_lower_, lp.row_upper_ = rows.least, rows.most
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = rows.starts, rows.columns, rows.values
    if integer is not None:
        kinds = np.full(len(cost), highspy.HighsVarType.kContinuous)
        kinds[integer] = highspy.HighsVarType.kInteger
        lp.integrality_ = list(kinds)
    model = new_highs()
    model.setOptionValue("threads", 1)
    model.passModel(lp)
    return model
