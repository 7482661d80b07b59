"""The store in words."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from restock.core.records import Counted
from restock.core.wording import Wording
from restock.problems.retail.dynamics import IDLE_DAYS, LOW_CASH
from restock.problems.retail.sources import widest

if TYPE_CHECKING:
    from restock.problems.retail.problem import RetailProblem

REWARDS = {
    "profit": "the profit of the day, in money",
    "readme": ".001 (units sold - units missed) at the price charged - .05 per unit expired - .5 per rejected order - "
    ".001 of what liquidated units have cost",
    "decomposed": ".25 revenue + .20 fulfilment + .15 waste + .15 cash + .15 capacity + .10 profit, each scored from "
    "-1 to 1, less 1 for each hard failure",
}
STREAMS = {
    "task": "the same in every episode, drawn once from the seed of the task{deliveries}",
    "seed": "drawn as the task draws it, from the seed of each episode",
    "fast": "other in every episode",
}


def wording(problem: RetailProblem) -> Wording:
    """What texts and reports call things."""
    reward = problem.spec.reward
    return Wording(
        system="store",
        period="day",
        periods="days",
        place="product",
        places="products",
        worth="profit" if reward == "profit" else "reward",
        counted="" if reward == "profit" else REWARDS[reward],
        sees="stock by age, deliveries to come, cash, events and past demand",
        chance="demand and delays",
        parts={
            "service": "service", "expiry": "expired units", "rejection": "rejected orders",
            "liquidation": "liquidated units", "revenue_score": "revenue score", "fulfilment_score": "fulfilment score",
        },
        figures={
            "earned": ("money earned", "revenue less purchases, whatever the reward is"),
            "cash": ("cash at the end", "in money"),
            "spoiled": ("units spoiled", "that expired before they were sold"),
            "cleared": ("units liquidated", "taken off the shelf unpaid"),
            "rejected_orders": ("rejected orders", "of a product on a day, for want of cash"),
            "hard_failures": ("hard failures", "days with a failure, each kind counted by itself"),
        },
    )  # fmt: skip


def counted(problem: RetailProblem) -> tuple[Counted, ...]:
    """Return what each part of the reward counts: sold is the lesser of demand and the stock after the arrivals."""
    spec = problem.spec
    prices = {one.name: one.price for one in spec.products}
    costs = {one.name: one.cost for one in spec.products}
    overflow = {one.name: one.overflow_cost for one in spec.products}
    ways = ", ".join(f"{way.name} {way.cost:g}" for way in spec.deliveries)
    sold = "sold = the lesser of demand and the stock after arrivals and expiry"
    profit = (
        Counted("revenue", f"list price * price multiplier * sold; {sold}", prices),
        Counted("purchases", f"- (cost + delivery) * units bought; delivery: {ways}", costs),
        Counted("purchases", "- surcharge * units bought above the capacity", overflow),
    )
    if spec.reward == "profit":
        return profit
    money = (dataclasses.replace(one, part=f"profit (money): {one.part}") for one in profit)
    if spec.reward == "readme":
        return (
            Counted("service", f"0.001 * (2 sold - demand) * list price * price multiplier; {sold}", prices),
            Counted("expiry", "- 0.05 * units expired"),
            Counted("rejection", "- 0.5 * orders rejected"),
            Counted("liquidation", "- 0.001 * cost * units liquidated", costs),
            *money,
        )
    revenue = "0.25 * (2 revenue / (the same with all demand sold) - 1); revenue = list price * price multiplier * sold"
    kept = {one.name: float(one.capacity) for one in spec.products}
    return (
        Counted("revenue_score", f"{revenue}; {sold}", prices),
        Counted("fulfilment_score", "0.2 * (2 sold / demand - 1), of all products together"),
        Counted(
            "waste_score",
            "0.15 * (1 - 2 w), w = 3 (expired + liquidated) / (stock at the start + arrived), at most 1",
        ),
        Counted("cash_score", f"0.15 * (cash / {spec.initial_cash:g} - 0.3), the bracket within -1 and 1"),
        Counted("capacity_score", "0.15 * (2 * the mean of stock / capacity over the products - 1), likewise", kept),
        Counted("profit_score", "0.1 if the profit of the day is above 0, - 0.05 if it is below"),
        Counted(
            "hard_failures",
            f"- 1 for each kind: an impossible liquidation; a rejected order; less than {LOW_CASH:g} in cash; "
            f"{IDLE_DAYS:g} days or more without order or liquidation",
        ),
        *money,
    )


def explain(problem: RetailProblem) -> str:
    """Return the problem in words: products, sequence of a day, reward."""
    s = problem.spec
    low, high = s.price_range
    perishable = ", ".join(f"{p.name} ({p.shelf_life} days)" for p in s.products if p.shelf_life)
    stream = STREAMS[problem.stream].format(deliveries="; deliveries differ" if widest(s) else "")
    there = "than the stock it leaves" if s.legacy_liquidation_check else "than there is"
    ways = "; ".join(_way(way.name, way.cost, way.lead_time, way.jitter) for way in s.deliveries)
    events = ", ".join(f"{event} on days {day} and {day + 1}" for event, day in s.events.items())
    return "\n".join(
        [
            f"{s.name}: {s.description}".rstrip(": "),
            f"{len(s.products)} products, {s.horizon} days, {s.initial_cash:g} in cash at the start.",
            "",
            "Each day, in this order:",
            "  1. perishables with no day left expire, the others age, and what is due arrives with its full life;",
            "  2. orders, product by product, all with one way of delivery: quantity times (cost + shipping), and a "
            "surcharge on what is above the capacity; what the cash does not pay is rejected whole;",
            f"  3. demand at the price charged, {low:g} to {high:g} times the list price m: the whole part of D m^-e, "
            "sold first-in first-out; the rest is lost;",
            "  4. liquidation, first-in first-out, for nothing;",
            f"  5. reward ({s.reward}): {REWARDS[s.reward]}.",
            "",
            f"Perishable: {perishable or 'nothing'}. Delivery: {ways}; not before the next day.",
            f"Demand at list price ({problem.stream}: {stream}): uniform within the range of the "
            f"product, times {s.weekend_factor:g} on days 5 and 6 of 7{', and events: ' + events if events else ''}.",
            f"Hard failures: a quantity that is below zero, a liquidation of more {there}, an order that is not "
            f"affordable, less than {LOW_CASH:g} in cash, {IDLE_DAYS:g} days or more without order or liquidation.",
        ]
    )


def _way(name: str, cost: float, lead_time: int, jitter: int) -> str:
    days = f"{lead_time} day{'s' if lead_time != 1 else ''}" + (f" +- {jitter}" if jitter else "")
    return f"{name} {cost:g} a unit, {days}"
