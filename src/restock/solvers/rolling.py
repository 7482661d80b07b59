"""The program of what is left of an episode, solved anew every period from the state of the moment.

It is built once: period t only changes bounds. Shipments and stock before t are fixed at zero, and
the morning's stock, what is on its way, the backlog and the forecast stand on the right-hand sides.
HiGHS starts each solution from a basis that depends on t alone, so that a decision depends on its
state and not on what was solved before.

Uncertain demand enters by its moments. Let I = x - u be a retailer's expected net stock at the end
of a period and sigma the spread of demand over the periods in which it can no longer react. A normal
deviation leaves it E[(sigma Z - I)+] units short; this loss function is convex, so its tangents

    (1 - b) u + b x >= sigma phi(z),    b = 1 - Phi(z),    at points z of `TANGENTS`

make the program pay for the expected shortage and for the stock that goes with it. Where a shortage
costs goodwill, a column w >= P(sigma Z > I) carries the worth of the sales it would cost.
Source of the loss function: Zipkin (2000), Foundations of Inventory Management, section 6.4.
"""

from __future__ import annotations

import dataclasses
from statistics import NormalDist
from typing import Any

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.problem import Array
from restock.problems.network import NetworkProblem
from restock.solvers.structure import (
    INFINITY,
    Integers,
    Rows,
    highs_model,
    most_useful,
    parts_of,
    structure,
    switch_rows,
)

TANGENTS = (-1.5, -0.75, -0.25, 0.25, 0.75, 1.25, 1.75, 2.25, 3.0)  # of the loss function
RISK_TANGENTS = (0.0, 0.4, 0.8, 1.2, 1.6, 2.0, 2.5)  # of the probability of a shortage, convex from 0 on
MIP_GAP = 0.005
NORMAL = NormalDist()


@dataclasses.dataclass(frozen=True)
class Situation:
    """What a decision starts from.

    Attributes:
        on_hand: Stock of each node this morning, shape (N,).
        backlog: Demand still to be served, shape (M,).
        arriving: What was shipped before and arrives in each period, shape (T, N).
        mean: Expected demand of each period, shape (T, M).
        spread: Standard deviation of the demand at each retailer over the periods up to t in which
            it cannot react, shape (T, R).
        risk: Worth of the sales that a shortage in each period costs, shape (T,).
    """

    on_hand: Array
    backlog: Array
    arriving: Array
    mean: Array
    spread: Array
    risk: Array


@dataclasses.dataclass(frozen=True)
class Plan:
    """An optimal plan from a situation.

    Attributes:
        orders: Shipments of every period, shape (T, E); zero before the period of the situation.
        net_stock: Expected stock less unmet demand at each retailer, shape (T, R).
        profit: What the program expects to earn from here on.
    """

    orders: Array
    net_stock: Array
    profit: float


