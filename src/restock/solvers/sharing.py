"""The cheapest way to serve every mission, with all demand known.

With nothing lost, cost is linear in shipments and stock, but for the charge on a shipment of more than one
unit: a switch, on or off. The linear program lets a switch be on in part, which takes the largest convex function
below the charge, so its value is a bound on the cost of full service; its plan is a real one, and costs more when
it is played. With switches that are whole, it is a mixed-integer program: a far cheaper plan and a higher bound, for
seconds of work in place of hundredths.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.problem import Array
from restock.problems.sharing import SharingProblem
from restock.solvers.structure import Rows, highs_model

MARGIN = 1e-5  # units of stock above the need: what is left of it by rounding still serves the mission
GAP = 0.01  # a plan within 1% of its bound is good enough
MOST_NODES = 20  # of the search for whole switches: nearly all of what is found is found at the first
UNMET = 1e4  # times the other costs: a unit is left unmet only where stock cannot be there in time


@dataclasses.dataclass(frozen=True)
class Plan:
    """The cheapest plan of one episode.

    Attributes:
        orders: Units to ship, shape (T - 1, n n).
        cost: A proven bound: no plan with full service costs less.
        unmet: Units that no plan can serve; 0 where full service is possible.
    """

    orders: Array
    cost: float
    unmet: float


def cheapest(problem: SharingProblem, start: Array, held: Array, demand: Array, exact: bool = False) -> Plan:
    """Return the cheapest plan that serves everything.

    Args:
        problem: The locations.
        start: Stock at the start, shape (n,) (units).
        held: 1 where stock costs something, shape (n,).
        demand: Units needed, shape (T - 1, n).
        exact: Whether a shipment is charged in whole or not at all, as it is, and not in part.

    Raises:
        InvalidInput: HiGHS finds no optimum.
    """
    import highspy

    spec = problem.spec
    days, n = demand.shape
    lead = problem.fixed.links.lead_time.reshape(n, n)
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    q = np.arange(days * len(pairs)).reshape(days, len(pairs))
    charged = q + q.size  # switches
    stock = 2 * q.size + np.arange(days * n).reshape(days, n)
    unmet = stock + stock.size
    # The most that is worth shipping at once: what is still needed anywhere, and stock that costs something elsewhere.
    needed = demand.sum(axis=1)[::-1].cumsum()[::-1]
    most = np.append(needed[1:], 0.0) + float(start[held > 0.0].sum()) + MARGIN * demand.size
    cost = np.concatenate(
        [
            np.full(q.size, spec.costs.unit),
            np.full(q.size, spec.costs.shipment),
            np.tile(spec.costs.holding * held, days),
            np.full(unmet.size, UNMET),
        ]
    )
    rows: list[tuple[list[int], list[float], float, float]] = []
    inf = highspy.kHighsInf
    for t in range(days):
        for i in range(n):
            before = [int(stock[t - 1, i])] if t else []
            first = 0.0 if t else float(start[i])
            out = [int(q[t, k]) for k, (_, j) in enumerate(pairs) if j == i]
            late = [int(q[t - lead[i, j], k]) for k, (to, j) in enumerate(pairs) if to == i and 0 < lead[i, j] <= t]
            now = [int(q[t, k]) for k, (to, j) in enumerate(pairs) if to == i and lead[i, j] == 0]
            short = int(unmet[t, i])
            need = float(demand[t, i])
            early = late if spec.arrivals_first else []
            # What is there when the missions come covers them.
            rows.append((before + early + [short], [1.0] * len(before + early) + [1.0], need + MARGIN - first, inf))
            # No more is asked for than there is in the morning, nor than is left after demand and deliveries.
            rows.append((out + before, [1.0] * len(out) + [-1.0] * len(before), -inf, first))
            # Stock in the evening.
            columns = [int(stock[t, i]), *before, short, *late, *now, *out]
            signs = [1.0] + [-1.0] * (len(before) + 1 + len(late) + len(now)) + [1.0] * len(out)
            rows.append((columns, signs, first - need, first - need))
            rows.append(
                (columns[:1] + now, [1.0] + [-1.0] * len(now), 0.0, inf)  # what arrives this evening stays over night
            )
    for t in range(days):
        for k in range(len(pairs)):
            rows.append(([int(q[t, k]), int(charged[t, k])], [1.0, -max(float(most[t]) - 1.0, 0.0)], -inf, 1.0))
    upper = np.full(len(cost), inf)
    upper[charged] = 1.0
    model = highs_model(-cost, upper, Rows.of(rows), charged.ravel() if exact else None)
    model.setOptionValue("mip_rel_gap", GAP)
    model.setOptionValue(
        "mip_feasibility_tolerance", 1e-9
    )  # what leaks through a switch that is off stays within MARGIN
    model.setOptionValue("mip_max_nodes", MOST_NODES)
    model.run()
    info = model.getInfo()
    enough = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kSolutionLimit)
    if (
        model.getModelStatus() not in enough
        or info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible
    ):
        status = model.modelStatusToString(model.getModelStatus())
        raise InvalidInput("hindsight", status, "HiGHS found no optimum", "Check the sizes of the numbers.")
    columns_found = np.array(model.getSolution().col_value)
    shipped = np.maximum(columns_found[q], 0.0)
    if exact:  # however little leaks through a switch that is off, it would be charged in full
        shipped = np.where(columns_found[charged] < 0.5, np.minimum(shipped, 1.0), shipped)
    orders = np.zeros((days, n * n))
    orders[:, [i * n + j for i, j in pairs]] = shipped
    left = float(columns_found[unmet].sum())
    bound = -(info.mip_dual_bound if exact else info.objective_function_value)
    return Plan(orders, float(bound - UNMET * left), 0.0 if left <= MARGIN else left)
