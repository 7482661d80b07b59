"""Shared stock: scenarios, the differences to the example that are meant, cost, and what is refused."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import restock
from restock.core.play import draw, play

RANGES = {"missions": [2, 6], "distance": [500.0, 1000.0], "aircraft": [2, 4]}


def made(**kwargs: Any) -> Any:
    return gym.make("restock/Sharing-v0", disable_env_checker=True, **kwargs).unwrapped


def needs(env: Any) -> Any:
    return env.trajectory.exogenous["mission_demand"]


# scenarios ----------------------------------------------------------------------------------------


def test_the_tutorial_has_a_depot() -> None:
    env = made()
    obs, _ = env.reset(seed=0)
    assert env.action_space.shape == (4, 4) and env.action_space.high.max() == 100.0
    assert list(obs) == ["inventory", "expected_demand", "expected_demand_ratio", "pipeline_inventory"]
    assert obs["inventory"].tolist() == [20.0, 20.0, 100_000.0, 20.0]
    for day in range(49):
        _, _, terminated, truncated, info = env.step(np.zeros((4, 4), np.float32))
        assert (terminated, truncated) == (day == 48, False)
        assert info["cost"]["holding"][2] == 0.0


@pytest.mark.parametrize(("scenario", "same_missions"), [("base", True), ("depot", True), ("variable", False)])
def test_missions_are_drawn_once_or_anew(scenario: str, same_missions: bool) -> None:
    env = made(scenario=scenario, n_timesteps=6, random_demand_params=RANGES)
    drawn = []
    for seed in (0, 1):
        env.reset(seed=seed)
        drawn.append((env.trajectory.exogenous["expected_demand"], needs(env)))
    (one, first), (other, second) = drawn
    assert np.array_equal(one, other) is same_missions
    assert not np.array_equal(first, second, equal_nan=True)


def test_a_seed_of_the_description_draws_other_missions() -> None:
    expected = [made(seed=seed).problem.expected for seed in (0, 0, 1)]
    assert np.array_equal(expected[0], expected[1]) and not np.array_equal(expected[0], expected[2])
    depots = {made(scenario="depot", seed=seed).problem.depot for seed in range(30)}
    assert depots == {0, 1, 2, 3}


def test_ranges_of_the_variable_scenario_move_by_the_variance() -> None:
    """Distances by 100 times the variance: the example's slip, 100000, is gone."""
    wide = {"missions": [8, 12], "distance": [5000.0, 5000.0], "aircraft": [7, 9]}
    env = made(scenario="variable", variance=2.0, random_demand_params=wide, random_demand_fixed_param=1.0,
               random_demand_dist_params={"p": [0.0, 0.0]}, n_timesteps=30)  # fmt: skip
    counts, sizes = set(), []
    for seed in range(40):
        env.reset(seed=seed)
        drawn = needs(env)
        counts |= set((~np.isnan(drawn)).sum(axis=-1).ravel().tolist())
        sizes.append(drawn[~np.isnan(drawn)])
    assert {6, 7, 12, 13} <= counts and max(counts) <= 13 and min(counts) >= 6
    together = np.concatenate(sizes)
    assert together.min() >= 4800 * 5 and together.max() <= 5200 * 10


def test_demand_is_what_is_certain_and_a_binomial_part() -> None:
    env = made(n_timesteps=200)
    env.reset(seed=3)
    drawn = needs(env)
    there = ~np.isnan(drawn)
    rest = drawn[there] * 1e6 / 5000.0
    aircraft, hits = np.round(rest % 200.0), np.floor(rest / 200.0)
    assert set(aircraft) == {7.0, 8.0}
    assert hits.mean() == pytest.approx(aircraft.mean() * 0.02, rel=0.05)
    np.testing.assert_allclose(
        np.nansum(drawn, axis=-1).mean(), env.problem.expected[:-1].mean(), rtol=0.05
    )  # what is expected is what comes


