"""Forms of action and observation of a supply network, and the bounds that make them finite."""

from __future__ import annotations

import math
from collections.abc import Sequence
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.forms import ActionForm, Array, Block, bounded, choose
from restock.core.validation import LARGEST

if TYPE_CHECKING:
    from restock.problems.network.problem import NetworkProblem

CHOICES = 21  # of each number in the multidiscrete form, and of the one in the discrete form: 0 and 20 equal steps
LEAST_BOUND = 1e-6  # units; float32 holds it apart from 0


def peak_flow(problem: NetworkProblem) -> Array:
    """Return the mean demand that may have to pass into a node in the busiest period, shape (N,) (units/period).

    All that a market asks for may come through any one node upstream, by the way that uses up
    most, so this bounds the flow under any split among suppliers.
    """
    units_in = np.array([1.0 / (node.yield_ or 1.0) for node in problem.spec.managed])
    needed = np.zeros((len(problem.nodes), len(problem.markets)))  # into a node for each unit that a market is sold
    for k, (retailer, _) in enumerate(problem.markets):
        needed[problem.rank[retailer], k] = 1.0
    buyers: dict[int, set[int]] = {j: set() for j in range(len(problem.nodes))}
    for source, target in problem.links:
        if source in problem.rank:
            buyers[problem.rank[source]].add(problem.rank[target])
    for supplier in TopologicalSorter(buyers).static_order():
        for j in buyers[supplier]:
            through = np.minimum(units_in[supplier] * needed[j], LARGEST)
            needed[supplier] = np.maximum(needed[supplier], through)
    cap = problem.spec.demand.goodwill.cap if problem.spec.demand.goodwill else 1.0
    return np.asarray(np.minimum(needed @ problem.demand.mean.max(axis=0) * cap, LARGEST))


def order_bounds(problem: NetworkProblem, max_order: Any = None) -> Array:
    """Return the largest order of each link that an action can ask for, shape (E,) (units).

    Four busiest periods of mean demand through the buyer, at least two economic order
    quantities where orders have a fixed cost, at most the supplier's capacity; or `max_order`.

    Raises:
        InvalidInput: `max_order` is not a positive number, or one for each link.
    """
    e = len(problem.links)
    if max_order is not None:
        return _positive_numbers("max_order", max_order, problem.links)
    flow = peak_flow(problem)
    bounds = np.empty(e)
    holding = {node.id: node.holding_cost or 0.0 for node in problem.spec.managed}
    capacity = {node.id: node.capacity for node in problem.spec.managed}
    for i, link in enumerate(problem.spec.ordered_links):
        rate = flow[problem.rank[link.target]]
        bound = 4.0 * rate
        if link.fixed_cost > 0.0 and holding[link.target] > 0.0:
            batch = 2.0 * math.sqrt(2.0 * link.fixed_cost * rate / holding[link.target])
            bound = min(max(bound, batch), LARGEST)
        limit = capacity.get(link.source)
        bounds[i] = max(1.0, math.ceil(bound if limit is None else min(bound, limit)))
    return bounds


def level_bounds(problem: NetworkProblem, max_order: Any = None) -> Array:
    """Return the largest order-up-to level of each link, shape (E,): what an order can add to a long cover."""
    if max_order is not None:
        return _positive_numbers("max_order", max_order, problem.links)
    flow = peak_flow(problem)
    cover = [(link.lead_time + 4.0) * flow[problem.rank[link.target]] for link in problem.spec.ordered_links]
    return np.ceil(2.0 * np.array(cover) + 1.0)


