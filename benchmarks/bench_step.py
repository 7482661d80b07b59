"""One environment, one step at a time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

import restock  # noqa: F401 - registers the environments
from benchmarks.networks import generated, peer
from benchmarks.timing import Row, interleaved, quartiles
from restock.core import backends
from restock.problems.network import NetworkProblem


def episodes(env: Any, action: Any, count: int) -> Callable[[], int]:
    """Whole episodes of 30 steps, resets included."""
    env.reset(seed=1)

    def run() -> int:
        for _ in range(count):
            env.reset()
            for _ in range(30):
                env.step(action)
        return 30 * count

    return run


def plain_python(problem: Any, action: Any, count: int) -> Callable[[], int]:
    """The text of dynamics as it stands, on lists."""
    orders = [float(a) for a in action]
    vector = problem.source([1]).next(np.zeros(1, dtype=np.int64))
    row = problem.rows(vector)[0]
    step = problem.texts.step

    def run() -> int:
        for _ in range(count):
            world = backends.as_lists(problem.world(row.copy()))
            flows = next(part for part in world if hasattr(part, problem.decision))
            getattr(flows, problem.decision)[:] = orders
            for t in range(30):
                step(t, *world)
        return 30 * count

    return run


def measure() -> list[Row]:
    """Steps of the presets and of a large generated network, and the plain-Python text."""
    rows = []
    large = generated()
    for name, instance, target, ours_count, peer_count in (
        ("divergent", "divergent", ">= 110x", 200, 4),
        ("serial", "serial", ">= 70x", 300, 6),
        ("generated, 200 nodes, 500 links", large, ">= 600x", 60, 1),
    ):
        mine = gym.make("restock/Network-v0", instance=instance)
        theirs = peer(instance)
        orders = np.full(theirs.action_space.shape, 20.0)
        small = orders.astype(np.float32)
        limit = "Python around the compiled period" if instance is not large else "the period itself, and observing it"
        what = f"step, {name}"
        rows.append(only_steps(what, mine.unwrapped, small, theirs, orders, ours_count, peer_count, target, limit))
        rows.append(
            interleaved(
                f"{what}, resets included",
                episodes(mine.unwrapped, small, ours_count),
                episodes(theirs, orders, peer_count),
                limit="drawing demand from NumPy's generator at reset",
            )
        )
        if instance == "divergent":
            made = gym.wrappers.OrderEnforcing(gym.wrappers.PassiveEnvChecker(peer(instance)))
            limit = "Gymnasium's two wrappers"
            rows.append(
                only_steps("step, divergent, gym.make", mine, small, made, orders, ours_count, peer_count, "", limit)
            )
            problem = mine.unwrapped.problem
            assert isinstance(problem, NetworkProblem)
            rows.append(
                interleaved(
                    "plain Python, divergent",
                    plain_python(problem, orders, 20),
                    episodes(theirs, orders, peer_count),
                    target=">= 8x",
                    limit="the interpreter",
                )
            )
    return rows


def only_steps(
    what: str,
    mine: Any,
    small: Any,
    theirs: Any,
    orders: Any,
    ours_count: int,
    peer_count: int,
    target: str,
    limit: str,
) -> Row:
    """Steps without resets: time is taken around the 30 steps of each episode only."""

    def timed(env: Any, action: Any, count: int) -> float:
        total = 0.0
        for _ in range(count):
            env.reset()
            step = env.step
            begin = time.perf_counter()
            for _ in range(30):
                step(action)
            total += time.perf_counter() - begin
        return total / (30 * count)

    mine.reset(seed=1)
    theirs.reset(seed=1)
    timed(mine, small, 2)
    timed(theirs, orders, 1)
    pairs = [(timed(mine, small, ours_count), timed(theirs, orders, peer_count)) for _ in range(25)]
    ratios = [b / a for a, b in pairs]
    ours, peers = (statistics.median(side) for side in zip(*pairs, strict=True))
    return Row(what, ours, peers, statistics.median(ratios), *quartiles(ratios), target, limit)
