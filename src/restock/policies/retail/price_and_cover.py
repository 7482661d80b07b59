"""Price and cover: a high price, fast deliveries for the next days, slow ones in bulk now and then."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from restock.core.problem import Array, Problem
from restock.policies._base import Information, TextPolicy, Tunable
from restock.policies.retail import outlook, timetable
from restock.policies.retail.numbers import number

# Bounds of each parameter, and how far a first try of a search moves it.
BOUNDS = {
    "price": (0.01, 100.0, 0.1),
    "least_price": (0.01, 100.0, 0.2),
    "handling": (-1e6, 1e6, 5.0),
    "every": (1.0, 365.0, 1.0),
    "cover": (0.0, 365.0, 0.7),
    "bulk_cover": (0.0, 365.0, 3.0),
    "safety": (-10.0, 10.0, 0.5),
    "bulk_safety": (-10.0, 10.0, 0.5),
    "freshness": (0.0, 365.0, 1.0),
}


class PriceAndCover(TextPolicy):
    """A policy that sells at a high price, orders the next days' needs fast and, every few days, in bulk and slowly.

    A level is the mean demand of the days to cover, at the prices charged, plus a multiple of its standard
    deviation. Cash goes first to what earns most per unit of money. Bulk orders stop when they might come too
    late.

    Args:
        problem: A store.
        price: Multiplier of every list price; None for the multiplier at which each product is expected to earn
            most on each day, stock provided.
        least_price: No multiplier below this one, where prices are chosen.
        handling: What a unit is taken to cost beside its purchase, where prices are chosen (money/unit).
        every: Days from one bulk order to the next, rounded.
        cover: Days that a fast order covers, today included; one more before a day of a bulk order.
        bulk_cover: Days that a bulk order covers.
        safety: Standard deviations that a fast order covers.
        bulk_safety: Standard deviations that a bulk order covers.
        freshness: Days of the life of a perishable that a bulk order leaves uncovered.
        information: `blind`, the only level there is.

    Raises:
        InvalidInput: A parameter is not a usable number.
    """

    name: ClassVar[str] = "price-and-cover"
    summary: ClassVar[str] = "high prices, fast orders for the next days, slow ones in bulk every few days"
    text = staticmethod(timetable.order)
    packing = timetable.PACKING

    def __init__(
        self,
        problem: Problem,
        price: float | None = 1.5,
        least_price: float = 1.0,
        handling: float = 10.0,
        every: float = 3.0,
        cover: float = 2.0,
        bulk_cover: float = 9.0,
        safety: float = 0.5,
        bulk_safety: float = 0.5,
        freshness: float = 1.0,
        information: Information | None = None,
    ) -> None:
        super().__init__(problem, information)
        given = {
            "least_price": least_price, "handling": handling, "every": every, "cover": cover,
            "bulk_cover": bulk_cover, "safety": safety, "bulk_safety": bulk_safety, "freshness": freshness,
        }  # fmt: skip
        self.values = {name: number(name, value, *BOUNDS[name][:2]) for name, value in given.items()}
        self.price = None if price is None else number("price", price, *BOUNDS["price"][:2])
        self.reads(**self._timetable())

    def _timetable(self) -> dict[str, Array]:
        """Return the parameters of the text."""
        store, given = self.problem, self.values
        shape = (store.horizon, len(store.names))
        fast, bulk = timetable.fastest(store), timetable.cheapest(store)
        if self.price is None:
            expected = outlook.at_best_prices(store, given["handling"], given["least_price"])
        else:
            expected = outlook.at_prices(store, np.full(shape, np.clip(self.price, *store.spec.price_range)))
        needed = _over_days(expected.mean)
        varies = _over_days(expected.variance)
        lead = store.spec.deliveries[bulk].lead_time
        every = max(1, round(given["every"]))
        kept = np.where(store.life > 0, lead + store.life - given["freshness"], np.inf)
        ways, mornings, level = np.full(shape[0], fast), np.empty(shape[0]), np.empty(shape)

        def in_bulk(t: int) -> bool:
            return t % every == 0 and t + lead < shape[0]

        for t in range(shape[0]):
            if in_bulk(t):
                ways[t], mornings[t], z = bulk, store.room, given["bulk_safety"]
                days = np.minimum(given["bulk_cover"], kept)
            else:
                covered = given["cover"] + in_bulk(t + 1)
                mornings[t], z = min(store.room, max(2, math.ceil(covered) - 1)), given["safety"]
                days = np.full(shape[1], covered)
            level[t] = needed(t, days) + z * np.sqrt(varies(t, days))
        paid_first = timetable.by_return(store, expected.price, store.spec.deliveries[fast].cost)
        return {"paid_first": paid_first, "way": ways, "mornings": mornings, "price": expected.price, "level": level}

    def parameters_in_words(self) -> dict[str, Any]:
        """Return the parameters in force."""
        price = {"price": "best expected"} if self.price is None else {"price": self.price}
        return {**price, **self.values}

    def tunables(self) -> dict[str, Tunable]:
        """Return its parameters; the price only if it is one number, the other price parameters only if it is not."""
        chosen = ("least_price", "handling")
        values = dict(self.values)
        if self.price is not None:
            values = {"price": self.price, **{name: value for name, value in values.items() if name not in chosen}}
        low, high = self.problem.spec.price_range
        found = {}
        for name, value in values.items():
            least, most, scale = BOUNDS[name]
            if name in ("price", "least_price"):
                least, most = low, high
            start, far, low_end, high_end = (np.array(x, dtype=np.float64) for x in (value, scale, least, most))
            found[name] = Tunable(start, far, low_end, high_end)
        return found


class TunedPriceAndCover(PriceAndCover):
    """The price-and-cover rule with best expected prices and fitted parameters.

    They were found by

        restock fit retail-easy price-and-cover:price=null,every=2,cover=2.6 --episodes 128 --budget 700
        restock fit retail-medium price-and-cover:price=null,every=2 --episodes 128 --budget 700
        restock fit retail-hard price-and-cover:price=null,every=5 --episodes 128 --budget 700

    which meets demand that the tasks do not have: other seeds, from another
    generator. A store that is none of the published tasks is played with the parameters of the one whose demand
    is nearest in worth.

    Args:
        problem: A store.
        information: `blind`, the only level there is.
    """

    name: ClassVar[str] = "tuned-price-and-cover"
    summary: ClassVar[str] = "price and cover with parameters fitted on other demand than that of the tasks"

    def __init__(self, problem: Problem, information: Information | None = None) -> None:
        super().__init__(problem, price=None, information=information, **_nearest(problem))

    def tunables(self) -> dict[str, Tunable]:
        """Return nothing: it is tuned already."""
        return {}


FITTED: dict[str, dict[str, float]] = {
    "retail-easy": {
        "least_price": 0.795596,
        "handling": 12.3218,
        "every": 2.08331,
        "cover": 2.51329,
        "bulk_cover": 9.42124,
        "safety": 0.567296,
        "bulk_safety": -0.698117,
        "freshness": 0.0,
    },
    "retail-medium": {
        "every": 2.27668,
        "least_price": 0.799196,
        "handling": 6.80945,
        "cover": 3.45106,
        "bulk_cover": 10.5039,
        "safety": 0.348792,
        "bulk_safety": -0.326168,
        "freshness": 0.996692,
    },
    "retail-hard": {
        "every": 4.92344,
        "least_price": 0.81445,
        "handling": 25.7645,
        "cover": 2.13255,
        "bulk_cover": 12.6998,
        "safety": 0.757383,
        "bulk_safety": -0.601334,
        "freshness": 0.332588,
    },
}


def _nearest(problem: Any) -> dict[str, float]:
    """Return the fitted parameters of the task that a store is, or is most similar to in the value of its demand."""
    from restock.problems.retail.load import load

    if problem.name in FITTED:
        return FITTED[problem.name]

    def worth(store: Any) -> float:
        prices = [product.price for product in store.spec.products]
        return math.log(max(float(store.usual_demand @ prices), 1e-9))

    return FITTED[min(FITTED, key=lambda name: abs(worth(load(name)) - worth(problem)))]


def _over_days(rate: Array) -> Callable[[int, Array], Array]:
    """Return the need from day t on over so many days, also fractions; nothing after the last day."""
    total = np.concatenate([np.zeros((1, rate.shape[1])), np.cumsum(rate, axis=0)])
    last, each = len(rate), np.arange(rate.shape[1])

    def over(t: int, days: Array) -> Array:
        end = np.minimum(t + days, last)
        whole = np.floor(end).astype(int)
        part = end - whole
        until = total[whole, each] + part * (total[np.minimum(whole + 1, last), each] - total[whole, each])
        return np.asarray(until - total[t])

    return over
