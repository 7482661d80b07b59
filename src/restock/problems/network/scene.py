"""What a picture of a supply network shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from restock.core.scene import Arrow, Place, Scene
from restock.problems.network.forms import peak_flow

if TYPE_CHECKING:
    from restock.problems.network.problem import NetworkProblem


def scene_of(problem: NetworkProblem, t: int, world: Any) -> Scene:
    """Return the network at the start of period t: outside sources, stocking points, markets.

    A bar is full at what covers the longest lead time of the node and two periods more, at peak
    mean demand, or at the initial stock where that is larger. Shipments are drawn relative to two
    periods of it.

    Args:
        problem: The network.
        t: Period about to be played.
        world: Its state, as `problem.world` gives it.
    """
    rules, state, flows = world.rules, world.state, world.flows
    spec = problem.spec
    flow = peak_flow(problem)
    lead = np.array([link.lead_time for link in spec.ordered_links])
    sources = spec.sources
    rank = {node.id: k for k, node in enumerate((*sources, *spec.managed))}
    sells = {market.source for market in spec.markets}

    places = []
    for node in sources:
        out = sum(float(flows.shipped[i]) for i, (supplier, _) in enumerate(problem.links) if supplier == node.id)
        places.append(Place(str(node.id), "source", figures=(("shipped", out),)))
    for j, node in enumerate(spec.managed):
        longest = max(lead[i] for i, (_, buyer) in enumerate(problem.links) if buyer == node.id)
        role = "retailer" if node.id in sells else "distributor"
        figures: tuple[tuple[str, float], ...] = (("shipped", float(flows.released[j])),)
        if node.capacity is not None:
            role, figures = "factory", (*figures, ("of", node.capacity))
        full = max(node.initial_inventory or 0.0, flow[j] * (longest + 2.0))
        places.append(Place(str(node.id), role, float(state.on_hand[j]), float(full), figures))

    arrows = []
    due = np.split(state.pipe[t : t + lead.sum()], np.cumsum(lead)[:-1])
    for i, (supplier, buyer) in enumerate(problem.links):
        full = 2.0 * flow[rank[buyer] - len(sources)]
        arrivals = tuple(float(units) for units in due[i])
        arrows.append(Arrow(rank[supplier], rank[buyer], arrivals, float(flows.shipped[i]), float(full) or 1.0))

    names = [market for _, market in problem.markets]
    for m, (retailer, market) in enumerate(problem.markets):
        name = str(market) if names.count(market) == 1 else f"{market} (from {retailer})"
        figures = (("demand", float(flows.demand[m])), ("sold", float(flows.sold[m])))
        word = "backlog" if rules.carry > 0.0 else "lost"
        arrows.append(Arrow(rank[retailer], len(places), moved=float(flows.sold[m])))
        places.append(Place(name, "market", None, 0.0, figures, float(state.unmet[m]), word))
    goodwill = (("goodwill", float(state.sentiment[0])),) if rules.growth != 1.0 or rules.decay != 1.0 else ()
    return Scene(tuple(places), tuple(arrows), goodwill)
