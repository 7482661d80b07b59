"""Critical ratios: how likely a node should be to meet demand, from the costs of a unit short and a unit left over."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from statistics import NormalDist

import numpy as np

from restock.core.problem import Array
from restock.policies.plan import plan_of
from restock.problems.network import NetworkProblem
from restock.solvers.structure import replacement_costs

LEAST, MOST = 0.001, 0.999  # of a ratio: a free shelf or a shortage that costs nothing would ask for no end


@dataclasses.dataclass(frozen=True)
class UnitCosts:
    """The cost of a unit short and of a unit left over at each node; every field has shape (N,).

    Attributes:
        short: Cost of a unit short in a period [b]: the largest shortage cost downstream, the margin of that
            market added where the sale is lost (where it waits, under a discount, the interest on the margin).
        final_short: The same in the last period in which a unit can still be sold: the sale is lost there,
            whether demand waits or not.
        over: Cost of a unit left over in a period: its holding cost [h] and, under a discount, the interest on it.
        final_over: The same where no later period can sell it: holding, and what bringing it here cost.
        above: Holding cost of a unit at the suppliers, by their shares.
        retail: Largest holding cost of a retailer downstream.
    """

    short: Array
    final_short: Array
    over: Array
    final_over: Array
    above: Array
    retail: Array


def unit_costs(problem: NetworkProblem, shares: Array) -> UnitCosts:
    """Return the costs of a unit short and of a unit left over at each node, suppliers weighted by shares (E,)."""
    plan = plan_of(problem)
    fixed = problem.fixed
    nodes, links, markets = fixed.nodes, fixed.links, fixed.markets
    landed = replacement_costs(problem)[markets.retailer] + nodes.operating_cost[markets.retailer]
    margin = np.maximum(markets.price - landed, 0.0)
    shortage = np.array(markets.shortage_cost)

    def worst(costs: Array) -> Array:
        found, ways = np.zeros(len(plan.lead)), plan.ways()
        np.maximum.at(found, ways.node, costs[ways.market])
        return found

    # Money has its price: what is bought a period too early, and what is earned a period late.
    interest = 1.0 - problem.spec.discount
    own = nodes.holding_cost + interest * replacement_costs(problem)
    retail = np.zeros(len(own))
    retail[plan.retailer] = own[plan.retailer]
    for i in plan.inner:
        j = plan.supplier[i]
        if j >= 0:
            retail[j] = max(retail[j], retail[plan.buyer[i]])
    managed = plan.supplier >= 0
    brought = links.outside_price + links.pipeline_cost * links.lead_time
    brought = brought + np.where(managed, nodes.operating_cost[plan.supplier], 0.0)
    behind = np.where(managed, own[plan.supplier], 0.0)
    return UnitCosts(
        short=worst(shortage + (interest if problem.spec.backlog else 1.0) * margin),
        final_short=worst(shortage + margin),
        over=own,
        final_over=own + np.bincount(plan.buyer, shares * brought, minlength=len(own)),
        above=np.asarray(np.bincount(plan.buyer, shares * behind, minlength=len(own)), dtype=np.float64),
        retail=retail,
    )


def critical_ratios(costs: UnitCosts, periods: Array | float = np.inf) -> Array:
    """Return the critical ratios short / (short + over), within [0.001, 0.999].

    A level that is kept for n periods is short or over in each of them, and what is left or missing after
    the last one costs more once:

        (n - 1) short + final_short   to   (n - 1) over + final_over

    For n = 1 that is the newsvendor of one season, for n without end b / (b + h).

    Args:
        costs: Of the nodes.
        periods: For how many periods the level is kept [n], of any shape that broadcasts with (N,).
    """
    share = 1.0 / np.asarray(periods, dtype=np.float64)
    under = (1.0 - share) * costs.short + share * costs.final_short
    over = (1.0 - share) * costs.over + share * costs.final_over
    return _ratio(under, over)


def echelon_ratios(costs: UnitCosts, final: bool = False) -> tuple[Array, Array]:
    """Return lower and upper critical ratios of the echelon levels after Shang and Song, each of shape (N,).

    For a serial system they are (b + H_(j+1)) / (b + H_1) and (b + H_(j+1)) / (b + H_j), where H_j is
    the holding cost of node j, j + 1 its supplier and 1 the retailer. Within [0.001, 0.999].

    Args:
        costs: Of the nodes.
        final: Whether no later order can serve what this one does not, see `critical_ratios`.
    """
    under = (costs.final_short if final else costs.short) + costs.above
    more = costs.final_over - costs.over if final else 0.0
    lower, upper = np.maximum(costs.retail - costs.above, 0.0), np.maximum(costs.over - costs.above, 0.0)
    return _ratio(under, lower + more), _ratio(under, upper + more)


def _ratio(under: Array, over: Array) -> Array:
    whole = under + over
    ratio = np.divide(under, whole, out=np.full(np.shape(whole), 0.5), where=whole > 0.0)
    return np.asarray(np.clip(ratio, LEAST, MOST))


def quantiles(ratios: Array) -> Array:
    """Return the standard normal quantiles of ratios in (0, 1), same shape."""
    return _each(NormalDist().inv_cdf, ratios)


def probabilities(z: Array) -> Array:
    """Return the standard normal probabilities of what is below z, same shape."""
    return _each(NormalDist().cdf, z)


def _each(function: Callable[[float], float], values: Array) -> Array:
    """Return a function of one number, called once for each distinct one."""
    distinct, place = np.unique(values, return_inverse=True)
    return np.array([function(float(one)) for one in distinct])[place].reshape(np.shape(values))