@pytest.mark.parametrize("p", [[0.01, 0.03], [0.0, 1.0], [0.4, 0.9], [0.0, 0.0]])
@pytest.mark.parametrize("aircraft", [[1, 30], [7, 9], [200, 300]])
def test_needs_are_what_numpy_draws_mission_by_mission(p: list[float], aircraft: list[int]) -> None:
    ranges = {**RANGES, "aircraft": aircraft}
    given = {"random_demand_params": ranges, "random_demand_dist_params": {"p": p}}
    problem: Any = restock.load_problem("sharing", n_timesteps=9, **given)
    drawn = needs_of(problem, np.random.default_rng(5))
    generator = np.random.default_rng(5)
    certain = problem.missions.sure(problem.spec)[:-1]
    for place, mission in np.ndenumerate(problem.missions.aircraft[:-1]):
        if mission:
            chance = generator.uniform(p[0], p[1])
            assert drawn[place] == certain[place] + generator.binomial(mission, chance)
        else:
            assert np.isnan(drawn[place])


def needs_of(problem: Any, generator: np.random.Generator) -> Any:
    """What the missions of the first episode of a generator need, shape (T - 1, n, K)."""
    episode = problem.source([0], [generator]).next(np.zeros(1, dtype=np.int64))[0]
    return problem.exogenous_of(np.empty(0), episode)["mission_demand"]


def test_demands_that_are_given() -> None:
    given_needs = [[[1.0, 1.0], [2.0]], [[0.0], []], [[5.0], [0.5, 0.5, 0.5]]]
    env = made(n_locations=2, n_timesteps=4, starting_inventory=[5.0, 2.0], demands=given_needs, scenario="base")
    obs, _ = env.reset(seed=1)
    assert obs["expected_demand"].tolist() == [2.0, 2.0]
    rewards = [env.step(np.zeros((2, 2)))[1] for _ in range(3)]
    # Exactly zero left is served; a need of nothing is served; the last location is empty.
    assert rewards == [3.0, 1.0, -4.0]
    assert env.trajectory["filled"].tolist() == [[2.0, 1.0], [1.0, 0.0], [0.0, 0.0]]
    assert env.trajectory["fill_rate"].tolist() == [[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]]


def test_arrivals_before_demand() -> None:
    demands = [[[1.0], []], [[3.0], []], [[1.0], []]]
    found = {}
    for first in (False, True):
        env = made(n_locations=2, n_timesteps=4, starting_inventory=[2.0, 9.0], lead_times=1, demands=demands,
                   scenario="base", arrivals_first=first)  # fmt: skip
        env.reset(seed=0)
        action = np.array([[0.0, 2.0], [0.0, 0.0]])
        found[first] = [env.step(action)[1] for _ in range(3)]
    # Day 1 needs 3, and 1 is left of the morning of day 0: the shipment of day 0 helps only where it comes first.
    assert found == {False: [1.0, -1.0, 1.0], True: [1.0, 1.0, 1.0]}


# differences that are meant -----------------------------------------------------------------------


def test_random_truncation_really_truncates() -> None:
    env = made(random_truncation=True, n_timesteps=400)
    lengths = []
    for seed in range(40):
        env.reset(seed=seed)
        terminated = truncated = False
        while not (terminated or truncated):
            _, _, terminated, truncated, _ = env.step(np.zeros((4, 4), np.float32))
        assert truncated or env.period == 399
        lengths.append(env.period)
    assert np.mean(np.array(lengths) < 399) == pytest.approx(1.0 - (364 / 365) ** 399, abs=0.2)
    assert not made(n_timesteps=5).problem.spec.random_truncation


def test_every_copy_has_its_own_stream_and_zero_is_a_seed() -> None:
    vector: Any = gym.make_vec("restock/Sharing-v0", num_envs=2, n_timesteps=5, record=True)
    vector.reset(seed=0)
    drawn = vector.trajectory.exogenous["mission_demand"]
    assert not np.array_equal(drawn[0], drawn[1], equal_nan=True)
    env = made(n_timesteps=5)
    env.reset(seed=0)
    assert np.array_equal(needs(env), drawn[0], equal_nan=True)
    env.reset(seed=0)
    assert np.array_equal(needs(env), drawn[0], equal_nan=True)


