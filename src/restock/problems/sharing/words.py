"""Locations that share stock in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from restock.core.records import Counted
from restock.core.wording import Wording

if TYPE_CHECKING:
    from restock.problems.sharing.problem import SharingProblem


def wording(problem: SharingProblem) -> Wording:
    """What texts and reports call things."""
    weight = problem.spec.cost_weight
    return Wording(
        system="pool",
        period="day",
        periods="days",
        place="location",
        places="locations",
        counted="missions served less missions lost" + (f", less {weight:g} times all cost" if weight else ""),
        sees="stock, goods under way, the demand expected today and past missions",
        chance="missions",
        fewer="fewer",
        parts={"filled": "missions served", "stockouts": "stock-outs", "weighted_cost": "cost, weighed"},
        figures={
            "unit_cost": ("cost of units shipped", "whether or not it counts in the reward"),
            "shipment_cost": ("cost of shipments", "of those of more than one unit, whether or not it counts"),
            "holding_cost": ("cost of stock held", "not at a depot, whether or not it counts in the reward"),
            "cost": ("all cost", "whether or not it counts in the reward"),
        },
    )


def counted(problem: SharingProblem) -> tuple[Counted, ...]:
    """Return what each part of the reward counts."""
    costs, weight = problem.spec.costs, problem.spec.cost_weight
    all_cost = (
        f"all cost: {costs.unit:g} * units shipped + {costs.shipment:g} for each shipment of more than one unit + "
        f"{costs.holding:g} * on hand in the evening, not at a depot"
    )
    return (
        Counted("filled", "missions filled, of all locations together"),
        Counted("stockouts", "- stockouts, of all locations together"),
        Counted("weighted_cost", f"- {weight:g} * {all_cost}" if weight else f"nothing here; {all_cost}"),
    )


def explain(problem: SharingProblem) -> str:
    """Return the problem in words: locations, clock, costs, demand."""
    s = problem.spec
    n = s.n_locations
    depot = f"; location {problem.depot} is a depot with {s.depot_inventory:g} units" if problem.depot >= 0 else ""
    first = "what is due arrives, then " if s.arrivals_first else ""
    then = "" if s.arrivals_first else "what is due arrives, to be used from tomorrow on; "
    weight = f" - {s.cost_weight:g} times all cost" if s.cost_weight else ""
    mean = problem.expected.mean(axis=0)
    drawn = {
        "base": "missions drawn once",
        "depot": "missions drawn once",
        "variable": "missions drawn anew for every episode, from ranges that move",
    }[s.scenario]
    return "\n".join(
        [
            f"{s.name}: {s.description}".rstrip(": "),
            f"{n} locations{depot}; {s.n_timesteps} days, {problem.horizon} of them played; unmet demand is lost.",
            "",
            "Each day, in this order:",
            "  1. who is asked for more than it has scales all orders from it down;",
            f"  2. {first}missions take what they need, in order; one that is short empties the stock: a stock-out;",
            f"  3. {then}shipments leave, by receiver and then by source;",
            f"  4. reward = missions filled - stock-outs, over all locations{weight}.",
            "",
            f"Cost: {s.costs.unit:g} per unit shipped, {s.costs.shipment:g} per shipment of more than one unit, "
            f"{s.costs.holding:g} per unit in the evening, not at a depot.",
            f"Demand ({s.scenario}: {drawn if s.demands is None else 'as given'}): "
            f"{', '.join(f'{units:.3g}' for units in mean)} units a day expected at the locations.",
        ]
    )
