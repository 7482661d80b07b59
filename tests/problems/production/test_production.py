"""The plant: its value, its end, its masks, and what is refused."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import restock
from restock.core.play import draw, play
from restock.solvers.dp import backward
from restock.solvers.production import solve


def plant(**kwargs: Any) -> Any:
    return gym.make("restock/Production-v0", **kwargs).unwrapped


# what it is worth ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("periods", "value"), [(50, -1944.9), (150, -5765.0), (300, -11530.0)])
def test_the_dynamic_program_has_the_published_value(periods: int, value: float) -> None:
    optimum = solve(restock.load_problem("production", max_steps=periods))  # type: ignore[arg-type]
    assert optimum.value == pytest.approx(value, abs=0.6)


def test_its_policy_attains_the_value_and_the_cycle_nearly_does() -> None:
    problem = restock.load_problem("production", max_steps=50)
    earned = {
        name: restock.simulate(problem, name, episodes=1500, seed=5)
        for name in ("idle", "random", "buy-buy-convert", "dynamic-program")
    }
    mean = {name: float(result.profit.mean()) for name, result in earned.items()}
    # What demand does to the idle plant is known exactly, and moves all of them alike.
    luck = mean["idle"] + 5.0 * 50.0 * 10.0
    assert mean["dynamic-program"] - luck == pytest.approx(-1944.9, abs=0.5)
    assert mean["buy-buy-convert"] == pytest.approx(mean["dynamic-program"] - 0.3, abs=0.05)
    assert mean["random"] - luck == pytest.approx(-2273.0, abs=4.0)
    gain = earned["dynamic-program"].kpis["cash_gain"]
    assert gain.mean() == pytest.approx(0.160, abs=0.004)
    np.testing.assert_allclose(np.quantile(gain, [0.05, 0.95]), [0.109, 0.210], atol=0.006)


def test_the_cycle_buys_two_and_converts() -> None:
    result = restock.simulate(restock.load_problem("production", max_steps=9), "buy-buy-convert", episodes=3)
    assert result.trajectory["choice"][..., 0].tolist() == [[1.0, 1.0, 2.0] * 3] * 3


def test_a_reward_that_pays_for_purchases() -> None:
    free, paid = (restock.load_problem("production", max_steps=30, reward=reward) for reward in ("profit", "cash"))
    one, other = (restock.simulate(problem, "buy-buy-convert", episodes=4, seed=1) for problem in (free, paid))
    np.testing.assert_allclose(one.profit - other.profit, one.kpis["purchases"])
    assert (one.kpis["purchases"] > 50.0).all()


def test_backward_induction_by_hand() -> None:
    # Two states; in the first one may take 1 and stay, or nothing and go to the second, which pays 3 and goes back.
    optimum = backward(np.array([[1.0, 0.0], [3.0, -np.inf]]), np.eye(2)[np.array([[0, 1], [0, 0]])], 4)
    assert optimum.values[:, 0].tolist() == [6.0, 4.0, 3.0, 1.0, 0.0]
    assert optimum.choices[:, 0].tolist() == [1, 0, 1, 0]


# bankruptcy ---------------------------------------------------------------------------------------


def test_bankrupt_rows_stop_alone() -> None:
    """Prices stand still at 5: who buys twice with 10 in cash has nothing left, in period 1."""
    problem = restock.load_problem("production", initial_cash=10.0, price_std=0.0, max_steps=6)
    plans = np.zeros((2, 6, 1))
    plans[0, :2] = 1.0
    from restock.core.play import draw, play

    trajectory = play(problem, draw(problem, 2, 3), plans)
    assert trajectory.lengths.tolist() == [2, 6]
    assert trajectory.rewards[0, 2:].tolist() == [0.0] * 4
    assert (trajectory["demand"][0, 2:] == 0.0).all() and (trajectory["demand"][1] > 0.0).all()
    assert trajectory["bankruptcy"][..., 0].sum(axis=1).tolist() == [100.0, 0.0]
    assert len(trajectory.columns()["period"]) == 8
    figures = restock.kpis(trajectory)
    np.testing.assert_allclose(figures["profit_per_period"], figures["profit"] / [2.0, 6.0])
    np.testing.assert_allclose(figures["average_inventory"], [0.5 + 1.0, 0.0])


def test_compiled_rollouts_stop_too() -> None:
    problem = restock.load_problem("production", initial_cash=10.0, price_std=0.0, max_steps=6)
    result = restock.simulate(problem, "buy-buy-convert", seeds=[0, 1, 2])
    assert result.deciding is None  # it ran inside the compiled loop
    assert result.trajectory.lengths.tolist() == [2, 2, 2]
    assert (result.trajectory.rewards[:, 2:] == 0.0).all()
    env = plant(initial_cash=10.0, price_std=0.0, max_steps=6)
    env.reset(seed=0)
    assert [env.step(1)[2:4] for _ in range(2)] == [(False, False), (True, False)]
    assert env.kpis()["profit"] == pytest.approx(result.profit[0])


# masks --------------------------------------------------------------------------------------------


def test_masks_say_what_is_not_invalid() -> None:
    generator, seen = np.random.default_rng(0), set()
    for seed in range(20):
        env = plant(initial_cash=7.0 + seed, max_steps=20)
        env.reset(seed=seed)
        for _ in range(20):
            mask = env.action_masks()
            choice = int(generator.integers(3))
            info = env.step(choice)[4]
            assert info["invalid_action"] is not bool(mask[choice])
            seen.add(tuple(mask.tolist()))
    assert len(seen) == 4


def test_masks_of_a_vector() -> None:
    vector = gym.make_vec("restock/Production-v0", num_envs=3, initial_cash=0.0)
    vector.reset(seed=0)
    assert vector.unwrapped.action_masks().tolist() == [[True, False, False]] * 3  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        gym.make("restock/Serial-v0").unwrapped.action_masks()
    assert gym.make("restock/Serial-v0", action="multidiscrete").unwrapped.action_masks().tolist() == [True] * 63


def test_prices_have_a_floor() -> None:
    problem: Any = restock.load_problem("production", price_std=0.5, raw_price_base=0.7, max_steps=400)
    episodes = problem.source(range(5)).next(np.arange(5))
    drawn = problem.exogenous_of(np.empty(0), episodes)
    for seed in range(5):
        numbers = np.random.default_rng(seed).standard_normal((401, 3))
        price = 0.7
        for k, found in enumerate(drawn["raw_price"][seed]):
            price = max(0.1, price + 0.5 * numbers[k, min(k, 1)])  # at the reset the raw price is drawn first
            assert found == pytest.approx(price, abs=1e-12)
        np.testing.assert_allclose(drawn["demand"][seed, 1:], np.maximum(0.0, 10.0 + 3.0 * numbers[1:, 0]))
    assert drawn["raw_price"].min() == 0.1


# bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"max_steps": 0}, "max_steps"),
        ({"initial_cash": -1.0}, "initial_cash"),
        ({"demand_volatility": float("nan")}, "demand_volatility"),
        ({"reward": "money"}, "reward"),
        ({"initial_csh": 3.0}, "initial_csh"),
        ({"max_order": 3.0}, "max_order"),
        ({"action": "quantity"}, "action"),
        ({"instance": "produktion"}, "instance"),
        ({"horizon": 5}, "horizon"),
    ],
    ids=lambda given: str(given),
)
def test_bad_arguments(given: dict[str, Any], field: str) -> None:
    with pytest.raises(restock.InvalidInput) as found:
        plant(**given)
    assert found.value.field == field and found.value.mend


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"demand": [1.0] * 4}, "exogenous.raw_price"),
        ({"demand": [1.0] * 3, "raw_price": [1.0] * 4, "product_price": [1.0] * 4}, "exogenous.demand"),
        ({"demand": [1.0, -1.0, 1, 1], "raw_price": [1.0] * 4, "product_price": [1.0] * 4}, "exogenous.demand[1]"),
        ({"demand": "many", "raw_price": [1.0] * 4, "product_price": [1.0] * 4}, "exogenous.demand"),
        ({"demand": 3.0, "raw_price": [1.0] * 4, "product_price": [1.0] * 4}, "exogenous.demand"),
        ({"demand": [[1.0], [1.0, 2.0]], "raw_price": [1.0] * 4, "product_price": [1.0] * 4}, "exogenous.demand"),
        ({"price": [1.0] * 4}, "exogenous.price"),
        ([1.0], "exogenous"),
    ],
    ids=lambda given: str(given)[:30],
)
def test_bad_replays_change_nothing(given: Any, field: str) -> None:
    env = plant(max_steps=3)
    env.reset(seed=0)
    env.step(1)
    before = env.observe().tolist()
    with pytest.raises(restock.InvalidInput) as found:
        env.reset(options={"exogenous": given})
    assert found.value.field == field and env.observe().tolist() == before


@pytest.mark.parametrize("action", [float("nan"), "buy", [1, 2], None])
def test_bad_actions_change_nothing(action: Any) -> None:
    env = plant(max_steps=3)
    env.reset(seed=0)
    before = env.observe().tolist()
    with pytest.raises(restock.InvalidInput):
        env.step(action)
    assert env.observe().tolist() == before and env.period == 0


@pytest.mark.parametrize("action", [3, -1, 17, 0.5])
def test_numbers_that_are_no_choice_are_refused_and_as_decisions_impossible(action: float) -> None:
    env = plant(max_steps=3)
    env.reset(seed=0)
    with pytest.raises(restock.InvalidInput, match="an integer from 0 to 2"):
        env.step(action)
    assert env.period == 0
    played = play(env.problem, draw(env.problem, 1, 0), np.full((1, 3, 1), float(action)))
    assert (played["impossible"] == 2.0).all() and (played["cash"] == 1000.0).all()


def test_what_cannot_be_carried_out_is_an_invalid_action() -> None:
    env = plant(max_steps=3)
    env.reset(seed=0)
    info = env.step(2)[4]
    assert info["invalid_action"] is True and info["profit"]["impossible"] == -2.0


def test_a_network_policy_is_for_networks() -> None:
    with pytest.raises(restock.InvalidInput, match="network"):
        restock.make_policy("base-stock", "production")
    with pytest.raises(restock.InvalidInput, match="production"):
        restock.make_policy("idle", "serial")