# cost ---------------------------------------------------------------------------------------------


def test_cost_by_hand() -> None:
    given: dict[str, Any] = {
        "n_locations": 3,
        "n_timesteps": 3,
        "starting_inventory": 10.0,
        "lead_times": 1,
        "scenario": "depot",
        "depot": 0,
        "depot_inventory": 50.0,
        "demands": [[[1.0]] * 3] * 2,
        "costs": {"unit": 2.0, "holding": 0.5, "shipment": 7.0},
    }
    env = made(**given)
    env.reset(seed=0)
    action = np.array([[0.0, 1.0, 0.0], [4.0, 0.0, 0.0], [3.0, 1.5, 0.0]])  # to, from
    _, reward, _, _, info = env.step(action)
    assert reward == 3.0  # cost is told, and counts nothing
    assert info["shipments"].tolist() == [[0.0, 1.0, 0.0], [4.0, 0.0, 0.0], [3.0, 1.5, 0.0]]
    assert info["cost"]["unit"].tolist() == [2.0, 8.0, 9.0]
    assert info["cost"]["shipment"].tolist() == [0.0, 7.0, 14.0]  # one unit goes for nothing
    assert info["cost"]["holding"].tolist() == [0.0, 0.5 * (10.0 - 1.0 - 2.5), 0.5 * 9.0]
    paid = made(**given, cost_weight=0.1)
    paid.reset(seed=0)
    total = 19.0 + 21.0 + 3.25 + 4.5
    assert paid.step(action)[1] == pytest.approx(3.0 - 0.1 * total)
    assert env.kpis(partial=True)["cost"] == pytest.approx(total)


def test_the_cheapest_plan_serves_everything_for_less() -> None:
    problem = restock.load_problem("sharing", n_timesteps=25)
    rows = {
        name: restock.simulate(problem, name, episodes=4, seed=2) for name in ("hindsight", "base-stock", "nothing")
    }
    best, policy = rows["hindsight"], rows["hindsight"].policy
    assert (best.kpis["fill_rate"] == 1.0).all() and (best.profit == best.bound).all()
    assert (rows["base-stock"].kpis["fill_rate"] > 0.99).all() and (rows["nothing"].profit < best.profit).all()
    assert (best.kpis["cost"] < rows["base-stock"].kpis["cost"]).all()
    assert (policy.cost <= best.kpis["cost"] + 1e-6).all()  # type: ignore[attr-defined]


def test_whole_charges_make_a_cheaper_plan_and_a_higher_bound() -> None:
    problem = restock.load_problem("sharing", n_timesteps=8)
    policies = [restock.make_policy("hindsight", problem, exact=exact) for exact in (False, True)]
    part, whole = (restock.simulate(problem, policy, episodes=2, seed=0) for policy in policies)
    assert (whole.kpis["fill_rate"] == 1.0).all()
    assert (whole.kpis["cost"] < 0.9 * part.kpis["cost"]).all()
    bounds = [policy.cost for policy in policies]  # type: ignore[attr-defined]
    assert (bounds[1] > 1.1 * bounds[0]).all() and (bounds[1] <= whole.kpis["cost"] + 1e-6).all()
    assert (whole.kpis["cost"] <= 1.02 * bounds[1]).all()
    with pytest.raises(restock.InvalidInput, match="exact"):
        restock.make_policy("hindsight", problem, exact=1)


def test_stock_that_nobody_needs_may_go_to_the_depot() -> None:
    """The bound holds for who ships far more at once than is needed altogether, to hold less."""
    demands = [[[0.1], [0.1]]] * 9
    env = made(
        n_locations=2, n_timesteps=10, scenario="depot", depot=1, starting_inventory=100, lead_times=1,
        demands=demands, costs={"unit": 0.0, "holding": 1.0, "shipment": 50.0},
    )  # fmt: skip
    env.reset(seed=0)
    for t in range(9):
        env.step(np.array([[0.0, 0.0], [98.9 if t == 0 else 0.0, 0.0]], dtype=np.float32))
    kpis = env.kpis()
    assert kpis["fill_rate"] == 1.0 and kpis["cost"] < 60.0
    for exact in (False, True):
        policy: Any = restock.make_policy("hindsight", env.problem, exact=exact)
        restock.simulate(env.problem, policy, episodes=1, seed=0)
        assert policy.cost[0] <= kpis["cost"]


