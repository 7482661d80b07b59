"""The hindsight optimum is the published one: 26 scenarios, three seeds, 1e-7 relative."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import restock
from restock.core.play import Episodes, draw_each, play
from restock.solvers.hindsight import hindsight
from tests.problems.network.peer import our_demand

GOLDEN = Path(__file__).parents[1] / "golden"
SCENARIOS = json.loads((GOLDEN / "gym_invmgmt_scenarios.json").read_text())["scenarios"]
PUBLISHED = json.loads((GOLDEN / "oracle.json").read_text())["profit"]
SEEDS = (42, 123, 456)


def test_every_scenario_has_its_figures():
    assert sorted(PUBLISHED) == sorted(scenario["scenario_key"] for scenario in SCENARIOS)
    assert len(PUBLISHED) == 26
    assert all(set(figures) == {str(seed) for seed in SEEDS} for figures in PUBLISHED.values())


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["scenario_key"])
def test_oracle(scenario):
    config = scenario["core_env_kwargs"]
    problem = restock.load_problem(
        {"network": "divergent", "serial": "serial"}[config["scenario"]],
        demand=our_demand(config["demand_config"]),
        horizon=config["num_periods"],
        backlog=config["backlog"],
    )
    published = np.array([PUBLISHED[scenario["scenario_key"]][str(seed)] for seed in SEEDS])
    episodes = [draw_each(problem, [seed]) for seed in SEEDS]
    found = [hindsight(problem, one) for one in episodes]
    np.testing.assert_allclose([one.profit[0] for one in found], published, rtol=1e-7)
    # Under goodwill it is the best plan found; without, nobody can do better.
    bounds = np.array([one.bound[0] for one in found])
    if problem.demand.state_dependent:
        assert np.isinf(bounds).all()
    else:
        np.testing.assert_allclose(bounds, published, rtol=1e-7)
    replayed = [play(problem, one, plan.orders).rewards.sum() for one, plan in zip(episodes, found, strict=True)]
    np.testing.assert_allclose(replayed, [one.profit[0] for one in found], rtol=1e-12)


def test_a_batch_is_solved_as_its_episodes_are():
    scenario = next(s for s in SCENARIOS if "base|trend+seasonal|GW:True|BL:True" in s["scenario_key"])
    problem = restock.load_problem("divergent", demand=our_demand(scenario["core_env_kwargs"]["demand_config"]))
    alone = [draw_each(problem, [seed]) for seed in SEEDS]
    together = Episodes(
        np.concatenate([one.vectors for one in alone]),
        [generator for one in alone for generator in one.generators],
        SEEDS,
    )
    one_by_one = [hindsight(problem, one).profit[0] for one in alone]
    np.testing.assert_array_equal(hindsight(problem, together).profit, one_by_one)
