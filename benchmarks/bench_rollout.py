"""Whole episodes with a built-in policy inside the compiled loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import restock
from benchmarks.networks import peer
from benchmarks.timing import Row, interleaved
from restock.policies.base_stock import BaseStock


def compiled(problem: Any, policy: Any, episodes: int) -> Callable[[], int]:
    """The compiled rollout on episodes drawn before, rewards only."""
    tables = problem.plain
    vectors = np.ascontiguousarray(problem.source(list(range(episodes))).next(np.arange(episodes)))
    rollout = problem.policy_kernel(*policy.texts())
    rewards = np.empty((episodes, problem.horizon))
    nothing = np.empty((0, problem.horizon + 1, tables.recorded))
    scratch, lengths = np.empty_like(tables.fresh), np.empty(episodes, dtype=np.int64)

    def run() -> int:
        rollout(
            problem.horizon,
            tables.ints,
            tables.floats,
            tables.fresh,
            tables.given,
            scratch,
            vectors,
            policy.parameters,
            rewards,
            nothing,
            lengths,
        )
        return episodes * problem.horizon

    return run


def stepped(env: Any, levels: Any, episodes: int) -> Callable[[], int]:
    """The peer's loop with the cheapest base-stock rule a user can write for it in NumPy."""
    buyer = [list(env.network.main_nodes).index(edge[1]) for edge in env.network.reorder_links]
    nodes = len(levels)
    main = [env.network.node_map[node] for node in env.network.main_nodes]
    target = np.asarray(levels)

    def run() -> int:
        for seed in range(episodes):
            env.reset(seed=seed)
            for t in range(30):
                position = env.X[t, main] + np.bincount(buyer, env.Y[t], minlength=nodes)
                env.step(np.maximum(target - position, 0.0)[buyer])
        return 30 * episodes

    return run


def measure() -> list[Row]:
    """Rollouts on the divergent network, with and without keeping the trajectory."""
    problem = restock.load_problem("divergent")
    policy = restock.make_policy("base-stock", problem)
    assert isinstance(policy, BaseStock)
    row = interleaved(
        "rollout with base-stock inside, per step",
        compiled(problem, policy, 1000),
        stepped(peer("divergent"), policy.levels, 4),
        target=">= 1200x",
        limit="the arithmetic of a period",
    )
    return [row]