def test_levels_are_found_that_cost_less() -> None:
    problem = restock.load_problem("sharing", n_timesteps=25, cost_weight=0.05)
    found = restock.fit(problem, "base-stock", episodes=20, seed=0, budget=120)
    before, after = (
        restock.simulate(problem, policy, episodes=30, seed=500).profit.mean()
        for policy in ("base-stock", found.policy)
    )
    assert after > before + 1.0


def test_where_not_all_can_be_served_nothing_is_proven() -> None:
    problem = restock.load_problem("sharing", scenario="base", n_timesteps=40)
    result = restock.simulate(problem, "hindsight", episodes=2, seed=0)
    assert (result.kpis["fill_rate"] < 1.0).all() and np.isinf(result.bound).all()  # type: ignore[arg-type]
    nothing = restock.simulate(problem, "nothing", episodes=2, seed=0)
    assert (result.kpis["lost_sales"] <= nothing.kpis["lost_sales"] + 1e-3).all()


# conservation -------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(
    n=st.integers(1, 5),
    seed=st.integers(0, 10_000),
    scenario=st.sampled_from(["base", "depot", "variable"]),
    arrivals_first=st.booleans(),
)
def test_nothing_is_made_and_nothing_is_lost(n: int, seed: int, scenario: str, arrivals_first: bool) -> None:
    generator = np.random.default_rng(seed)
    problem = restock.load_problem(
        "sharing", n_locations=n, n_timesteps=12, scenario=scenario, seed=seed, arrivals_first=arrivals_first,
        starting_inventory=generator.uniform(0.0, 60.0, n).tolist(), random_demand_params=RANGES,
        random_demand_fixed_param=1000.0, lead_times=generator.integers(0, 4, (n, n)).tolist(),
    )  # fmt: skip
    plans = generator.uniform(-5.0, 20.0, (2, problem.horizon, n * n))
    trajectory = play(problem, draw(problem, 2, seed), plans)
    there = trajectory["on_hand"].sum(axis=-1) + trajectory["in_transit"].sum(axis=-1)
    np.testing.assert_allclose(np.diff(there, axis=1), -trajectory["sold"].sum(axis=-1), atol=1e-6)
    shipped = trajectory["shipped"].reshape(2, problem.horizon, n, n)
    change = np.diff(trajectory["on_hand"], axis=1)
    net = trajectory["arrived"] - trajectory["sold"] - shipped.sum(axis=-2)
    np.testing.assert_allclose(change, net, atol=1e-6)
    for name in ("on_hand", "in_transit", "sold", "unmet", "shipped", "filled", "stockouts"):
        assert (trajectory[name] >= -1e-9).all(), name
    assert (trajectory["shipped"] <= np.maximum(plans, 0.0) + 1e-9).all()
    np.testing.assert_allclose(trajectory["filled"] + trajectory["stockouts"], trajectory["missions"])


# bad input ----------------------------------------------------------------------------------------