def action_form(problem: NetworkProblem, kind: str, max_order: Any = None) -> ActionForm:
    """Return the action form of that kind; one number a link, but for `discrete`.

    `quantity`: units ordered, 0 to a bound for each link (`max_order` overrides it).
    `normalized`: the same bound mapped to [-1, 1]; -1 orders nothing.
    `order-up-to`: inventory position of the buyer to reach, links in their order.
    `multidiscrete`: 0 to 20 twentieths of the bound.
    `discrete`: one choice for all links together, 0 to 20 twentieths of each link's own bound.

    Raises:
        InvalidInput: No such kind, or a bad `max_order`.
    """
    choose(kind, problem.action_kinds, "action")
    most = level_bounds(problem, max_order) if kind == "order-up-to" else order_bounds(problem, max_order)
    arrows = [f"{s} -> {b}" for s, b in problem.links]
    zero, one = np.zeros(len(arrows)), np.ones(len(arrows))
    if kind in ("quantity", "normalized"):
        words = "units ordered on each link" if kind == "quantity" else "order on each link"
        return bounded(kind, [f"order {a}" for a in arrows], most, words)
    if kind == "order-up-to":
        labels = tuple(f"order-up-to level {a} (units)" for a in arrows)
        words = "inventory position each link raises its buyer to, links in their order"
        return ActionForm(kind, labels, zero, most, most, False, words)
    if kind == "discrete":
        one_choice = np.array([CHOICES - 1.0])
        words = "one choice: every link orders the same share of its largest order, in equal steps from nothing to all"
        label = (f"orders on all links (in steps of 1/{CHOICES - 1} of their largest)",)
        return ActionForm(kind, label, np.zeros(1), one_choice, np.array([most.sum()]), True, words, (), reach=most)
    labels = tuple(f"order {a} (in steps of {b / (CHOICES - 1):g})" for a, b in zip(arrows, most, strict=True))
    words = "order on each link in equal steps from nothing to the most"
    return ActionForm(kind, labels, zero, one * (CHOICES - 1), most, True, words)


def seen(problem: NetworkProblem, scaled: bool) -> dict[str, Block]:
    """Return the blocks of the observation.

    Yardsticks: peak mean demand of the market or node, initial stock where larger, the horizon.
    """
    lead = [link.lead_time for link in problem.spec.ordered_links]
    retail = [f"{s} -> {m}" for s, m in problem.markets]
    arrivals = [
        f"arriving in {k + 1} periods {s} -> {b}" if k else f"arriving next {s} -> {b}"
        for (s, b), length in zip(problem.links, lead, strict=True)
        for k in range(length)
    ]
    goodwill = problem.spec.demand.goodwill
    cap = max(1.0, goodwill.cap) if goodwill else 1.0
    peak = stock = coming = np.ones(1)
    if scaled:
        flow = np.maximum(peak_flow(problem), 1.0)
        peak = np.maximum(problem.demand.mean.max(axis=0), 1.0)
        stock = np.maximum(np.array([node.initial_inventory or 0.0 for node in problem.spec.managed]), flow)
        coming = np.repeat(flow[[problem.rank[b] for _, b in problem.links]], lead)
    unmet = "backlog" if problem.spec.backlog else "lost"
    return {
        "demand": Block([f"demand {r}" for r in retail], peak),
        "unmet": Block([f"{unmet} {r}" for r in retail], peak),
        "on_hand": Block([f"on hand {node}" for node in problem.nodes], stock),
        "arrivals": Block(arrivals, coming),
        "period": Block(["period"], problem.horizon, high=problem.horizon),
        "goodwill": Block(["goodwill"], cap, high=cap),
    }


def _positive_numbers(field: str, value: Any, links: Sequence[tuple[Any, Any]]) -> Array:
    """Return one positive number, or one for each link, as shape (E,)."""
    try:
        numbers = np.asarray(value)
        if numbers.dtype.kind not in "iuf":
            raise ValueError
        numbers = np.broadcast_to(numbers.astype(np.float64), (len(links),)).copy()
    except Exception:  # an array-like of another library may raise anything
        problem = f"must be one number, or one for each of the {len(links)} links"
        raise InvalidInput(field, value, problem, "Write a positive number.") from None
    wrong = ~((numbers >= LEAST_BOUND) & (numbers <= LARGEST))
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        at = f"[{i}]" if np.ndim(value) else ""
        problem = f"an order bound is at least {LEAST_BOUND:g} and at most {LARGEST:g}"
        raise InvalidInput(field + at, float(numbers[i]), problem, "Write a positive number.")
    return numbers
