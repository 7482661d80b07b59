"""The store beside a plain statement of the same days, records and random numbers included, as its source has them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

from benchmarks.plain_retail import Act, PlainRetail
from benchmarks.playing import ROWS, days, drawing, microseconds
from benchmarks.timing import Row, interleaved
from restock.core import backends
from restock.problems.load import load_problem

DAYS = 30
KINDS = 64  # decisions drawn before, and met in turn


def decisions(problem: Any) -> Any:
    """Modest orders of some products, prices around the list, and now and then a liquidation, shape (64, 16)."""
    generator = np.random.default_rng(0)
    buy = generator.integers(1, 9, (KINDS, 5)) * (generator.random((KINDS, 5)) < 0.5)
    clear = generator.integers(1, 3, (KINDS, 5)) * (generator.random((KINDS, 5)) < 0.1)
    way = generator.integers(0, 3, (KINDS, 1))
    return np.concatenate([buy, way, clear, generator.uniform(0.8, 1.5, (KINDS, 5))], axis=1)


def plain(problem: Any, chosen: Any, count: int) -> Callable[[], int]:
    """Whole episodes of the plain statement."""
    store = PlainRetail(problem.spec)
    names, ways = problem.names, [way.name for way in problem.spec.deliveries]
    actions = [
        Act(
            buy_quantities={name: int(line[k]) for k, name in enumerate(names) if line[k]},
            delivery_method=ways[int(line[5])],
            liquidate={name: int(line[6 + k]) for k, name in enumerate(names) if line[6 + k]},
            price_multipliers={name: float(line[11 + k]) for k, name in enumerate(names)},
        )
        for line in chosen[:DAYS]
    ]

    return days(store, actions, count)


def single(chosen: Any, count: int, **given: Any) -> Callable[[], int]:
    """Whole episodes of the environment."""
    env = gym.make("restock/Retail-v0", reward="decomposed", **given).unwrapped
    env.reset(seed=1)
    return days(env, list(chosen[:DAYS].astype(np.float32)), count)


def many(chosen: Any) -> Callable[[], int]:
    """An episode of every row of a vector with other demand in each, resets included."""
    vector = gym.make_vec("restock/Retail-v0", num_envs=ROWS, reward="decomposed", demand_stream="fast")
    vector.reset(seed=1)
    actions = np.repeat(chosen.astype(np.float32), ROWS // KINDS, axis=0)

    def run() -> int:
        for _ in range(DAYS + 1):
            vector.step(actions)
        return ROWS * DAYS

    return run


def demands(prices, elasticity, found):
    """What every price of every row makes of demand, and nothing else, to be compiled."""
    for b in range(len(prices)):
        for k in range(len(elasticity)):
            found[b, k] = math.floor(7.0 * prices[b, k] ** (0.0 - elasticity[k]))


def priced(problem: Any, chosen: Any) -> Callable[[], int]:
    """The powers of a vector's day: what no other order of the work saves."""
    compiled = backends.compile_texts((), (demands,), "demands").demands
    prices = np.repeat(chosen[:, 11:], ROWS // KINDS, axis=0)
    elasticity = np.array([product.elasticity for product in problem.spec.products])
    found = np.empty(prices.shape)

    def run() -> int:
        for _ in range(DAYS):
            compiled(prices, elasticity, found)
        return ROWS * DAYS

    return run


def compiled_days(chosen: Any) -> Callable[[], int]:
    """The compiled loop over the days of a vector: no drawing, no checks, no `info`."""
    vector: Any = gym.make_vec("restock/Retail-v0", num_envs=ROWS, reward="decomposed", demand_stream="fast")
    vector.reset(seed=1)
    actions = np.repeat(chosen.astype(np.float32), ROWS // KINDS, axis=0)

    def run() -> int:
        vector._clock[:] = 0  # the same days once more
        vector._over[:] = False
        for _ in range(DAYS):
            vector._play(actions)
        return ROWS * DAYS

    return run


def measure() -> list[Row]:
    """Episodes of the published task of medium difficulty."""
    problem = load_problem("retail-medium")
    chosen = decisions(problem)
    python = "Python around the compiled day, and what `info` tells"
    peer = plain(problem, chosen, 2)
    fast = load_problem("retail-medium", demand_stream="fast")
    floor = (
        f"the compiled day, {microseconds(compiled_days(chosen))} a row on one core, of it "
        f"{microseconds(priced(problem, chosen))} for powers of prices; drawing takes {microseconds(drawing(fast))}"
    )
    return [
        interleaved("step, retail", single(chosen, 20), peer, 15, ">= 20x", python),
        interleaved(f"vector of {ROWS}, retail", many(chosen), peer, 9, ">= 500x", floor),
    ]
