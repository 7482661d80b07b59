"""The dynamics of the plant: one period, written once.

Every back end runs the text of `step` below; see `restock.problems.network.dynamics` for the rules that
make that possible. Prices and demand are drawn before the episode, so a period only reads them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from restock.core.operations import positive, smaller, when
from restock.core.schema import ONE, Schema, chance, cost, flow, income, initial, real, stock

STOCK = "stock"  # an axis: raw material, product
MOMENT = "moment"  # an axis: the reset, then the end of each period


class Rules(NamedTuple):
    """What is fixed."""

    holding_cost: Any = real(ONE, "money/unit/period", "reward lost per unit held at the end of a period", "h")
    stockout_penalty: Any = real(ONE, "money/unit", "reward lost per unit of unmet demand", "b")
    invalid_action_penalty: Any = real(ONE, "money", "reward lost for an impossible action")
    bankruptcy_penalty: Any = real(ONE, "money", "reward lost when the cash is gone")
    conversion_bonus: Any = real(ONE, "money", "reward for a conversion")
    pays: Any = real(ONE, "1", "1 if purchases are paid out of the reward too, else 0")


class State(NamedTuple):
    """S_t: what carries over from one period to the next."""

    raw_price: Any = stock(ONE, "money/unit", "price of raw material now", "p")
    product_price: Any = stock(ONE, "money/unit", "price of the product now", "q")
    last_demand: Any = stock(ONE, "units", "demand of the last period")
    on_hand: Any = stock(STOCK, "units", "raw material and product", "R, Q")
    cash: Any = stock(ONE, "money", "cash", "C")


class Chance(NamedTuple):
    """W: what is known at the start, then W_1 .. W_T."""

    first_raw_price: Any = initial(ONE, "money/unit", "price of raw material at the start")
    first_product_price: Any = initial(ONE, "money/unit", "price of the product at the start")
    first_demand: Any = initial(ONE, "units", "demand before the start")
    raw_price: Any = chance(ONE, "money/unit", "price of raw material", over=MOMENT)
    product_price: Any = chance(ONE, "money/unit", "price of the product", over=MOMENT)
    demand: Any = chance(ONE, "units", "demand", "D", over=MOMENT)


class Flows(NamedTuple):
    """What happened in the period; money as it added to the reward, or took from it."""

    choice: Any = flow(ONE, "choice", "the decision x_t: 0 idle, 1 buy, 2 convert", "x")
    invalid: Any = flow(ONE, "1", "1 if it could not be carried out")
    bought: Any = flow(ONE, "units", "units of raw material bought")
    converted: Any = flow(ONE, "units", "units of product made")
    offered: Any = flow(ONE, "units", "units of product before the sale")
    demand: Any = flow(ONE, "units", "demand, served or not", "D")
    sold: Any = flow(ONE, "units", "units sold")
    unmet: Any = flow(ONE, "units", "demand that was lost")
    revenue: Any = income(ONE, "money", "sales")
    conversion: Any = income(ONE, "money", "bonus for conversions")
    holding: Any = cost(ONE, "money", "cost of stock held")
    shortage: Any = cost(ONE, "money", "penalty for unmet demand")
    impossible: Any = cost(ONE, "money", "penalty for impossible actions")
    bankruptcy: Any = cost(ONE, "money", "penalty for bankruptcy")
    purchases: Any = cost(ONE, "money", "money paid, whether or not the reward pays it", weight="rules.pays")


SCHEMA = Schema(
    "production", "choice", ["on_hand", "raw_price", "product_price", "last_demand", "cash"], choice=True,
    rules=Rules, state=State, chance=Chance, flows=Flows,
)  # fmt: skip


def chosen(choice: Any, number: float) -> Any:
    """1 where the decision is this number, else 0."""
    return when(choice - number, 0.0, when(number - choice, 0.0, 1.0))


def step(t: int, rules: Rules, state: State, chance: Chance, flows: Flows) -> Any:
    """Run period t: change `state`, fill `flows`, return the reward (the contribution)."""
    raw_price, product_price, last_demand, on_hand, cash = state
    (choice, invalid, bought, converted, offered, demand, sold, unmet,
     revenue, conversion, holding, shortage, impossible, bankruptcy, purchases) = flows  # fmt: skip

    # 1. Action: buy one unit of raw material if there is cash for it, or convert two units of it into one
    #    product if there are two. What cannot be carried out changes nothing.
    bought[0] = chosen(choice[0], 1.0) * when(raw_price[0] - cash[0], 0.0, 1.0)
    converted[0] = chosen(choice[0], 2.0) * when(2.0 - on_hand[0], 0.0, 1.0)
    invalid[0] = 1.0 - chosen(choice[0], 0.0) - bought[0] - converted[0]
    purchases[0] = raw_price[0] * bought[0]
    cash[0] = cash[0] - purchases[0]
    on_hand[0] = on_hand[0] + bought[0] - 2.0 * converted[0]
    on_hand[1] = on_hand[1] + converted[0]

    # 2. Demand, met from the product at the price seen before the step; fractions can be sold.
    offered[0] = on_hand[1]
    demand[0] = chance.demand[t + 1]
    sold[0] = smaller(on_hand[1], demand[0])
    unmet[0] = positive(demand[0] - sold[0])
    on_hand[1] = on_hand[1] - sold[0]
    cash[0] = cash[0] + sold[0] * product_price[0]

    # 3. Contribution. Purchases are paid in cash, and in the reward only where it is meant to follow the cash.
    revenue[0] = sold[0] * product_price[0]
    conversion[0] = rules.conversion_bonus[0] * converted[0]
    holding[0] = rules.holding_cost[0] * (on_hand[0] + on_hand[1])
    shortage[0] = rules.stockout_penalty[0] * unmet[0]
    impossible[0] = rules.invalid_action_penalty[0] * invalid[0]
    bankruptcy[0] = when(cash[0], 0.0, rules.bankruptcy_penalty[0])
    profit = conversion[0] - impossible[0] + revenue[0] - shortage[0] - holding[0] - bankruptcy[0]

    # 4. Prices walk.
    raw_price[0] = chance.raw_price[t + 1]
    product_price[0] = chance.product_price[t + 1]
    last_demand[0] = demand[0]
    return profit - rules.pays[0] * purchases[0]


def ends(t: int, rules: Rules, state: State, chance: Chance, flows: Flows) -> int:
    """Terminated when the cash is gone, truncated at the horizon; both may hold."""
    bankrupt = 1 if state.cash[0] <= 0.0 else 0
    return bankrupt + (2 if t + 2 >= len(chance.demand) else 0)
