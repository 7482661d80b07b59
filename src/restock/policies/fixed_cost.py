"""Reorder points and order quantities of nodes with fixed order costs, from one node's exact optimum.

A node with a fixed cost is solved as if it stood alone: its demand is what it uses up in a period at the mean
over the horizon, its lead time the window of the policy, unmet demand waits at the cost of a unit short.
The reorder point found is then carried to every period by how many standard deviations of the coming
demand it lies above the mean.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from restock.core.problem import Array
from restock.demand import laws
from restock.demand.empirical import Empirical
from restock.policies.flows import per_entity
from restock.policies.levels import LevelPolicy
from restock.policies.ratios import LEAST
from restock.solvers.reorder_point import ReorderPoint, expected_costs
from restock.solvers.single_location import count_probabilities

MOST_STEPS = 200  # of a mean demand: larger ones are counted in larger steps
MOST_PERIODS = 1e5  # of demand in a given batch: beyond, it is ordered once, and no point is best for it
MOST_BATCH = 4000  # steps of an order quantity, likewise
PLACES = 4000  # quantiles that stand for a demand that is no plain count


@dataclasses.dataclass(frozen=True)
class Rule:
    """How the batches of a node are planned.

    Attributes:
        optimal: From demand, costs, first position and fixed cost to the best reorder point and quantity.
        point: From demand, costs, first position and quantity to the best reorder point.
    """

    optimal: Callable[[Array, Array, int, float], ReorderPoint]
    point: Callable[[Array, Array, int, int], int]


def fixed_costs(policy: LevelPolicy) -> Array:
    """Return the fixed order cost of each node [K], its suppliers together, shape (N,)."""
    links = policy.problem.spec.ordered_links
    used = policy.shares > 0.0
    fixed = [link.fixed_cost if one else 0.0 for link, one in zip(links, used, strict=True)]
    return np.asarray(np.bincount(policy.plan.buyer, fixed, minlength=len(policy.problem.nodes)), dtype=np.float64)


def optimal_points(policy: LevelPolicy, service: Any, rule: Rule, given: Array | None) -> tuple[Array, Array]:
    """Return the reorder points of every period, shape (T, N), and order quantities, shape (N,) (units).

    Nodes without a fixed cost or a quantity of their own get the newsvendor's levels and a quantity of 0.

    Args:
        policy: Says window, costs and demand.
        service: As for `LevelPolicy.ratios`, in place of the costs of a unit short.
        rule: What is planned.
        given: Order quantities that are given, shape (N,) (units): then the points are the best for them.
    """
    table = policy.newsvendor(service).copy()
    quantity = np.zeros(table.shape[1]) if given is None else given
    coming = policy.coming()
    fixed = fixed_costs(policy)
    deviation = np.sqrt(coming.variance)
    over = np.maximum(policy.costs.over, 1e-6)
    ratios = np.clip(policy.before_the_end(service), LEAST, None)
    batched = fixed > 0.0 if given is None else (given > 0.0) & (given <= MOST_PERIODS * policy.rate)
    for j in np.flatnonzero(batched & (policy.rate > 0.0)):
        largest = float(quantity[j]) if given is not None else np.sqrt(2.0 * fixed[j] * policy.rate[j] / over[j])
        step, demand = _demand(policy, int(j), float(largest))
        periods = _covered(policy, int(j))
        short = over[j] * ratios[j] / (1.0 - ratios[j])
        if given is None:
            costs, first = expected_costs(demand, periods, step * over[j], step * short, float(fixed[j]))
            found = rule.optimal(demand, costs, first, float(fixed[j]))
            quantity[j], point = step * found.quantity, found.reorder_point
        else:
            steps = max(round(float(given[j]) / step), 1)
            costs, first = expected_costs(demand, periods, step * over[j], step * short)
            room = np.arange(1, steps + 1)  # positions that a batch reaches beyond those where costs are of use
            costs = np.concatenate([costs, costs[-1] + step * over[j] * room])
            point = rule.point(
                demand, np.concatenate([costs[0] + step * short * room[::-1], costs]), first - steps, steps
            )
        amounts = np.arange(len(demand))
        mean = float(amounts @ demand)
        spread = np.sqrt(max(float((amounts - mean) ** 2 @ demand), 1e-12) * periods)
        table[:, j] = (
            np.round(coming.mean[:, j] + (point - periods * mean) / spread * deviation[:, j], 9) + 0.0
        )  # no -0
    return policy.carrying(table, coming.mean), quantity


def until_the_end(policy: LevelPolicy, quantity: Array) -> Array:
    """Return quantities (N,) as far as there is demand for them before the horizon, shape (T, N) (units)."""
    coming, plan = policy.coming(), policy.plan
    window = plan.window(policy.echelon)
    ways = window.ways
    after = np.concatenate([np.cumsum(plan.mean[::-1], axis=0)[::-1], np.zeros((1, plan.mean.shape[1]))])
    begin = np.minimum(np.arange(plan.horizon)[:, None] + window.first, plan.horizon)
    left = ways.by_node(after[begin, ways.market] * ways.weights(policy.shares)) - coming.mean
    return np.asarray(np.minimum(quantity, np.maximum(left, 0.0)))


def read_batches(batches: Any, policy: LevelPolicy) -> Array:
    """Return order quantities as given, shape (N,) (units).

    Raises:
        InvalidInput: They are not numbers of at least 0.
    """
    return per_entity("batches", batches, policy.problem.nodes)


def whole_demand(policy: LevelPolicy) -> Array:
    """Return whether a node's demand comes in whole units of its own, shape (N,)."""
    used = policy.usage > 0.0
    whole = _whole(policy.problem.demand.distribution.law) and policy.problem.demand.noise_scale == 1.0
    return np.asarray(whole & (~used | (np.abs(policy.usage - 1.0) <= 1e-12)).all(axis=1))


