"""The program of the rest of an episode, solved anew every period from the present state.

It is built once: period t only changes bounds. Columns of other periods than t .. t + H - 1 are
closed, and the morning's stock, what is on its way, the backlog and the forecast stand on the
right-hand sides. HiGHS starts each solution from a basis that depends on t alone, so that a decision
depends on its state and not on what was solved before.

Demand is its mean, with expected shortages paid for (`restock.solvers.hedge`), or several sample
paths. Each path then has a copy of the network, and copies that have seen the same demand so far must
ship the same (non-anticipativity); the program maximises the mean profit over the paths.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.problem import Array
from restock.problems.network import NetworkProblem
from restock.solvers.hedge import CHANCE_AT, LOSS_AT, NORMAL, chance_rows, loss_rows
from restock.solvers.structure import (
    INFINITY,
    Rows,
    highs_model,
    most_useful,
    parts_of,
    replacement_costs,
    structure,
    switch_rows,
    worth_of,
)

MIP_GAP = 0.005
SALVAGE = 0.99  # of what it cost: a little less, so that nothing is bought just to be left over


@dataclasses.dataclass(frozen=True)
class Situation:
    """The state that a decision starts from.

    Attributes:
        on_hand: Stock of each node this morning, shape (N,).
        backlog: Demand still to be served, shape (M,).
        arriving: What was shipped before and arrives in each period, shape (T, N).
        demand: Expected demand of each period, or the paths it may take, shape (K, T, M).
        spread: Standard deviation of the demand at each retailer over the periods up to t in which
            it cannot react, shape (T, R); read by a program that hedges.
        risk: Worth of the sales that a shortage in each period would drive away, shape (T,).
    """

    on_hand: Array
    backlog: Array
    arriving: Array
    demand: Array
    spread: Array
    risk: Array


@dataclasses.dataclass(frozen=True)
class Plan:
    """An optimal plan from a situation.

    Attributes:
        orders: Shipments of every period in the first path, shape (T, E); zero before the situation's.
        stock: Stock at the end of every period, shape (T, N).
        unmet: Unmet demand, shape (T, M).
        profit: What the program expects to earn from here on.
    """

    orders: Array
    stock: Array
    unmet: Array
    profit: float


class RollingProgram:
    """The rest of an episode as a program.

    Args:
        problem: A supply network.
        horizon: Periods to look ahead [H]; default: to the end of the episode.
        paths: Sample paths of demand [K].
        hedge: Whether shortages that strays of demand or of goodwill would bring are paid for.
        salvage: Whether stock left at the end of a shortened horizon is worth what it cost.
        integer: Whether this period's orders are whole numbers.
    """

    def __init__(
        self,
        problem: NetworkProblem,
        horizon: int | None = None,
        paths: int = 1,
        hedge: bool = True,
        salvage: bool = True,
        integer: bool = False,
    ) -> None:
        import highspy

        self.problem, self.paths = problem, paths
        self.horizon = problem.horizon if horizon is None else horizon
        self._salvage, self._integer = salvage, integer
        self._nodes, self._links, self._markets = parts_of(problem)
        self._plan = structure(problem)
        self._build(hedge and paths == 1)
        self._charged = hedge and paths > 1 and problem.demand.state_dependent
        switches = np.array([column for _, column, _ in self._switches], dtype=np.int64)
        self._model = highs_model(self._cost, self._upper, self._rows, switches if self._switches else None)
        self._mixed = integer or bool(self._switches)
        self._model.setOptionValue("presolve", "choose" if self._mixed else "off")
        self._model.setOptionValue("mip_rel_gap", MIP_GAP)
        self._optimal = highspy.HighsModelStatus.kOptimal
        self._bases: dict[int, Any] = {}
        self._opened = range(problem.horizon)

    def solve(self, t: int, now: Situation, again: bool = False) -> Plan:
        """Return the best plan from period t on.

        Args:
            t: The period about to be played.
            now: State and forecast.
            again: Whether to start from the last solution, which was of the same state under another forecast.

        Raises:
            InvalidInput: HiGHS finds no optimum (the numbers are too far apart in size).
        """
        self._open(t)
        self._write(t, now)
        if not again:
            self._model.clearSolver()
            if t in self._bases:
                self._model.setBasis(self._bases[t])
        self._model.run()
        if self._model.getModelStatus() != self._optimal:
            status = self._model.modelStatusToString(self._model.getModelStatus())
            raise InvalidInput(f"look-ahead in period {t}", status, "HiGHS found no optimum", "Check the numbers.")
        values = np.maximum(np.array(self._model.getSolution().col_value), 0.0)
        orders = values[self._plan.shipped]
        if self._switches:
            off = values[self._switched].reshape(-1, self.problem.horizon).T < 0.5
            orders[:, self._fixed] = np.where(off, 0.0, orders[:, self._fixed])
        if self._integer:
            orders[t] = np.round(orders[t])
        profit = self._model.getInfo().objective_function_value
        return Plan(orders, values[self._plan.stock], values[self._plan.unmet], profit)

    def learn_bases(self, start: Situation) -> None:
        """Record the starting basis of every period, by following the plan from the start of an episode."""
        self._bases.clear()
        if self._mixed:
            return
        now, carry = start, 1.0 if self.problem.spec.backlog else 0.0
        for t in range(self.problem.horizon):
            plan = self.solve(t, now)
            self._bases[t] = self._model.getBasis()
            arriving = now.arriving.copy()
            for i, lead in enumerate(self._links.lead_time):
                if 0 < lead < self.problem.horizon - t:
                    arriving[t + int(lead), self._links.buyer[i]] += plan.orders[t, i]
            now = dataclasses.replace(now, on_hand=plan.stock[t], backlog=carry * plan.unmet[t], arriving=arriving)

    # building -----------------------------------------------------------------------------------

    def _build(self, hedge: bool) -> None:
        """Build all columns and rows, and record which of them belong to each period."""
        problem, plan = self.problem, self._plan
        periods, count = problem.horizon, len(plan.cost)
        by_period = np.concatenate([plan.shipped, plan.sold, plan.unmet, plan.stock], axis=1)
        blocks = [by_period + k * count for k in range(self.paths)]
        cost, rows = np.tile(plan.cost / self.paths, self.paths), plan.rows
        for k in range(1, self.paths):
            rows = rows + plan.rows.shifted(k * count)
        self._copies = len(plan.rows) * np.arange(self.paths)[:, None, None]  # first row of each path

        self._together = len(rows) + np.arange((self.paths - 1) * plan.shipped.size).reshape(
            self.paths - 1, *plan.shipped.shape
        )
        rows = rows + Rows.of(
            [
                ([int(f) + (k - 1) * count, int(f) + k * count], [1.0, -1.0], -INFINITY, INFINITY)
                for k in range(1, self.paths)
                for f in plan.shipped.ravel()
            ]
        )
        self._loss = self._chance = self._risk = np.empty((periods, 0), dtype=np.int64)
        if hedge:
            retailer = self._markets.retailer
            size = periods * len(np.unique(retailer))
            # An expected shortage beyond all demand there is: dearer than any unit is worth.
            dear = 10.0 * float((self._markets.price + self._markets.shortage_cost).max()) + 1.0
            excess = len(cost) + np.arange(size).reshape(periods, -1)
            self._loss, more = loss_rows(plan, retailer, excess, len(rows))
            cost, rows = np.append(cost, np.full(size, -dear)), rows + more
            blocks.append(excess)
            if problem.demand.state_dependent:
                self._risk = excess + size
                self._chance, more = chance_rows(plan, retailer, self._risk, len(rows))
                cost, rows = np.append(cost, np.zeros(size)), rows + more
                blocks.append(self._risk)
        upper = np.full(len(cost), INFINITY)

        self._fixed = np.flatnonzero(self._links.fixed_cost > 0.0)
        self._switches: list[tuple[int, int, int]] = []
        self._switched = np.empty(0, dtype=np.int64)
        for k in range(self.paths if len(self._fixed) else 0):
            path = dataclasses.replace(plan, shipped=plan.shipped + k * count)
            more, costs, switches = switch_rows(problem, path, len(cost))
            blocks.append(len(cost) + np.arange(len(costs)).reshape(periods, -1))
            self._switches += [(len(rows) + row, column, i) for row, column, i in switches]
            cost, upper = np.append(cost, costs / self.paths), np.append(upper, np.ones(len(costs)))
            rows = rows + more
            if k == 0:
                self._switched = np.array([column for _, column, _ in switches])
        self._cost, self._upper, self._rows = cost, upper, rows
        self._least, self._most = rows.least.copy(), rows.most.copy()
        self._ships = plan.morning[0] >= 0
        self._most[plan.morning[:, self._ships] + self._copies] = 0.0
        self._columns = [np.concatenate([block[t] for block in blocks]).astype(np.int32) for t in range(periods)]
        self._all_rows = np.arange(len(rows), dtype=np.int32)
        self._all_columns = np.arange(len(cost), dtype=np.int32)

    # changing -----------------------------------------------------------------------------------

    def _open(self, t: int) -> None:
        """Open the columns of t .. t + H - 1 and close all others."""
        before, now = self._opened, range(t, min(t + self.horizon, self.problem.horizon))
        for period in range(self.problem.horizon):
            if (period in now) != (period in before):
                columns = self._columns[period]
                upper = self._upper[columns] if period in now else np.zeros(len(columns))
                self._model.changeColsBounds(len(columns), columns, np.zeros(len(columns)), upper)
        if self._integer:
            self._only_first_whole(t)
        if now.stop != before.stop:
            cost = self._cost + self._end_of_horizon(now.stop)
            self._model.changeColsCost(len(cost), self._all_columns, cost)
        self._opened = now

    def _only_first_whole(self, t: int) -> None:
        import highspy

        kinds = np.full(self._plan.shipped.shape, highspy.HighsVarType.kContinuous)
        kinds[t] = highspy.HighsVarType.kInteger
        columns = self._plan.shipped.ravel().astype(np.int32)
        self._model.changeColsIntegrality(len(columns), columns, kinds.ravel())

    def _end_of_horizon(self, end: int) -> Array:
        """Adjust the value of columns if the program ends before the episode."""
        problem, plan = self.problem, self._plan
        change = np.zeros(len(self._cost))
        if end >= problem.horizon:
            return change
        worth = worth_of(problem)
        value = np.zeros(len(problem.nodes))
        if self._salvage:
            value = SALVAGE * worth[end - 1] * replacement_costs(problem)
        one = np.zeros(len(plan.cost))
        one[plan.stock[end - 1]] = value
        held = np.concatenate([[0.0], np.cumsum(worth)])
        for i, lead in enumerate(self._links.lead_time):
            for sent in range(max(0, end - int(lead)), end):
                # In transit at the end: worth what is stored at the buyer, less the rest of the way, which stays
                # charged. Where what is left is worth nothing, the rest of the way is not charged either.
                arrives = min(sent + int(lead), problem.horizon)
                rest = self._links.pipeline_cost[i] * (held[arrives] - held[end])
                one[plan.shipped[sent, i]] = value[self._links.buyer[i]] if self._salvage else rest
        change[: len(one) * self.paths] = np.tile(one / self.paths, self.paths)
        return change

    def _write(self, t: int, now: Situation) -> None:
        """Write the right-hand sides for this state and forecast."""
        plan, end, copies = self._plan, self._opened.stop, self._copies
        least, most = self._least.copy(), self._most.copy()
        demand = np.zeros_like(now.demand)
        # In lexical order, paths that agree so far are neighbours.
        demand[:, t:end] = now.demand[np.lexsort(now.demand[:, t:end].reshape(self.paths, -1).T[::-1]), t:end]
        demand[:, t] += now.backlog
        least[plan.market + copies] = most[plan.market + copies] = demand
        supply = np.zeros_like(now.arriving)
        supply[t:end] = now.arriving[t:end]
        supply[t] += now.on_hand
        least[plan.balance + copies] = most[plan.balance + copies] = supply
        most[plan.morning[t, self._ships] + copies[:, 0]] = now.on_hand[self._ships]
        if end < self.problem.horizon:
            # What is left over when the program ends hangs in the air.
            for rows in (plan.market[end:], plan.balance[end:], plan.morning[end:, self._ships]):
                least[rows + copies], most[rows + copies] = -INFINITY, INFINITY
        for k, same in enumerate(_same_so_far(demand, t, end)):
            least[self._together[k, t : t + same]] = most[self._together[k, t : t + same]] = 0.0
        if self._loss.size:
            least[self._loss[t:end]] = now.spread[t:end, :, None] * LOSS_AT
        if self._chance.size:
            least[self._chance[t:end]] = now.spread[t:end, :, None] * CHANCE_AT
            price = np.zeros(self._risk.shape)
            price[t:end] = -now.risk[t:end, None] / np.maximum(now.spread[t:end], 1e-9)
            self._model.changeColsCost(price.size, self._risk.ravel().astype(np.int32), price.ravel())
        if self._charged:
            self._charge(t, now)
        self._model.changeRowsBounds(len(self._all_rows), self._all_rows, least, most)
        if self._switches:
            stock = now.on_hand + now.arriving[t:].sum(axis=0)
            useful = most_useful(self.problem, stock, demand.sum(axis=1).max(axis=0) + now.spread.sum())
            for row, column, i in self._switches:
                self._model.changeCoeff(row, column, -float(useful[i]))

    def _charge(self, t: int, now: Situation) -> None:
        """Price unmet demand on every path with the sales it may drive away: risk times density at zero stock."""
        price = self._cost[self._plan.unmet].copy()
        spread = np.maximum(now.spread[t:], 1e-9)
        lost = now.risk[t:, None] * NORMAL.pdf(0.0) / spread / self.paths
        for r, j in enumerate(np.unique(self._markets.retailer)):
            price[t:, self._markets.retailer == j] -= lost[:, r : r + 1]
        columns = self._plan.unmet + len(self._plan.cost) * np.arange(self.paths)[:, None, None]
        self._model.changeColsCost(columns.size, columns.ravel().astype(np.int32), np.tile(price.ravel(), self.paths))


def _same_so_far(demand: Array, t: int, end: int) -> Sequence[int]:
    """Return the periods from t on in which each path must ship as the one before, one beyond those that agree."""
    agree = []
    for one, other in itertools.pairwise(demand):
        differs = np.flatnonzero((one[t:end] != other[t:end]).any(axis=1))
        agree.append(int(differs[0]) + 1 if len(differs) else end - t)
    return agree
