"""`restock show`: one problem in words and numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from restock.cli.arguments import Backlog, Demand, Discount, Horizon, ProblemName, changes_of
from restock.cli.console import AsJson, Console, Quiet, table, write

AsYaml = Annotated[bool, typer.Option("--yaml", help="Print the YAML, to copy and change.")]


def show(
    name: ProblemName,
    as_yaml: AsYaml = False,
    demand: Demand = None,
    horizon: Horizon = None,
    backlog: Backlog = None,
    discount: Discount = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Show a problem in words and numbers.

    What it is, its nodes, links, markets and demand; or its YAML.
    """
    from restock.problems.load import load_problem

    console = Console(as_json, quiet)
    changes = changes_of(demand, horizon, backlog, discount)
    problem: Any = load_problem(name, **changes)
    if as_yaml:
        text = _yaml(name, changes)
        console.document({"name": problem.name, "yaml": text}) if as_json else write(text)
        return
    nodes, links, markets = _nodes(problem), _links(problem), _markets(problem)
    if as_json:
        console.document(
            {
                "name": problem.name,
                "description": problem.spec.description,
                "horizon": problem.horizon,
                "backlog": problem.spec.backlog,
                "discount": problem.spec.discount,
                "nodes": nodes,
                "links": links,
                "markets": markets,
                "demand": _demand(problem),
            }
        )
        return
    console.text(problem.explain(), hanging="  ")
    console.text()
    _print(console, "Nodes", nodes)
    _print(console, "Links, in the order in which a supplier serves them", links)
    _print(console, "Markets, in the order in which they are served", markets)
    console.remark(f"The same as YAML, to copy and change: restock show {name} --yaml")


def _print(console: Console, title: str, rows: list[dict[str, Any]]) -> None:
    """Rows as a table; columns that say nothing are left out."""
    names = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    numbers = [k for k, name in enumerate(names) if not any(isinstance(row[name], str) for row in rows)]
    shown = table(*(name.replace("_", "\n") for name in names), numbers=numbers, words=[0, 1], title=title)
    for row in rows:
        shown.add_row(*(_cell(row[name]) for name in names))
    console.table(shown)


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _nodes(problem: Any) -> list[dict[str, Any]]:
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


def _links(problem: Any) -> list[dict[str, Any]]:
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


def _markets(problem: Any) -> list[dict[str, Any]]:
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


def _demand(problem: Any) -> dict[str, Any]:
    demand = problem.demand
    return {
        "distribution": demand.distribution.name,
        "parameters": demand.distribution.model_dump(),
        "noise_scale": demand.noise_scale,
        "goodwill": None if demand.goodwill is None else demand.goodwill.model_dump(),
        "sampler": problem.spec.demand.sampler,
        "mean": demand.mean,
    }


def _yaml(name: str, changes: dict[str, Any]) -> str:
    """The text that describes the problem; with changes, written anew."""
    import yaml

    from restock.core.reading import read_text
    from restock.problems.load import IDS
    from restock.problems.network.load import instance_text, instances

    if name in IDS:
        name = IDS[name].get("instance", "divergent")
    text = instance_text(name) if name in instances() else read_text(Path(name), "file", "YAML")
    if not changes:
        return text if text.endswith("\n") else text + "\n"
    return str(yaml.safe_dump({**yaml.safe_load(text), **changes}, sort_keys=False, allow_unicode=True))