def smallest_batches(policy: LevelPolicy) -> Array:
    """Return the batches of nodes without fixed order costs, shape (N,): a unit, or 1/20 of a period's demand."""
    return np.where(whole_demand(policy), 1.0, policy.rate / 20.0)


def _covered(policy: LevelPolicy, node: int) -> int:
    """Return the periods that the level of a node covers; for an echelon, their demand-weighted mean over its ways."""
    plan = policy.plan
    window = plan.window(policy.echelon)
    here = window.ways.node == node
    weight = (window.ways.weights(policy.shares) * plan.mean.mean(axis=0)[window.ways.market])[here]
    return int(np.ceil(np.average(window.count[here], weights=weight) - 1e-9))


def _demand(policy: LevelPolicy, node: int, quantity: float) -> tuple[float, Array]:
    """Return the demand of a node in a period at the mean over the horizon: a step (units) and its probabilities.

    Args:
        policy: Says usage and demand.
        node: Its index.
        quantity: What an order is about (units): steps are not much finer than it needs.
    """
    demand, share = policy.problem.demand, policy.usage[node]
    mean = policy.plan.mean.mean(axis=0)
    law = demand.distribution
    used = np.flatnonzero(share * mean > 0.0)
    unit = float(share[used].max())
    total = float(mean[used].sum())
    counts = law.law in (laws.POISSON, laws.NEGATIVE_BINOMIAL) and demand.noise_scale == 1.0
    alike = np.ptp(share[used]) <= 1e-12 * unit
    if counts and alike and total <= MOST_STEPS and quantity <= MOST_BATCH * unit:
        beyond = float((demand.deviation(mean)[used] ** 2).sum()) - total
        return unit, count_probabilities(total, 0.0 if law.law == laws.POISSON else total**2 / beyond)
    if isinstance(law, Empirical):
        amounts = float(share @ mean) * law.sums(share, 1, demand.noise_scale)
    elif len(used) == 1 and law.has_quantiles:
        places = np.repeat(((np.arange(PLACES) + 0.5) / PLACES)[:, None], len(mean), axis=1)
        amounts = unit * demand.quantile(places, np.broadcast_to(mean, places.shape), demand.noise_scale)[:, used[0]]
    else:
        variance = float(share**2 @ demand.deviation(mean) ** 2)
        places = np.linspace(-4.0, 4.0, 801)
        weights = np.exp(-0.5 * places**2)
        amounts = np.maximum(float(share @ mean) + places * np.sqrt(variance), 0.0)
        return _on_lattice(amounts, weights / weights.sum(), unit if _whole(law.law) else 0.0, quantity)
    return _on_lattice(amounts, np.full(len(amounts), 1.0 / len(amounts)), unit if _whole(law.law) else 0.0, quantity)


def _whole(law: int) -> bool:
    return law in (laws.POISSON, laws.NEGATIVE_BINOMIAL, laws.RESAMPLED)


def _on_lattice(amounts: Array, weights: Array, unit: float, quantity: float) -> tuple[float, Array]:
    """Return amounts as probabilities of steps with the same mean: multiples of a unit, or small steps if it is 0."""
    mean = float(weights @ amounts)
    if unit > 0.0:
        step = unit * max(1.0, np.ceil(mean / unit / MOST_STEPS), np.ceil(quantity / unit / MOST_BATCH))
    else:
        step = max(max(mean, float(amounts.max()) / 4.0) / 100.0, quantity / MOST_BATCH)
    place = amounts / step
    low = np.floor(place + 1e-9).astype(np.int64)
    part = np.clip(place - low, 0.0, 1.0)
    found = np.zeros(int(low.max()) + 2)
    np.add.at(found, low, weights * (1.0 - part))
    np.add.at(found, low + 1, weights * part)
    return float(step), np.trim_zeros(found, "b")
