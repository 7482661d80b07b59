"""A supply network in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from restock.problems.network.problem import NetworkProblem
    from restock.problems.network.spec import NodeSpec


def explain(problem: NetworkProblem) -> str:
    """The problem in words: entities, clock, costs, demand."""
    spec = problem.spec
    lines = [
        f"{spec.name}: {spec.description}".rstrip(": "),
        f"{_count(problem.nodes, 'stocking point')}, {_count(problem.links, 'replenishment link')}, "
        f"{_count(problem.markets, 'retail link')}, {problem.horizon} periods, "
        f"unmet demand {'waits (backlog)' if spec.backlog else 'is lost'}, "
        f"discount {spec.discount:g} a period.",
        "",
        "Each period, in this order:",
        "  1. orders are filled link by link from the stock and capacity of this morning;",
        "  2. what was shipped a lead time ago arrives and can be sold today;",
        "  3. goodwill moves, if it is on;",
        "  4. markets ask, and are served from what is on hand;",
        "  5. profit = sales - purchases - operating - holding - in-transit - shortage - fixed order costs.",
        "",
        "Stocking points: " + "; ".join(_node_words(node) for node in spec.managed) + ".",
        "Links: "
        + "; ".join(
            f"{link.source} -> {link.target} (lead time {link.lead_time}, price {link.price:g}"
            + (f", fixed cost {link.fixed_cost:g})" if link.fixed_cost else ")")
            for link in spec.ordered_links
        )
        + ".",
        "Markets: "
        + "; ".join(
            f"{market.source} -> {market.market} (price {market.price:g}, shortage {market.shortage_cost:g}, "
            f"mean demand {problem.demand.mean[:, k].mean():.3g})"
            for k, market in enumerate(spec.ordered_markets)
        )
        + ".",
        f"Demand: {problem.demand.distribution.name}, noise scale {problem.demand.noise_scale:g}"
        + (", with goodwill" if problem.demand.state_dependent else "")
        + f", sampler {spec.demand.sampler}.",
    ]
    return "\n".join(lines)


def _node_words(node: NodeSpec) -> str:
    words = f"{node.id} (stock {node.initial_inventory:g}, holding {node.holding_cost:g}"
    return words + (f", capacity {node.capacity:g})" if node.capacity is not None else ")")


def _count(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"
