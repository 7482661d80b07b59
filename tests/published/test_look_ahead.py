"""The two published look-ahead agents: 22 scenarios, three seeds. DLP to 1e-4, MSSP up to ties between optima."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import restock
from restock.core.play import draw_each
from restock.evaluation.simulate import run
from restock.policies.published.look_ahead import longest_way
from tests.problems.network.peer import our_demand

GOLDEN = Path(__file__).parents[1] / "golden"
SCENARIOS = [
    s for s in json.loads((GOLDEN / "gym_invmgmt_scenarios.json").read_text())["scenarios"] if s["block"] != "C_MARL"
]
SEEDS = (42, 123, 456)


@cache
def published() -> dict[tuple[str, str, int], float]:
    """Profit by scenario, agent and seed."""
    with (GOLDEN / "gym_invmgmt_per_seed_42_123_456.csv").open(newline="") as file:
        return {(r["scenario_key"], r["agent"], int(r["seed"])): float(r["profit"]) for r in csv.DictReader(file)}


def problem_of(scenario: dict[str, Any]) -> Any:
    config = scenario["core_env_kwargs"]
    return restock.load_problem(
        {"network": "divergent", "serial": "serial"}[config["scenario"]],
        demand=our_demand(config["demand_config"]),
        horizon=config["num_periods"],
        backlog=config["backlog"],
    )


@pytest.mark.parametrize(("information", "agent"), [("informed", "DLP-I"), ("blind", "DLP")])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["scenario_key"])
def test_the_deterministic_agent(scenario, information, agent):
    problem = problem_of(scenario)
    policy = restock.make_policy("published-dlp", problem, information=information)
    profit = [run(problem, policy, draw_each(problem, [seed]), seed).profit[0] for seed in SEEDS]
    golden = [published()[scenario["scenario_key"], agent, seed] for seed in SEEDS]
    np.testing.assert_allclose(profit, golden, rtol=1e-4)


# One of each kind: a plan of the stochastic agent takes fifty times as long.
@pytest.mark.parametrize(("information", "agent"), [("informed", "MSSP-I"), ("blind", "MSSP")])
@pytest.mark.parametrize(
    "scenario",
    [s for s in SCENARIOS if s["scenario_key"].startswith(("A_Core|serial|trend+seasonal|GW", "D_WalmartM5|serial"))],
    ids=lambda scenario: scenario["scenario_key"],
)
def test_the_stochastic_agent(scenario, information, agent):
    """Its programs often have several optimal plans, and which one a solver finds differs: hence half a per cent."""
    problem = problem_of(scenario)
    policy = restock.make_policy("published-mssp", problem, information=information)
    profit = [run(problem, policy, draw_each(problem, [seed]), seed).profit[0] for seed in SEEDS[:2]]
    golden = [published()[scenario["scenario_key"], agent, seed] for seed in SEEDS[:2]]
    np.testing.assert_allclose(profit, golden, rtol=5e-3)


def test_how_far_they_look():
    """Divergent: longest lead time 12, longest way 8 -> 5 -> 2 -> 1 or 8 -> 6 -> 2 -> 1 or 8 -> 6 -> 3 -> 1."""
    divergent, serial = restock.load_problem("divergent"), restock.load_problem("serial")
    assert longest_way(divergent) == max(2 + 9 + 5, 0 + 11 + 5, 0 + 12 + 3) == 16
    assert longest_way(serial) == 0 + 4 + 4
    assert restock.make_policy("published-dlp", divergent).horizon == 14
    assert restock.make_policy("published-dlp", serial).horizon == 10
    assert restock.make_policy("published-mssp", divergent).horizon == 21
    assert restock.make_policy("published-mssp", serial).horizon == 13
