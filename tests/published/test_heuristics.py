"""The four published heuristics, blind and informed: 26 scenarios, three seeds, 1e-9 relative, and the means of ten."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import restock
from restock.core.play import Episodes, draw_each
from restock.evaluation.simulate import run
from restock.problems.network.load import instances
from tests.problems.network.networks import random_network
from tests.problems.network.peer import our_demand

GOLDEN = Path(__file__).parents[1] / "golden"
SCENARIOS = json.loads((GOLDEN / "gym_invmgmt_scenarios.json").read_text())["scenarios"]
SEEDS = (42, 123, 456, 789, 1011, 2022, 3033, 4044, 5055, 6066)
SINGLY = 3  # the published episodes are known one by one for the first of them
AGENTS = {
    "Newsvendor": ("published-newsvendor", "blind"),
    "Newsvendor-I": ("published-newsvendor", "informed"),
    "(s,S)": ("published-s-S", "blind"),
    "(s,S)-I": ("published-s-S", "informed"),
    "ExpSmoothing": ("published-exponential-smoothing", "blind"),
    "ExpSmoothing-I": ("published-exponential-smoothing", "informed"),
    "EchelonApprox": ("published-echelon", "blind"),
    "EchelonApprox-I": ("published-echelon", "informed"),
}
NAMES = sorted({name for name, _ in AGENTS.values()})


def golden(name: str) -> list[dict[str, str]]:
    with (GOLDEN / name).open(newline="") as file:
        return list(csv.DictReader(file))


def problem_of(config: dict[str, Any]) -> Any:
    return restock.load_problem(
        {"network": "divergent", "serial": "serial"}[config["scenario"]],
        demand=our_demand(config["demand_config"]),
        horizon=config["num_periods"],
        backlog=config["backlog"],
    )


def of_seeds(problem: Any, seeds: tuple[int, ...]) -> Episodes:
    """The first episode of each of these seeds, in one batch."""
    alone = [draw_each(problem, [seed]) for seed in seeds]
    generators = [one.generators[0] for one in alone] if alone[0].generators is not None else None
    return Episodes(np.concatenate([one.vectors for one in alone]), generators, seeds)


def test_no_scenario_is_left_out():
    assert len({scenario["scenario_key"] for scenario in SCENARIOS}) == 26


@pytest.mark.parametrize("agent", AGENTS)
def test_published_profit(agent):
    name, information = AGENTS[agent]
    episodes, means = golden("gym_invmgmt_per_seed_42_123_456.csv"), golden("gym_invmgmt_means.csv")
    singly = {(r["scenario_key"], int(r["seed"])): float(r["profit"]) for r in episodes if r["agent"] == agent}
    mean = {r["scenario_key"]: float(r["profit"]) for r in means if r["agent"] == agent}
    for scenario in SCENARIOS:
        key = scenario["scenario_key"]
        problem = problem_of(scenario["core_env_kwargs"])
        policy = restock.make_policy(name, problem, information=information)
        profit = run(problem, policy, of_seeds(problem, SEEDS), 0).profit
        figures = [singly[key, seed] for seed in SEEDS[:SINGLY]]
        np.testing.assert_allclose(profit[:SINGLY], figures, rtol=1e-9, err_msg=key)
        np.testing.assert_allclose(profit.mean(), mean[key], rtol=1e-9, err_msg=key)


@pytest.mark.parametrize("information", ["blind", "informed"])
@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_network_and_a_batch_as_its_episodes(name, information):
    effects = {"effects": ["trend", "shock"], "goodwill": True}
    problems = [restock.load_problem(instance, demand=effects) for instance in instances()]
    problems += [restock.load_problem(random_network(seed)) for seed in range(6)]
    for problem in problems:
        policy = restock.make_policy(name, problem, information=information)
        together = run(problem, policy, draw_each(problem, [5, 6, 7]), 0).trajectory["ordered"]
        alone = [run(problem, policy, draw_each(problem, [5 + b]), 0).trajectory["ordered"][0] for b in range(3)]
        assert (together >= 0.0).all()
        np.testing.assert_allclose(together, alone, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_two_futures_with_the_same_past(name):
    demand = np.random.default_rng(3).poisson(20, size=(1, 30, 1)).astype(float)
    calm = restock.load_problem("divergent")
    rising = restock.load_problem("divergent", demand={"effects": {"shock": {"time": 12, "size": 3.0}}})

    def orders(problem: Any, information: str, met: np.ndarray) -> np.ndarray:
        policy = restock.make_policy(name, problem, information=information)
        return restock.simulate(problem, policy, exogenous={"demand": met}).trajectory["ordered"][0]

    # The mean curve is nothing to a blind policy, and a great deal to an informed one.
    np.testing.assert_array_equal(orders(calm, "blind", demand), orders(rising, "blind", demand))
    assert not np.array_equal(orders(calm, "informed", demand), orders(rising, "informed", demand))
    # What is going to happen is nothing to either.
    other = demand.copy()
    other[:, 12:] *= 3.0
    for information in ("blind", "informed"):
        one, two = orders(rising, information, demand), orders(rising, information, other)
        np.testing.assert_array_equal(one[:13], two[:13])
        assert not np.array_equal(one[13:], two[13:])


def test_the_mean_curve_goes_on_after_the_end():
    trend = restock.load_problem("serial", demand={"effects": ["trend"]}).demand.mean_until(33)
    np.testing.assert_allclose(trend[:, 0], 20 * (1 + 0.05 * np.arange(33)))
    series = restock.load_problem("serial", demand={"series": [*range(1, 31), 99]})
    np.testing.assert_array_equal(series.demand.mean_until(33)[28:, 0], [29, 30, 99, 99, 99])


def test_prior_before_the_first_demand():
    # Retailer 1 holds 100, the longest lead time is 4: 20 a period. Node 1: b / (b + h) = 0.1 / 0.13, z = 0.736316.
    problem = restock.load_problem("serial", demand={"mean": 500})
    policy = restock.make_policy("published-newsvendor", problem)
    first = restock.simulate(problem, policy, episodes=1).trajectory["ordered"][0, 0]
    np.testing.assert_allclose(first[0], 0.736316 * np.sqrt(20) * np.sqrt(5), rtol=1e-6)