class RollingProgram:
    """The rest of an episode as a program.

    Args:
        problem: A supply network.
        horizon: Periods to look ahead [H]; default: to the end of the episode.
        hedge: Whether to pay for expected shortages (else demand is taken as its mean).
        salvage: Whether stock left at the end of a shortened horizon is worth what it cost.
        integer: Whether this period's orders are whole numbers.
    """

    def __init__(
        self,
        problem: NetworkProblem,
        horizon: int | None = None,
        hedge: bool = True,
        salvage: bool = True,
        integer: bool = False,
    ) -> None:
        import highspy

        self.problem = problem
        self.horizon = problem.horizon if horizon is None else horizon
        self._salvage, self._integer = salvage, integer
        self._nodes, self._links, self._markets = parts_of(problem)
        self.retailers: Integers = np.unique(self._markets.retailer)
        plan = structure(problem)
        self._plan = plan
        cost, rows = plan.cost, plan.rows
        self._hedge = self._risk = np.empty((problem.horizon, 0, 0), dtype=np.int64)
        if hedge:
            self._excess = len(cost) + np.arange(problem.horizon * len(self.retailers)).reshape(problem.horizon, -1)
            self._hedge, more = self._loss_rows(len(rows))
            rows, cost = rows + more, np.append(cost, np.full(self._excess.size, -self._dear()))
            if problem.demand.state_dependent:
                self._chance = self._excess + self._excess.size
                self._risk, more = self._risk_rows(len(rows))
                rows, cost = rows + more, np.append(cost, np.zeros(self._chance.size))
        upper = np.full(len(cost), INFINITY)
        self._switches: list[tuple[int, int, int]] = []
        switched = np.empty(0, dtype=np.int64)
        if (self._links.fixed_cost > 0.0).any():
            more, costs, switches = switch_rows(problem, plan, len(cost))
            self._switches = [(len(rows) + row, column, i) for row, column, i in switches]
            switched = np.array([column for _, column, _ in self._switches])
            cost, upper, rows = np.append(cost, costs), np.append(upper, np.ones(len(costs))), rows + more
        self._switched = switched
        self._mixed = integer or len(switched) > 0
        self._cost, self._upper = cost, upper
        self._columns_of = self._by_period(len(cost))
        self._least, self._most = rows.least.copy(), rows.most.copy()
        self._most[plan.morning[plan.morning >= 0]] = 0.0
        self._ships = plan.morning[0] >= 0
        self._model = highs_model(cost, upper, rows, switched if len(switched) else None)
        self._model.setOptionValue("presolve", "choose" if self._mixed else "off")
        self._model.setOptionValue("mip_rel_gap", MIP_GAP)
        self._all_rows = np.arange(len(rows), dtype=np.int32)
        self._optimal = highspy.HighsModelStatus.kOptimal
        self._bases: dict[int, Any] = {}
        self._t = 0
        self._focus(0)

    def solve(self, t: int, now: Situation) -> Plan:
        """The best plan from period t on.

        Raises:
            InvalidInput: HiGHS finds no optimum (the numbers are too far apart in size).
        """
        self._focus(t)
        self._write(t, now)
        if self._mixed or t not in self._bases:
            self._model.clearSolver()
        else:
            self._model.setBasis(self._bases[t])
        self._model.run()
        if self._model.getModelStatus() != self._optimal:
            status = self._model.modelStatusToString(self._model.getModelStatus())
            raise InvalidInput(f"look-ahead in period {t}", status, "HiGHS found no optimum", "Check the numbers.")
        if not self._mixed and t not in self._bases:
            self._bases[t] = self._model.getBasis()
        values = np.array(self._model.getSolution().col_value)
        orders = np.maximum(values[self._plan.shipped], 0.0)
        if len(self._switched):
            off = np.zeros(orders.size, dtype=bool)
            off[self._switched - self._first_switch] = values[self._switched] < 0.5
            orders = np.where(off.reshape(orders.shape), 0.0, orders)
        if self._integer:
            orders[t] = np.round(orders[t])
        unmet, stock = values[self._plan.unmet], values[self._plan.stock]
        short = [unmet[:, self._markets.retailer == j].sum(axis=1) for j in self.retailers]
        net = stock[:, self.retailers] - np.stack(short, axis=1)
        return Plan(orders, net, self._model.getInfo().objective_function_value)

    def learn_bases(self, start: Situation) -> None:
        """Find the basis to start from in every period, by following the plan of an episode's start."""
        if self._mixed:
            return
        self._bases.clear()
        now, stock = start, np.array(start.on_hand)
        for t in range(self.problem.horizon):
            plan = self.solve(t, dataclasses.replace(now, on_hand=stock))
            values = np.array(self._model.getSolution().col_value)
            stock = np.maximum(values[self._plan.stock[t]], 0.0)
            arriving = now.arriving.copy()
            for i, lead in enumerate(self._links.lead_time):
                if lead > 0 and t + lead < self.problem.horizon:
                    arriving[t + int(lead), self._links.buyer[i]] += plan.orders[t, i]
            carry = 1.0 if self.problem.spec.backlog else 0.0
            backlog = carry * np.maximum(values[self._plan.unmet[t]], 0.0)
            now = dataclasses.replace(now, arriving=arriving, backlog=backlog)

    # building -----------------------------------------------------------------------------------

    def _loss_rows(self, first: int) -> tuple[Integers, Rows]:
        slopes = [1.0 - NORMAL.cdf(z) for z in TANGENTS]
        return self._tangent_rows(first, [(1.0 - b, b) for b in slopes], self._excess)

    def _risk_rows(self, first: int) -> tuple[Integers, Rows]:
        slopes = [NORMAL.pdf(z) for z in RISK_TANGENTS]
        return self._tangent_rows(first, [(-b, b) for b in slopes], self._chance)

    def _tangent_rows(self, first: int, slopes: list[tuple[float, float]], extra: Integers) -> tuple[Integers, Rows]:
        """Rows over the unmet demand and stock of each retailer; their numbers, shape (T, R, tangents)."""
        plan, rows = self._plan, []
        for t in range(self.problem.horizon):
            for r, j in enumerate(self.retailers):
                unmet = [int(column) for column in plan.unmet[t, self._markets.retailer == j]]
                for of_unmet, of_stock in slopes:
                    columns = [*unmet, int(plan.stock[t, j]), int(extra[t, r])]
                    rows.append((columns, [*([of_unmet] * len(unmet)), of_stock, 1.0], -INFINITY, INFINITY))
        numbers = first + np.arange(len(rows)).reshape(self.problem.horizon, len(self.retailers), len(slopes))
        return numbers, Rows.of(rows)

    def _dear(self) -> float:
        """Price of an expected shortage that exceeds all demand there is: more than any unit is worth."""
        worth = self._markets.price + self._markets.shortage_cost
        return 10.0 * float(worth.max(initial=0.0)) + 1.0

    def _by_period(self, count: int) -> list[Array]:
        """Columns of each period."""
        plan, periods = self._plan, self.problem.horizon
        blocks = [plan.shipped, plan.sold, plan.unmet, plan.stock]
        if self._hedge.size:
            blocks.append(self._excess)
        if self._risk.size:
            blocks.append(self._chance)
        self._first_switch = sum(block.size for block in blocks)
        if count > self._first_switch:
            blocks.append(np.arange(self._first_switch, count).reshape(periods, -1))
        return [np.concatenate([block[t] for block in blocks]).astype(np.int32) for t in range(periods)]

    # changing -----------------------------------------------------------------------------------

    def _focus(self, t: int) -> None:
        """Open the columns of t .. t + H - 1 and close all others."""
        periods = range(self.problem.horizon)
        wanted = range(t, min(t + self.horizon, self.problem.horizon))
        opened = getattr(self, "_opened", periods)
        for period in periods:
            if (period in wanted) != (period in opened):
                columns = self._columns_of[period]
                upper = self._upper[columns] if period in wanted else np.zeros(len(columns))
                self._model.changeColsBounds(len(columns), columns, np.zeros(len(columns)), upper)
        if self._integer:
            self._only_first_whole(t)
        self._opened = wanted
        if wanted.stop < self.problem.horizon or getattr(self, "_shortened", False):
            self._shortened = wanted.stop < self.problem.horizon
            cost = self._cost + self._end_of_horizon(wanted.stop)
            self._model.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost)
        self._t = t

    def _only_first_whole(self, t: int) -> None:
        import highspy

        kinds = np.full(self._plan.shipped.shape, highspy.HighsVarType.kContinuous)
        kinds[t] = highspy.HighsVarType.kInteger
        columns = self._plan.shipped.ravel().astype(np.int32)
        self._model.changeColsIntegrality(len(columns), columns, kinds.ravel())

    def _end_of_horizon(self, end: int) -> Array:
        """What changes in the worth of columns when the program ends before the episode does."""
        problem, plan = self.problem, self._plan
        change = np.zeros(len(self._cost))
        if end >= problem.horizon:
            return change
        worth = problem.spec.discount ** np.arange(problem.horizon, dtype=np.float64)
        value = worth[end - 1] * replacement_costs(problem) if self._salvage else np.zeros(len(problem.nodes))
        change[plan.stock[end - 1]] = value
        held = np.concatenate([[0.0], np.cumsum(worth)])
        for i, lead in enumerate(self._links.lead_time):
            for sent in range(max(0, end - int(lead)), end):
                arrives = min(sent + int(lead), problem.horizon)
                column = plan.shipped[sent, i]
                change[column] = self._links.pipeline_cost[i] * (held[arrives] - held[end])
                if sent + int(lead) >= end:
                    change[column] += value[self._links.buyer[i]]
        return change

    def _write(self, t: int, now: Situation) -> None:
        """Right-hand sides for this state and forecast."""
        plan, end = self._plan, self._opened.stop
        least, most = self._least.copy(), self._most.copy()
        demand = np.zeros_like(now.mean)
        demand[t:end] = now.mean[t:end]
        demand[t] += now.backlog
        least[plan.market] = most[plan.market] = demand
        supply = np.zeros_like(now.arriving)
        supply[t:end] = now.arriving[t:end]
        supply[t] += now.on_hand
        least[plan.balance] = most[plan.balance] = supply
        most[plan.morning[t, self._ships]] = now.on_hand[self._ships]
        if end < self.problem.horizon:
            # What is left over when the program ends hangs in the air.
            for rows in (plan.market[end:], plan.balance[end:], plan.morning[end:][:, self._ships]):
                least[rows], most[rows] = -INFINITY, INFINITY
        if self._hedge.size:
            least[self._hedge[t:end]] = now.spread[t:end, :, None] * np.array([NORMAL.pdf(z) for z in TANGENTS])
        if self._risk.size:
            at = np.array([1.0 - NORMAL.cdf(z) + z * NORMAL.pdf(z) for z in RISK_TANGENTS])
            least[self._risk[t:end]] = now.spread[t:end, :, None] * at
            price = np.zeros(self._chance.shape)
            price[t:end] = -now.risk[t:end, None] / np.maximum(now.spread[t:end], 1e-9)
            columns = self._chance.ravel().astype(np.int32)
            self._model.changeColsCost(len(columns), columns, price.ravel())
        self._model.changeRowsBounds(len(self._all_rows), self._all_rows, least, most)
        if self._switches:
            stock = now.on_hand + now.arriving[t:].sum(axis=0)
            useful = most_useful(self.problem, stock, demand.sum(axis=0) + now.spread.sum(axis=0).sum())
            for row, column, i in self._switches:
                self._model.changeCoeff(row, column, -float(useful[i]))


def replacement_costs(problem: NetworkProblem) -> Array:
    """Least cost to have one unit more at each node: purchase, shipping and way, shape (N,)."""
    nodes, links, _ = parts_of(problem)
    cost = np.full(len(nodes.initial), np.inf)
    for _ in range(len(cost)):
        for i in range(len(links.buyer)):
            j = links.supplier[i]
            source = links.outside_price[i] if j < 0 else cost[j] * nodes.units_in[j] + nodes.operating_cost[j]
            landed = source + links.pipeline_cost[i] * links.lead_time[i]
            cost[links.buyer[i]] = min(cost[links.buyer[i]], landed)
    return cost