BAD: list[tuple[dict[str, Any], str]] = [
    ({"n_locations": 0}, "n_locations"),
    ({"n_timesteps": 1}, "n_timesteps"),
    ({"starting_inventory": [1.0, 2.0]}, "starting_inventory"),
    ({"starting_inventory": [1.0, -2.0, 3.0, 4.0]}, "starting_inventory[1]"),
    ({"lead_times": -1}, "lead_times"),
    ({"lead_times": [[1, 2], [3, 4]]}, "lead_times"),
    ({"lead_times": [[1, 1, 1, 1], [1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]]}, "lead_times[1]"),
    ({"costs": {"unit": -1.0}}, "costs.unit"),
    ({"costs": {"units": 1.0}}, "costs.units"),
    ({"scenario": "deopt"}, "scenario"),
    ({"depot": 9}, "depot"),
    ({"scenario": "base", "depot": 1}, "depot"),
    ({"random_demand_params": {**RANGES, "missions": [6, 2]}}, "random_demand_params.missions"),
    ({"random_demand_params": [RANGES] * 3}, "random_demand_params"),
    ({"random_demand_dist_params": {"p": [0.5, 1.5]}}, "random_demand_dist_params.p"),
    ({"random_demand_fixed_param": 0.0}, "random_demand_fixed_param"),
    ({"demands": [[[1.0]] * 4] * 3}, "demands"),
    ({"demands": [[[1.0]] * 3] * 49}, "demands[0]"),
    ({"demands": [[[1.0, -1.0]] * 4] * 49}, "demands[0][0][1]"),
    ({"missions": [[[[5000.0, 7.0]]] * 50] * 3}, "missions"),
    ({"missions": [[[[5000.0, 7.5]]] * 50] * 4}, "missions[0][0][0]"),
    ({"missions": [[[[5000.0, 7.0]]] * 50] * 4, "random_demand_params": RANGES}, "missions"),
    ({"missions": [[[[5000.0, 7.0]]] * 50] * 4, "scenario": "variable"}, "random_demand_params"),
    ({"seed": -1}, "seed"),
    ({"variance": -1.0}, "variance"),
    ({"n_timesteps": 100_000, "n_locations": 1000}, "n_timesteps"),
    ({"max_order": 0}, "max_order"),
    ({"n_location": 4}, "n_location"),
]


@pytest.mark.parametrize(("given", "field"), BAD, ids=[str(case[0])[:50] for case in BAD])
def test_bad_arguments(given: dict[str, Any], field: str) -> None:
    with pytest.raises(restock.InvalidInput) as found:
        made(**given)
    assert found.value.field == field and found.value.mend


def test_something_must_say_what_is_needed() -> None:
    with pytest.raises(restock.InvalidInput, match="missions, random_demand_params, demands"):
        restock.load_problem({"problem": "sharing", "n_locations": 2})


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "exogenous.mission_demand"),
        ({"mission_demand": [[[1.0]] * 2]}, "exogenous.mission_demand"),
        ({"mission_demand": [[[1.0]] * 3] * 3}, "exogenous.mission_demand[0]"),
        ({"mission_demand": [[[1.0] * 13, []]] * 3}, "exogenous.mission_demand[0][0]"),
        ({"mission_demand": [[["one"], []]] * 3}, "exogenous.mission_demand"),
        ({"mission_demand": 3}, "exogenous.mission_demand"),
        ({"mission_demand": [[[1.0]] * 2] * 3, "depot": 2}, "exogenous.depot"),
        ({"mission_demand": [[[1.0]] * 2] * 3, "expected_demand": [1.0, 2.0]}, "exogenous.expected_demand"),
        ({"mission_demand": [[[1.0]] * 2] * 3, "missions": [[[]] * 4]}, "exogenous.missions"),
        ({"mission_demands": []}, "exogenous.mission_demands"),
    ],
    ids=lambda given: str(given)[:40],
)
def test_bad_replays_change_nothing(given: Any, field: str) -> None:
    env = made(n_locations=2, n_timesteps=4)
    env.reset(seed=0)
    env.step(np.ones((2, 2)))
    before = env.observe().tolist()
    with pytest.raises(restock.InvalidInput) as found:
        env.reset(options={"exogenous": given})
    assert found.value.field == field and env.observe().tolist() == before


def test_bad_policies() -> None:
    problem = restock.load_problem("sharing")
    for name, params, field in (
        ("base-stock", {"levels": [1.0, 2.0]}, "levels"),
        ("base-stock", {"service": 1.0}, "service"),
        ("base-stock", {"source": 4}, "source"),
        ("constant-shipment", {"quantity": -1.0}, "quantity"),
        ("hindsight", {"mean": 3}, "mean"),
        ("newsvendor", {}, "policy"),
    ):
        with pytest.raises(restock.InvalidInput) as found:
            restock.make_policy(name, problem, **params)
        assert found.value.field == field
