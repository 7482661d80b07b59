"""A supply network in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from restock.core.records import Counted
from restock.core.wording import Wording
from restock.demand.empirical import Empirical

if TYPE_CHECKING:
    from restock.problems.network.problem import NetworkProblem
    from restock.problems.network.spec import NodeSpec

WORDING = Wording(
    system="network",
    place="node",
    places="nodes",
    worth="profit",
    sees="stock, goods under way, orders owed and past demand",
)

BULLWHIP = "bullwhip_at_{}"
ASSUMED = ", as far as it is known beforehand; what comes may differ"
MOST_OBSERVED = 120  # numbers of a series that are told one by one
QUANTILES = np.linspace(0.0, 1.0, 11)
MOST_STAGES = 20  # that are listed one by one


def wording(problem: NetworkProblem) -> Wording:
    """What texts and reports call things, the stages of a small network by name."""
    if len(problem.nodes) > MOST_STAGES:
        return WORDING
    meaning = "variance of the orders it places / that of the orders and demand it receives; 1 if these never vary"
    figures = {BULLWHIP.format(node): (f"bullwhip at {node}", meaning) for node in problem.nodes}
    return dataclasses.replace(WORDING, figures=figures)


def explain(problem: NetworkProblem) -> str:
    """Return the problem in words: entities, clock, costs, demand."""
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
        "  5. profit = sales - purchases from outside sources - operating - holding - in-transit - shortage - fixed "
        "order costs; what own nodes pay each other cancels.",
        "",
        "Stocking points: " + "; ".join(_node_words(node) for node in spec.managed) + ".",
        "Links: "
        + "; ".join(
            f"{link.source} -> {link.target} (lead time {link.lead_time}, price {link.price:g}"
            + (f", in transit {link.pipeline_cost:g}" if link.pipeline_cost else "")
            + (f", fixed cost {link.fixed_cost:g})" if link.fixed_cost else ")")
            for link in spec.ordered_links
        )
        + ".",
        *(
            [
                f"A node with several suppliers ({', '.join(shared)}) takes what they send as the same goods: they are "
                "alternatives, not parts of one product."
            ]
            if (shared := _shared(problem))
            else []
        ),
        "Markets: "
        + "; ".join(
            f"{market.source} -> {market.market} (price {market.price:g}, shortage {market.shortage_cost:g}, "
            f"mean demand{' known beforehand' if problem.assumed else ''} "
            f"{problem.demand.mean[:, k].mean():.3g}{_by_default(problem, k)})"
            for k, market in enumerate(spec.ordered_markets)
        )
        + ".",
        f"Demand{ASSUMED if problem.assumed else ''}: " + "; ".join(_demand_words(problem)) + ".",
    ]
    return "\n".join(lines)


def counted(problem: NetworkProblem) -> tuple[Counted, ...]:
    """Return what each part of the profit counts."""
    spec, own = problem.spec, {node.id for node in problem.spec.managed}

    def link(one: Any) -> str:
        return f"{one.source}->{one.target}"

    def by_market(field: str) -> dict[str, float]:
        return {f"{one.source}->{one.market}": getattr(one, field) for one in spec.ordered_markets}

    links = spec.ordered_links
    operating = {str(node.id): (node.operating_cost or 0.0) / (node.yield_ or 1.0) for node in spec.managed}
    holding = {str(node.id): node.holding_cost or 0.0 for node in spec.managed}
    outside = {link(one): one.price for one in links if one.source not in own}
    pipeline = {link(one): one.pipeline_cost for one in links}
    fixed = {link(one): one.fixed_cost for one in links}
    cancels = "what own nodes pay each other cancels"
    every = (
        Counted("revenue", "price * sold, of each market", by_market("price")),
        Counted("purchases", f"- price * shipped, of each link from an outside source; {cancels}", outside),
        Counted("operating", "- rate * all that the node shipped and sold", operating),
        Counted("holding", "- rate * on hand at the end", holding),
        Counted("pipeline_holding", "- rate * in transit at the end", pipeline),
        Counted("shortage", "- rate * unmet, of each market", by_market("shortage_cost")),
        Counted("fixed_orders", "- cost of each link that shipped anything", fixed),
    )
    some = ({label: rate for label, rate in one.rates.items() if rate} for one in every)
    found = [Counted(one.part, one.words, rates) for one, rates in zip(every, some, strict=True) if rates]
    if spec.discount != 1.0:
        found.append(Counted("reward", f"each part times {spec.discount:g} for every period played before"))
    return tuple(found)


def _shared(problem: NetworkProblem) -> list[str]:
    """Return the nodes with more than one supplier."""
    buyers = [buyer for _, buyer in problem.links]
    return [str(node) for node in problem.nodes if buyers.count(node) > 1]


def _by_default(problem: NetworkProblem, k: int) -> str:
    """Return what is added to the mean of a market for which none was given."""
    demand, market = problem.spec.demand, problem.spec.ordered_markets[k]
    return "" if demand.fixes_mean or market.mean is not None else ", the default: none is given"


def _demand_words(problem: NetworkProblem) -> list[str]:
    """Return the demand in words, one aspect per piece: law, effects, series, prior, goodwill, floor, sampler."""
    demand, spec = problem.demand, problem.spec.demand
    parameters = {k: v for k, v in demand.distribution.model_dump().items() if v is not None}
    law = demand.distribution.name + "".join(f", {name} {value}" for name, value in parameters.items())
    found = [f"{law}, noise scale {demand.noise_scale:g}"]
    effects = spec.effects
    if effects.trend is not None:
        found.append(f"trend: the mean times 1 + {effects.trend.slope:g} t")
    if effects.seasonal is not None:
        wave = effects.seasonal
        shifted = f"(t + {wave.phase:g})" if wave.phase else "t"
        found.append(f"season: times 1 + {wave.amplitude:g} sin(2 pi {shifted} / {wave.period:g})")
    if effects.shock is not None:
        found.append(f"shock: times {effects.shock.size:g} from period {effects.shock.time} on")
    if spec.series is not None and spec.past:
        found.append(f"a series, of which the first {spec.past} periods are history and the prior")
    elif isinstance(demand.distribution, Empirical):
        found.append(_observed_words(problem, demand.distribution))
    elif spec.series is not None:
        found.append("a series" + (", the same for every market" if spec.same else ""))
    if spec.prior is not None:
        known = spec.prior.mean if isinstance(spec.prior.mean, list) else [spec.prior.mean]
        found.append("known beforehand: mean " + ", ".join(f"{mean:g}" for mean in known))
    if problem.demand.state_dependent:
        found.append("moves with goodwill")
    if demand.least_mean:
        found.append(f"its mean is {demand.least_mean:g} at least")
    becomes = demand.mean_after_cut()
    if becomes is not None:
        found.append(f"nothing below 0 is asked for, which raises the mean to {becomes:.3g}")
    found.append(f"sampler {spec.sampler}")
    return found


def _observed(problem: NetworkProblem, law: Empirical) -> dict[str, list[float]]:
    """Return what is drawn from, by market: the values of a short series, the quantiles of a long one."""
    series, names = law.observed, problem.labels()["demand"]
    if series.shape[1] == 1:
        names = names[:1]
    told = series if series.size <= MOST_OBSERVED else np.quantile(series, QUANTILES, axis=0)
    return {name: np.round(told[:, k], 3).tolist() for k, name in enumerate(names)}


def _observed_words(problem: NetworkProblem, law: Empirical) -> str:
    """Return what is drawn from, in words."""
    series = law.observed
    among = "" if series.shape[1] > 1 or len(problem.markets) == 1 else ", the same for every market"
    told = [
        (f"{name}: " if series.shape[1] > 1 else "") + ", ".join(f"{value:g}" for value in values)
        for name, values in _observed(problem, law).items()
    ]
    what = "" if series.size <= MOST_OBSERVED else " with the quantiles (0, 10, ..., 100%)"
    return f"drawn from {len(series)} periods{what}{among}: {'; '.join(told)}"


def describe(problem: NetworkProblem) -> dict[str, Any]:
    """Return the problem as plain data: nodes, links and markets as rows of tables, and the demand."""
    return {
        "description": problem.spec.description,
        "backlog": problem.spec.backlog,
        "discount": problem.spec.discount,
        "nodes": _nodes(problem),
        "links": _links(problem),
        "markets": _markets(problem),
        "demand": _demand(problem),
    }


def _nodes(problem: NetworkProblem) -> list[dict[str, Any]]:
    spec = problem.spec
    selling = {market.source for market in spec.markets}
    rows = []
    for node in spec.nodes:
        managed = node in spec.managed
        role = "outside source" if not managed else "factory" if node.capacity is not None else "distributor"
        rows.append(
            {
                "node": str(node.id),
                "role": "retailer" if role == "distributor" and node.id in selling else role,
                "initial_inventory": node.initial_inventory,
                "holding_cost": node.holding_cost,
                "capacity": node.capacity,
                "yield": (node.yield_ or 1.0) if node.capacity is not None else None,
                "operating_cost": node.operating_cost,
            }
        )
    return rows


def _links(problem: NetworkProblem) -> list[dict[str, Any]]:
    return [
        {
            "from": str(link.source),
            "to": str(link.target),
            "lead_time": link.lead_time,
            "price": link.price,
            "pipeline_cost": link.pipeline_cost,
            "fixed_cost": link.fixed_cost,
        }
        for link in problem.spec.ordered_links
    ]


def _markets(problem: NetworkProblem) -> list[dict[str, Any]]:
    means = problem.demand.mean.mean(axis=0)
    return [
        {
            "from": str(market.source),
            "to": str(market.market),
            "price": market.price,
            "shortage_cost": market.shortage_cost,
            "mean_demand": float(mean),
        }
        for market, mean in zip(problem.spec.ordered_markets, means, strict=True)
    ]


def _demand(problem: NetworkProblem) -> dict[str, Any]:
    demand = problem.demand
    effects = {name: one for name, one in problem.spec.demand.effects.model_dump().items() if one is not None}
    return {
        **({"known": f"demand{ASSUMED}"} if problem.assumed else {}),
        "distribution": demand.distribution.name,
        "parameters": demand.distribution.model_dump(),
        **({"observed": _observed(problem, law)} if isinstance(law := demand.distribution, Empirical) else {}),
        "noise_scale": demand.noise_scale,
        "goodwill": None if demand.goodwill is None else demand.goodwill.model_dump(),
        "effects": None if problem.assumed else effects,
        "prior": None if problem.spec.demand.prior is None else problem.spec.demand.prior.mean,
        "past": problem.spec.demand.past,
        "least_mean": demand.least_mean,
        "sampler": problem.spec.demand.sampler,
        "mean": demand.mean,
    }


def _node_words(node: NodeSpec) -> str:
    words = f"{node.id} (stock {node.initial_inventory:g}, holding {node.holding_cost:g}"
    if node.capacity is not None:
        words += f", capacity {node.capacity:g}"
    return words + (f", operating {node.operating_cost:g} per unit of stock used)" if node.operating_cost else ")")


def _count(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"
